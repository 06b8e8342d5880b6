// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A pipeline, ready to be run over traces.
struct SpansetProgram: Sendable {
    /// Filters by number, in the order in which they stand.
    private(set) var filters: [SpanFilter] = []
    /// Fields that expressions outside of filters name.
    private var terms = Terms()
    private var steps: [Step] = []
    /// The fields to be shown of matching spans, each once: those of conditions, then those of `select`.
    private(set) var shownFields: [Field] = []
    private(set) var order = TraceOrder.newest
    /// What some span of a trace satisfies, each of them, of which any span is left at the end; none when it is no more than
    /// ``resultPredicate``.
    let requirements: [SpanPredicate]

    private indirect enum Step: Sendable {
        case spansets(Node)
        case filter(Scalar, BinaryOperator, Scalar, names: [AggregateTerm])
        case group(Term, name: String)
        case coalesce
    }

    /// What picks spans.
    private indirect enum Node: Sendable {
        case filter(Int)
        case steps([Step])
        case combined(SpansetOperator, Node, Node)
    }

    private indirect enum Scalar: Sendable {
        case constant(Value)
        case aggregate(AggregateTerm)
        case arithmetic(BinaryOperator, Scalar, Scalar)
    }

    private struct AggregateTerm: Sendable {
        var function: Aggregate.Function
        var operand: Term?
        var text: String
    }

    /// The program of a checked pipeline. `source` is the text of the query, for the names of groups.
    init(_ pipeline: Pipeline, source: [UInt8]) {
        let required = Lowering.requirements(of: pipeline)
        requirements = required.count > 1 ? required : []
        steps = compile(pipeline, source)
        var fields: [Field] = []
        for filter in filters { fields += filter.fields }
        addSelected(of: pipeline, to: &fields)
        for field in fields where !shownFields.contains(field) { shownFields.append(field) }
    }

    // MARK: What it needs

    /// Whether traces must be whole: anything but one filter that asks single spans.
    var needsWholeTraces: Bool {
        guard steps.count == 1, case .spansets(.filter) = steps[0] else { return true }
        return filters[0].needsWholeTraces
    }

    /// The filter that is all there is, if so.
    var onlyFilter: SpanFilter? {
        guard steps.count == 1, case .spansets(.filter(let number)) = steps[0] else { return nil }
        return filters[number]
    }

    /// The columns that it is asked of, and that what it shows is in.
    var columns: SpanColumns {
        let fields = (terms.fields + shownFields).reduce(SpanColumns.fixed) { $0.union($1.columns) }
        return filters.reduce(fields) { $0.union($1.columns) }
    }

    /// What every span satisfies that is left at the end.
    var resultPredicate: SpanPredicate { Planner.simplified(resultPredicate(steps)) }

    private func resultPredicate(_ steps: [Step]) -> SpanPredicate {
        .and(nodes(of: steps).map(resultPredicate))
    }

    private func nodes(of steps: [Step]) -> [Node] {
        var nodes: [Node] = []
        for case .spansets(let node) in steps { nodes.append(node) }
        return nodes
    }

    private func resultPredicate(_ node: Node) -> SpanPredicate {
        switch node {
        case .filter(let number): filters[number].predicate
        case .steps(let steps): resultPredicate(steps)
        case .combined(let sign, let left, let right):
            sign.relation.isStructural && sign.mode != .union
                ? resultPredicate(right) : .or([resultPredicate(left), resultPredicate(right)])
        }
    }

    // MARK: Compiling

    private mutating func compile(_ pipeline: Pipeline, _ source: [UInt8]) -> [Step] {
        var steps: [Step] = []
        for stage in pipeline.stages {
            switch stage {
            case .spansets(let expression): steps.append(.spansets(compile(expression, source)))
            case .filter(let comparison):
                var aggregates: [AggregateTerm] = []
                let left = compile(comparison.left, &aggregates)
                let right = compile(comparison.right, &aggregates)
                steps.append(.filter(left, comparison.comparison, right, names: aggregates))
            case .group(let expression):
                let text = String(decoding: source[expression.range], as: UTF8.self)
                steps.append(.group(terms.term(expression), name: "by(\(text))"))
            case .coalesce: steps.append(.coalesce)
            case .select: break
            case .order(let order): self.order = order
            }
        }
        return steps
    }

    private mutating func compile(_ expression: SpansetExpression, _ source: [UInt8]) -> Node {
        switch expression {
        case .filter(let condition):
            filters.append(SpanFilter(condition))
            return .filter(filters.count - 1)
        case .pipeline(let pipeline): return .steps(compile(pipeline, source))
        case .combined(let sign, let left, let right):
            return .combined(sign, compile(left, source), compile(right, source))
        }
    }

    private mutating func compile(_ scalar: ScalarExpression, _ found: inout [AggregateTerm]) -> Scalar {
        switch scalar {
        case .constant(let literal): return .constant(Value(literal))
        case .aggregate(let aggregate):
            let term = AggregateTerm(
                function: aggregate.function,
                operand: aggregate.operand.map { terms.term($0) },
                text: aggregate.text
            )
            found.append(term)
            return .aggregate(term)
        case .arithmetic(let sign, let left, let right):
            return .arithmetic(sign, compile(left, &found), compile(right, &found))
        }
    }

    private func addSelected(of pipeline: Pipeline, to fields: inout [Field]) {
        for stage in pipeline.stages {
            switch stage {
            case .select(let references): fields += references.map(\.field)
            case .spansets(let expression): addSelected(of: expression, to: &fields)
            default: break
            }
        }
    }

    private func addSelected(of expression: SpansetExpression, to fields: inout [Field]) {
        switch expression {
        case .filter: break
        case .pipeline(let pipeline): addSelected(of: pipeline, to: &fields)
        case .combined(_, let left, let right):
            addSelected(of: left, to: &fields)
            addSelected(of: right, to: &fields)
        }
    }
}

// MARK: - Running

/// Some spans of a trace, and what was found out about them together.
struct Spanset {
    /// Ascending.
    var rows: [Int]
    /// Groups and aggregates, by the name they have in answers.
    var attributes: [(name: String, value: Value)] = []

    mutating func set(_ name: String, _ value: Value) {
        if let place = attributes.firstIndex(where: { $0.name == name }) {
            attributes[place].value = value
        } else {
            attributes.append((name, value))
        }
    }
}

extension SpansetProgram {
    /// What is known of a table for all of its traces.
    final class Prepared {
        fileprivate let table: any SpanTable
        fileprivate let filterRows: [RowSet]
        fileprivate let reader: FieldReader
        fileprivate var relations: Relations?

        fileprivate init(_ program: SpansetProgram, _ table: any SpanTable, _ filterRows: [RowSet]) {
            self.table = table
            self.filterRows = filterRows
            reader = FieldReader(table, program.terms.fields)
        }

        fileprivate func knownRelations() throws(StoreError) -> Relations {
            if let relations { return relations }
            let made = Relations(try table.forest(), parentSpanIDs: try table.parentSpanIDs())
            relations = made
            return made
        }
    }

    /// Asks every filter of the whole table.
    func prepare(_ table: any SpanTable) throws(StoreError) -> Prepared {
        var rows: [RowSet] = []
        for filter in filters { rows.append(try filter.rows(of: table)) }
        return Prepared(self, table, rows)
    }

    /// The spansets of a trace that are left at the end; none has no rows.
    func run(_ trace: TableTrace, _ prepared: Prepared) throws(StoreError) -> [Spanset] {
        try run(steps, [Spanset(rows: Array(trace.rows))], prepared)
    }

    private func run(
        _ steps: [Step],
        _ input: [Spanset],
        _ prepared: Prepared
    ) throws(StoreError) -> [Spanset] {
        var sets = input
        for step in steps {
            var next: [Spanset] = []
            switch step {
            case .spansets(let node):
                for set in sets {
                    let rows = try rows(node, set.rows, prepared)
                    if !rows.isEmpty { next.append(Spanset(rows: rows, attributes: set.attributes)) }
                }
            case .filter(let left, let sign, let right, let aggregates):
                for var set in sets {
                    let (a, b) = (try value(left, set.rows, prepared), try value(right, set.rows, prepared))
                    guard Value.holds(sign, a, b) else { continue }
                    for aggregate in aggregates {
                        set.set(aggregate.text, try value(aggregate, set.rows, prepared))
                    }
                    next.append(set)
                }
            case .group(let term, let name):
                for set in sets { next += try grouped(set, by: term, name, prepared) }
            case .coalesce:
                let rows = sets.reduce([Int]()) { $0.merged(with: $1.rows) }
                if !rows.isEmpty { next = [Spanset(rows: rows)] }
            }
            sets = next
            if sets.isEmpty { break }
        }
        return sets
    }

    // MARK: Spans

    private func rows(_ node: Node, _ input: [Int], _ prepared: Prepared) throws(StoreError) -> [Int] {
        switch node {
        case .filter(let number):
            let selected = prepared.filterRows[number]
            return input.filter { selected[$0] }
        case .steps(let steps):
            let sets = try run(steps, [Spanset(rows: input)], prepared)
            return sets.reduce([Int]()) { $0.merged(with: $1.rows) }
        case .combined(let sign, let leftNode, let rightNode):
            let left = try rows(leftNode, input, prepared)
            // Every operator but `||` and the negated ones needs both sides.
            if left.isEmpty, sign.mode != .negated, sign.relation != .or { return [] }
            let right = try rows(rightNode, input, prepared)
            switch (sign.relation, sign.mode) {
            case (.or, _): return left.merged(with: right)
            case (.and, _): return right.isEmpty ? [] : left.merged(with: right)
            case (let relation, let mode):
                if right.isEmpty { return [] }
                if left.isEmpty { return right }
                let relations = try prepared.knownRelations()
                let related = relations.right(relation, left, right)
                switch mode {
                case .plain: return related
                case .negated:
                    let related = Set(related)
                    return right.filter { !related.contains($0) }
                case .union:
                    return related.isEmpty ? [] : related.merged(with: relations.left(relation, left, right))
                }
            }
        }
    }

    // MARK: Groups and aggregates

    private func grouped(
        _ set: Spanset,
        by term: Term,
        _ name: String,
        _ prepared: Prepared
    ) throws(StoreError) -> [Spanset] {
        var places: [Value: Int] = [:]
        var groups: [Spanset] = []
        for row in set.rows {
            let value = try value(term, row, prepared)
            let place = places[value] ?? groups.count
            if place == groups.count {
                places[value] = place
                groups.append(Spanset(rows: [], attributes: set.attributes))
                groups[place].set(name, value)
            }
            groups[place].rows.append(row)
        }
        return groups
    }

    private func value(_ term: Term, _ row: Int, _ prepared: Prepared) throws(StoreError) -> Value {
        try term.value { place throws(StoreError) in try prepared.reader.value(place, row: row) }
    }

    private func value(_ scalar: Scalar, _ rows: [Int], _ prepared: Prepared) throws(StoreError) -> Value {
        switch scalar {
        case .constant(let value): return value
        case .aggregate(let aggregate): return try value(aggregate, rows, prepared)
        case .arithmetic(let sign, let left, let right):
            return Value.arithmetic(sign, try value(left, rows, prepared), try value(right, rows, prepared))
        }
    }

    /// Spans without a number are left out; none at all gives none.
    private func value(
        _ aggregate: AggregateTerm,
        _ rows: [Int],
        _ prepared: Prepared
    ) throws(StoreError) -> Value {
        guard let operand = aggregate.operand else { return .int(Int64(rows.count)) }
        var result = Value.none
        var (count, total, isDuration) = (0, 0.0, false)
        for row in rows {
            let value = try value(operand, row, prepared)
            guard let number = value.number, !number.isNaN else { continue }
            count += 1
            total += number
            isDuration = isDuration || value.isDuration
            switch (result, aggregate.function) {
            case (.none, _): result = value
            case (_, .min): if Value.holds(.less, value, result) { result = value }
            case (_, .max): if Value.holds(.greater, value, result) { result = value }
            default: result = Value.arithmetic(.add, result, value)
            }
        }
        guard aggregate.function == .avg, count > 0 else { return result }
        // No int, however large the sum; one of durations is rounded to nanoseconds.
        return Value.number(total / Double(count), isDuration: isDuration)
    }
}
