// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

@testable import SkeinTraceQL

/// Runs queries over plain spans, one span at a time and without a thought of speed: what the columnar executor is held
/// against.
struct PlainExecutor {
    /// Of one trace, in its order.
    let spans: [Span]
    let parents: [Int?]
    let root: Int?
    let start: UInt64
    let end: UInt64

    init(_ batch: SpanBatch) {
        spans = batch.spans
        parents = SpanForest(batch).parents.map { $0 < 0 ? nil : Int($0) }
        root = spans.firstIndex { !$0.parentSpanID.isValid }
        start = spans.map(\.startUnixNanos).min() ?? 0
        end = spans.map(\.endUnixNanos).max() ?? 0
    }

    struct Set {
        var rows: [Int]
        var attributes: [String: Value] = [:]
    }

    func run(_ pipeline: Pipeline, source: [UInt8], range: TimeRange) -> [Set] {
        var sets = run(pipeline, [Set(rows: Array(spans.indices))], source)
        for place in sets.indices { sets[place].rows.removeAll { !range.contains(spans[$0].startUnixNanos) } }
        return sets.filter { !$0.rows.isEmpty }
    }

    private func run(_ pipeline: Pipeline, _ input: [Set], _ source: [UInt8]) -> [Set] {
        var sets = input
        for stage in pipeline.stages {
            switch stage {
            case .spansets(let expression):
                sets = sets.map { Set(rows: rows(expression, $0.rows, source), attributes: $0.attributes) }
            case .filter(let comparison):
                sets = sets.compactMap { set in
                    var set = set
                    let (left, right) = (number(comparison.left, &set), number(comparison.right, &set))
                    return Value.holds(comparison.comparison, left, right) ? set : nil
                }
            case .group(let expression):
                let name = "by(\(String(decoding: source[expression.range], as: UTF8.self)))"
                sets = sets.flatMap { set in
                    var groups: [(Value, Set)] = []
                    for row in set.rows {
                        let key = value(expression, row)
                        if let place = groups.firstIndex(where: { $0.0 == key }) {
                            groups[place].1.rows.append(row)
                        } else {
                            var attributes = set.attributes
                            attributes[name] = key
                            groups.append((key, Set(rows: [row], attributes: attributes)))
                        }
                    }
                    return groups.map(\.1)
                }
            case .coalesce: sets = [Set(rows: Array(Swift.Set(sets.flatMap(\.rows))).sorted())]
            case .select, .order: break
            }
            sets = sets.filter { !$0.rows.isEmpty }
        }
        return sets
    }

    // MARK: Spansets

    private func rows(_ expression: SpansetExpression, _ input: [Int], _ source: [UInt8]) -> [Int] {
        switch expression {
        case .filter(let condition): return input.filter { holds(condition, $0) }
        case .pipeline(let pipeline):
            return Array(Swift.Set(run(pipeline, [Set(rows: input)], source).flatMap(\.rows))).sorted()
        case .combined(let sign, let leftExpression, let rightExpression):
            let left = rows(leftExpression, input, source)
            let right = rows(rightExpression, input, source)
            let both = Array(Swift.Set(left + right)).sorted()
            switch sign.relation {
            case .and: return left.isEmpty || right.isEmpty ? [] : both
            case .or: return both
            default: break
            }
            func isRelated(_ l: Int, _ r: Int) -> Bool {
                switch sign.relation {
                case .child: parents[r] == l
                case .parent: parents[l] == r
                case .descendant: isAbove(l, r)
                case .ancestor: isAbove(r, l)
                default: l != r && areSiblings(l, r)
                }
            }
            switch sign.mode {
            case .plain: return right.filter { r in left.contains { isRelated($0, r) } }
            case .negated: return right.filter { r in !left.contains { isRelated($0, r) } }
            case .union:
                return both.filter { row in
                    right.contains(row) && left.contains { isRelated($0, row) }
                        || left.contains(row) && right.contains { isRelated(row, $0) }
                }
            }
        }
    }

    private func isAbove(_ a: Int, _ b: Int) -> Bool {
        var at = parents[b]
        while let row = at {
            if row == a { return true }
            at = parents[row]
        }
        return false
    }

    private func areSiblings(_ a: Int, _ b: Int) -> Bool {
        if let parent = parents[a] { return parents[b] == parent }
        return parents[b] == nil && spans[a].parentSpanID.isValid && spans[a].parentSpanID == spans[b].parentSpanID
    }

    // MARK: Conditions

    func holds(_ condition: SkeinTraceQL.Expression?, _ row: Int) -> Bool {
        guard let condition else { return true }
        let (asksEvents, asksLinks) = (condition.asks(\.isOfEvents), condition.asks(\.isOfLinks))
        let events: [Span.Event?] = asksEvents && !spans[row].events.isEmpty ? spans[row].events : [nil]
        let links: [Span.Link?] = asksLinks && !spans[row].links.isEmpty ? spans[row].links : [nil]
        return events.contains { event in
            links.contains { link in
                value(condition, event, link) { value($0, row, event, link) } == .bool(true)
            }
        }
    }

    /// Outside of conditions, where the first event or link with a value speaks for all.
    private func value(_ expression: SkeinTraceQL.Expression, _ row: Int) -> Value {
        value(expression, nil, nil) { fieldValue($0, row) }
    }

    private func value(
        _ expression: SkeinTraceQL.Expression,
        _ event: Span.Event?,
        _ link: Span.Link?,
        _ fieldValue: (Field) -> Value
    ) -> Value {
        func of(_ inner: SkeinTraceQL.Expression) -> Value { value(inner, event, link, fieldValue) }
        switch expression.node {
        case .literal(let literal): return Value(literal)
        case .word: return .none
        case .field(let field): return fieldValue(field)
        case .unary(.not, let inner): if case .bool(let bool) = of(inner) { return .bool(!bool) } else { return .none }
        case .unary(.minus, let inner):
            switch of(inner) {
            case .int(let int): return .int(0 &- int)
            case .double(let double): return .double(-double)
            case .duration(let nanos): return .duration(0 &- nanos)
            default: return .none
            }
        case .binary(.and, let a, let b): return .bool(of(a) == .bool(true) && of(b) == .bool(true))
        case .binary(.or, let a, let b): return .bool(of(a) == .bool(true) || of(b) == .bool(true))
        case .binary(let sign, let a, let b):
            guard sign.comparison != nil else { return Value.arithmetic(sign, of(a), of(b)) }
            if case .literal(.nil) = b.node {
                if case .literal(.nil) = a.node { return .bool(false) }
                // Without an event nothing is missing of it.
                if a.asks(\.isOfEvents) && event == nil || a.asks(\.isOfLinks) && link == nil { return .bool(false) }
                return .bool((of(a) == .none) == (sign == .equal))
            }
            if sign == .matches || sign == .notMatches {
                guard case .literal(.string(let text)) = b.node, let pattern = try? TextPattern(text) else {
                    return .none
                }
                return .bool(matches(of(a), pattern, sign == .notMatches))
            }
            return .bool(Value.holds(sign, of(a), of(b)))
        }
    }

    private func matches(_ value: Value, _ pattern: TextPattern, _ isNegated: Bool) -> Bool {
        switch value {
        case .string(let text): pattern.matches(text) != isNegated
        case .array(let elements): elements.contains { matches($0, pattern, false) } != isNegated
        default: false
        }
    }

    // MARK: Fields

    private func value(_ field: Field, _ row: Int, _ event: Span.Event?, _ link: Span.Link?) -> Value {
        let span = spans[row]
        switch field {
        case .attribute(.resource, "service.name"): return .string(span.resource.serviceName)
        case .attribute(let scope, let key):
            switch scope {
            case .any: return Value(span.attributes[key] ?? span.resource.attributes[key])
            case .span: return Value(span.attributes[key])
            case .resource: return Value(span.resource.attributes[key])
            case .instrumentation: return Value(span.scope.attributes[key])
            case .event: return Value(event?.attributes[key])
            case .link: return Value(link?.attributes[key])
            }
        case .parentAttribute(let scope, let key):
            return parents[row].map { value(.attribute(scope, key), $0, nil, nil) } ?? .none
        case .parentIntrinsic(let intrinsic):
            return parents[row].map { value(.intrinsic(intrinsic), $0, nil, nil) } ?? .none
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .duration: return .duration(Int64(clamping: span.durationNanos))
            case .name: return .string(span.name)
            case .status: return .status(StatusWord(span.status.code))
            case .statusMessage: return .string(span.status.message)
            case .kind: return KindWord(rawValue: "\(span.kind)").map { .kind($0) } ?? .none
            case .spanID: return .string(span.spanID.description)
            case .parentID, .parent: return .string(span.parentSpanID.isValid ? span.parentSpanID.description : "")
            case .childCount: return .int(Int64(parents.count { $0 == row }))
            case .traceDuration: return .duration(Int64(clamping: end - start))
            case .rootName: return .string(root.map { spans[$0].name } ?? "")
            case .rootServiceName: return .string(root.map { spans[$0].resource.serviceName } ?? "")
            case .traceID: return .string(span.traceID.description)
            case .eventName: return event.map { .string($0.name) } ?? .none
            case .eventTime:
                guard let event else { return .none }
                let nanos = event.timeUnixNanos &- span.startUnixNanos
                let isBefore = event.timeUnixNanos < span.startUnixNanos
                return .duration(isBefore ? Int64(bitPattern: nanos) : Int64(clamping: nanos))
            case .linkTraceID: return link.map { .string($0.traceID.description) } ?? .none
            case .linkSpanID: return link.map { .string($0.spanID.description) } ?? .none
            case .scopeName: return .string(span.scope.name)
            case .scopeVersion: return .string(span.scope.version)
            case .nestedSetLeft: return .int(walk[row].left)
            case .nestedSetRight: return .int(walk[row].right)
            case .nestedSetParent: return .int(parents[row].map { walk[$0].left } ?? -1)
            }
        }
    }

    /// Numbers given by a walk through the trees.
    private var walk: [(left: Int64, right: Int64)] {
        var numbers = [(left: Int64, right: Int64)](repeating: (0, 0), count: spans.count)
        var next: Int64 = 1
        func visit(_ row: Int) {
            numbers[row].left = next
            next += 1
            for child in spans.indices where parents[child] == row { visit(child) }
            numbers[row].right = next
            next += 1
        }
        for row in spans.indices where parents[row] == nil { visit(row) }
        return numbers
    }

    /// What a field says of a row.
    func fieldValue(_ field: Field, _ row: Int) -> Value {
        let (events, links) = (spans[row].events, spans[row].links)
        let values =
            field.isOfEvents
            ? events.map { value(field, row, $0, nil) }
            : field.isOfLinks ? links.map { value(field, row, nil, $0) } : [value(field, row, nil, nil)]
        return values.first { $0 != .none } ?? .none
    }

    /// Durations in seconds.
    func number(_ field: Field, _ row: Int) -> Double? {
        if field == .intrinsic(.duration) { return Double(spans[row].durationNanos) / 1e9 }
        let value = fieldValue(field, row)
        if case .duration(let nanos) = value { return Double(nanos) / 1e9 }
        return value.number.flatMap { $0.isNaN ? nil : $0 }
    }

    // MARK: Aggregates

    private func number(_ scalar: ScalarExpression, _ set: inout Set) -> Value {
        switch scalar {
        case .constant(let literal): return Value(literal)
        case .arithmetic(let sign, let a, let b):
            let (x, y) = (number(a, &set), number(b, &set))
            return Value.arithmetic(sign, x, y)
        case .aggregate(let aggregate):
            let value = number(aggregate, set.rows)
            set.attributes[aggregate.text] = value
            return value
        }
    }

    private func number(_ aggregate: Aggregate, _ rows: [Int]) -> Value {
        guard let operand = aggregate.operand else { return .int(Int64(rows.count)) }
        let values = rows.map { value(operand, $0) }.filter { $0.number.map { !$0.isNaN } ?? false }
        guard var result = values.first else { return .none }
        for value in values.dropFirst() {
            switch aggregate.function {
            case .min: if Value.holds(.less, value, result) { result = value }
            case .max: if Value.holds(.greater, value, result) { result = value }
            default: result = Value.arithmetic(.add, result, value)
            }
        }
        guard aggregate.function == .avg else { return result }
        let total = values.reduce(0) { $0 + ($1.number ?? 0) }
        return Value.number(total / Double(values.count), isDuration: values.contains { $0.isDuration })
    }
}

extension SkeinTraceQL.Expression {
    /// Whether any field named here is of a kind.
    func asks(_ kind: (Field) -> Bool) -> Bool {
        switch node {
        case .field(let field): kind(field)
        case .literal, .word: false
        case .unary(_, let inner): inner.asks(kind)
        case .binary(_, let left, let right): left.asks(kind) || right.asks(kind)
        }
    }
}
