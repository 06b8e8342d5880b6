// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import Synchronization

/// A block of the store: the open file and its place in the catalog.
final class StoredBlock: Sendable {
    let id: BlockID
    let block: Block
    private let cache: PartCache
    /// Names the block in the cache.
    private let cacheID: UInt64
    private let rollupFiles: RollupFiles
    /// What the open block is counted against.
    private let budget: ByteBudget
    /// `nil` until it was asked for.
    private let openRollup = Mutex<StoredRollup?>(nil)

    /// Parts of two files never share a place in a cache, though one file may take the name of another.
    private static let nextCacheID = Atomic<UInt64>(1)

    private init(
        id: BlockID,
        block: Block,
        cache: PartCache,
        cacheID: UInt64,
        rollupFiles: RollupFiles,
        budget: ByteBudget
    ) {
        self.id = id
        self.block = block
        self.cache = cache
        self.cacheID = cacheID
        self.rollupFiles = rollupFiles
        self.budget = budget
        budget.takeAnyway(block.byteCount)
    }

    /// A number that names a file in the cache.
    static func newCacheID() -> UInt64 { nextCacheID.add(1, ordering: .relaxed).oldValue }

    deinit {
        cache.forget(block: cacheID)
        budget.giveBack(block.byteCount)
    }

    /// Opens the file and checks its footer. Throws ``StoreError/Code/corrupt`` when it does not check,
    /// ``StoreError/Code/unusable`` when a later version wrote it.
    static func open(
        _ id: BlockID,
        disk: any Disk,
        folder: StoreFolder,
        cache: PartCache,
        budget: ByteBudget
    ) throws(StoreError) -> StoredBlock {
        let path = folder.block(id)
        let file: any DiskFile
        do throws(DiskError) { file = try disk.open(path, .read) } catch { throw StoreError(read: error) }
        let cacheID = newCacheID()
        let block = try Block(file, path: path, id: cacheID, cache: cache)
        let rollupFiles = RollupFiles(disk: disk, folder: folder, cache: cache)
        return StoredBlock(
            id: id,
            block: block,
            cache: cache,
            cacheID: cacheID,
            rollupFiles: rollupFiles,
            budget: budget
        )
    }

    var footer: BlockFooter { block.footer }

    /// Names the open block for as long as the process runs.
    var number: UInt64 { cacheID }

    /// What the block's spans add up to. When the file that says so is missing or damaged, it is made anew from the rows.
    func rollup() throws(StoreError) -> StoredRollup {
        try openRollup.withLock { open throws(StoreError) in
            if let open { return open }
            let rollup: StoredRollup
            do throws(StoreError) {
                rollup = try rollupFiles.open(id)
            } catch {
                if error.code == .unusable { throw error }
                rollup = try rollupFiles.remake(id, of: block)
            }
            open = rollup
            return rollup
        }
    }

    /// The rollup, if it was asked for before.
    var knownRollup: StoredRollup? { openRollup.withLock(\.self) }

    /// What of the block's rollup lies within `grid`; `nil` when nothing does. A rollup whose chunks do not check is made
    /// anew first.
    func rollupSelection(_ grid: RollupGrid) throws(StoreError) -> StoredRollup.Selection? {
        let rollup = try rollup()
        do throws(StoreError) {
            return try rollup.selection(grid)
        } catch {
            guard error.code == .corrupt else { throw error }
            giveUp(rollup)
            return try self.rollup().selection(grid)
        }
    }

    /// The block's rollup, of which every chunk checks: made anew when one does not.
    func soundRollup() throws(StoreError) -> StoredRollup {
        let rollup = try rollup()
        do throws(StoreError) {
            try rollup.check()
            return rollup
        } catch {
            guard error.code == .corrupt else { throw error }
            giveUp(rollup)
            return try self.rollup()
        }
    }

    /// Opens the rollup anew when it is asked for next: its file was replaced.
    func forgetRollup() { openRollup.withLock { $0 = nil } }

    private func giveUp(_ rollup: StoredRollup) {
        openRollup.withLock { open in
            if open === rollup {
                open = nil
                rollupFiles.remove(id)
            }
        }
    }

    /// The names in the block; decoded once and then kept as long as the cache has room.
    func names() throws(StoreError) -> BlockNames {
        try part(at: BlockNames.offset) { () throws(StoreError) in BlockNames(try PartNames(of: block)) }
    }

    /// Something that was worked out of the block, made anew when the cache lacks it. It has a place that no chunk of the
    /// file has, a negative one.
    func part<Part: CachedPart>(
        at offset: Int,
        isWanted: (Part) -> Bool = { _ in true },
        make: () throws(StoreError) -> Part
    ) throws(StoreError) -> Part {
        if let kept = cache.part(of: cacheID, at: offset) as? Part, isWanted(kept) { return kept }
        let part = try make()
        cache.keep(part, of: cacheID, at: offset)
        return part
    }

    /// What is kept at `offset`, if anything.
    func keptPart<Part: CachedPart>(_ type: Part.Type, at offset: Int) -> Part? {
        cache.part(of: cacheID, at: offset) as? Part
    }
}
