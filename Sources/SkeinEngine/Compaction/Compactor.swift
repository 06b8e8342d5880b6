// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
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
        /// Why the last merge failed; `nil` when it did not.
        var failure: StoreError?
    }

    private struct State {
        var isClosed = false
        var isScheduled = false
        /// Blocks that could not be merged: they are left alone until the next start.
        var refused: Set<BlockID> = []
    }

    /// Bytes written between two syncs, so that none holds up the log for long.
    private static let syncByteCount = 16 << 20

    private let disk: any Disk
    private let folder: StoreFolder
    private let clock: any WallClock
    private let plan: CompactionPlan
    private let limits: BlockMerge.Limits
    private let sealer: Sealer
    private let isBusy: @Sendable () -> Bool
    private let thread = DispatchQueue(label: "skein.compact", qos: .utility)
    private let state = Mutex(State())
    private let progress = Mutex(Progress())
    /// Signalled to end a pause.
    private let stop = DispatchSemaphore(value: 0)

    /// - Parameter isBusy: Whether somebody else wants the machine.
    init(
        disk: any Disk,
        folder: StoreFolder,
        clock: any WallClock,
        plan: CompactionPlan,
        limits: BlockMerge.Limits = .init(),
        sealer: Sealer,
        isBusy: @escaping @Sendable () -> Bool
    ) {
        self.disk = disk
        self.folder = folder
        self.clock = clock
        self.plan = plan
        self.limits = limits
        self.sealer = sealer
        self.isBusy = isBusy
    }

    var figures: Progress { progress.withLock { $0 } }

    /// Merges what is worth it, soon. `isIdle` says that nobody has sent spans for a while.
    func schedule(isIdle: Bool) {
        let isNew = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled && !state.isClosed
        }
        guard isNew else { return }
        thread.async {
            self.mergeAll(isIdle: isIdle)
            self.state.withLock { $0.isScheduled = false }
        }
    }

    /// Returns when nothing is left that is worth merging.
    func finish(isIdle: Bool) async {
        await withCheckedContinuation { done in
            thread.async {
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
        while let inputs = next(isIdle: isIdle) {
            do throws(StoreError) {
                try merge(inputs)
                progress.withLock { $0.failure = nil }
            } catch {
                if error.code == .cancelled { return }
                progress.withLock { $0.failure = error }
                // A full disk may have room later; a damaged block stays damaged.
                if error.code == .full { return }
                state.withLock { $0.refused.formUnion(inputs.map(\.id)) }
            }
        }
    }

    private func next(isIdle: Bool) -> [StoredBlock]? {
        let (isClosed, refused) = state.withLock { ($0.isClosed, $0.refused) }
        guard !isClosed else { return nil }
        let runs = sealer.neighbours.flatMap { run in
            run.split { refused.contains($0.id) }.map { $0.map(CompactionPlan.Candidate.init) }
        }
        guard let chosen = plan.next(runs, nowUnixNanos: clock.unixNanos, isIdle: isIdle) else { return nil }
        let blocks = sealer.neighbours.flatMap(\.self)
        let inputs = chosen.compactMap { id in blocks.first { $0.id == id } }
        return inputs.count == chosen.count ? inputs : nil
    }

    private func merge(_ inputs: [StoredBlock]) throws(StoreError) {
        guard let first = inputs.first, let last = inputs.last else { return }
        let id = BlockID(firstSegment: first.id.firstSegment, lastSegment: last.id.lastSegment)
        _ = try write(id, of: inputs)
    }

    /// Takes something out of the blocks for which `cut` gives anything to take out. Returns spans left out and masked.
    func rewrite(
        _ cut: @escaping @Sendable (StoredBlock) throws(StoreError) -> BlockMerge.Cut?
    ) async throws(StoreError) -> (cutCount: Int, maskedCount: Int) {
        let result: Result<(Int, Int), StoreError> = await withCheckedContinuation { done in
            thread.async {
                do throws(StoreError) {
                    done.resume(returning: .success(try self.rewriteNow(cut)))
                } catch {
                    done.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private func rewriteNow(
        _ cut: (StoredBlock) throws(StoreError) -> BlockMerge.Cut?
    ) throws(StoreError) -> (Int, Int) {
        var counts = (cut: 0, masked: 0)
        for block in sealer.neighbours.joined() {
            if state.withLock({ $0.isClosed }) { throw StoreError(.cancelled, "the store is being closed") }
            guard let cut = try cut(block) else { continue }
            var id = block.id
            id.generation += 1
            if let outcome = try write(id, of: [block], cut) {
                counts.cut += outcome.cutCount
                counts.masked += outcome.maskedCount
            }
        }
        return (counts.cut, counts.masked)
    }

    /// Makes one block of `inputs` and puts it in their place. Returns `nil` when one of them is gone meanwhile.
    private func write(
        _ id: BlockID,
        of inputs: [StoredBlock],
        _ cut: BlockMerge.Cut = .init()
    ) throws(StoreError) -> BlockMerge.Outcome? {
        let temporary = folder.block(id) + StoreFolder.temporarySuffix
        var room = inputs.reduce(0) { $0 + $1.footer.byteCount }
        if inputs.count > 1 { for input in inputs { room += try input.rollup().byteCount } }
        defer { sealer.endMerge() }
        guard sealer.beginMerge(inputs, byteCount: room) else { return nil }
        var pace = Pace()
        var merge = BlockMerge(inputs.map(\.block), limits: limits, cut: cut) { () throws(StoreError) in
            try self.pause(&pace)
        }
        var byteCount = 0
        let outcome: BlockMerge.Outcome
        do throws(StoreError) {
            try? disk.remove(temporary)
            let file = try Sealer.orFailure { () throws(DiskError) in try disk.open(temporary, .create) }
            var unsynced = 0
            outcome = try merge.write { bytes throws(StoreError) in
                try Sealer.orFailure { () throws(DiskError) in
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
            try Sealer.orFailure { () throws(DiskError) in try file.sync() }
            if inputs.count > 1 {
                var rollups: [StoredRollup] = []
                for input in inputs { rollups.append(try input.rollup()) }
                try sealer.rollups.write(id, sumOf: rollups, merge.takeRollupDifference())
            }
        } catch {
            try? disk.remove(temporary)
            throw error
        }
        guard try sealer.replace(inputs, with: id, from: temporary) else { return nil }
        progress.withLock { progress in
            if inputs.count > 1 { progress.mergeCount += 1 } else { progress.rewriteCount += 1 }
            progress.mergedSpanCount += outcome.spanCount
            progress.copiedSpanCount += outcome.copiedCount
            progress.droppedSpanCount += outcome.droppedCount
            progress.writtenByteCount += byteCount
            progress.cutSpanCount += outcome.cutCount
        }
        return outcome
    }

    /// When the work went on last.
    private struct Pace {
        var resumedNanos: UInt64?
    }

    /// Rests as long as it worked while others want the machine, so that it takes half of one core then.
    private func pause(_ pace: inout Pace) throws(StoreError) {
        if state.withLock({ $0.isClosed }) { throw StoreError(.cancelled, "the store is being closed") }
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
