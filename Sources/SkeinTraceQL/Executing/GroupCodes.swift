// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Numbers the groups in which the rows of a table are, so that a row costs a look into an array and each distinct group
/// is looked at once.
struct GroupCodes {
    /// By row; only those asked for say something.
    private var codes: [UInt32] = []
    /// By code, the place of the value of each field.
    private var keys: [[UInt32]] = [[]]
    private var values: [[Value]] = []

    /// Codes for `rows` of a table by some fields.
    init(_ fields: [Field], of table: any SpanTable, _ rows: RowSet) throws(StoreError) {
        let reader = FieldReader(table, fields)
        for place in fields.indices {
            let (entries, values) = try Self.entries(place, reader, table.rowCount, rows)
            self.values.append(values)
            add(entries, valueCount: values.count, rows)
        }
    }

    /// How many codes there are.
    var keyCount: Int { keys.count }

    /// The code of a row.
    @inline(__always)
    func code(of row: Int) -> Int { codes.isEmpty ? 0 : Int(codes[row]) }

    /// The values of a code, a field each.
    func key(_ code: Int) -> [Value] {
        keys[code].enumerated().map { place, value in values[place][Int(value)] }
    }

    private mutating func add(_ entries: [UInt32], valueCount: Int, _ rows: RowSet) {
        // All rows are in one group: codes stay, each of them longer by a value.
        guard !entries.isEmpty else {
            for code in keys.indices { keys[code].append(0) }
            return
        }
        if codes.isEmpty {
            // The values are the groups.
            let first = keys[0]
            keys = (0..<UInt32(valueCount)).map { first + [$0] }
            codes = entries
            return
        }
        var known: [UInt64: UInt32] = [:]
        var joined: [[UInt32]] = []
        rows.forEach { row in
            let pair = UInt64(codes[row]) << 32 | UInt64(entries[row])
            if let code = known[pair] {
                codes[row] = code
            } else {
                let code = UInt32(joined.count)
                known[pair] = code
                joined.append(keys[Int(codes[row])] + [entries[row]])
                codes[row] = code
            }
        }
        keys = joined
    }

    /// For each row the place of its value; no entries when all rows have the first.
    private static func entries(
        _ place: Int,
        _ reader: FieldReader,
        _ rowCount: Int,
        _ rows: RowSet
    ) throws(StoreError) -> ([UInt32], [Value]) {
        switch try reader.column(place) {
        case FieldColumn.none?: return ([], [.none])
        case .same(let value)?: return ([], [Value(value)])
        case .dictionary(let values, let entries)?: return (entries, values.map { Value($0) })
        case .ints(let numbers, let has)?:
            var places: [Int64: UInt32] = [:]
            var values: [Value] = [.none]
            var entries = [UInt32](repeating: 0, count: rowCount)
            rows.forEach { row in
                guard has[row] else { return }
                if let known = places[numbers[row]] {
                    entries[row] = known
                } else {
                    entries[row] = UInt32(values.count)
                    places[numbers[row]] = entries[row]
                    values.append(.int(numbers[row]))
                }
            }
            return (entries, values)
        default:
            var places: [Value: UInt32] = [.none: 0]
            var values: [Value] = [.none]
            var entries = [UInt32](repeating: 0, count: rowCount)
            try rows.forEach { row throws(StoreError) in
                let value = try reader.value(place, row: row)
                if let known = places[value] {
                    entries[row] = known
                } else {
                    entries[row] = UInt32(values.count)
                    places[value] = entries[row]
                    values.append(value)
                }
            }
            return (entries, values)
        }
    }
}
