// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Writes what many requests append, one group after the other: while one group is being synced the next gathers, so
/// one `fdatasync` serves all that wait.
///
/// All work on the log happens on a queue of its own, which blocks where the device makes it wait, and never a thread of
/// the cooperative pool. A batch is shown to readers after its group is as durable as promised, and then its sender is
/// answered.
final class GroupCommit: Sendable {
    private struct Request {
        let batch: SpanBatch
        let record: Record
        let done: CheckedContinuation<StoreError?, Never>
    }

    /// A packed record on its way to the log.
    private final class Record: Sendable {
        let bytes: ByteWriter

        init(_ bytes: consuming ByteWriter) { self.bytes = bytes }
    }

    private struct Waiting {
        var requests: [Request] = []
        var byteCount = 0
        var isScheduled = false
        var isClosed = false
    }

    private struct Writing: ~Copyable {
        var log: LogWriter
        var group = ByteWriter(capacity: 1 << 20)
    }

    /// Appends are refused while this many bytes wait for the log.
    private static let waitingByteCountMax = 64 << 20

    private let durability: Durability
    private let contents: Contents
    private let thread = DispatchQueue(label: "skein.log")
    private let waiting = Mutex(Waiting())
    /// Only touched on ``thread``, but for figures.
    private let writing: Mutex<Writing>

    init(log: consuming LogWriter, durability: Durability, contents: Contents) {
        writing = Mutex(Writing(log: log))
        self.durability = durability
        self.contents = contents
    }

    /// Returns when `batch` is as durable as promised and readers see it.
    func append(_ batch: SpanBatch) async throws(StoreError) {
        let packed = LogSegment.record(of: batch)
        let byteCount = packed.count
        guard byteCount <= RecordFile.payloadBytesMax else {
            throw StoreError(
                .limit,
                "a batch of \(byteCount) bytes is over the limit of \(RecordFile.payloadBytesMax); send smaller ones"
            )
        }
        let record = Record(packed)
        let failure = await withCheckedContinuation { done in
            let refusal = waiting.withLock { waiting -> StoreError? in
                if waiting.isClosed { return StoreError(.unavailable, "the store is closed") }
                if waiting.byteCount > 0, waiting.byteCount + byteCount > Self.waitingByteCountMax {
                    return StoreError(
                        .unavailable,
                        "\(waiting.byteCount) bytes wait for the log already, \(Self.waitingByteCountMax) may: "
                            + "try again in a moment"
                    )
                }
                waiting.requests.append(Request(batch: batch, record: record, done: done))
                waiting.byteCount += byteCount
                schedule(&waiting)
                return nil
            }
            if let refusal { done.resume(returning: refusal) }
        }
        if let failure { throw failure }
    }

    /// Makes durable what was written before, for ``Durability/interval(_:)``.
    func sync() async {
        await withCheckedContinuation { done in
            thread.async {
                // A failure shows in the figures, and the next record goes to a new segment.
                self.writing.withLock { try? $0.log.sync() }
                done.resume()
            }
        }
    }

    /// Refuses further appends, finishes those that wait and ends the open segment.
    func close() async {
        waiting.withLock { $0.isClosed = true }
        await withCheckedContinuation { done in
            thread.async {
                self.drain()
                self.writing.withLock { writing in
                    try? writing.log.sync()
                    _ = writing.log.finish()
                }
                done.resume()
            }
        }
    }

    /// What the log did so far, and the size of its open segment.
    var figures: (counters: LogWriter.Counters, openByteCount: Int) {
        writing.withLock { ($0.log.counters, $0.log.openByteCount) }
    }

    private func schedule(_ waiting: inout Waiting) {
        guard !waiting.isScheduled else { return }
        waiting.isScheduled = true
        thread.async { self.drain() }
    }

    /// Commits groups until nothing waits.
    private func drain() {
        while true {
            let requests = waiting.withLock { waiting in
                let requests = waiting.requests
                waiting.requests = []
                waiting.byteCount = 0
                if requests.isEmpty { waiting.isScheduled = false }
                return requests
            }
            if requests.isEmpty { return }
            let failure = commit(requests)
            if failure == nil { contents.keep(requests.map(\.batch)) }
            for request in requests { request.done.resume(returning: failure) }
        }
    }

    /// Writes a group and, if promised, syncs it.
    private func commit(_ requests: [Request]) -> StoreError? {
        writing.withLock { writing -> StoreError? in
            writing.group.removeAll()
            for request in requests { writing.group.append(request.record.bytes.bytes) }
            do throws(DiskError) {
                try writing.log.write(writing.group.bytes)
                if durability == .always { try writing.log.sync() }
                return nil
            } catch {
                return StoreError(append: error)
            }
        }
    }
}

extension StoreError {
    /// What the sender of spans is told when the log could not take them.
    init(append error: DiskError) {
        switch error.code {
        case .noSpace:
            self.init(.full, "the disk is full, spans cannot be kept until space is made: \(error)", place: error.path)
        default:
            self.init(.unavailable, "spans cannot be kept at the moment: \(error)", place: error.path)
        }
    }

    /// What a reader is told when the disk failed.
    init(read error: DiskError) { self.init(.io, "stored spans cannot be read: \(error)", place: error.path) }
}
