// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// A Bloom filter over trace ids: says "no" surely or "perhaps".
///
/// Seven bits in one block of 64 bytes for each id, 16 bits a trace: one cache line a probe, wrong once in about 500.
/// The hash is XXH64 of the id's sixteen bytes, most significant first. The block is the hash's upper half scaled to
/// the number of blocks; the seven bits are the nine-bit groups, from the lowest on, of the hash times
/// 0x9e3779b97f4a7c15.
enum TraceFilter {
    private static let blockBytes = 64
    private static let bitsPerTrace = 16
    private static let probes = 7

    /// Bytes of a filter for `count` traces.
    static func byteCount(traces count: Int) -> Int { max(1, (count * bitsPerTrace + 511) / 512) * blockBytes }

    /// Appends the filter of these traces.
    static func append(_ traces: ArraySlice<RowOrder.Trace>, to out: inout ByteWriter) {
        let count = byteCount(traces: traces.count)
        out.write(atMost: count) { target in
            target.initializeMemory(as: UInt8.self, repeating: 0, count: count)
            for trace in traces {
                let (start, bits) = place(of: trace.id, in: count)
                for probe in 0..<probes {
                    let bit = Int(truncatingIfNeeded: bits &>> UInt64(9 &* probe)) & 511
                    let byte = target + (start &+ bit &>> 3)
                    byte.storeBytes(of: byte.load(as: UInt8.self) | 1 &<< UInt8(bit & 7), as: UInt8.self)
                }
            }
            return count
        }
    }

    /// Whether the filter in `bytes[range]` may hold `id`. A range that is no filter may hold anything.
    static func mayContain(_ id: TraceID, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count >= blockBytes, range.upperBound <= bytes.count else { return true }
        let (start, bits) = place(of: id, in: range.count)
        return bytes.withUnsafeBytes { bytes in
            for probe in 0..<probes {
                let bit = Int(truncatingIfNeeded: bits &>> UInt64(9 &* probe)) & 511
                // place() stays below range.count - 63, and bit >> 3 below 64.
                let byte = bytes.unsafelyLoad(range.lowerBound &+ start &+ bit &>> 3, as: UInt8.self)
                if byte & 1 &<< UInt8(bit & 7) == 0 { return false }
            }
            return true
        }
    }

    /// Offset of the block and the bits within it.
    private static func place(of id: TraceID, in byteCount: Int) -> (start: Int, bits: UInt64) {
        let hash = withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { Checksum.of($0) }
        let block = (hash >> 32 &* UInt64(byteCount / blockBytes)) >> 32
        return (Int(block) * blockBytes, hash &* 0x9e37_79b9_7f4a_7c15)
    }
}
