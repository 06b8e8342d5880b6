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

    /// Parts of two files never share a place in a cache, though one file may take the name of another.
    private static let nextCacheID = Atomic<UInt64>(1)

    private init(id: BlockID, block: Block, cache: PartCache, cacheID: UInt64) {
        self.id = id
        self.block = block
        self.cache = cache
        self.cacheID = cacheID
    }

    deinit { cache.forget(block: cacheID) }

    /// Opens the file and checks its footer. Throws ``StoreError/Code/corrupt`` when it does not check,
    /// ``StoreError/Code/unusable`` when a later version wrote it.
    static func open(
        _ id: BlockID,
        disk: any Disk,
        folder: StoreFolder,
        cache: PartCache
    ) throws(StoreError) -> StoredBlock {
        let path = folder.block(id)
        let file: any DiskFile
        do throws(DiskError) { file = try disk.open(path, .read) } catch { throw StoreError(read: error) }
        let cacheID = nextCacheID.add(1, ordering: .relaxed).oldValue
        let block = try Block(file, path: path, id: cacheID, cache: cache)
        return StoredBlock(id: id, block: block, cache: cache, cacheID: cacheID)
    }

    var footer: BlockFooter { block.footer }

    /// The names in the block; decoded once and then kept as long as the cache has room.
    func catalogue() throws(StoreError) -> BlockCatalogue {
        if let kept = cache.part(of: cacheID, at: CataloguePart.offset) as? CataloguePart { return kept.catalogue }
        let catalogue = try block.catalogue()
        cache.keep(CataloguePart(catalogue), of: cacheID, at: CataloguePart.offset)
        return catalogue
    }
}

/// A block's decoded names in the cache.
private final class CataloguePart: CachedPart {
    /// No chunk of a file lies there.
    static let offset = -1

    let catalogue: BlockCatalogue
    let byteCount: Int

    init(_ catalogue: BlockCatalogue) {
        self.catalogue = catalogue
        byteCount =
            catalogue.operations.reduce(0) { $0 + 64 + $1.service.utf8.count + $1.name.utf8.count }
            + catalogue.keys.reduce(0) { $0 + 64 + $1.key.name.utf8.count }
    }
}
