// SPDX-License-Identifier: Apache-2.0

/// A set of rows, one bit each.
///
/// Public, like what it is made of, because the compiler inlines nothing of package access across modules (Swift 6.3).
@frozen
public struct RowSet: Sendable, Hashable {
    /// Rows there are.
    public let count: Int
    /// Bits beyond ``count`` are zero.
    @usableFromInline var words: [UInt64]

    /// No row of `count`, or all of them.
    public init(count: Int, all: Bool = false) {
        self.count = count
        words = [UInt64](repeating: all ? .max : 0, count: (count + 63) / 64)
        if all { clearTail() }
    }

    /// The rows for which `test` holds. Measured: 0.6 ns a row with a test that compares two numbers.
    @inlinable @inline(__always)
    public init(count: Int, where test: (Int) -> Bool) {
        self.count = count
        words = [UInt64](unsafeUninitializedCapacity: (count + 63) / 64) { words, filled in
            var row = 0
            while row < count {
                let end = min(row &+ 64, count)
                var word: UInt64 = 0
                var bit: UInt64 = 1
                while row < end {
                    if test(row) { word |= bit }
                    bit &<<= 1
                    row &+= 1
                }
                words.initializeElement(at: filled, to: word)
                filled &+= 1
            }
        }
    }

    /// Whether there is no row in the set.
    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Number of rows in the set.
    public var selectedCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether the set holds `row`.
    @inlinable public subscript(row: Int) -> Bool {
        get { words[row >> 6] & 1 &<< UInt64(row & 63) != 0 }
        set {
            precondition(row >= 0 && row < count)
            if newValue {
                words[row >> 6] |= 1 &<< UInt64(row & 63)
            } else {
                words[row >> 6] &= ~(1 &<< UInt64(row & 63))
            }
        }
    }

    /// The rows in the set, ascending.
    public var rows: [Int] {
        var rows: [Int] = []
        forEach { rows.append($0) }
        return rows
    }

    /// Calls `body` with each row in the set, ascending.
    @inlinable public func forEach<E: Error>(_ body: (Int) throws(E) -> Void) throws(E) {
        for index in words.indices {
            var word = words[index]
            while word != 0 {
                try body(index << 6 | word.trailingZeroBitCount)
                word &= word &- 1
            }
        }
    }

    /// Number of rows in the set that lie in `range`.
    public func selectedCount(in range: Range<Int>) -> Int {
        var count = 0
        for row in range.clamped(to: 0..<self.count) where self[row] { count += 1 }
        return count
    }

    /// Whether any row in the set lies in `range`, which lies within the rows there are.
    @inlinable
    public func contains(anyOf range: Range<Int>) -> Bool {
        var row = range.lowerBound
        while row < range.upperBound {
            let word = words[row >> 6] &>> UInt64(row & 63)
            let left = range.upperBound &- row
            let width = min(64 &- (row & 63), left)
            if word & (width == 64 ? .max : 1 &<< UInt64(width) &- 1) != 0 { return true }
            row &+= width
        }
        return false
    }

    /// Takes the rows of `range` out. Returns whether any was in the set.
    public mutating func remove(_ range: Range<Int>) -> Bool {
        guard contains(anyOf: range) else { return false }
        for row in range { self[row] = false }
        return true
    }

    public mutating func formIntersection(_ other: RowSet) { combine(other, &) }
    public mutating func formUnion(_ other: RowSet) { combine(other, |) }
    public mutating func subtract(_ other: RowSet) { combine(other) { $0 & ~$1 } }

    /// Holds from now on what it did not.
    public mutating func invert() {
        for index in words.indices { words[index] = ~words[index] }
        clearTail()
    }

    @inline(__always)
    private mutating func combine(_ other: RowSet, _ operation: (UInt64, UInt64) -> UInt64) {
        precondition(other.count == count)
        for index in words.indices { words[index] = operation(words[index], other.words[index]) }
    }

    private mutating func clearTail() {
        if count & 63 != 0 { words[words.count - 1] &= 1 &<< UInt64(count & 63) &- 1 }
    }
}
