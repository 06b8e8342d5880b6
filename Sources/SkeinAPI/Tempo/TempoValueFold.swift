// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Counts what some spans say of a field.
struct TempoValueFold: TableFold {
    /// Distinct values that are counted.
    static let countMax = 32_768
    /// Longer texts are no help to who completes a query.
    private static let textBytesMax = 4_096

    let field: SpanField
    /// Whether the root of the trace is meant, not the span itself.
    var ofRoot = false

    typealias Sum = [AttributeValue: Int]

    /// The columns that it reads.
    var columns: SpanColumns {
        switch field {
        case .eventName, .attribute(.event, _): .events
        case .linkTraceID, .attribute(.link, _): .links
        case .attribute(.resource, _), .attribute(.instrumentation, _), .statusMessage, .scopeName, .scopeVersion:
            .details
        case .attribute(.any, _): [.attributes, .details]
        case .attribute: .attributes
        default: .fixed
        }
    }

    func zero() -> Sum { [:] }

    func byteCount(of sum: Sum) -> Int { sum.count * 256 }

    func add(_ other: Sum, to sum: inout Sum) {
        for (value, count) in other { Self.add(value, count, to: &sum) }
    }

    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError) {
        switch field {
        case .eventName, .attribute(.event, _), .linkTraceID, .attribute(.link, _):
            try addChildren(of: rows, table, to: &sum)
        case _ where ofRoot:
            let column = try table.column(field)
            for trace in try table.traces() where rows.contains(anyOf: trace.rows) {
                if let row = trace.rootRow, let value = column[row] { Self.add(value, 1, to: &sum) }
            }
        default: add(rows, try table.column(field), to: &sum)
        }
    }

    private func add(_ rows: RowSet, _ column: FieldColumn, to sum: inout Sum) {
        switch column {
        case .none: break
        case .same(let value): Self.add(value, rows.selectedCount, to: &sum)
        case .dictionary(let values, let entries):
            var counts = [Int](repeating: 0, count: values.count)
            rows.forEach { counts[Int(entries[$0])] += 1 }
            for (place, count) in counts.enumerated() where count > 0 { Self.add(values[place], count, to: &sum) }
        case .ints, .doubles:
            rows.forEach { row in
                if let value = column[row] { Self.add(value, 1, to: &sum) }
            }
        }
    }

    /// Rows are read some at a time, with their events and links.
    private func addChildren(of rows: RowSet, _ table: any SpanTable, to sum: inout Sum) throws(StoreError) {
        for start in stride(from: 0, to: table.rowCount, by: 1024) {
            let range = start..<min(start + 1024, table.rowCount)
            guard rows.contains(anyOf: range) else { continue }
            let batch = try table.batch(rows: range, columns: columns)
            for row in range where rows[row] {
                for value in Set(field.values(in: batch.span(at: row - start))) { Self.add(value, 1, to: &sum) }
            }
        }
    }

    private static func add(_ value: AttributeValue, _ count: Int, to sum: inout Sum) {
        if case .string(let text) = value, text.utf8.count > textBytesMax { return }
        guard value != .null, sum[value] != nil || sum.count < countMax else { return }
        sum[value, default: 0] += count
    }
}

/// Finds the attributes that some spans have.
struct TempoNameFold: TableFold {
    let scopes: [AttributeScope]

    typealias Sum = Set<SpanField>

    func zero() -> Sum { [] }

    func byteCount(of sum: Sum) -> Int { sum.count * 128 }

    func add(_ other: Sum, to sum: inout Sum) { sum.formUnion(other) }

    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError) {
        let selected = rows.rows
        for field in try table.attributeFields() {
            guard case .attribute(let scope, _) = field, scopes.contains(scope), !sum.contains(field) else { continue }
            let column = try table.column(field)
            if selected.contains(where: { column[$0] != nil }) { sum.insert(field) }
        }
    }
}
