// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Adds up the spans of a query of series.
struct SeriesFold: TableFold {
    let program: SpansetProgram
    let function: SeriesFunction
    let groups: [Field]
    let grid: SeriesGrid
    /// At most so many exemplars.
    let exemplarCountMax: Int

    struct Sum: Sendable {
        var cells: SeriesCells
        var exemplars: ExemplarPicks
        /// Spans that were looked at.
        var spanCount = 0
    }

    func byteCount(of sum: Sum) -> Int { sum.cells.byteCount + grid.count * 256 }

    func zero() -> Sum {
        Sum(
            cells: SeriesCells(function.cellKind, momentCount: grid.count),
            exemplars: ExemplarPicks(momentCount: grid.count)
        )
    }

    var needsWholeTraces: Bool {
        program.needsWholeTraces || groups.contains { $0.needsWholeTrace }
            || (function.operand?.needsWholeTrace ?? false)
    }

    var columns: SpanColumns {
        (groups + [function.operand].compactMap(\.self)).reduce(program.columns) { $0.union($1.columns) }
    }

    func add(_ other: Sum, to sum: inout Sum) throws(StoreError) {
        // Series are numbered anew, so that exemplars are, too.
        var numbers: [Int] = []
        for key in other.cells.keys { numbers.append(try sum.cells.series(key)) }
        try sum.cells.add(other.cells)
        for (moment, picks) in other.exemplars.picks.enumerated() {
            for var pick in picks {
                pick.series = numbers[pick.series]
                sum.exemplars.add(pick, moment)
            }
        }
        sum.spanCount += other.spanCount
    }

    func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError) {
        sum.spanCount += table.rowCount
        let counted = try program.rows(rows, of: table)
        guard !counted.isEmpty else { return }
        let codes = try GroupCodes(groups, of: table, counted)
        var numbers = [Int](repeating: -1, count: codes.keyCount)
        func series(_ code: Int) throws(StoreError) -> Int {
            if numbers[code] < 0 { numbers[code] = try sum.cells.series(codes.key(code)) }
            return numbers[code]
        }
        let starts = try table.starts()
        let weights = try table.weights()
        let momentCount = grid.count
        let picksExemplars = exemplarCountMax > 0
        let ids = picksExemplars ? try table.spanIDs() : []
        let durations = picksExemplars ? try table.durations() : []
        let operand = try function.operand.map { field throws(StoreError) in try Operand(field, of: table) }
        var finder = SeriesGrid.Finder(grid)
        if sum.cells.kind == .counts, weights.isEmpty, !picksExemplars {
            // The most frequent question, without anything that others need.
            try counted.forEach { row throws(StoreError) in
                let code = codes.code(of: row)
                let number = numbers[code] >= 0 ? numbers[code] : try series(code)
                sum.cells.add(weight: 1, to: number &* momentCount &+ finder.index(of: starts[row]))
            }
            return
        }
        try counted.forEach { row throws(StoreError) in
            let weight = weights.isEmpty ? 1 : weights[row]
            let moment = finder.index(of: starts[row])
            let exemplarValue: Double
            switch sum.cells.kind {
            case .counts:
                let number = try series(codes.code(of: row))
                sum.cells.add(weight: weight, to: number * momentCount + moment)
                exemplarValue = picksExemplars ? Double(durations[row]) / 1e9 : 0
            case .sums, .least, .greatest:
                guard let value = try operand?.number(row) else { return }
                let number = try series(codes.code(of: row))
                sum.cells.add(value, weight: weight, to: number * momentCount + moment)
                exemplarValue = value
            case .histograms:
                guard let whole = try operand?.whole(row), let bucket = Log2Histogram.bucket(of: whole) else { return }
                let number = try series(codes.code(of: row))
                try sum.cells.add(bucket: bucket, weight: weight, to: number * momentCount + moment)
                exemplarValue = operand?.isDuration == true ? Double(whole) / 1e9 : Double(whole)
            }
            if picksExemplars, sum.exemplars.isWanted(ids[row], moment) {
                guard case .string(let text)? = try table.column(.traceID)[row], let trace = TraceID(hex: text) else {
                    return
                }
                let exemplar = Series.Exemplar(
                    startUnixNanos: starts[row],
                    traceID: trace,
                    spanID: SpanID(ids[row]),
                    value: exemplarValue
                )
                sum.exemplars.add(exemplar, series: try series(codes.code(of: row)), moment)
            }
        }
    }

    /// What a function is asked of.
    private struct Operand {
        let isDuration: Bool
        private let durations: [UInt64]
        private let column: FieldColumn?
        private let reader: FieldReader

        init(_ field: Field, of table: any SpanTable) throws(StoreError) {
            isDuration = field.isDuration
            durations = field == .intrinsic(.duration) ? try table.durations() : []
            reader = FieldReader(table, [field])
            column = field.isDuration ? nil : try reader.column(0)
        }

        /// Durations in seconds. What is not a number counts as missing.
        @inline(__always)
        func number(_ row: Int) throws(StoreError) -> Double? {
            if !durations.isEmpty { return Double(durations[row]) / 1e9 }
            if case .ints(let values, let has)? = column { return has[row] ? Double(values[row]) : nil }
            let value = try reader.value(0, row: row)
            guard let number = value.number, !number.isNaN else { return nil }
            return value.isDuration ? number / 1e9 : number
        }

        /// Durations in nanoseconds. `nil` for what is negative or no number.
        @inline(__always)
        func whole(_ row: Int) throws(StoreError) -> UInt64? {
            if !durations.isEmpty { return durations[row] }
            switch try reader.value(0, row: row) {
            case .int(let int), .duration(let int): return int < 0 ? nil : UInt64(int)
            case .double(let double): return double >= 0 && double < 0x1p63 ? UInt64(double) : nil
            default: return nil
            }
        }
    }
}

extension SeriesFunction {
    /// The field whose values count; `nil` when spans do.
    var operand: Field? {
        switch self {
        case .rate, .count, .compare: nil
        case .minimum(let field), .maximum(let field), .average(let field), .sum(let field), .quantiles(let field, _),
            .histogram(let field):
            field.field
        }
    }

    fileprivate var cellKind: SeriesCells.Kind {
        switch self {
        case .rate, .count, .compare: .counts
        case .average, .sum: .sums
        case .minimum: .least
        case .maximum: .greatest
        case .quantiles, .histogram: .histograms
        }
    }
}

extension Field {
    /// Whether its values are durations.
    package var isDuration: Bool {
        switch self {
        case .intrinsic(let intrinsic), .parentIntrinsic(let intrinsic): intrinsic.isDuration
        default: false
        }
    }
}
