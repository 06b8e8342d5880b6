// SPDX-License-Identifier: Apache-2.0

/// A code of RFC 1951 §3.2.2 as a table of all that its longest word can be.
struct HuffmanTable: ~Copyable {
    private static let widthMax = 15

    /// Symbol and width of the word that the lowest bits begin with; no width for what is no word.
    private let entries: UnsafeMutablePointer<UInt16>
    private var mask: UInt64 = 0

    init() {
        entries = .allocate(capacity: 1 << Self.widthMax)
        entries.initialize(repeating: 0, count: 1 << Self.widthMax)
    }

    deinit { entries.deallocate() }

    @inline(__always)
    func symbol(_ bits: UInt64) -> (symbol: Int, width: Int) {
        // The mask keeps the index below the size.
        let entry = Int(entries[Int(truncatingIfNeeded: bits & mask)])
        return (entry >> 4, entry & 15)
    }

    /// Makes the table of a code whose words have these lengths. `false` for lengths that no code has. One word
    /// alone is a code, and none at all too (RFC 1951 §3.2.7).
    mutating func fill(_ lengths: ArraySlice<UInt8>) -> Bool {
        var counts = [Int](repeating: 0, count: Self.widthMax + 1)
        for length in lengths { counts[Int(length)] += 1 }
        let width = counts.lastIndex { $0 > 0 } ?? 0
        counts[0] = 0
        var next = [Int](repeating: 0, count: Self.widthMax + 2)
        var left = 1
        for length in 1...Self.widthMax {
            left = left * 2 - counts[length]
            guard left >= 0 else { return false }
            next[length + 1] = (next[length] + counts[length]) * 2
        }
        guard left == 0 || counts.reduce(0, +) <= 1 else { return false }
        mask = (1 << UInt64(width)) - 1
        entries.update(repeating: 0, count: 1 << width)
        for (symbol, length) in zip(0..., lengths) where length > 0 {
            let length = Int(length)
            // Words come with their highest bit first.
            var word = 0
            for bit in 0..<length { word |= (next[length] >> bit & 1) << (length - 1 - bit) }
            next[length] += 1
            for index in stride(from: word, to: 1 << width, by: 1 << length) {
                entries[index] = UInt16(symbol << 4 | length)
            }
        }
        return true
    }
}
