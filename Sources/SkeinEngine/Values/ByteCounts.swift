// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Counts byte strings, up to a number of distinct ones and of bytes; more of them and long ones are passed over.
///
/// Open addressing, at most half full, the strings side by side in one arena.
struct ByteCounts {
    /// A longer string is nothing to choose from a list.
    static let stringByteCountMax = 4 << 10

    private let distinctMax: Int
    private let byteCountMax: Int
    private let seed = Hash.processSeed
    private var slots = [UInt32](repeating: 0, count: 1024)
    private var ends: [Int] = [0]
    private var arena: [UInt8] = []
    private(set) var counts: [Int] = []

    /// Counts at most `distinctMax` different strings, of `byteCountMax` bytes together.
    init(distinctMax: Int, byteCountMax: Int = 32 << 20) {
        self.distinctMax = distinctMax
        self.byteCountMax = byteCountMax
    }

    /// The `limit` strings counted most often, most frequent first, ties as `precedes` says.
    func mostFrequent(_ limit: Int, precedes: (Int, Int) -> Bool) -> [Int] {
        guard limit > 0, !counts.isEmpty else { return [] }
        let least = counts.sorted(by: >)[min(limit, counts.count) - 1]
        let best = counts.indices.filter { counts[$0] >= least }.sorted { a, b in
            counts[a] != counts[b] ? counts[a] > counts[b] : precedes(a, b)
        }
        return Array(best.prefix(limit))
    }

    /// Lends string `index`.
    func withBytes<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        arena.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[ends[index]..<ends[index + 1]])) }
    }

    /// Adds `count` to that of `bytes`. A string not counted before is only counted when `isWanted`.
    mutating func add(_ bytes: UnsafeRawBufferPointer, _ count: Int, isWanted: (UnsafeRawBufferPointer) -> Bool) {
        guard bytes.count <= Self.stringByteCountMax else { return }
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: Hash.of(bytes, seed: seed)) & mask
        while slots[at] != 0 {
            let index = Int(slots[at]) - 1
            if withBytes(index, { $0.count == bytes.count && $0.unsafelyEqual(from: 0, bytes) }) {
                counts[index] += count
                return
            }
            at = (at + 1) & mask
        }
        guard counts.count < distinctMax, bytes.count <= byteCountMax - arena.count, isWanted(bytes) else { return }
        arena.append(contentsOf: bytes)
        ends.append(arena.count)
        counts.append(count)
        slots[at] = UInt32(counts.count)
        if counts.count * 2 > slots.count { grow() }
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for index in counts.indices {
            var at = Int(truncatingIfNeeded: withBytes(index) { Hash.of($0, seed: seed) }) & mask
            while slots[at] != 0 { at = (at + 1) & mask }
            slots[at] = UInt32(index + 1)
        }
    }
}
