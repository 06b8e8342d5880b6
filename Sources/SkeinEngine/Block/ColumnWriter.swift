// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Writes columns: chooses an encoding, writes its chunks, and notes both in the directory.
struct ColumnWriter: ~Copyable {
    var chunks = ChunkWriter()
    private var scratch = ByteWriter(capacity: 1 << 16)
    private var wide = ColumnBuffer<UInt64>(capacity: 1 << 14)
    private var ids = ColumnBuffer<UInt32>(capacity: 1 << 14)
    private var dictionary = LocalDictionary()

    init() {}

    // MARK: Numbers

    /// Writes `encoding (1 byte)` and what it needs: constant: the number; else the base and a chunk.
    mutating func append(numbers values: UnsafeBufferPointer<UInt64>, isRandom: Bool = false) {
        var least = values.first ?? 0
        var most = least
        for value in values {
            least = min(least, value)
            most = max(most, value)
        }
        let range = most - least
        if range == 0 {
            append(constant: least)
            return
        }
        let encoding = Self.encoding(of: values, least: least, range: range)
        chunks.directory.append(encoding.rawValue)
        chunks.directory.appendVarint(least)
        scratch.removeAll()
        switch encoding {
        case .fixed1: Self.store(values, least, as: UInt8.self, to: &scratch)
        case .fixed2: Self.store(values, least, as: UInt16.self, to: &scratch)
        case .fixed4: Self.store(values, least, as: UInt32.self, to: &scratch)
        case .fixed8: Self.store(values, least, as: UInt64.self, to: &scratch)
        case .varint, .constant:
            scratch.write(atMost: values.count * 10) { target in
                var at = target
                for value in values { at += UnsafeMutableRawPointer.storeVarint(value &- least, at: at) }
                return at - target
            }
        }
        chunks.append(scratch.bytes, isRandom: isRandom)
    }

    /// Writes a column in which every row has the number `value`.
    mutating func append(constant value: UInt64) {
        chunks.directory.append(NumberEncoding.constant.rawValue)
        chunks.directory.appendVarint(value)
    }

    /// As above, of narrower numbers.
    mutating func append<T: FixedWidthInteger & BitwiseCopyable>(numbers values: UnsafeBufferPointer<T>) {
        wide.removeAll()
        for value in values { wide.append(UInt64(truncatingIfNeeded: value)) }
        append(numbers: wide.elements)
    }

    private static func encoding(of values: UnsafeBufferPointer<UInt64>, least: UInt64, range: UInt64) -> NumberEncoding
    {
        if range <= UInt64(UInt8.max) { return .fixed1 }
        if range <= UInt64(UInt16.max) { return .fixed2 }
        var byteCount = 0
        for value in values { byteCount &+= (70 &- (value &- least | 1).leadingZeroBitCount) / 7 }
        let width = range <= UInt64(UInt32.max) ? 4 : 8
        // Varints skip what a compressor would have to find.
        return byteCount < values.count * width ? .varint : width == 4 ? .fixed4 : .fixed8
    }

    private static func store<T: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeBufferPointer<UInt64>,
        _ least: UInt64,
        as type: T.Type,
        to out: inout ByteWriter
    ) {
        let width = MemoryLayout<T>.size
        out.write(atMost: values.count * width) { target in
            for index in 0..<values.count {
                let value = T(truncatingIfNeeded: values[index] &- least).littleEndian
                target.storeBytes(of: value, toByteOffset: index &* width, as: T.self)
            }
            return values.count * width
        }
    }

    // MARK: Texts and values

    /// Makes ready for the slots of a section. Call before texts of it are appended.
    mutating func use(slotCount: Int) { dictionary.use(slotCount: slotCount) }

    /// Writes `encoding (1 byte)` and what it needs: dictionary: its size, its chunk, the numbers; ints and doubles: the
    /// numbers. Plain texts are never stored as numbers. Returns which types the values have, see ``BlockTables/Key``.
    @discardableResult
    mutating func append(
        slots: UnsafeBufferPointer<UInt32>,
        of arena: borrowing BlockSection.SlotArena,
        areValues: Bool
    ) -> UInt8 {
        dictionary.removeAll()
        ids.reset(repeating: 0, count: slots.count)
        let target = ids.base
        for index in 0..<slots.count { target[index] = dictionary.number(of: slots[index], arena) }
        let entries = dictionary.entries
        let types = areValues ? Self.types(entries, arena) : 0
        if entries.count == 0 || (entries.count == 1 && arena.entry(entries[0]).isEmpty) {
            chunks.directory.append(TextEncoding.empty.rawValue)
            return types
        }
        if areValues, entries.count > BlockFormat.narrowIDCount, types == 1 << 2 || types == 1 << 3 {
            appendBare(arena, isInt: types == 1 << 2)
            return types
        }
        let isNarrow = entries.count <= BlockFormat.narrowIDCount
        chunks.directory.append((isNarrow ? TextEncoding.dictionary : .recency).rawValue)
        chunks.directory.appendVarint(UInt64(entries.count))
        scratch.removeAll()
        for slot in entries { scratch.appendVarint(UInt64(arena.entry(slot).count)) }
        for slot in entries { scratch.append(arena.entry(slot)) }
        chunks.append(scratch.bytes)
        if isNarrow {
            appendNarrow(ids.elements, below: entries.count)
            return types
        }
        var next: UInt32 = 0
        for index in 0..<ids.count {
            let id = target[index]
            target[index] = id == next ? 0 : next &- id
            if id == next { next &+= 1 }
        }
        append(numbers: ids.elements)
        return types
    }

    /// The distinct texts or values of the column that was written last.
    @inline(__always)
    func forEachEntry(of arena: borrowing BlockSection.SlotArena, _ body: (UnsafeRawBufferPointer) -> Void) {
        for slot in dictionary.entries { body(arena.entry(slot)) }
    }

    /// Writes numbers of which all from 0 to `limit` - 1 occur, at most 256, without looking for their bounds.
    private mutating func appendNarrow(_ ids: UnsafeBufferPointer<UInt32>, below limit: Int) {
        guard limit > 1 else {
            append(constant: 0)
            return
        }
        chunks.directory.append(NumberEncoding.fixed1.rawValue)
        chunks.directory.append(0)
        scratch.removeAll()
        scratch.write(atMost: ids.count) { target in
            for index in 0..<ids.count {
                target.storeBytes(of: UInt8(truncatingIfNeeded: ids[index]), toByteOffset: index, as: UInt8.self)
            }
            return ids.count
        }
        chunks.append(scratch.bytes)
    }

    /// Writes values that are all ints or all doubles as numbers.
    private mutating func appendBare(_ arena: borrowing BlockSection.SlotArena, isInt: Bool) {
        chunks.directory.append((isInt ? TextEncoding.ints : .doubles).rawValue)
        var bits = ColumnBuffer<UInt64>(capacity: dictionary.entries.count)
        for slot in dictionary.entries {
            let bytes = arena.entry(slot)
            if isInt {
                bits.append((EncodedValue.int(bytes) ?? 0).zigZagEncoded)
            } else {
                bits.append(EncodedValue.doubleBits(bytes) ?? 0)
            }
        }
        wide.removeAll()
        for id in ids.elements { wide.append(bits[Int(id)]) }
        append(numbers: wide.elements)
    }

    private static func types(
        _ entries: UnsafeBufferPointer<UInt32>,
        _ arena: borrowing BlockSection.SlotArena
    ) -> UInt8 {
        var types: UInt8 = 0
        for slot in entries { types |= EncodedValue.typeBit(of: arena.entry(slot)) }
        return types
    }
}

extension EncodedValue {
    /// The bit of the value's type: its place in ``ValueType``'s cases, or 7 for `null`.
    static func typeBit(of bytes: UnsafeRawBufferPointer) -> UInt8 {
        switch kind(of: bytes) {
        case .string: 1 << 0
        case .bool: 1 << 1
        case .int: 1 << 2
        case .double: 1 << 3
        case .bytes: 1 << 4
        case .array: 1 << 5
        case .map: 1 << 6
        case .null, nil: 1 << 7
        }
    }
}
