// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// One key of the spans, events or links of a row group.
struct AttributeScan {
    private let columns: AttributeColumns
    private let reader: ChunkReader
    /// Its number among the group's keys; `nil` when no owner has it.
    private let local: Int?

    /// - Parameter number: Of the key in the block's table; `nil` when it is not there.
    init(_ columns: AttributeColumns, _ number: UInt32?, _ reader: ChunkReader) {
        self.columns = columns
        self.reader = reader
        local = columns.keys.firstIndex { $0.key == number }
    }

    /// Owners whose first value of the key satisfies the test, or is not null when there is none; and, if wanted,
    /// owners that have the key.
    func select(_ test: EncodedTest?, wantsPresence: Bool = false) throws(StoreError) -> (holds: RowSet, has: RowSet) {
        let none = RowSet(count: columns.ownerCount)
        guard let local, columns.shapeCount > 0 else { return (none, none) }
        let column = columns.columns[columns.keys[local].column]
        let owners = try Owners(columns, local, reader)
        let has = wantsPresence ? owners.has : none
        let holds = try values(column, test)
        guard holds.any else { return (none, has) }
        try owners.check(column.count, reader)
        var next = 0
        let rows = RowSet(count: columns.ownerCount) { owner in
            let shape = Int(truncatingIfNeeded: owners.shapes[owner])
            let place = owners.places[shape]
            defer { next &+= owners.steps[shape] }
            return place >= 0 && holds.at(next &+ place)
        }
        return (rows, has)
    }

    /// What each owner says, and which owners have the key, be it with the value `null`.
    func column() throws(StoreError) -> (values: FieldColumn, has: RowSet) {
        let count = columns.ownerCount
        guard let local, columns.shapeCount > 0 else { return (.none, RowSet(count: count)) }
        let column = columns.columns[columns.keys[local].column]
        let owners = try Owners(columns, local, reader)
        try owners.check(column.count, reader)
        let has = owners.has
        switch column.encoding {
        case .empty: return (.none, has)
        case .ints:
            let numbers = try reader.numbers(column.numbers)
            return (.ints(owners.map(0) { numbers[$0].zigZagDecoded }, has: has), has)
        case .doubles:
            let numbers = try reader.numbers(column.numbers)
            return (.doubles(owners.map(0) { Double(bitPattern: numbers[$0]) }, has: has), has)
        case .dictionary, .recency:
            let dictionary = try reader.dictionary(column)
            let entries = try reader.entries(column)
            // An encoded `null` stands for no value.
            var values: [AttributeValue] = [.null]
            var places: [UInt32] = []
            for entry in 0..<UInt32(dictionary.count) {
                let value = dictionary.value(entry)
                places.append(value == .null ? 0 : UInt32(values.count))
                if value != .null { values.append(value) }
            }
            let rows = owners.map(0) { places[entries.isEmpty ? 0 : Int(entries[$0])] }
            return (.dictionary(values, entries: rows), has)
        }
    }

    /// Which value of a column belongs to which owner.
    private struct Owners {
        let count: Int
        /// By owner.
        let shapes: Numbers
        /// By shape, how many values of the column its owners have.
        var steps: [Int]
        /// By shape, which of them is the key's first; -1 for none.
        var places: [Int]
        private let offset: Int

        init(_ columns: AttributeColumns, _ local: Int, _ reader: ChunkReader) throws(StoreError) {
            let table = try reader.shapes(columns)
            count = columns.ownerCount
            offset = columns.shapes.offset
            shapes = try reader.shapeNumbers(columns)
            steps = [Int](repeating: 0, count: table.count)
            places = [Int](repeating: -1, count: table.count)
            for shape in 0..<table.count {
                for key in table[shape] where columns.keys[Int(key)].column == columns.keys[local].column {
                    if Int(key) == local, places[shape] < 0 { places[shape] = steps[shape] }
                    steps[shape] += 1
                }
            }
        }

        var has: RowSet { RowSet(count: count) { places[Int(truncatingIfNeeded: shapes[$0])] >= 0 } }

        /// The column must have a value for every step: then no index goes past its end.
        func check(_ valueCount: Int, _ reader: ChunkReader) throws(StoreError) {
            var total = 0
            for owner in 0..<count { total += steps[Int(truncatingIfNeeded: shapes[owner])] }
            guard total == valueCount else {
                throw reader.corrupt("a column and its owners differ in number", at: offset)
            }
        }

        /// For each owner what `value` says of the place of its value, or `absent`.
        @inline(__always)
        func map<T>(_ absent: T, _ value: (Int) -> T) -> [T] {
            var next = 0
            return [T](unsafeUninitializedCapacity: count) { values, filled in
                for owner in 0..<count {
                    let shape = Int(truncatingIfNeeded: shapes[owner])
                    let place = places[shape]
                    values.initializeElement(at: owner, to: place >= 0 ? value(next &+ place) : absent)
                    next &+= steps[shape]
                }
                filled = count
            }
        }
    }

    /// What the test says of each value of a column.
    private struct Answers {
        var any: Bool
        /// By entry of the dictionary, or by value when `entries` is empty and not all are alike.
        var holds: [Bool]
        var entries: [UInt32] = []

        @inline(__always)
        func at(_ index: Int) -> Bool {
            holds.count == 1 ? holds[0] : entries.isEmpty ? holds[index] : holds[Int(entries[index])]
        }
    }

    private func values(_ column: TextColumn, _ test: EncodedTest?) throws(StoreError) -> Answers {
        switch column.encoding {
        case .empty: return Answers(any: false, holds: [false])
        case .ints:
            let numbers = try reader.numbers(column.numbers)
            let holds = (0..<numbers.count).map { index in
                test.map { $0.test.holds(int: numbers[index].zigZagDecoded) } ?? true
            }
            return Answers(any: holds.contains(true), holds: holds)
        case .doubles:
            let numbers = try reader.numbers(column.numbers)
            let holds = (0..<numbers.count).map { index in
                test.map { $0.test.holds(double: Double(bitPattern: numbers[index])) } ?? true
            }
            return Answers(any: holds.contains(true), holds: holds)
        case .dictionary, .recency:
            // The dictionary alone often says that there is nothing.
            let dictionary = try reader.dictionary(column)
            let holds = (0..<UInt32(dictionary.count)).map { entry in
                dictionary.withBytes(entry) { bytes in test.map { $0.holds(bytes) } ?? !bytes.isEmpty }
            }
            guard holds.contains(true) else { return Answers(any: false, holds: [false]) }
            let entries = try reader.entries(column)
            return Answers(any: true, holds: entries.isEmpty ? [holds[0]] : holds, entries: entries)
        }
    }
}
