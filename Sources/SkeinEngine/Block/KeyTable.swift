// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// The block's table of attribute keys of spans, events and links.
struct KeyTable: Sendable {
    struct Entry: Sendable {
        var scope: AttributeScope
        /// A bit for each ``ValueType``, in the order of its cases; bit 7 for `null`.
        var types: UInt8
        var count: Int
        /// Bytes of the table.
        var name: Range<Int>
    }

    let entries: [Entry]
    private let bytes: [UInt8]
    /// Number + 1 or 0: open addressing, at most half full.
    private let slots: [UInt32]
    private let seed: UInt64

    var byteCount: Int {
        bytes.count + entries.count * MemoryLayout<Entry>.stride + slots.count * 4
    }

    /// The number of a key; `nil` when no row of the block has it.
    func number(_ scope: AttributeScope, _ name: String) -> UInt32? {
        var name = name
        return name.withUTF8 { name in
            let wanted = UnsafeRawBufferPointer(name)
            let mask = slots.count - 1
            var at = Int(truncatingIfNeeded: Self.hash(scope, wanted, seed)) & mask
            while slots[at] != 0 {
                let number = slots[at] - 1
                if entries[Int(number)].scope == scope, withName(number, { $0.isSame(as: wanted) }) { return number }
                at = (at + 1) & mask
            }
            return nil
        }
    }

    func withName<R>(_ number: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[entries[Int(number)].name])) }
    }

    init(parsing raw: UnsafeRawBufferPointer) throws(ByteError) {
        var reader = ByteReader(raw)
        let count = try reader.readCount(max: raw.count / 4)
        let seed = Hash.processSeed
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        var capacity = 4
        while capacity < count * 2 { capacity *= 2 }
        var slots = [UInt32](repeating: 0, count: capacity)
        for _ in 0..<count {
            let content = try reader.readLengthPrefixed()
            let end = reader.position
            guard let first = content.first, let scope = AttributeScope(byte: first) else {
                throw ByteError(.truncated, at: end)
            }
            let types = try reader.readByte()
            let spans = try reader.readCount(max: .max)
            entries.append(Entry(scope: scope, types: types, count: spans, name: (end - content.count + 1)..<end))
            let name = UnsafeRawBufferPointer(rebasing: content.dropFirst())
            var at = Int(truncatingIfNeeded: Self.hash(scope, name, seed)) & (capacity - 1)
            while slots[at] != 0 { at = (at + 1) & (capacity - 1) }
            slots[at] = UInt32(entries.count)
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        self.entries = entries
        self.slots = slots
        self.seed = seed
        self.bytes = [UInt8](raw)
    }

    private static func hash(_ scope: AttributeScope, _ name: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
        Hash.of(name, seed: seed &+ UInt64(scope.byte))
    }
}
