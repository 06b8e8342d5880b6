// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// What the rows of a table say of one field.
///
/// Public, like what it is made of, because the compiler inlines nothing of package access across modules (Swift 6.3).
public enum FieldColumn: Sendable {
    /// No row has a value.
    case none
    /// Every row has this value.
    case same(AttributeValue)
    /// By row a place among the values; the value at place 0 is `null` and stands for none.
    case dictionary([AttributeValue], entries: [UInt32])
    /// Numbers by row, of which those count that `has` holds.
    case ints([Int64], has: RowSet)
    /// Numbers by row, of which those count that `has` holds.
    case doubles([Double], has: RowSet)

    /// The value of a row; `nil` when it has none.
    public subscript(row: Int) -> AttributeValue? {
        switch self {
        case .none: nil
        case .same(let value): value == .null ? nil : value
        case .dictionary(let values, let entries): entries[row] == 0 ? nil : values[Int(entries[row])]
        case .ints(let numbers, let has): has[row] ? .int(numbers[row]) : nil
        case .doubles(let numbers, let has): has[row] ? .double(numbers[row]) : nil
        }
    }

    /// This column's value where it has one, or is `null`, else the other's: `.name` asks the span before its resource.
    package func over(_ other: FieldColumn, isPresent: RowSet, rowCount: Int) -> FieldColumn {
        if case .none = other { return self }
        if case .none = self, isPresent.isEmpty { return other }
        var builder = FieldColumnBuilder(rowCount: rowCount)
        for row in 0..<rowCount { builder.append(isPresent[row] ? self[row] : other[row]) }
        return builder.finish()
    }
}

/// Makes a column of any values, each distinct one once.
package struct FieldColumnBuilder {
    private var values: [AttributeValue] = [.null]
    private var places: [AttributeValue: UInt32] = [:]
    private var entries: [UInt32] = []

    package init(rowCount: Int) { entries.reserveCapacity(rowCount) }

    /// Appends the value of the next row.
    package mutating func append(_ value: AttributeValue?) {
        guard let value, value != .null else { return entries.append(0) }
        if let place = places[value] { return entries.append(place) }
        let place = UInt32(values.count)
        places[value] = place
        values.append(value)
        entries.append(place)
    }

    /// The column of all rows appended.
    package func finish() -> FieldColumn {
        values.count == 1 ? .none : .dictionary(values, entries: entries)
    }
}
