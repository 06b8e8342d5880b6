// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore
import SkeinBase
import SkeinModel
import SkeinWire
import Synchronization

/// Reads files of traces, one after the other, and sends their spans to a server while it reads on.
struct ImportRun: Sendable {
    /// `nil` to send nothing.
    var sender: SpanSender?
    /// `nil` for whatever form there is.
    var format: TraceFileFormat?
    /// The service of spans that name none.
    var serviceName: String?
    var clock: any WallClock = SystemClock()

    /// Bytes of a request, about as many as exporters send.
    private static let requestBytes = 384 << 10
    /// Bytes of a batch from which on it is sent in parts: far below what servers take.
    private static let batchBytesMax = 4 << 20
    /// Requests under way at once.
    private static let concurrency = 4
    /// How often a server that was there and is gone is looked for again.
    private static let absencesMax = 5

    /// Reads and sends all of `paths`, or as much as the server takes; `progress` is called now and then meanwhile.
    func run(_ paths: [String], _ progress: (ImportProgress) -> Void) async throws(CommandFailure) -> ImportReport {
        // A name that is wrong is told before anything is sent.
        var total: Int? = 0
        for path in paths {
            let size = try FileSource(path).byteCount
            total = total.flatMap { total in size.map { total + $0 } }
        }
        let sheet = Sheet()
        let begin = clock.monotonicNanos
        let known = total
        await withTaskGroup(of: Void.self) { group in
            var outbox = Outbox()
            var done = 0
            for path in paths where sheet.stop == nil {
                done += await read(path, &outbox, &group, sheet) { readCount in
                    progress(
                        ImportProgress(
                            byteCount: done + readCount,
                            totalByteCount: known,
                            spanCount: sheet.spanCount,
                            elapsedNanos: clock.monotonicNanos &- begin
                        )
                    )
                }
            }
            await send(&outbox, &group, sheet)
        }
        var report = sheet.report
        report.elapsedNanos = clock.monotonicNanos &- begin
        report.isDry = sender == nil
        return report
    }

    /// Reads one file and returns its bytes.
    private func read(
        _ path: String,
        _ outbox: inout Outbox,
        _ group: inout TaskGroup<Void>,
        _ sheet: Sheet,
        _ progress: (Int) -> Void
    ) async -> Int {
        var reader = TraceFileReader(format: format)
        var plain = ByteWriter()
        var failure: String?
        var readCount = 0
        var name = path
        do throws(CommandFailure) {
            var source = try FileSource(path)
            name = source.name
            while sheet.stop == nil {
                plain.removeAll()
                let isMore = try source.read(into: &plain)
                readCount = source.readCount
                guard isMore else { break }
                reader.append(plain.bytes)
                await drain(&reader, &outbox, &group, sheet)
                progress(readCount)
            }
        } catch {
            failure = error.description
        }
        reader.finish()
        await drain(&reader, &outbox, &group, sheet)
        sheet.note(.init(name: name, byteCount: readCount, read: reader.report, failure: failure))
        return readCount
    }

    private func drain(
        _ reader: inout TraceFileReader,
        _ outbox: inout Outbox,
        _ group: inout TaskGroup<Void>,
        _ sheet: Sheet
    ) async {
        while sheet.stop == nil, let batch = reader.nextBatch(receivedUnixNanos: clock.unixNanos) {
            sheet.note(read: batch.count)
            guard sender != nil else { continue }
            var parts = [serviceName.map { batch.givingService($0) } ?? batch]
            while let part = parts.popLast() {
                if part.byteCount > Self.batchBytesMax, part.count > 1 {
                    let middle = part.count / 2
                    parts += [part.selecting { $0 >= middle }, part.selecting { $0 < middle }]
                    continue
                }
                OTLP.ProtobufEncoder.append(part, to: &outbox.body)
                outbox.spanCount += part.count
                if outbox.body.count >= Self.requestBytes { await send(&outbox, &group, sheet) }
            }
        }
    }

    // MARK: Sending

    /// Spans that wait to be sent.
    private struct Outbox: ~Copyable {
        var body = ByteWriter(capacity: ImportRun.requestBytes)
        var spanCount = 0
        var underWay = 0
    }

    /// Sends what waits, once there is a place for it.
    private func send(_ outbox: inout Outbox, _ group: inout TaskGroup<Void>, _ sheet: Sheet) async {
        guard let sender, outbox.spanCount > 0 else { return }
        if outbox.underWay >= Self.concurrency {
            await group.next()
            outbox.underWay -= 1
        }
        let body = ByteBuffer(bytes: outbox.body.bytes)
        let spanCount = outbox.spanCount
        outbox.body.removeAll()
        outbox.spanCount = 0
        outbox.underWay += 1
        group.addTask { await send(body, spanCount, sender, sheet) }
    }

    private func send(_ body: ByteBuffer, _ spanCount: Int, _ sender: SpanSender, _ sheet: Sheet) async {
        var absences = 0
        while sheet.stop == nil {
            let storedBefore = sheet.storedCount
            do throws(SpanSender.Failure) {
                let answer = try await sender.send(body) { sheet.noteRetry() }
                return sheet.note(stored: spanCount, rejected: min(answer.rejectedCount, spanCount), answer.message)
            } catch {
                switch error {
                case .refused(let status, let message):
                    let reason = message.isEmpty ? "it answered \(status)" : message
                    guard [429, 502, 503, 504].contains(status) else { return sheet.note(refused: spanCount, reason) }
                    // A limit of spans a second lets one request through after the other: it is not this one's turn yet.
                    if status == 429, sheet.storedCount > storedBefore { continue }
                    return sheet.stop(
                        "The server takes no more for now: \(reason). Run it again later; nothing is stored twice."
                    )
                case .unreachable:
                    absences += 1
                    guard sheet.hasStored, absences < Self.absencesMax else {
                        return sheet.stop(
                            sheet.hasStored
                                ? "The server at \(sender.url) is gone. Run it again when it is back; nothing is stored twice."
                                : "Nothing answers at \(sender.url). Start a server with `skein serve`, or name yours with --server-otlp."
                        )
                    }
                    sheet.noteRetry()
                    try? await clock.sleep(nanos: UInt64(absences) * 1_000_000_000)
                }
            }
        }
    }

    /// What reader and senders note down.
    private final class Sheet: Sendable {
        private let state = Mutex(ImportReport())
        private let readSpans = Mutex(0)

        var report: ImportReport { state.withLock { $0 } }
        var stop: String? { state.withLock { $0.stop } }
        var storedCount: Int { state.withLock { $0.storedCount } }
        var hasStored: Bool { storedCount > 0 }
        var spanCount: Int { readSpans.withLock { $0 } }

        func note(read count: Int) { readSpans.withLock { $0 += count } }
        func note(_ file: ImportReport.File) { state.withLock { $0.files.append(file) } }
        func noteRetry() { state.withLock { $0.retries += 1 } }
        func stop(_ reason: String) { state.withLock { $0.stop = $0.stop ?? reason } }
        func note(refused count: Int, _ reason: String) { state.withLock { $0.refusals[reason, default: 0] += count } }

        func note(stored count: Int, rejected: Int, _ message: String) {
            state.withLock {
                $0.storedCount += count - rejected
                if rejected > 0 { $0.refusals[message, default: 0] += rejected }
            }
        }
    }
}

/// How far an import is.
struct ImportProgress: Sendable {
    var byteCount: Int
    /// `nil` where nobody knows, as of a pipe.
    var totalByteCount: Int?
    /// Spans that were read.
    var spanCount: Int
    var elapsedNanos: UInt64

    /// One line, as `━━━━━━━━────────  52 %  1.2 GiB of 2.3 GiB  1,234,567 spans  85,000/s`.
    func line(on terminal: Terminal) -> String {
        let rate = elapsedNanos == 0 ? 0 : Double(spanCount) / Double(elapsedNanos) * 1e9
        let counts = "\(Figures.count(spanCount, "span"))  \(Figures.count(Int(min(rate, 1e15))))/s"
        guard let totalByteCount else { return "\(Figures.bytes(byteCount))  \(counts)" }
        let share = totalByteCount > 0 ? min(1, Double(byteCount) / Double(totalByteCount)) : 1
        let percent = String(Int(share * 100))
        let text =
            "\(String(repeating: " ", count: max(0, 3 - percent.count)))\(percent) %  \(Figures.bytes(byteCount)) of "
            + "\(Figures.bytes(totalByteCount))  \(counts)"
        let width = min(30, terminal.width - TerminalText.width(text) - 3)
        guard width >= 8 else { return text }
        let full = Int(Double(width) * share)
        let (on, off) = terminal.hasUnicode ? ("━", "─") : ("#", ".")
        return terminal.styled(String(repeating: on, count: full), .good)
            + terminal.styled(String(repeating: off, count: width - full), .dim) + " " + text
    }
}
