// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinCompression

/// Writes chunks one behind the other, and beside them the directory that finds them again.
///
/// A chunk is packed with zstd when that saves a sixteenth; its entry in the directory is
/// `stored length (varint), raw length (varint), checksum of the stored bytes (8 bytes)`. Equal lengths mean that it is
/// stored as it is. Offsets are not written: chunks follow each other in the order of the directory.
struct ChunkWriter: ~Copyable {
    private(set) var chunks = ByteWriter(capacity: 1 << 20)
    var directory = ByteWriter(capacity: 1 << 14)
    private let compressor = ZstdCompressor(level: 1)

    init() {}

    /// Appends a chunk. Bytes known to be random are not offered to the compressor.
    mutating func append(_ raw: UnsafeRawBufferPointer, isRandom: Bool = false) {
        let start = chunks.count
        if BlockFormat.packs, !isRandom, raw.count >= BlockFormat.packBytesMin {
            let packed = compressor.compress(raw, into: &chunks)
            if packed >= raw.count - raw.count / 16 {
                chunks.truncate(to: start)
                chunks.append(raw)
            }
        } else {
            chunks.append(raw)
        }
        let stored = UnsafeRawBufferPointer(rebasing: chunks.bytes[start...])
        directory.appendVarint(UInt64(stored.count))
        directory.appendVarint(UInt64(raw.count))
        directory.appendLittleEndian(Checksum.of(stored))
    }

    /// Appends a chunk of another block as it is stored there. Returns whether its checksum is right.
    mutating func append(stored: UnsafeRawBufferPointer, _ address: ChunkAddress) -> Bool {
        chunks.append(stored)
        directory.appendVarint(UInt64(stored.count))
        directory.appendVarint(UInt64(address.rawCount))
        directory.appendLittleEndian(address.checksum)
        return Checksum.matches(address.checksum, stored)
    }

    mutating func removeAll() {
        chunks.removeAll()
        directory.removeAll()
    }
}
