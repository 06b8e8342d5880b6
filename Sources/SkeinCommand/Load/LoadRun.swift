// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore
import SkeinBase
import SkeinModel
import SkeinWire
import Synchronization

/// Sends generated traffic over OTLP/HTTP until enough was sent.
struct LoadRun: Sendable {
    var url: String
    /// Traces to send, or `nil` to go by time.
    var traces: Int?
    var seconds: Double
    /// Spans per second, or 0 for as many as the server takes.
    var rate: Int
    /// Requests under way at once.
    var concurrency: Int
    var seed: UInt64
    var clock: any WallClock = SystemClock()

    /// Spans of a request, about as many as exporters send.
    private static let requestSpans = 512
    /// Requests refused one after the other before the run gives up.
    private static let failuresMax = 8

    /// Runs to the end, or until the server refuses everything. `report` is called now and then meanwhile.
    func run(_ report: @escaping @Sendable (LoadReport) -> Void) async -> LoadReport {
        let sheet = Sheet()
        let begin = clock.monotonicNanos
        var traffic = ShopTraffic(seed: seed)
        var sentTraces = 0
        var sentSpans = 0
        var lastReport = begin
        await withTaskGroup(of: Void.self) { group in
            var underWay = 0
            while !sheet.isHopeless, !Task.isCancelled {
                let elapsed = clock.monotonicNanos &- begin
                if let traces, sentTraces >= traces { break }
                if traces == nil, Double(elapsed) / 1e9 >= seconds { break }
                if elapsed &- (lastReport &- begin) > 200_000_000 {
                    lastReport = begin &+ elapsed
                    report(sheet.report(elapsedNanos: elapsed))
                }
                let due = rate > 0 ? Double(sentSpans) / Double(rate) * 1e9 : 0
                if due > Double(elapsed) {
                    // A short nap at most, so that the end of the time is not slept through.
                    try? await clock.sleep(nanos: min(UInt64(due) - elapsed, 50_000_000))
                    continue
                }
                if underWay >= concurrency {
                    await group.next()
                    underWay -= 1
                }
                // At low rates a request holds what falls due in a twentieth of a second.
                let spansMax = rate > 0 ? min(Self.requestSpans, max(1, rate / 20)) : Self.requestSpans
                var spans: [SkeinModel.Span] = []
                while spans.count < spansMax, traces.map({ sentTraces < $0 }) ?? true {
                    let visit = traffic.visit(endUnixNanos: clock.unixNanos)
                    // A visit may start a trace of its own for what it leaves to a queue; the last one may not have room.
                    var ids: [TraceID] = []
                    for span in visit where !ids.contains(span.traceID) { ids.append(span.traceID) }
                    let room = traces.map { $0 - sentTraces } ?? ids.count
                    let kept = ids.prefix(room)
                    spans += kept.count == ids.count ? visit : visit.filter { kept.contains($0.traceID) }
                    sentTraces += kept.count
                }
                sentSpans += spans.count
                let body = Self.body(of: spans)
                let spanCount = spans.count
                group.addTask { await send(body, spanCount: spanCount, to: sheet) }
                underWay += 1
            }
        }
        sheet.note(traces: sentTraces)
        return sheet.report(elapsedNanos: clock.monotonicNanos &- begin)
    }

    private static func body(of spans: [SkeinModel.Span]) -> ByteBuffer {
        var writer = ByteWriter(capacity: spans.count * 512)
        OTLP.ProtobufEncoder.append(SpanBatch(spans: spans), to: &writer)
        return ByteBuffer(bytes: writer.bytes)
    }

    /// Sends one request, again when the server asks for patience.
    private func send(_ body: ByteBuffer, spanCount: Int, to sheet: Sheet) async {
        let begin = clock.monotonicNanos
        do throws(SpanSender.Failure) {
            let answer = try await SpanSender(url: url, clock: clock).send(body) { sheet.noteRetry() }
            let rejected = min(answer.rejectedCount, spanCount)
            sheet.note(
                accepted: spanCount - rejected,
                rejected: rejected,
                bytes: body.readableBytes,
                clock.monotonicNanos &- begin
            )
        } catch {
            switch error {
            case .refused(let status, _): sheet.note(failed: spanCount, "the server answered \(status)")
            case .unreachable: sheet.note(failed: spanCount, "nothing answers at \(url)")
            }
        }
    }

    /// What the tasks of a run note down.
    private final class Sheet: Sendable {
        private let state = Mutex(LoadReport())

        func note(accepted: Int, rejected: Int, bytes: Int, _ nanos: UInt64) {
            state.withLock {
                $0.requests += 1
                $0.acceptedSpans += accepted
                $0.rejectedSpans += rejected
                $0.bytes += bytes
                $0.latencies.add(nanos)
                $0.failuresInARow = 0
            }
        }

        func note(failed spans: Int, _ reason: String) {
            state.withLock {
                $0.requests += 1
                $0.failedSpans += spans
                $0.failures[reason, default: 0] += 1
                $0.failuresInARow += 1
            }
        }

        func note(traces: Int) { state.withLock { $0.traces = traces } }
        func noteRetry() { state.withLock { $0.retries += 1 } }
        var isHopeless: Bool { state.withLock { $0.failuresInARow >= LoadRun.failuresMax } }

        func report(elapsedNanos: UInt64) -> LoadReport {
            state.withLock {
                $0.elapsedNanos = elapsedNanos
                return $0
            }
        }
    }
}

/// What became of a run.
struct LoadReport: Sendable {
    var traces = 0
    var requests = 0
    var acceptedSpans = 0
    var rejectedSpans = 0
    /// Spans of requests that were not answered with 200.
    var failedSpans = 0
    var retries = 0
    /// Of accepted requests, before compression.
    var bytes = 0
    /// Requests by why they failed.
    var failures: [String: Int] = [:]
    /// Of accepted requests.
    var latencies = LatencyHistogram()
    var elapsedNanos: UInt64 = 0
    var failuresInARow = 0

    /// Whether every span was accepted.
    var isClean: Bool { rejectedSpans == 0 && failedSpans == 0 }

    var spansPerSecond: Int { elapsedNanos == 0 ? 0 : Int(Double(acceptedSpans) / Double(elapsedNanos) * 1e9) }

    /// One line while the run goes on.
    var progress: String {
        var parts = [
            "\(Figures.count(acceptedSpans, "span"))", "\(Figures.count(spansPerSecond))/s",
            "p50 \(Figures.duration(latencies.quantile(0.5)))",
            "\(Figures.duration(elapsedNanos / 1_000_000_000 * 1_000_000_000))",
        ]
        if !isClean { parts.append("\(Figures.count(rejectedSpans + failedSpans)) not accepted") }
        return parts.joined(separator: "  ")
    }

    /// What is said at the end.
    func summary(on terminal: Terminal) -> [String] {
        var lines = [
            "\(terminal.styled(Figures.count(acceptedSpans, "span"), .bold)) accepted in "
                + "\(Figures.duration(elapsedNanos)), \(Figures.count(spansPerSecond)) spans/s",
            "\(Figures.count(traces, "trace")), \(Figures.count(requests, "request")), "
                + "\(Figures.bytes(UInt64(bytes))), \(Figures.count(retries)) retried",
            "latency  p50 \(Figures.duration(latencies.quantile(0.5)))  p95 \(Figures.duration(latencies.quantile(0.95)))  "
                + "max \(Figures.duration(latencies.max))",
        ]
        if rejectedSpans > 0 {
            lines.append(terminal.styled("\(Figures.count(rejectedSpans, "span")) rejected by the server", .error))
        }
        for (reason, count) in failures.sorted(by: { $0.key < $1.key }) {
            lines.append(terminal.styled("\(Figures.count(count, "request")) failed: \(reason)", .error))
        }
        return lines
    }
}
