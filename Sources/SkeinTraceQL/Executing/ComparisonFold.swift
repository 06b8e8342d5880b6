// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Counts what attributes say of the spans of a selection and of the others: `compare({…})`.
struct ComparisonFold: TableFold {
    let program: SpansetProgram
    let selection: SpanFilter
    let comparison: SeriesFunction.Comparison
    let grid: SeriesGrid
    let compared: ComparedFields

    init(
        program: SpansetProgram,
        comparison: SeriesFunction.Comparison,
        grid: SeriesGrid,
        compared: ComparedFields
    ) {
        self.program = program
        self.compared = compared
        self.comparison = comparison
        self.grid = grid
        selection = SpanFilter(comparison.selection)
    }

    /// Distinct values of an attribute that are told apart, of each side.
    static let valueCountMax = 1_000

    /// Values of all attributes and both sides together, times moments, that are counted: 64 MiB of numbers.
    static let cellCountMax = 8 << 20

    struct Sum: Sendable {
        var fields: [Field: Counts] = [:]
        var spanCount = 0
        /// Values that are told apart, of all attributes and both sides.
        var valueCount = 0

        mutating func add(_ field: Field, momentCount: Int, _ body: (inout Counts, _ room: inout Int) -> Void) {
            var known = fields.removeValue(forKey: field) ?? Counts()
            let roomMax = min(ComparedFields.valueCountMax, ComparisonFold.cellCountMax / max(1, momentCount))
            var room = roomMax - valueCount
            body(&known, &room)
            valueCount = roomMax - room
            fields[field] = known
        }
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

        /// Adds the spans of some moments that have a value. `room` is how many values more may be told apart.
        mutating func add(_ value: Value, _ counts: [(moment: Int, count: Double)], momentCount: Int, room: inout Int) {
            if total.isEmpty { total = [Double](repeating: 0, count: momentCount) }
            for (moment, count) in counts { total[moment] += count }
            note(value, counts, momentCount, &room)
        }

        private mutating func note(
            _ value: Value,
            _ counts: [(moment: Int, count: Double)],
            _ momentCount: Int,
            _ room: inout Int
        ) {
            var known: [Double]
            if let moments = values.removeValue(forKey: value) {
                known = moments
            } else if room > 0, values.count < ComparisonFold.valueCountMax, !value.isLong {
                room -= 1
                known = [Double](repeating: 0, count: momentCount)
            } else {
                isCut = true
                return
            }
            for (moment, count) in counts { known[moment] += count }
            values[value] = known
        }

        /// Adds what others counted.
        mutating func add(_ other: Side, room: inout Int) {
            guard !other.total.isEmpty else { return }
            if total.isEmpty { total = [Double](repeating: 0, count: other.total.count) }
            for moment in total.indices { total[moment] += other.total[moment] }
            for (value, moments) in other.values {
                let counts = moments.enumerated().filter { $0.element != 0 }.map { ($0.offset, $0.element) }
                note(value, counts, total.count, &room)
            }
            isCut = isCut || other.isCut
        }
    }

    var needsWholeTraces: Bool { program.needsWholeTraces || selection.needsWholeTraces }

    func zero() -> Sum { Sum() }

    func byteCount(of sum: Sum) -> Int {
        (sum.fields.count * 2 + sum.valueCount) * grid.count * 8 + sum.valueCount * 256
    }

    func add(_ other: Sum, to sum: inout Sum) {
        for (field, counts) in other.fields {
            sum.add(field, momentCount: grid.count) { known, room in
                known.baseline.add(counts.baseline, room: &room)
                known.selection.add(counts.selection, room: &room)
            }
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
            sum.add(field, momentCount: grid.count) { known, room in
                add(selected, codes, starts, weights, to: &known.selection, room: &room)
                add(others, codes, starts, weights, to: &known.baseline, room: &room)
            }
        }
    }

    /// What is compared: the attributes in use most, and what every span has and repeats.
    private func fields(of table: any SpanTable) throws(StoreError) -> Set<Field> {
        let intrinsics: Set<Field> = [
            .intrinsic(.name), .intrinsic(.kind), .intrinsic(.status), .intrinsic(.statusMessage),
        ]
        return try compared.fields(of: table, with: intrinsics)
    }

    private func add(
        _ rows: RowSet,
        _ codes: GroupCodes,
        _ starts: [UInt64],
        _ weights: [Double],
        to side: inout Side,
        room: inout Int
    ) {
        // Only the moments that have some: there may be thousands.
        var counts: [Int: [(moment: Int, count: Double)]] = [:]
        var finder = SeriesGrid.Finder(grid)
        rows.forEach { row in
            counts[codes.code(of: row), default: []]
                .append((finder.index(of: starts[row]), weights.isEmpty ? 1 : weights[row]))
        }
        for (code, moments) in counts.sorted(by: { $0.key < $1.key }) {
            guard let value = codes.key(code).first, value != .none else { continue }
            side.add(value, moments, momentCount: grid.count, room: &room)
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
