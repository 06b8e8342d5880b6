// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Where late sampling stands: what is decided and not yet taken out of the blocks, and which blocks were looked at.
///
/// A block is looked at once it has left the hot window; which were is not remembered over a restart, since a second look finds
/// nothing that is not decided.
final class LateThinning: Sendable {
    /// The policies, if there are any. What is decided is finished without them, too.
    let sampling: LateSampling?
    private let pins: PinFile
    private let disk: any Disk
    private let folder: StoreFolder
    /// What is wrong with the file, in words.
    let problem: String?

    private struct State {
        var pending: LateDecisions?
        /// Whether the log records of what ``pending`` drops are gone.
        var isCleared = false
        /// Of what ``pending`` drops.
        var departure: PinFile.Departure?
        /// Blocks by their segments.
        var looked: Set<BlockID> = []
    }

    private let state: Mutex<State>

    /// Reads what was not finished. Throws ``StoreError/Code/unusable`` when a later version wrote it.
    init(
        _ sampling: LateSampling?,
        _ pins: PinFile,
        _ disk: any Disk,
        _ folder: StoreFolder
    ) throws(StoreError) {
        self.sampling = sampling
        self.pins = pins
        self.disk = disk
        self.folder = folder
        var problem: String?
        var pending: LateDecisions?
        do throws(StoreError) {
            pending = try LateDecisions.read(disk, folder)
        } catch {
            guard error.code == .corrupt else { throw error }
            let quarantine = Quarantine(disk: disk, folder: folder)
            let name = String(folder.lateDecisions.dropFirst(folder.root.utf8.count + 1))
            let place = try? quarantine.take(name, from: folder.root, reason: error.message)
            problem =
                "\(place ?? folder.lateDecisions), what late sampling decided last, cannot be used (\(error.message)): of "
                + "traces that lie in several blocks some may have been dropped in part."
        }
        self.problem = problem
        state = Mutex(State(pending: pending, departure: pending.map { pins.letGo($0.losing).departure }))
    }

    /// What is decided and not finished, and whether log records of what it drops may still be there.
    var pending: (decisions: LateDecisions, isCleared: Bool)? {
        state.withLock { state in state.pending.map { ($0, state.isCleared) } }
    }

    /// Notes that the log records of what is dropped are gone.
    func noteCleared() { state.withLock { $0.isCleared = true } }

    /// The first block that has left the window and was not looked at, in order of arrival.
    func due(_ blocks: [StoredBlock], nowUnixNanos now: UInt64) -> StoredBlock? {
        guard let sampling, pins.problem == nil else { return nil }
        return state.withLock { state in
            let keys = blocks.map(Self.key)
            if state.looked.count > 2 * blocks.count + 64 { state.looked.formIntersection(keys) }
            return zip(blocks, keys).first { block, key in
                !state.looked.contains(key)
                    && LateRounds.hasLeft(block.footer.receivedMax, sampling.hotWindow.nanos, now)
            }?.0
        }
    }

    /// Looks at every block again: something in it may have been unpinned.
    func forgetLooks() { state.withLock { $0.looked = [] } }

    /// Notes for good what was decided about traces of a block, before any block is written anew; but for what was pinned
    /// meanwhile. `pinVersion` says which traces were pinned when they were decided. A block that is not yet `isWhole`ly decided is
    /// looked at again.
    func note(
        _ decisions: LateDecisions,
        of block: StoredBlock,
        isWhole: Bool,
        pinVersion: Int
    ) throws(StoreError) {
        var decisions = decisions
        let (departure, pinned) = pins.letGo(decisions.losing)
        for id in pinned { decisions.forget(id) }
        if !decisions.isEmpty {
            do throws(DiskError) {
                try decisions.write(disk, folder)
            } catch {
                pins.noteGone(departure)
                throw StoreError("what late sampling decided cannot be put on record", error)
            }
        }
        state.withLock { state in
            if isWhole, pins.version == pinVersion { state.looked.insert(Self.key(block)) }
            guard !decisions.isEmpty else { return pins.noteGone(departure) }
            state.departure = departure
            state.pending = decisions
            state.isCleared = decisions.dropped.isEmpty
        }
    }

    /// Forgets what was decided, once all blocks say so.
    func finish() throws(StoreError) {
        do throws(DiskError) {
            do throws(DiskError) {
                try disk.remove(folder.lateDecisions)
            } catch {
                if error.code != .notFound { throw error }
            }
            try disk.syncDirectory(folder.root)
        } catch {
            throw StoreError("what late sampling decided is done, but its record cannot be removed", error)
        }
        state.withLock { state in
            state.pending = nil
            if let departure = state.departure { pins.noteGone(departure) }
            state.departure = nil
        }
    }

    /// What is to be done with a block; `nil` for nothing.
    static func cut(_ stored: StoredBlock, _ decisions: LateDecisions) throws(StoreError) -> BlockMerge.Cut? {
        try isUndone(stored, decisions)
            ? BlockMerge.Cut(dropped: decisions.dropped, decisions: decisions) : nil
    }

    private static func isUndone(_ stored: StoredBlock, _ decisions: LateDecisions) throws(StoreError) -> Bool {
        let block = stored.block.uncached
        func isUndone(_ entry: Block.TraceEntry) throws(StoreError) -> Bool {
            if decisions.dropped.contains(entry.id) { return true }
            guard decisions.kept[entry.id] != nil else { return false }
            var isUndone = false
            try block.forEachGroup(of: entry.rows) { index, rows throws(StoreError) in
                isUndone = try block.lateSampled(inGroup: index).selectedCount(in: rows) < rows.count
                return !isUndone
            }
            return isUndone
        }
        guard (stored.id.firstSegment...stored.id.lastSegment).overlaps(decisions.segments) else {
            for id in stored.block.mayContain(Array(decisions.scattered)) {
                for entry in try stored.block.find(id) where try isUndone(entry) { return true }
            }
            return false
        }
        for index in block.footer.groups.indices {
            let traces = try block.traces(inGroup: index)
            for number in 0..<traces.count where decisions.contains(traces.ids[number]) {
                if try isUndone(traces[number]) { return true }
            }
        }
        return false
    }

    private static func key(_ block: StoredBlock) -> BlockID {
        BlockID(firstSegment: block.id.firstSegment, lastSegment: block.id.lastSegment)
    }
}
