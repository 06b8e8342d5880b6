// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinCompression
import SkeinStore
import Synchronization

/// Keeps decoded parts of blocks in memory. The engine owns the budget and decides what goes.
package protocol ChunkCache: Sendable {
    /// What is kept for the chunk at `offset` of block `block`, if anything.
    func part(of block: UInt64, at offset: Int) -> (any CachedPart)?
    /// Offers a part for keeping.
    func keep(_ part: any CachedPart, of block: UInt64, at offset: Int)
}

/// Another cache, of which what it has is used and to which nothing is added: for work that looks at much once.
struct PassingCache: ChunkCache {
    private let cache: any ChunkCache

    init(_ cache: any ChunkCache) { self.cache = cache }

    func part(of block: UInt64, at offset: Int) -> (any CachedPart)? { cache.part(of: block, at: offset) }
    func keep(_ part: any CachedPart, of block: UInt64, at offset: Int) {}
}

/// A decoded part of a block, as a cache sees it.
package protocol CachedPart: AnyObject, Sendable {
    /// Memory held, roughly.
    var byteCount: Int { get }
}

/// Counts the bytes that a query made blocks read, before unpacking.
package final class ReadMeter: Sendable {
    private let bytes = Atomic<Int>(0)

    package init() {}

    /// Bytes read so far.
    package var byteCount: Int { bytes.load(ordering: .relaxed) }

    func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
}

/// Reads, checks and unpacks the chunks of one block file.
struct ChunkReader: Sendable {
    let file: any DiskFile
    /// Names the file in errors.
    let path: String
    /// Names the block in the cache.
    let block: UInt64
    var cache: (any ChunkCache)?
    var meter: ReadMeter?

    /// An error that blames the file.
    func corrupt(_ message: String, at offset: Int) -> StoreError {
        StoreError(.corrupt, message, place: path, offset: offset)
    }

    /// Bytes of the file as they are; too few are an error.
    func read(_ count: Int, at offset: Int) throws(StoreError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try file.bytes(at: offset, count: count)
        } catch {
            throw StoreError(.io, "\(error)", place: path)
        }
        meter?.add(count)
        guard bytes.count == count else { throw corrupt("the file ends inside a chunk", at: offset) }
        return bytes
    }

    /// The unpacked bytes of a chunk.
    func unpacked(_ address: ChunkAddress) throws(StoreError) -> [UInt8] {
        let stored = try read(address.storedCount, at: address.offset)
        return try unpack(stored, address)
    }

    /// Checks and unpacks what was read of a chunk.
    func unpack(_ stored: [UInt8], _ address: ChunkAddress) throws(StoreError) -> [UInt8] {
        guard Checksum.matches(address.checksum, stored) else {
            throw corrupt("the checksum of a chunk does not match", at: address.offset)
        }
        if address.storedCount == address.rawCount { return stored }
        do throws(CompressionError) {
            return try stored.withUnsafeBufferPointer { bytes throws(CompressionError) in
                try ZstdDecompressor().decompress(UnsafeRawBufferPointer(bytes), count: address.rawCount)
            }
        } catch {
            throw corrupt(error.message, at: address.offset)
        }
    }

    /// A part of the block, from the cache or decoded from the unpacked chunk.
    func part<Value: Sendable>(
        _ address: ChunkAddress,
        byteCount: (Value) -> Int,
        decode: (UnsafeRawBufferPointer) throws(ByteError) -> Value
    ) throws(StoreError) -> Value {
        try part(at: address.offset, byteCount: byteCount) { () throws(StoreError) in
            let bytes = try unpacked(address)
            do throws(ByteError) {
                return try bytes.withUnsafeBufferPointer { bytes throws(ByteError) in
                    try decode(UnsafeRawBufferPointer(bytes))
                }
            } catch {
                throw corrupt("a chunk does not decode: \(error)", at: address.offset)
            }
        }
    }

    /// A part of the block, from the cache or read by `load`.
    func part<Value: Sendable>(
        at offset: Int,
        byteCount: (Value) -> Int,
        load: () throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        if let kept = cache?.part(of: block, at: offset) as? Part<Value> { return kept.value }
        let value = try load()
        cache?.keep(Part(value, byteCount: byteCount(value) + 64), of: block, at: offset)
        return value
    }

    private final class Part<Value: Sendable>: CachedPart {
        let value: Value
        let byteCount: Int

        init(_ value: Value, byteCount: Int) {
            self.value = value
            self.byteCount = byteCount
        }
    }
}
