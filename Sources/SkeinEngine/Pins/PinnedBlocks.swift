// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// Which blocks of a store hold pinned traces. Asked only of blocks that retention would remove, and remembered for each
/// until pins change.
final class PinnedBlocks: Sendable {
    let pins: PinFile

    private struct Look {
        var version: Int
        var pinned: Set<TraceID>
        /// Whether nothing else is in the block.
        var isBare = false
    }

    private let looks = Mutex<[BlockID: Look]>([:])

    init(_ pins: PinFile) { self.pins = pins }

    /// Whether retention by age has to leave the block, since it holds a pinned trace. One that cannot be read does, too,
    /// until it is mended.
    func holds(_ block: StoredBlock) -> Bool {
        if pins.isEmpty { return false }
        do throws(StoreError) { return try !look(block).pinned.isEmpty } catch { return true }
    }

    /// All but the pinned traces of a block that is past its age; `nil` when there is nothing else in it, or no pinned one: then
    /// retention removes it.
    func surplus(_ block: StoredBlock) throws(StoreError) -> BlockMerge.Cut? {
        if pins.isEmpty { return nil }
        let look = try look(block)
        guard !look.pinned.isEmpty, !look.isBare else { return nil }
        var dropped: Set<TraceID> = []
        for group in block.footer.groups.indices {
            dropped.formUnion(try block.block.uncached.traces(inGroup: group).ids)
        }
        dropped.subtract(look.pinned)
        if !dropped.isEmpty { return BlockMerge.Cut(dropped: dropped) }
        looks.withLock { $0[block.id]?.isBare = true }
        return nil
    }

    private func look(_ block: StoredBlock) throws(StoreError) -> Look {
        let version = pins.version
        if let known = looks.withLock({ $0[block.id] }), known.version == version { return known }
        let pinned = pins.pinned
        var look = Look(version: pinned.version, pinned: [])
        for id in pinned.ids where block.block.mayContain(id) {
            if try !block.block.find(id).isEmpty { look.pinned.insert(id) }
        }
        looks.withLock { looks in
            if looks.count > Self.looksMax { looks = [:] }
            looks[block.id] = look
        }
        return look
    }

    private static let looksMax = 4_096
}
