// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Writes the attributes of the spans, events or links of one row group: every key a column of its own.
///
/// An owner's keys in their order are its *shape*. Spans of one operation share a shape, so shapes are few, and one
/// column of shape numbers says which keys each owner has, in which order and how often: no presence bits, and every
/// batch comes back as it was. A key's column holds the values of all owners that have it, one behind the other.
/// Keys with few values in the group share one column.
struct AttributeWriter: ~Copyable {
    /// Shape of each owner.
    private var shapes = ColumnBuffer<UInt32>(capacity: 1 << 14)
    /// For each shape, an owner that has it, and how many have.
    private var examples = ColumnBuffer<UInt32>()
    private var shapeCounts = ColumnBuffer<UInt32>()
    /// Shape + 1 by hash of the keys.
    private var slots = ColumnBuffer<UInt32>(repeating: 0, count: 256)
    /// By key: its number among the group's keys + 1, or 0.
    private var localKeys = ColumnBuffer<UInt32>()
    private var groupKeys: [GroupKey] = []
    private var values = ColumnBuffer<UInt32>(capacity: 1 << 16)
    private var scratch = ByteWriter(capacity: 4096)

    private struct GroupKey {
        var key: UInt32
        var count = 0
        var column = 0
    }

    init() {}

    /// Writes the attributes of owners `range`:
    ///
    ///     shape count (varint); when not 0:
    ///     shapes: chunk of { key count (varint), numbers among the group's keys (varints) } for each shape
    ///     shape of each owner: numbers
    ///     key count (varint), { key (varint), column (varint) } for each key
    ///     column count (varint), { value count (varint), values } for each column
    mutating func append(
        _ pairs: borrowing BlockSection.Pairs,
        _ range: Range<Int>,
        of arena: borrowing BlockSection.SlotArena,
        to columns: inout ColumnWriter,
        _ tables: inout BlockTables,
        _ filters: inout FilterWriter
    ) {
        let first = Int(pairs.starts[range.lowerBound])
        let pairCount = Int(pairs.starts[range.upperBound]) - first
        guard pairCount > 0 else {
            columns.chunks.directory.appendVarint(0)
            return
        }
        findShapes(pairs, range)
        findKeys(pairs, keyCount: tables.keys.count)
        writeShapes(pairs, to: &columns)

        // Where the values of each column begin. Without a shared column the others move down by one.
        let hasShared = groupKeys.contains { $0.column == 0 }
        if !hasShared { for index in groupKeys.indices { groupKeys[index].column -= 1 } }
        let columnCount = (groupKeys.map(\.column).max() ?? 0) + 1
        var ends = [Int](repeating: 0, count: columnCount + 1)
        for key in groupKeys { ends[key.column + 1] += key.count }
        for column in 0..<columnCount { ends[column + 1] += ends[column] }

        distribute(pairs, first..<(first + pairCount), ends)
        columns.chunks.directory.appendVarint(UInt64(groupKeys.count))
        for key in groupKeys {
            columns.chunks.directory.appendVarint(UInt64(key.key))
            columns.chunks.directory.appendVarint(UInt64(key.column))
        }
        columns.chunks.directory.appendVarint(UInt64(columnCount))
        var types = [UInt8](repeating: 0, count: columnCount)
        var hashKeys = [UInt64](repeating: 0, count: columnCount)
        for key in groupKeys { hashKeys[key.column] = tables.keys[Int(key.key)].hash }
        for column in 0..<columnCount {
            let part = ends[column]..<ends[column + 1]
            columns.chunks.directory.appendVarint(UInt64(part.count))
            types[column] = columns.append(slots: values.elements(part), of: arena, areValues: true)
            if hasShared, column == 0 { continue }
            let key = hashKeys[column]
            columns.forEachEntry(of: arena) { filters.add(FilterHash.of(encoded: $0, key: key)) }
        }
        if hasShared { types[0] = 0 }
        for key in groupKeys { tables.note(key: key.key, count: key.count, types: types[key.column]) }
        if hasShared { noteShared(pairs, first..<(first + pairCount), arena, &tables, &filters) }
        for key in groupKeys { localKeys[Int(key.key)] = 0 }
    }

    /// Gives each owner the number of its shape.
    private mutating func findShapes(_ pairs: borrowing BlockSection.Pairs, _ range: Range<Int>) {
        shapes.removeAll()
        examples.removeAll()
        shapeCounts.removeAll()
        slots.reset(repeating: 0, count: 256)
        var last = UInt32.max
        for owner in range {
            let keys = Self.keys(pairs, owner)
            // Neighbours in a trace often do the same thing.
            if last != .max, Self.equal(keys, Self.keys(pairs, Int(examples[Int(last)]))) {
                shapes.append(last)
                shapeCounts[Int(last)] += 1
                continue
            }
            var mask = slots.count - 1
            var at = Self.hash(keys) & mask
            while slots[at] != 0 {
                if Self.equal(keys, Self.keys(pairs, Int(examples[Int(slots[at] - 1)]))) { break }
                at = (at + 1) & mask
            }
            if slots[at] == 0 {
                examples.append(UInt32(owner))
                shapeCounts.append(0)
                slots[at] = UInt32(examples.count)
                if examples.count * 2 > slots.count {
                    last = UInt32(examples.count - 1)
                    slots.reset(repeating: 0, count: slots.count * 4)
                    mask = slots.count - 1
                    for shape in 0..<examples.count {
                        let keys = Self.keys(pairs, Int(examples[shape]))
                        var at = Self.hash(keys) & mask
                        while slots[at] != 0 { at = (at + 1) & mask }
                        slots[at] = UInt32(shape + 1)
                    }
                } else {
                    last = slots[at] - 1
                }
            } else {
                last = slots[at] - 1
            }
            shapes.append(last)
            shapeCounts[Int(last)] += 1
        }
    }

    /// Keys are small numbers that the block gave out, so a sum of products spreads them well enough.
    @inline(__always)
    private static func hash(_ keys: UnsafeBufferPointer<UInt32>) -> Int {
        var sum: UInt64 = 0
        for key in keys { sum = (sum ^ UInt64(key)) &* 0x9e37_79b9_7f4a_7c15 &+ sum >> 29 }
        return Int(truncatingIfNeeded: sum >> 32)
    }

    @inline(__always)
    private static func equal(_ a: UnsafeBufferPointer<UInt32>, _ b: UnsafeBufferPointer<UInt32>) -> Bool {
        UnsafeRawBufferPointer(a).isSame(as: UnsafeRawBufferPointer(b))
    }

    @inline(__always)
    private static func keys(_ pairs: borrowing BlockSection.Pairs, _ owner: Int) -> UnsafeBufferPointer<UInt32> {
        pairs.keys.elements(Int(pairs.starts[owner])..<Int(pairs.starts[owner + 1]))
    }

    /// Collects the group's keys in order of appearance, counts their values, and gives each a column: 1 and up for
    /// one of its own, 0 for the shared one.
    private mutating func findKeys(_ pairs: borrowing BlockSection.Pairs, keyCount: Int) {
        groupKeys.removeAll(keepingCapacity: true)
        if localKeys.count < keyCount { localKeys.reset(repeating: 0, count: keyCount * 2) }
        for shape in 0..<examples.count {
            for key in Self.keys(pairs, Int(examples[shape])) {
                if localKeys[Int(key)] == 0 {
                    groupKeys.append(GroupKey(key: key))
                    localKeys[Int(key)] = UInt32(groupKeys.count)
                }
                groupKeys[Int(localKeys[Int(key)]) - 1].count += Int(shapeCounts[shape])
            }
        }
        var columns = 0
        let rareKeys = groupKeys.count { $0.count < BlockFormat.rareKeyCount }
        for index in groupKeys.indices where rareKeys < 2 || groupKeys[index].count >= BlockFormat.rareKeyCount {
            columns += 1
            groupKeys[index].column = columns
        }
    }

    private mutating func writeShapes(_ pairs: borrowing BlockSection.Pairs, to columns: inout ColumnWriter) {
        columns.chunks.directory.appendVarint(UInt64(examples.count))
        scratch.removeAll()
        for shape in 0..<examples.count {
            let keys = Self.keys(pairs, Int(examples[shape]))
            scratch.appendVarint(UInt64(keys.count))
            for key in keys { scratch.appendVarint(UInt64(localKeys[Int(key)] - 1)) }
        }
        columns.chunks.append(scratch.bytes)
        columns.append(numbers: shapes.elements)
    }

    /// Sorts the values by column, keeping their order: one pass, one write each.
    private mutating func distribute(_ pairs: borrowing BlockSection.Pairs, _ range: Range<Int>, _ starts: [Int]) {
        values.reset(repeating: 0, count: range.count)
        var next = ColumnBuffer<Int>(capacity: groupKeys.count)
        for column in 0..<max(starts.count - 1, 0) { next.append(starts[column]) }
        var columnOfKey = ColumnBuffer<UInt32>(capacity: groupKeys.count)
        for key in groupKeys { columnOfKey.append(UInt32(key.column)) }
        let keys = pairs.keys.elements(range)
        let slots = pairs.values.elements(range)
        for pair in 0..<keys.count {
            let column = Int(columnOfKey[Int(localKeys[Int(keys[pair])]) &- 1])
            values[next[column]] = slots[pair]
            next[column] &+= 1
        }
    }

    /// The types and hashes of keys that share a column are not those of the column.
    private func noteShared(
        _ pairs: borrowing BlockSection.Pairs,
        _ range: Range<Int>,
        _ arena: borrowing BlockSection.SlotArena,
        _ tables: inout BlockTables,
        _ filters: inout FilterWriter
    ) {
        let keys = pairs.keys.elements(range)
        let slots = pairs.values.elements(range)
        for pair in 0..<keys.count where groupKeys[Int(localKeys[Int(keys[pair])]) - 1].column == 0 {
            let value = arena.entry(slots[pair])
            filters.add(FilterHash.of(encoded: value, key: tables.keys[Int(keys[pair])].hash))
            tables.note(key: keys[pair], count: 0, types: EncodedValue.typeBit(of: value))
        }
    }
}
