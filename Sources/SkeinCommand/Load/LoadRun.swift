// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
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
    private static let attemptsMax = 6
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
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-protobuf")
        request.body = .bytes(body)
        for attempt in 1...Self.attemptsMax {
            let begin = clock.monotonicNanos
            do {
                let response = try await ServerClient.connections.execute(request, timeout: .seconds(60))
                let answer = try await response.body.collect(upTo: 1 << 20)
                let status = Int(response.status.code)
                if status == 200 {
                    let rejected = min(Self.rejectedSpans(answer), spanCount)
                    let nanos = clock.monotonicNanos &- begin
                    return sheet.note(
                        accepted: spanCount - rejected,
                        rejected: rejected,
                        bytes: body.readableBytes,
                        nanos
                    )
                }
                guard status == 429 || status == 503, attempt < Self.attemptsMax else {
                    return sheet.note(failed: spanCount, "the server answered \(status)")
                }
                sheet.noteRetry()
                let wished = response.headers.first(name: "retry-after").flatMap { Double($0) }
                try await clock.sleep(nanos: UInt64(min(max(wished ?? 0.2 * Double(attempt), 0.05), 30) * 1e9))
            } catch {
                return sheet.note(failed: spanCount, "nothing answers at \(url)")
            }
        }
    }

    /// Field 1 of field 1 of `ExportTraceServiceResponse`; 0 when all were accepted.
    private static func rejectedSpans(_ answer: ByteBuffer) -> Int {
        answer.withUnsafeReadableBytes { bytes in
            var response = ProtobufReader(bytes)
            do throws(WireError) {
                while let tag = try response.nextTag() {
                    guard tag == 0x0a else {
                        try response.skip(tag)
                        continue
                    }
                    var partial = try response.readMessage()
                    while let tag = try partial.nextTag() {
                        if tag == 0x08 { return Int(clamping: Int64(bitPattern: try partial.readVarint())) }
                        try partial.skip(tag)
                    }
                }
            } catch {
                return 0
            }
            return 0
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
