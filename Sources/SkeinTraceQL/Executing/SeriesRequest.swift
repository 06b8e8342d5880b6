// SPDX-License-Identifier: Apache-2.0
package import SkeinStore

/// A question for series.
package struct SeriesRequest: Sendable {
    package var query: Query
    package var grid: SeriesGrid
    /// Most exemplars of the whole answer; 0 for none.
    package var exemplarCountMax: Int
    /// Most series of the answer; more are left out, and the answer says so.
    package var seriesCountMax: Int

    package init(_ query: Query, grid: SeriesGrid, exemplarCountMax: Int = 100, seriesCountMax: Int = 1_000) {
        self.query = query
        self.grid = grid
        self.exemplarCountMax = exemplarCountMax
        self.seriesCountMax = seriesCountMax
    }
}

/// The answer to a question for series.
package struct SeriesAnswer: Sendable {
    /// Ordered by the text of their labels.
    package var series: [Series] = []
    /// How many series there are, those left out counted.
    package var seriesCount = 0
    /// Spans that were looked at.
    package var inspectedSpanCount = 0

    /// Whether series were left out.
    package var isCut: Bool { seriesCount > series.count }
}

extension SpanStore {
    /// What a query of series comes to; `nil` for a query of spans.
    ///
    /// Throws ``StoreError/Code/limit`` when it has more series and samples than are kept at once.
    package func series(_ request: SeriesRequest) async throws(StoreError) -> SeriesAnswer? {
        guard case .series(let expression) = request.query.statement else { return nil }
        var answer = SeriesAnswer()
        let value = try await evaluate(expression, request, &answer.inspectedSpanCount)
        let series = value.series(request.grid).sorted(by: Series.precedes)
        answer.seriesCount = series.count
        answer.series = Array(series.prefix(max(0, request.seriesCountMax)))
        return answer
    }

    private func evaluate(
        _ expression: SeriesExpression,
        _ request: SeriesRequest,
        _ inspected: inout Int
    ) async throws(StoreError) -> SeriesValue {
        switch expression {
        case .constant(let number): return .constant(number)
        case .stage(let stage, let inner):
            return try await evaluate(inner, request, &inspected).applying(stage)
        case .arithmetic(let sign, let left, let right):
            let a = try await evaluate(left, request, &inspected)
            let b = try await evaluate(right, request, &inspected)
            return SeriesValue.arithmetic(sign, a, b)
        case .query(let query):
            let made = try await series(query, request, &inspected)
            return query.stages.reduce(.series(made)) { $0.applying($1) }
        }
    }

    private func series(
        _ query: SeriesQuery,
        _ request: SeriesRequest,
        _ inspected: inout Int
    ) async throws(StoreError) -> [Series] {
        let program = SpansetProgram(query.pipeline, source: request.query.source)
        if case .compare(let comparison) = query.function {
            let fold = ComparisonFold(
                program: program,
                comparison: comparison,
                grid: request.grid,
                compared: try await comparedFields()
            )
            let table = TableQuery(
                range: request.grid.range,
                predicate: program.resultPredicate,
                needsWholeTraces: fold.needsWholeTraces,
                columns: .all
            )
            let sum = try await self.fold(table, by: fold)
            inspected += sum.spanCount
            return fold.series(sum)
        }
        let fold = SeriesFold(
            program: program,
            function: query.function,
            groups: query.groups.map(\.field),
            grid: request.grid,
            exemplarCountMax: request.exemplarCountMax
        )
        let table = TableQuery(
            range: request.grid.range,
            predicate: program.resultPredicate,
            needsWholeTraces: fold.needsWholeTraces,
            columns: fold.columns
        )
        let sum = try await self.fold(table, by: fold)
        inspected += sum.spanCount
        return fold.series(sum)
    }
}

/// Series, or one number.
enum SeriesValue {
    case constant(Double)
    case series([Series])

    /// As series; a number is one without groups.
    func series(_ grid: SeriesGrid) -> [Series] {
        switch self {
        case .series(let series): series
        case .constant(let number):
            [Series(labels: [Series.name("\(number)")], values: [Double?](repeating: number, count: grid.count))]
        }
    }

    func applying(_ stage: SeriesStage) -> SeriesValue {
        guard case .series(let series) = self else { return self }
        switch stage {
        case .top(let count): return .series(Self.first(count, of: series, >))
        case .bottom(let count): return .series(Self.first(count, of: series, <))
        case .filter(let sign, let number):
            return Self.mapped(series) { Value.holds(sign, .double($0), .double(number)) ? $0 : nil }
        }
    }

    /// The first series of each moment, ties by label; those that are first nowhere go.
    private static func first(
        _ count: Int,
        of series: [Series],
        _ precedes: (Double, Double) -> Bool
    ) -> [Series] {
        let ordered = series.sorted(by: Series.precedes)
        var kept = ordered.map { Series(labels: $0.labels, values: [Double?](repeating: nil, count: $0.values.count)) }
        for moment in ordered.first?.values.indices ?? 0..<0 {
            let present = ordered.indices.filter { ordered[$0].values[moment] != nil }
            let first = present.sorted { a, b in
                let (x, y) = (ordered[a].values[moment] ?? 0, ordered[b].values[moment] ?? 0)
                return x != y ? precedes(x, y) : a < b
            }
            for place in first.prefix(count) { kept[place].values[moment] = ordered[place].values[moment] }
        }
        for place in kept.indices { kept[place].exemplars = ordered[place].exemplars }
        return kept.filter { $0.values.contains { $0 != nil } }
    }

    /// Series of other numbers; those without any go.
    private static func mapped(_ series: [Series], _ transform: (Double) -> Double?) -> SeriesValue {
        .series(
            series.compactMap { one in
                var one = one
                one.values = one.values.map { $0.flatMap(transform) }
                // Exemplars stand beside the samples.
                one.exemplars = one.exemplars.compactMap { exemplar in
                    var exemplar = exemplar
                    guard let value = transform(exemplar.value) else { return nil }
                    exemplar.value = value
                    return exemplar
                }
                return one.values.contains { $0 != nil } ? one : nil
            }
        )
    }

    /// Series with equal labels are joined, and one without groups with each of the other side's. What has no number, as
    /// after a division by zero, goes.
    static func arithmetic(_ sign: BinaryOperator, _ a: SeriesValue, _ b: SeriesValue) -> SeriesValue {
        switch (a, b) {
        case (.constant(let x), .constant(let y)): return .constant(number(sign, x, y) ?? .nan)
        case (.series(let series), .constant(let y)): return mapped(series) { number(sign, $0, y) }
        case (.constant(let x), .series(let series)): return mapped(series) { number(sign, x, $0) }
        case (.series(let left), .series(let right)):
            var joined: [Series] = []
            for (x, y) in pairs(left, right) {
                let values = zip(x.values, y.values).map { a, b -> Double? in
                    guard let a, let b else { return nil }
                    return number(sign, a, b)
                }
                guard values.contains(where: { $0 != nil }) else { continue }
                var labels = x.groups.isEmpty ? y.labels : x.labels
                if x.groups.isEmpty, y.groups.isEmpty {
                    labels = [Series.name("(\(x.text) \(sign.rawValue) \(y.text))")]
                }
                joined.append(Series(labels: labels, values: values))
            }
            return .series(joined)
        }
    }

    private static func pairs(_ left: [Series], _ right: [Series]) -> [(Series, Series)] {
        if left.count == 1, left[0].groups.isEmpty { return right.map { (left[0], $0) } }
        if right.count == 1, right[0].groups.isEmpty { return left.map { ($0, right[0]) } }
        let known = Dictionary(right.map { (Set($0.labels), $0) }) { first, _ in first }
        return left.compactMap { series in known[Set(series.labels)].map { (series, $0) } }
    }

    private static func number(_ sign: BinaryOperator, _ x: Double, _ y: Double) -> Double? {
        let result: Double
        switch sign {
        case .add: result = x + y
        case .subtract: result = x - y
        case .multiply: result = x * y
        default: result = y == 0 ? .nan : x / y
        }
        return result.isNaN ? nil : result
    }
}

extension Series {
    /// The labels but for the name.
    fileprivate var groups: [Label] { labels.filter { $0.name != "__name__" } }
    /// What it is called.
    fileprivate var text: String { labels.first { $0.name == "__name__" }?.value.text ?? "" }
}
