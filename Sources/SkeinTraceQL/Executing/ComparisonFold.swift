// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Counts what attributes say of the spans of a selection and of the others: `compare({…})`.
struct ComparisonFold: TableFold {
    let program: SpansetProgram
    let selection: SpanFilter
    let comparison: SeriesFunction.Comparison
    let grid: SeriesGrid

    init(program: SpansetProgram, comparison: SeriesFunction.Comparison, grid: SeriesGrid) {
        self.program = program
        self.comparison = comparison
        self.grid = grid
        selection = SpanFilter(comparison.selection)
    }

    /// Distinct values of an attribute that are told apart, of each side.
    static let valueCountMax = 1_000

    struct Sum: Sendable {
        var fields: [Field: Counts] = [:]
        var spanCount = 0
    }

    /// What one attribute says.
    struct Counts: Sendable {
        var baseline = Side()
        var selection = Side()
    }

    struct Side: Sendable {
        /// By value, the spans of each moment.
        var values: [Value: [Double]] = [:]
        /// Of all values, by moment.
        var total: [Double] = []
        /// Whether there were more values than are told apart.
        var isCut = false

        mutating func add(_ value: Value, _ counts: [Double]) {
            if total.isEmpty { total = [Double](repeating: 0, count: counts.count) }
            for moment in counts.indices { total[moment] += counts[moment] }
            if values[value] == nil, values.count >= ComparisonFold.valueCountMax {
                isCut = true
                return
            }
            guard var known = values.removeValue(forKey: value) else {
                values[value] = counts
                return
            }
            for moment in counts.indices { known[moment] += counts[moment] }
            values[value] = known
        }
    }

    var needsWholeTraces: Bool { program.needsWholeTraces || selection.needsWholeTraces }

    func zero() -> Sum { Sum() }

    func add(_ other: Sum, to sum: inout Sum) {
        for (field, counts) in other.fields {
            var known = sum.fields.removeValue(forKey: field) ?? Counts()
            for (value, moments) in counts.baseline.values { known.baseline.add(value, moments) }
            for (value, moments) in counts.selection.values { known.selection.add(value, moments) }
            known.baseline.isCut = known.baseline.isCut || counts.baseline.isCut
            known.selection.isCut = known.selection.isCut || counts.selection.isCut
            sum.fields[field] = known
        }
        sum.spanCount += other.spanCount
    }

    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError) {
        sum.spanCount += table.rowCount
        let counted = try program.rows(rows, of: table)
        guard !counted.isEmpty else { return }
        let starts = try table.starts()
        var selected = try selection.rows(of: table)
        selected.formIntersection(counted)
        if let range = comparison.range {
            for row in selected.rows where !range.contains(starts[row]) { selected[row] = false }
        }
        var others = counted
        others.subtract(selected)
        let weights = try table.weights()
        for field in try fields(of: table) {
            let codes = try GroupCodes([field], of: table, counted)
            var known = sum.fields.removeValue(forKey: field) ?? Counts()
            add(selected, codes, starts, weights, to: &known.selection)
            add(others, codes, starts, weights, to: &known.baseline)
            sum.fields[field] = known
        }
    }

    /// What is compared: all attributes, and what every span has and repeats.
    private func fields(of table: any SpanTable) throws(StoreError) -> [Field] {
        let intrinsics: [Field] = [
            .intrinsic(.name), .intrinsic(.kind), .intrinsic(.status), .intrinsic(.statusMessage),
        ]
        var fields: Set<Field> = []
        for case .attribute(let scope, let key) in try table.attributeFields() { fields.insert(.attribute(scope, key)) }
        return intrinsics + fields
    }

    private func add(
        _ rows: RowSet,
        _ codes: GroupCodes,
        _ starts: [UInt64],
        _ weights: [Double],
        to side: inout Side
    ) {
        var counts: [Int: [Double]] = [:]
        rows.forEach { row in
            counts[codes.code(of: row), default: [Double](repeating: 0, count: grid.count)][
                grid.index(of: starts[row])
            ] +=
                weights.isEmpty ? 1 : weights[row]
        }
        for (code, moments) in counts.sorted(by: { $0.key < $1.key }) {
            guard let value = codes.key(code).first, value != .none else { continue }
            side.add(value, moments)
        }
    }

    // MARK: Series

    /// For each attribute its most frequent values on each side, and the totals.
    func series(_ sum: Sum) -> [Series] {
        var series: [Series] = []
        for (field, counts) in sum.fields {
            series += self.series(field, counts.baseline, "baseline")
            series += self.series(field, counts.selection, "selection")
        }
        return series
    }

    private func series(_ field: Field, _ side: Side, _ type: String) -> [Series] {
        guard !side.total.isEmpty else { return [] }
        let sums = side.values.map { (value: $0.key, counts: $0.value, total: $0.value.reduce(0, +)) }
        let first = sums.sorted { $0.total != $1.total ? $0.total > $1.total : $0.value.text < $1.value.text }
            .prefix(comparison.countMax)
        var series = first.map { entry in
            Series(
                labels: [.init("__meta_type", .string(type)), .init(field.text, entry.value)],
                values: entry.counts.map { $0 }
            )
        }
        series.append(
            Series(
                labels: [.init("__meta_type", .string("\(type)_total")), .init(field.text, .string("nil"))],
                values: side.total.map { $0 }
            )
        )
        if side.isCut {
            series.append(
                Series(
                    labels: [
                        .init("__meta_error", .string("__too_many_values__")), .init("__meta_type", .string(type)),
                        .init(field.text, .string("nil")),
                    ],
                    values: side.total.map { _ in 0 }
                )
            )
        }
        return series
    }
}
