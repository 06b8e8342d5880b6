// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// The block's table of attribute keys of spans, events and links.
///
/// Keeps the bytes, which were checked whole, where each entry begins, and a table to find keys by: a table of a hundred
/// thousand keys takes a few megabytes.
struct KeyTable: Sendable {
    struct Entry: Sendable {
        var scope: AttributeScope
        /// A bit for each ``ValueType``, in the order of its cases; bit 7 for `null`.
        var types: UInt8
        var count: Int
        /// Bytes of the table.
        fileprivate var name: Range<Int>
    }

    /// The entries, by number.
    struct Entries: RandomAccessCollection {
        fileprivate let table: KeyTable

        var startIndex: Int { 0 }
        var endIndex: Int { table.starts.count }

        subscript(number: Int) -> Entry { table.entry(number) }
    }

    private let bytes: [UInt8]
    /// By entry, where it begins.
    private let starts: [UInt32]
    /// Number + 1 or 0: open addressing, at most half full.
    private let slots: [UInt32]
    private let seed: UInt64

    var entries: Entries { Entries(table: self) }
    var byteCount: Int { bytes.count + starts.count * 4 + slots.count * 4 }

    /// The number of a key; `nil` when no row of the block has it.
    func number(_ scope: AttributeScope, _ name: String) -> UInt32? {
        var name = name
        return name.withUTF8 { name in
            let wanted = UnsafeRawBufferPointer(name)
            let mask = slots.count - 1
            var at = Int(truncatingIfNeeded: Self.hash(scope, wanted, seed)) & mask
            while slots[at] != 0 {
                let entry = entry(Int(slots[at]) - 1)
                if entry.scope == scope, withBytes(entry.name, { $0.isSame(as: wanted) }) { return slots[at] - 1 }
                at = (at + 1) & mask
            }
            return nil
        }
    }

    func withName<R>(_ number: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        withBytes(entry(Int(number)).name, body)
    }

    /// Checks all of `raw` and keeps it.
    init(parsing raw: UnsafeRawBufferPointer) throws(ByteError) {
        var reader = ByteReader(raw)
        let count = try reader.readCount(max: raw.count / 4)
        let seed = Hash.processSeed
        var starts: [UInt32] = []
        starts.reserveCapacity(count)
        var capacity = 4
        while capacity < count * 2 { capacity *= 2 }
        var slots = [UInt32](repeating: 0, count: capacity)
        for _ in 0..<count {
            // No chunk is as long as 4 GiB.
            starts.append(UInt32(reader.position))
            let entry = try Self.readEntry(&reader)
            let name = UnsafeRawBufferPointer(rebasing: raw[entry.name])
            var at = Int(truncatingIfNeeded: Self.hash(entry.scope, name, seed)) & (capacity - 1)
            while slots[at] != 0 { at = (at + 1) & (capacity - 1) }
            slots[at] = UInt32(starts.count)
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        self.starts = starts
        self.slots = slots
        self.seed = seed
        bytes = [UInt8](raw)
    }

    private static func readEntry(_ reader: inout ByteReader) throws(ByteError) -> Entry {
        let content = try reader.readLengthPrefixed()
        let end = reader.position
        guard let first = content.first, let scope = AttributeScope(byte: first) else {
            throw ByteError(.truncated, at: end)
        }
        let types = try reader.readByte()
        let count = try reader.readCount(max: .max)
        return Entry(scope: scope, types: types, count: count, name: (end - content.count + 1)..<end)
    }

    private func entry(_ number: Int) -> Entry {
        let start = Int(starts[number])
        return bytes.withUnsafeBytes { raw in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw[start...]))
            guard var entry = try? Self.readEntry(&reader) else { preconditionFailure("the table was checked") }
            entry.name = (start + entry.name.lowerBound)..<(start + entry.name.upperBound)
            return entry
        }
    }

    private func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    private static func hash(_ scope: AttributeScope, _ name: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
        Hash.of(name, seed: seed &+ UInt64(scope.byte))
    }
}
