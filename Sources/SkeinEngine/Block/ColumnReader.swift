// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// A column of numbers, as a group's directory describes it.
struct NumberColumn: Sendable {
    var encoding = NumberEncoding.constant
    /// The number itself when constant, else what each number lies above.
    var base: UInt64 = 0
    var count = 0
    var chunk = ChunkAddress()
}

/// The numbers of a column.
struct Numbers: Sendable {
    let count: Int
    /// Of every row, when `values` is empty.
    let constant: UInt64
    /// Empty when all are equal.
    let values: [UInt64]

    subscript(row: Int) -> UInt64 { values.isEmpty ? constant : values[row] }
}

/// A column of texts or values, as a group's directory describes it.
struct TextColumn: Sendable {
    var encoding = TextEncoding.empty
    var count = 0
    var dictionaryCount = 0
    var dictionary = ChunkAddress()
    /// Entry of each row, recency codes, or the numbers themselves.
    var numbers = NumberColumn()
}

/// The texts or encoded values of a column.
enum Texts: Sendable {
    /// Empty in each of so many rows.
    case empty(Int)
    /// An entry for each row, or one for all when `entries` is empty.
    case dictionary(entries: [UInt32], count: Int, ByteDictionary)
    case ints(Numbers)
    case doubles(Numbers)

    var count: Int {
        switch self {
        case .empty(let count): count
        case .dictionary(_, let count, _): count
        case .ints(let numbers), .doubles(let numbers): numbers.count
        }
    }
}

extension ChunkReader {
    /// The numbers of a column.
    func numbers(_ column: NumberColumn) throws(StoreError) -> Numbers {
        if column.encoding == .constant { return Numbers(count: column.count, constant: column.base, values: []) }
        let values = try part(column.chunk, byteCount: { (values: [UInt64]) in values.count * 8 }) {
            bytes throws(ByteError) in try Self.decode(column, bytes)
        }
        return Numbers(count: column.count, constant: 0, values: values)
    }

    /// The distinct texts of a column; none when it has no dictionary.
    func dictionary(_ column: TextColumn) throws(StoreError) -> ByteDictionary {
        try part(column.dictionary, byteCount: { (dictionary: ByteDictionary) in dictionary.byteCount }) {
            bytes throws(ByteError) in try Self.decodeDictionary(column.dictionaryCount, bytes)
        }
    }

    /// The texts of a column.
    func texts(_ column: TextColumn) throws(StoreError) -> Texts {
        switch column.encoding {
        case .empty: return .empty(column.count)
        case .ints: return .ints(try numbers(column.numbers))
        case .doubles: return .doubles(try numbers(column.numbers))
        case .dictionary, .recency:
            return .dictionary(entries: try entries(column), count: column.count, try dictionary(column))
        }
    }

    /// Which entry of the dictionary each row has; empty when all have the first one.
    func entries(_ column: TextColumn) throws(StoreError) -> [UInt32] {
        let dictionaryCount = UInt64(column.dictionaryCount)
        guard column.numbers.encoding != .constant else {
            // A constant recency code other than "the next new one" cannot begin.
            if column.encoding == .dictionary, column.numbers.base == 0 { return [] }
            if column.encoding == .dictionary, column.numbers.base < dictionaryCount {
                return [UInt32](repeating: UInt32(column.numbers.base), count: column.count)
            }
            guard column.encoding == .recency, column.numbers.base == 0, column.count <= dictionaryCount else {
                throw corrupt("a column names entries that its dictionary lacks", at: column.dictionary.offset)
            }
            return (0..<column.count).map { UInt32($0) }
        }
        let isRecency = column.encoding == .recency
        return try part(column.numbers.chunk, byteCount: { (entries: [UInt32]) in entries.count * 4 }) {
            bytes throws(ByteError) in
            let values = try Self.decode(column.numbers, bytes)
            let entries =
                isRecency
                ? Self.undoRecency(values, below: dictionaryCount) : Self.narrow(values, below: dictionaryCount)
            guard let entries else { throw ByteError(.truncated, at: 0) }
            return entries
        }
    }

    /// `nil` when a number is not below `limit`, which is at most 2^32.
    private static func narrow(_ values: [UInt64], below limit: UInt64) -> [UInt32]? {
        var greatest: UInt64 = 0
        let entries = [UInt32](unsafeUninitializedCapacity: values.count) { entries, count in
            values.withUnsafeBufferPointer { values in
                for index in 0..<values.count {
                    greatest = max(greatest, values[index])
                    // index < values.count, the capacity.
                    (entries.baseAddress.unsafelyUnwrapped + index).initialize(
                        to: UInt32(truncatingIfNeeded: values[index])
                    )
                }
            }
            count = values.count
        }
        return values.isEmpty || greatest < limit ? entries : nil
    }

    /// `nil` for a code that goes back further than there are entries, or when there are more than `limit`, at most 2^32.
    private static func undoRecency(_ codes: [UInt64], below limit: UInt64) -> [UInt32]? {
        var next: UInt64 = 0
        var isSound = true
        let entries = [UInt32](unsafeUninitializedCapacity: codes.count) { entries, count in
            codes.withUnsafeBufferPointer { codes in
                for index in 0..<codes.count {
                    let code = codes[index]
                    // Wraps only where the code is not sound.
                    let entry = next &- code
                    if code == 0 { next &+= 1 } else if code > next { isSound = false }
                    // index < codes.count, the capacity.
                    (entries.baseAddress.unsafelyUnwrapped + index).initialize(to: UInt32(truncatingIfNeeded: entry))
                }
            }
            count = codes.count
        }
        // Every entry lies below the next new one.
        return isSound && next <= limit ? entries : nil
    }

    private static func decodeDictionary(
        _ count: Int,
        _ bytes: UnsafeRawBufferPointer
    ) throws(ByteError) -> ByteDictionary {
        // Every entry has a length of at least one byte, so the count cannot reserve what is not there.
        guard count <= bytes.count else { throw ByteError(.truncated, at: 0) }
        var reader = ByteReader(bytes)
        var offsets: [UInt32] = []
        offsets.reserveCapacity(count + 1)
        offsets.append(0)
        var end: UInt64 = 0
        for _ in 0..<count {
            end &+= try reader.readVarint()
            guard end <= UInt64(bytes.count) else { throw ByteError(.truncated, at: reader.position) }
            offsets.append(UInt32(truncatingIfNeeded: end))
        }
        guard end == UInt64(reader.remaining) else { throw ByteError(.truncated, at: reader.position) }
        return ByteDictionary(offsets: offsets, bytes: [UInt8](try reader.read(reader.remaining)))
    }

    private static func decode(_ column: NumberColumn, _ bytes: UnsafeRawBufferPointer) throws(ByteError) -> [UInt64] {
        switch column.encoding {
        case .constant: return []
        case .fixed1: return try widen(bytes, column, UInt8.self)
        case .fixed2: return try widen(bytes, column, UInt16.self)
        case .fixed4: return try widen(bytes, column, UInt32.self)
        case .fixed8: return try widen(bytes, column, UInt64.self)
        case .varint:
            guard column.count <= bytes.count else { throw ByteError(.truncated, at: 0) }
            var end: Int?
            let values = [UInt64](unsafeUninitializedCapacity: column.count) { values, count in
                end = decodeVarints(bytes, column.base, into: values)
                count = end == nil ? 0 : column.count
            }
            guard end == bytes.count else { throw ByteError(.truncated, at: end ?? 0) }
            return values
        }
    }

    /// Fills `values` and returns where the last varint ended; `nil` when the bytes end too soon or one is too long.
    /// Shifts beyond 63 bits lose what no writer puts there.
    private static func decodeVarints(
        _ bytes: UnsafeRawBufferPointer,
        _ base: UInt64,
        into values: UnsafeMutableBufferPointer<UInt64>
    ) -> Int? {
        var offset = 0
        let count = bytes.count
        for index in 0..<values.count {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                guard offset < count, shift < 70 else { return nil }
                let byte = UInt64(bytes.unsafelyLoad(offset, as: UInt8.self))
                offset &+= 1
                value |= (byte & 0x7f) << shift
                if byte < 0x80 { break }
                shift &+= 7
            }
            values.initializeElement(at: index, to: value &+ base)
        }
        return offset
    }

    private static func widen<T: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer,
        _ column: NumberColumn,
        _ type: T.Type
    ) throws(ByteError) -> [UInt64] {
        let width = MemoryLayout<T>.size
        guard bytes.count == column.count.multipliedReportingOverflow(by: width).partialValue else {
            throw ByteError(.truncated, at: 0)
        }
        return [UInt64](unsafeUninitializedCapacity: column.count) { values, count in
            for index in 0..<column.count {
                // index * width + width <= bytes.count by the guard.
                let value = T(littleEndian: bytes.unsafelyLoad(index &* width, as: T.self))
                (values.baseAddress.unsafelyUnwrapped + index).initialize(
                    to: UInt64(truncatingIfNeeded: value) &+ column.base
                )
            }
            count = column.count
        }
    }
}
