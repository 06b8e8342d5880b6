// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Merges blocks in the background, one merge at a time, on a thread of its own that gives way to others.
///
/// A merge reads blocks that nobody changes and writes a file that nobody knows; only when the file is complete does the
/// ``Sealer`` put it in the place of its inputs, all in one step. A stop at any moment costs the work, no more.
final class Compactor: Sendable {
    /// What compaction did so far.
    struct Progress: Sendable {
        var mergeCount = 0
        var mergedSpanCount = 0
        var copiedSpanCount = 0
        var droppedSpanCount = 0
        /// Blocks written anew to take something out of them, and the spans taken out.
        var rewriteCount = 0
        var cutSpanCount = 0
        var writtenByteCount = 0
    }

    struct State {
        var isClosed = false
        var isScheduled = false
        var retry = MergeRetry()
        var mending = Mending()
    }

    static let failing = "blocks cannot be written anew"

    /// Bytes written between two syncs, so that none holds up the log for long.
    private static let syncByteCount = 16 << 20

    let disk: any Disk
    let folder: StoreFolder
    let clock: any WallClock
    private let plan: CompactionPlan
    private let limits: BlockMerge.Limits
    let sealer: Sealer
    let budget: ByteBudget
    private let isBusy: @Sendable () -> Bool
    let thread = DispatchQueue(label: "skein.compact", qos: .utility)
    let state = Mutex(State())
    private let progress = Mutex(Progress())
    private let chores = Mutex<(@Sendable () -> Void)?>(nil)
    private let lastChores = Mutex<(@Sendable () -> Void)?>(nil)
    /// Signalled to end a pause.
    private let stop = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - budget: What a merge's memory is told to.
    ///   - isBusy: Whether somebody else wants the machine.
    init(
        disk: any Disk,
        folder: StoreFolder,
        clock: any WallClock,
        plan: CompactionPlan,
        limits: BlockMerge.Limits = .init(),
        sealer: Sealer,
        budget: ByteBudget,
        isBusy: @escaping @Sendable () -> Bool
    ) {
        self.disk = disk
        self.folder = folder
        self.clock = clock
        self.plan = plan
        self.limits = limits
        self.sealer = sealer
        self.budget = budget
        self.isBusy = isBusy
    }

    var figures: Progress { progress.withLock { $0 } }

    /// Why some block could not be written anew, as long as that is to be tried again; `nil` when none is.
    var failure: StoreError? { state.withLock { $0.retry.failure } }

    /// Says what else is to be done with blocks, on ``thread``: before each look for something to merge, so that it does not
    /// wait behind all merges.
    func beforeMerges(_ chores: @escaping @Sendable () -> Void) { self.chores.withLock { $0 = chores } }

    /// Says what is to be done with blocks, on ``thread``, whenever nothing is left to merge.
    func afterMerges(_ chores: @escaping @Sendable () -> Void) { lastChores.withLock { $0 = chores } }

    /// Merges what is worth it, soon. `isIdle` says that nobody has sent spans for a while.
    func schedule(isIdle: Bool) {
        let isNew = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled && !state.isClosed
        }
        guard isNew else { return }
        thread.async {
            self.state.withLock { $0.isScheduled = false }
            self.mendAll()
            self.mergeAll(isIdle: isIdle)
        }
    }

    /// Returns when nothing is left that is worth merging, or can be. Tries at once what failed before.
    func finish(isIdle: Bool) async {
        await withCheckedContinuation { done in
            thread.async {
                self.state.withLock { $0.retry.wake(at: self.clock.monotonicNanos) }
                self.mendAll()
                self.mergeAll(isIdle: isIdle)
                done.resume()
            }
        }
    }

    /// Stops for good; a merge under way is given up.
    func close() async {
        state.withLock { $0.isClosed = true }
        stop.signal()
        await withCheckedContinuation { done in thread.async { done.resume() } }
    }

    private func mergeAll(isIdle: Bool) {
        while true {
            chores.withLock { $0 }?()
            guard let inputs = next(isIdle: isIdle) else {
                lastChores.withLock { $0 }?()
                return
            }
            do throws(StoreError) {
                try merge(inputs)
            } catch {
                if error.code == .cancelled { return }
            }
        }
    }

    private func next(isIdle: Bool) -> [StoredBlock]? {
        let runs = sealer.neighbours
        let blocks = runs.flatMap(\.self)
        let now = clock.monotonicNanos
        guard let retry = look(at: blocks, now), !retry.isResting(now) else { return nil }
        let candidates = runs.flatMap { run in
            run.split { retry.isResting($0.id, now) }.map { $0.map(CompactionPlan.Candidate.init) }
        }
        var plan = plan
        plan.traceCountMax = min(plan.traceCountMax, affordableTraceCount)
        guard let chosen = plan.next(candidates, nowUnixNanos: clock.unixNanos, isIdle: isIdle) else { return nil }
        let inputs = chosen.compactMap { id in blocks.first { $0.id == id } }
        return inputs.count == chosen.count ? inputs : nil
    }

    /// How many traces can be merged with the memory there is. Where blocks pile up, some can in any case.
    private var affordableTraceCount: Int {
        let count = (budget.room - Self.sectionCopies * limits.sectionByteCount) / Self.traceByteCount
        return isBusy() ? max(count, 0) : max(count, Self.urgentTraceCount)
    }

    /// What rests, of the blocks that there are; `nil` when the store is being closed.
    func look(at blocks: [StoredBlock], _ now: UInt64) -> MergeRetry? {
        state.withLock { state in
            state.retry.keep(Set(blocks.map(\.id)), at: now)
            return state.isClosed ? nil : state.retry
        }
    }

    private func merge(_ inputs: [StoredBlock]) throws(StoreError) {
        guard let first = inputs.first, let last = inputs.last else { return }
        let id = BlockID(firstSegment: first.id.firstSegment, lastSegment: last.id.lastSegment)
        _ = try noting(inputs) { () throws(StoreError) in
            try requireRoom(for: inputs)
            return try write(id, of: inputs)
        }
    }

    /// Remembers of `inputs` whether `body` could write them anew.
    func noting(
        _ inputs: [StoredBlock],
        _ body: () throws(StoreError) -> BlockMerge.Outcome?
    ) throws(StoreError) -> BlockMerge.Outcome? {
        let ids = inputs.map(\.id)
        do throws(StoreError) {
            let outcome = try body()
            if outcome != nil { state.withLock { $0.retry.noteSuccess(of: ids) } }
            return outcome
        } catch {
            if error.code != .cancelled {
                state.withLock { $0.retry.note(error, of: ids, at: clock.monotonicNanos, path: folder.block) }
            }
            noteDamage(error)
            throw error
        }
    }

    /// Background work leaves as much room on the disk as it takes, so that the log finds some meanwhile.
    func requireRoom(for inputs: [StoredBlock]) throws(StoreError) {
        let needed = inputs.reduce(0) { $0 + $1.footer.byteCount } * 2
        guard let free = try? disk.freeBytes(folder.root), free < needed else { return }
        throw StoreError(
            .full,
            "writing blocks anew needs \(needed) free bytes and the disk has \(free): make space; it is tried again"
        )
    }

    /// Makes one block of `inputs` and puts it in their place. Returns `nil` when one of them is gone meanwhile.
    ///
    /// - Parameter damage: What is wrong with the inputs, which are then kept in quarantine.
    func write(
        _ id: BlockID,
        of inputs: [StoredBlock],
        _ cut: BlockMerge.Cut = .init(),
        because damage: String? = nil
    ) throws(StoreError) -> BlockMerge.Outcome? {
        let temporary = folder.block(id) + StoreFolder.temporarySuffix
        var room = inputs.reduce(0) { $0 + $1.footer.byteCount }
        if inputs.count > 1 { for input in inputs { room += try input.rollup().byteCount } }
        defer { sealer.endMerge() }
        guard sealer.beginMerge(inputs, byteCount: room) else { return nil }
        var taken = budget.reservation()
        taken.resizeAnyway(to: Self.byteCount(toMerge: inputs.map(\.footer), limits))
        var pace = Pace()
        var merge = BlockMerge(inputs.map(\.block), limits: limits, cut: cut) { () throws(StoreError) in
            try self.pause(&pace)
        }
        var byteCount = 0
        let outcome: BlockMerge.Outcome
        do throws(StoreError) {
            try? disk.remove(temporary)
            let file = try Sealer.orFailure(Self.failing) { () throws(DiskError) in try disk.open(temporary, .create) }
            var unsynced = 0
            outcome = try merge.write { bytes throws(StoreError) in
                try Sealer.orFailure(Self.failing) { () throws(DiskError) in
                    try file.append(bytes)
                    byteCount += bytes.count
                    self.sealer.goOnMerging(byteCount: room - byteCount)
                    unsynced += bytes.count
                    if unsynced >= Self.syncByteCount {
                        try file.sync()
                        unsynced = 0
                    }
                }
            }
            try Sealer.orFailure(Self.failing) { () throws(DiskError) in try file.sync() }
            if inputs.count > 1 {
                let difference = merge.takeRollupDifference()
                do throws(StoreError) {
                    try sealer.rollups.write(
                        id,
                        sumOf: try inputs.map { input throws(StoreError) in try input.rollup() },
                        difference
                    )
                } catch {
                    guard error.code == .corrupt else { throw error }
                    try sealer.rollups.write(
                        id,
                        sumOf: try inputs.map { input throws(StoreError) in try input.soundRollup() },
                        difference
                    )
                }
            }
        } catch {
            try? disk.remove(temporary)
            throw error
        }
        // First, since a block that is masked is not looked at again when the rest fails.
        if cut.masksPeers, let input = inputs.first { try maskPeers(of: cut.masked, in: input, rewritten: temporary) }
        guard try sealer.replace(inputs, with: id, from: temporary, because: damage) else { return nil }
        progress.withLock { progress in
            if inputs.count > 1 { progress.mergeCount += 1 } else if damage == nil { progress.rewriteCount += 1 }
            progress.mergedSpanCount += outcome.spanCount
            progress.copiedSpanCount += outcome.copiedCount
            progress.droppedSpanCount += outcome.droppedCount
            progress.writtenByteCount += byteCount
            progress.cutSpanCount += outcome.cutCount
        }
        return outcome
    }

    /// The memory that a merge takes: the places of all traces, and a section of spans as it was read, once more as columns,
    /// and on its way to the disk; or a row group that is copied, as it was read, as it grows, and as it is written. Measured.
    static func byteCount(toMerge inputs: [BlockFooter], _ limits: BlockMerge.Limits) -> Int {
        let largestGroup = inputs.flatMap(\.groups).map { $0.directory.offset - $0.offset }.max() ?? 0
        return inputs.reduce(0) { $0 + $1.traceCount } * traceByteCount
            + max(sectionCopies * limits.sectionByteCount, 4 * largestGroup)
    }

    /// What the places of a trace take in each block that has a piece of it.
    private static let traceByteCount = 112
    /// How many times a section is there.
    private static let sectionCopies = 3
    private static let urgentTraceCount = 64 << 10

    /// When the work went on last.
    struct Pace {
        fileprivate var resumedNanos: UInt64?
    }

    func checkOpen() throws(StoreError) {
        if state.withLock({ $0.isClosed }) { throw StoreError(.cancelled, "the store is being closed") }
    }

    /// Rests as long as it worked while others want the machine, so that it takes half of one core then.
    func pause(_ pace: inout Pace) throws(StoreError) {
        try checkOpen()
        let now = clock.monotonicNanos
        let worked = now &- (pace.resumedNanos ?? now)
        if worked < Self.workNanos, pace.resumedNanos != nil { return }
        if isBusy(),
            stop.wait(timeout: .now() + .nanoseconds(Int(clamping: min(worked, Self.restNanosMax)))) == .success
        {
            stop.signal()
            throw StoreError(.cancelled, "the store is being closed")
        }
        pace.resumedNanos = clock.monotonicNanos
    }

    /// How long it works before it looks whether to rest, and how long it rests at most.
    private static let workNanos: UInt64 = 5_000_000
    private static let restNanosMax: UInt64 = 100_000_000
}

extension CompactionPlan.Candidate {
    init(_ block: StoredBlock) {
        self.init(
            id: block.id,
            spanCount: block.footer.spanCount,
            traceCount: block.footer.traceCount,
            byteCount: block.footer.byteCount,
            tableByteCount: block.footer.tableByteCount,
            receivedMin: block.footer.receivedMin,
            receivedMax: block.footer.receivedMax
        )
    }
}

extension BlockFooter {
    /// Bytes of the tables of names, unpacked.
    fileprivate var tableByteCount: Int {
        [resources, scopes, keys, operations].reduce(0) { $0 + $1.rawCount }
    }
}
