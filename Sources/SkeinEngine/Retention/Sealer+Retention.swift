// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinStore
import Synchronization

/// Removing what is past its time or over the quota.
extension Sealer {
    /// Removes the blocks that retention no longer keeps, and the rollups for which there is no room.
    func removeExpired() async throws(StoreError) {
        try await onThread { () throws(StoreError) in try self.removeExpiredNow() }
    }

    /// Removes rollups of spans that are gone when they are past their time, and makes one of neighbours that were
    /// received within one window; see ``PastRollups``.
    func tendRollups(_ tending: PastRollups.Tending) async throws(StoreError) {
        try await onThread { () throws(StoreError) in try self.tendRollupsNow(tending) }
    }

    /// Lets the room be free that a merge of `inputs` needs, as far as removing can do that: nothing is reserved without a
    /// quota. Returns whether the inputs are still there; to be followed by ``endMerge()``.
    func beginMerge(_ inputs: [StoredBlock], byteCount: Int) -> Bool {
        guard let quota else { return true }
        quota.limit.reserve(mergeByteCount: byteCount)
        // What cannot be removed is told by the next look that time asks for.
        thread.sync { try? self.removeExpiredNow() }
        let present = contents.blocks
        return inputs.allSatisfy { input in present.contains { $0 === input } }
    }

    /// Notes how much a merge may still write.
    func goOnMerging(byteCount: Int) { quota?.limit.reserve(mergeByteCount: byteCount) }

    /// Gives back what a merge had reserved.
    func endMerge() { quota?.limit.reserve(mergeByteCount: 0) }

    /// Takes a block of which nothing can be read out of use and keeps its file in quarantine, at the path returned; its
    /// rollup stays. `nil` when the file could not be kept there.
    func putAside(_ block: StoredBlock, reason: String) throws(StoreError) -> String? {
        try waitingForThread { () throws(StoreError) in try self.putAsideNow(block, reason) }
    }

    private func putAsideNow(_ block: StoredBlock, _ reason: String) throws(StoreError) -> String? {
        guard contents.blocks.contains(where: { $0 === block }) else { return nil }
        let quarantine = Quarantine(disk: disk, folder: folder)
        let path = try? quarantine.link(block.id.fileName, from: folder.blocks, reason: reason)
        try clearOrphans()
        let past = (try? block.rollup()).map { [$0] } ?? []
        try Self.orFailure("a damaged block cannot be put aside") { () throws(DiskError) in
            try state.withLock { state throws(DiskError) in try state.catalog.commit([.removeBlock(block.id)]) }
        }
        contents.remove([block.id], rollups: past)
        unlink([block.id])
        return path
    }

    /// Runs `body` on ``thread`` for one who may wait and is on another.
    func waitingForThread<T>(_ body: () throws(StoreError) -> T) throws(StoreError) -> T {
        let result: Result<T, StoreError> = thread.sync {
            do throws(StoreError) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Runs `body` on ``thread``.
    func onThread(_ body: @escaping @Sendable () throws(StoreError) -> Void) async throws(StoreError) {
        let failure: StoreError? = await withCheckedContinuation { done in
            thread.async {
                do throws(StoreError) {
                    try body()
                    done.resume(returning: nil)
                } catch {
                    done.resume(returning: error)
                }
            }
        }
        if let failure { throw failure }
    }

    // MARK: On the thread

    /// One look at what there is, and the removal of what is too much.
    func removeExpiredNow() throws(StoreError) {
        let now = clock.unixNanos
        var retention = retention
        if pinned.pins.problem != nil { retention.ageNanos = nil }
        // What is found not to be pinned stays so until it is gone.
        let (old, departure) = letGo(contents.blocks.filter { retention.isPast($0.footer.receivedMax, now) })
        defer { pinned.pins.noteGone(departure) }
        let blocks = contents.blocks.map { [retention] block in
            let received = block.footer.receivedMax
            return Retention.Candidate(
                id: block.id,
                receivedUnixNanos: received,
                byteCount: MeteredDisk.taken(block.footer.byteCount),
                isPinned: retention.isPast(received, now) && (!old.contains(block.id) || pinned.holds(block))
            )
        }
        let past = contents.pastRollups.map { rollup in
            Retention.Candidate(
                id: rollup.id,
                receivedUnixNanos: rollup.footer.receivedMax,
                byteCount: MeteredDisk.taken(rollup.byteCount)
            )
        }
        let known = (blocks + past).reduce(0) { $0 + $1.byteCount }
        let choice = retention.expired(
            blocks,
            past: past,
            otherByteCount: max(0, neededByteCount - known),
            nowUnixNanos: now
        )
        progress.withLock { $0.excessByteCount = choice.excessByteCount }
        removePast(contents.pastRollups.filter { choice.rollups.contains($0.id) })
        try remove(choice.blocks)
        unlink([])
    }

    /// Keeps traces of blocks from being pinned. Holds none of these: while anyone does, the bytes of a block that was removed
    /// do not come free.
    private func letGo(_ blocks: [StoredBlock]) -> (ids: Set<BlockID>, departure: PinFile.Departure) {
        struct Leaving { weak let block: StoredBlock? }
        let leaving = blocks.map { Leaving(block: $0) }
        let departure = pinned.pins.letGo { id in leaving.contains { $0.block?.block.mayContain(id) ?? false } }
        return (Set(blocks.map(\.id)), departure)
    }

    /// Removes the files of blocks that are out of use, and those that could not be removed before.
    ///
    /// Until a file is gone the catalog goes on calling its block removed: else a start would take it for a new one.
    func unlink(_ ids: Set<BlockID>) {
        let all = state.withLock { state in
            state.catalog.lingering.formUnion(ids)
            state.catalog.lingering.subtract(state.catalog.state.blocks)
            return state.catalog.lingering
        }
        for id in all.sorted() {
            do throws(DiskError) { try disk.remove(folder.block(id)) } catch { if error.code != .notFound { continue } }
            state.withLock { _ = $0.catalog.lingering.remove(id) }
        }
    }

    /// What the folder takes, with what must stay free; 0 without a quota.
    private var neededByteCount: Int {
        guard let (limit, meter) = quota else { return 0 }
        let quarantined = Quarantine(disk: disk, folder: folder).byteCount
        let counted = min(quarantined, limit.quarantineByteCount)
        progress.withLock { $0.quarantineExcessByteCount = quarantined - counted }
        return meter.byteCount + counted
            + limit.reservedByteCount(logByteCount: meter.byteCount(in: folder.log))
    }

    private func removePast(_ chosen: [StoredRollup]) {
        guard !chosen.isEmpty else { return }
        contents.replacePast(chosen, with: nil)
        for rollup in chosen { rollups.remove(rollup.id) }
    }

    private func tendRollupsNow(_ tending: PastRollups.Tending) throws(StoreError) {
        let now = clock.unixNanos
        removePast(contents.pastRollups.filter { PastRollups.isOlder($0, than: tending.ageNanos, now) })
        let walls =
            contents.blocks.map(\.id.firstSegment) + contents.headSegments
            + state.withLock { $0.catalog.state.blocks.map(\.firstSegment) }
        let runs = PastRollups.runs(
            contents.pastRollups,
            walls: walls,
            tending,
            byteCountMax: quota?.limit.rollupFileByteCount ?? .max,
            nowUnixNanos: now
        )
        for run in runs {
            guard let first = run.rollups.first, let last = run.rollups.last else { continue }
            let id = BlockID(firstSegment: first.id.firstSegment, lastSegment: last.id.lastSegment)
            try rollups.write(id, sumOf: run.rollups, keepsMinutes: run.keepsMinutes)
            // The file of one that only loses its minutes is replaced; who reads the old one goes on.
            try Self.orFailure(RollupFiles.failing) { () throws(DiskError) in try rollups.publish(id) }
            contents.replacePast(run.rollups, with: try rollups.open(id))
            for rollup in run.rollups where rollup.id != id { rollups.remove(rollup.id) }
        }
    }

    /// Catalog, contents, files: in this order, so that nothing that readers could see is missing after a stop.
    private func remove(_ chosen: Set<BlockID>) throws(StoreError) {
        let ids = state.withLock { $0.unrecorded.union(chosen) }
        guard !ids.isEmpty else { return }
        do throws(StoreError) { try clearOrphans() } catch { if error.code != .full { throw error } }
        let edits = ids.sorted().map { CatalogState.Edit.removeBlock($0) }
        // What cannot be read or made anew is lost with the block.
        let past = contents.blocks.filter { ids.contains($0.id) }.compactMap { try? $0.rollup() }
        var isHidden = false
        do throws(DiskError) {
            do throws(DiskError) {
                try state.withLock { state throws(DiskError) in try state.catalog.commit(edits) }
            } catch {
                guard error.code == .noSpace else { throw error }
                // A full disk must not keep us from making space. Readers of now may still hold the files open: then their
                // bytes come free later, and the catalog learns then.
                mark(ids)
                contents.remove(ids, rollups: past)
                isHidden = true
                for id in ids { try? disk.remove(folder.block(id)) }
                try state.withLock { state throws(DiskError) in
                    state.unrecorded = ids
                    try state.catalog.commit(edits)
                }
            }
        } catch {
            throw StoreError("old blocks cannot be removed", error)
        }
        state.withLock { $0.unrecorded = [] }
        if !isHidden { contents.remove(ids, rollups: past) }
        unlink(ids)
        unmark()
        progress.withLock { $0.removedBlockCount += ids.count }
    }

    /// Leaves an empty file for each block that says, until the catalog does, that it was removed and is not missing.
    ///
    /// An empty file takes no room that a full disk does not have. Where it cannot be made the block goes even so: then a
    /// start before the catalog learns of it calls it missing.
    private func mark(_ ids: Set<BlockID>) {
        for id in ids where (try? disk.open(folder.mark(id), .create)) != nil {
            state.withLock { _ = $0.marks.insert(id) }
        }
        try? disk.syncDirectory(folder.blocks)
    }

    /// Takes the marks away, once the catalog says what they say.
    private func unmark() {
        let marks = state.withLock { $0.marks }
        for id in marks where (try? disk.remove(folder.mark(id))) != nil {
            state.withLock { _ = $0.marks.remove(id) }
        }
    }
}
