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
    /// Records that are not in use. Bounded in number, and none of the large ones are kept.
    private struct Spares {
        static let countMax = 16
        static let byteCountMax = 256 << 10
        var records: [Record] = []
    }

    private struct Writing: ~Copyable {
        var log: LogWriter
        var group = ByteWriter(capacity: 1 << 20)
        var lastFailure: StoreError?
    }

    /// A group is not made longer than this, but for a single record that is.
    private static let groupByteCountMax = 4 << 20
    /// How often requests that wait for room in the head look for it.
    private static let lookMillis = 20

    private let durability: Durability
    private let limits: HeadLimits
    private let clock: any WallClock
    private let contents: Contents
    /// What the head is counted against.
    private let head: ByteBudget
    private let sealer: Sealer
    private let thread = DispatchQueue(label: "skein.log")
    private let waiting = Mutex(Waiting())
    private let spares = Mutex(Spares())
    /// Only touched on ``thread``, and held while the device works.
    private let writing: Mutex<Writing>
    /// What ``writing`` came to, for those who must not wait for the device.
    private let published = Mutex(Figures())

    init(
        log: consuming LogWriter,
        durability: Durability,
        limits: HeadLimits,
        clock: any WallClock,
        contents: Contents,
        head: ByteBudget,
        sealer: Sealer
    ) {
        writing = Mutex(Writing(log: log))
        self.durability = durability
        self.limits = limits
        self.clock = clock
        self.contents = contents
        self.head = head
        self.sealer = sealer
        writing.withLock { publish($0) }
    }

    /// Returns when `batch` is as durable as promised and readers see it.
    func append(_ batch: SpanBatch) async throws(StoreError) {
        let record = spares.withLock { $0.records.popLast() } ?? Record()
        let byteCount = record.pack(batch)
        guard byteCount <= RecordFile.payloadBytesMax else {
            throw StoreError(
                .limit,
                "a batch of \(byteCount) bytes is over the limit of \(RecordFile.payloadBytesMax); send smaller ones"
            )
        }
        let failure = await withCheckedContinuation { done in
            let refusal = waiting.withLock { waiting -> StoreError? in
                if waiting.isClosed { return StoreError(.unavailable, "the store is closed") }
                if waiting.isHeld, let failure = waiting.sealFailure { return failure.asRefusal }
                if waiting.byteCount > 0, waiting.byteCount + byteCount > limits.waitingByteCount {
                    return StoreError(
                        .unavailable,
                        "\(waiting.byteCount) bytes wait for the log already, \(limits.waitingByteCount) may: "
                            + "try again in a moment"
                    )
                }
                waiting.requests.append(
                    Request(
                        batch: batch,
                        record: record,
                        byteCount: byteCount,
                        enqueuedNanos: clock.monotonicNanos,
                        done: done
                    )
                )
                waiting.byteCount += byteCount
                schedule(&waiting)
                return nil
            }
            if let refusal { done.resume(returning: refusal) }
        }
        if byteCount <= Spares.byteCountMax {
            spares.withLock { if $0.records.count < Spares.countMax { $0.records.append(record) } }
        }
        if let failure { throw failure }
    }

    /// Makes durable what was written before, for ``Durability/interval(_:)``.
    func sync() async {
        await onThread {
            do throws(DiskError) {
                try self.writing.withLock { writing throws(DiskError) in
                    defer { self.publish(writing) }
                    try writing.log.sync()
                }
            } catch {
                // What was acknowledged since the last sync is in memory still: a block makes it durable.
                self.freeze(isDoubtful: true)
            }
        }
    }

    /// Lets the head's present spans become a block, whatever their number. Returns when the part is frozen.
    func freezeHead() async { await onThread { self.freeze() } }

    /// Returns when what was under way on the log's thread is done.
    func settle() async { await onThread {} }

    /// Goes on with requests that waited for room in the head; `failure` says that no room will be made for now.
    func headChanged(failure: StoreError?) {
        let refused = waiting.withLock { waiting -> [Request] in
            waiting.sealFailure = failure
            guard waiting.isHeld else { return [] }
            if failure == nil {
                waiting.isHeld = false
                schedule(&waiting)
                return []
            }
            return waiting.removeAll { _ in true }
        }
        for request in refused { request.done.resume(returning: failure?.asRefusal) }
    }

    /// Refuses requests that have waited for room in the head for longer than `nanos`.
    func refuseWaiting(longerThan nanos: UInt64) {
        let now = clock.monotonicNanos
        let refused = waiting.withLock { waiting -> [Request] in
            guard waiting.isHeld else { return [] }
            return waiting.removeAll { now &- $0.enqueuedNanos > nanos }
        }
        for request in refused {
            request.done.resume(
                returning: StoreError(
                    .unavailable,
                    "the newest spans take all the memory or log that they may, \(head.used) bytes of memory now, and do "
                        + "not become blocks as fast as they come: try again later"
                )
            )
        }
    }

    /// Refuses further appends, finishes those that wait and ends the open segment.
    func close() async {
        waiting.withLock { waiting in
            waiting.isClosed = true
            waiting.isHeld = false
        }
        await onThread {
            self.drain()
            self.writing.withLock { writing in
                try? writing.log.sync()
                _ = writing.log.finish()
                self.publish(writing)
            }
        }
    }

    private func onThread(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { done in
            thread.async {
                body()
                done.resume()
            }
        }
    }

    /// As they were after the last group; never waits for the device.
    var figures: Figures { published.withLock { $0 } }

    private func publish(_ writing: borrowing Writing) {
        let figures = Figures(
            counters: writing.log.counters,
            openByteCount: writing.log.openByteCount,
            lastFailure: writing.lastFailure
        )
        published.withLock { $0 = figures }
    }

    /// What the log did so far.
    struct Figures: Sendable {
        var counters = LogWriter.Counters()
        var openByteCount = 0
        /// Why the last group could not be written; `nil` when it was.
        var lastFailure: StoreError?
    }

    private func schedule(_ waiting: inout Waiting) {
        guard !waiting.isScheduled else { return }
        waiting.isScheduled = true
        thread.async { self.drain() }
    }

    /// Commits groups until nothing waits, or the head has no room for what does.
    private func drain() {
        while true {
            let needed = waiting.withLock { $0.firstHeadByteCount }
            let room = headRoom(for: needed)
            // A part that grows beyond its limit takes more memory than there is when it becomes a block.
            if needed > limits.byteCount - contents.activeFigures.byteCount { freeze() }
            let partRoom = limits.byteCount - contents.activeFigures.byteCount
            let (requests, isHeld) = waiting.withLock { waiting in
                let requests = waiting.removeFirst(
                    upTo: min(Self.groupByteCountMax, limits.byteCount),
                    headRoom: waiting.isClosed ? .max : room,
                    partRoom: partRoom
                )
                if requests.isEmpty {
                    waiting.isHeld = !waiting.requests.isEmpty
                    waiting.isScheduled = false
                }
                return (requests, waiting.isHeld)
            }
            if requests.isEmpty {
                if isHeld {
                    // Only what is a block makes room.
                    if contents.oldestFrozen == nil { freeze() }
                    sealer.schedule(isPressed: true)
                    recheckRoom()
                    lookAgain()
                }
                return
            }
            let (failure, isDoubtful) = commit(requests)
            if isDoubtful { freeze(isDoubtful: true) }
            if failure == nil {
                contents.keep(
                    requests.map(\.batch),
                    logByteCount: requests.reduce(0) { $0 + $1.byteCount },
                    nowNanos: clock.monotonicNanos
                )
            }
            for request in requests { request.done.resume(returning: failure) }
            let active = contents.activeFigures
            if limits.isFull(active) {
                freeze()
            } else if limits.isUnderWay(active), contents.oldestFrozen != nil {
                sealer.schedule()
            }
        }
    }

    /// How much more the head may hold. An empty head takes any batch: no room would be made by waiting.
    private func headRoom(for needed: Int) -> Int {
        if limits.isFull(contents.headFigures) { return 0 }
        return contents.isHeadEmpty ? max(needed, head.room) : head.makeRoom(for: needed)
    }

    /// The sealer tells when it has made room; those who hold the memory of the head for other reasons do not.
    private func lookAgain() {
        let isNew = waiting.withLock { waiting in
            guard waiting.isHeld, !waiting.requests.isEmpty, !waiting.isLooking else { return false }
            waiting.isLooking = true
            return true
        }
        guard isNew else { return }
        thread.asyncAfter(deadline: .now() + .milliseconds(Self.lookMillis)) {
            self.waiting.withLock { $0.isLooking = false }
            self.recheckRoom()
            self.lookAgain()
        }
    }

    /// Goes on, or gives up, where that is possible by now: what the sealer said between measuring the head and holding
    /// the requests was said to nobody, and other users of the memory say nothing at all.
    private func recheckRoom() {
        let (needed, failure) = waiting.withLock { waiting in
            (waiting.isHeld && !waiting.requests.isEmpty ? waiting.firstHeadByteCount : nil, waiting.sealFailure)
        }
        guard let needed else { return }
        if headRoom(for: needed) >= needed {
            headChanged(failure: nil)
        } else if let failure {
            headChanged(failure: failure)
        }
    }

    /// Ends the active part of the head with its last log segment. On ``thread`` only.
    private func freeze(isDoubtful: Bool = false) {
        guard contents.activeFigures.spanCount > 0 else { return }
        writing.withLock { writing in
            // The segment is not written to again, so no later sync would reach it.
            if durability != .os { try? writing.log.sync() }
            let last = writing.log.finish()
            publish(writing)
            contents.freeze(
                lastSegment: last,
                nextSegment: writing.log.segment,
                nowNanos: clock.monotonicNanos,
                isDoubtful: isDoubtful
            )
        }
        sealer.schedule()
    }

    /// Writes a group and, if promised, syncs it. Answers also whether spans acknowledged before are in a segment that was
    /// given up unsynced: no later sync reaches them, so a block must make them durable.
    private func commit(_ requests: [Request]) -> (failure: StoreError?, isDoubtful: Bool) {
        writing.withLock { writing in
            let (segment, isUnsynced) = (writing.log.segment, writing.log.hasUnsyncedBytes)
            do throws(DiskError) {
                if let only = requests.first, requests.count == 1 {
                    try only.record.write(to: &writing.log)
                } else {
                    writing.group.removeAll()
                    for request in requests { request.record.append(to: &writing.group) }
                    try writing.log.write(writing.group.bytes)
                }
                if durability == .always { try writing.log.sync() }
                writing.lastFailure = nil
            } catch {
                writing.lastFailure = StoreError(append: error)
            }
            publish(writing)
            let isDoubtful = durability.isInterval && isUnsynced && writing.log.segment != segment
            return (writing.lastFailure, isDoubtful)
        }
    }
}

extension StoreError {
    /// The same trouble as an answer to a sender, who may try again.
    fileprivate var asRefusal: StoreError {
        StoreError(code == .full ? .full : .unavailable, "spans cannot be kept at the moment: \(message)", place: place)
    }

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
