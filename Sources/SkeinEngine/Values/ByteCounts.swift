// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Counts byte strings in bounded memory. When there are too many the half that was counted least goes, and
/// ``errorMax`` says what that can have cost; long strings are passed over.
///
/// Open addressing, at most half full, the strings side by side in one arena.
struct ByteCounts: Sendable {
    /// A longer string is nothing to choose from a list.
    static let stringByteCountMax = 4 << 10

    private let distinctMax: Int
    private let byteCountMax: Int
    private let seed = Hash.processSeed
    private var slots = [UInt32](repeating: 0, count: 64)
    private var ends: [Int] = [0]
    private var arena: [UInt8] = []
    private(set) var counts: [Int] = []
    /// How much too low a count can be, and how often at most a string was counted that is not here; 0 as long as none
    /// had to go.
    private(set) var errorMax = 0

    /// Counts at most `distinctMax` different strings, of `byteCountMax` bytes together, which must be some more than those
    /// of one string.
    init(distinctMax: Int, byteCountMax: Int) {
        precondition(distinctMax > 1 && byteCountMax >= 4 * Self.stringByteCountMax)
        self.distinctMax = distinctMax
        self.byteCountMax = byteCountMax
    }

    /// Memory held, roughly.
    var byteCount: Int { slots.count * 4 + counts.count * 16 + arena.count + 64 }

    /// The `limit` strings counted most often, most frequent first, ties as `precedes` says.
    func mostFrequent(_ limit: Int, precedes: (Int, Int) -> Bool) -> [Int] {
        guard limit > 0, !counts.isEmpty else { return [] }
        let least = limit < counts.count ? counts.sorted(by: >)[limit - 1] : 0
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
    mutating func add(
        _ bytes: UnsafeRawBufferPointer,
        _ count: Int,
        isWanted: (UnsafeRawBufferPointer) -> Bool = { _ in true }
    ) {
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
        guard isWanted(bytes) else { return }
        if counts.count == distinctMax || bytes.count > byteCountMax - arena.count {
            keepMostFrequent(distinctMax / 2, byteCountMax: byteCountMax / 2)
            return add(bytes, count)
        }
        arena.append(contentsOf: bytes)
        ends.append(arena.count)
        counts.append(count)
        slots[at] = UInt32(counts.count)
        if counts.count * 2 > slots.count { setSlots(slots.count * 2) }
    }

    /// Adds all that was counted elsewhere.
    mutating func add(_ other: ByteCounts, isWanted: (UnsafeRawBufferPointer) -> Bool = { _ in true }) {
        errorMax += other.errorMax
        for index in other.counts.indices {
            other.withBytes(index) { add($0, other.counts[index], isWanted: isWanted) }
        }
    }

    /// Lets all go but the strings counted most often: at most `countMax`, of `byteCountMax` bytes together.
    mutating func keepMostFrequent(_ countMax: Int, byteCountMax: Int) {
        guard counts.count > countMax || arena.count > byteCountMax else { return }
        let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
        var kept: [Int] = []
        var byteCount = 0
        for index in order {
            let bytes = ends[index + 1] - ends[index]
            guard kept.count < countMax, byteCount + bytes <= byteCountMax else {
                errorMax += counts[index]
                break
            }
            byteCount += bytes
            kept.append(index)
        }
        var (newArena, newEnds, newCounts) = ([UInt8](), [0], [Int]())
        newArena.reserveCapacity(byteCount)
        for index in kept.sorted() {
            newArena += arena[ends[index]..<ends[index + 1]]
            newEnds.append(newArena.count)
            newCounts.append(counts[index])
        }
        (arena, ends, counts) = (newArena, newEnds, newCounts)
        var capacity = 64
        while capacity < counts.count * 2 { capacity *= 2 }
        setSlots(capacity)
    }

    private mutating func setSlots(_ capacity: Int) {
        slots = [UInt32](repeating: 0, count: capacity)
        let mask = capacity - 1
        for index in counts.indices {
            var at = Int(truncatingIfNeeded: withBytes(index) { Hash.of($0, seed: seed) }) & mask
            while slots[at] != 0 { at = (at + 1) & mask }
            slots[at] = UInt32(index + 1)
        }
    }
}
