// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import SkeinTraceQL
import Testing

@Suite struct LoweringTests {
    /// What stands in braces, the condition that the store is asked, and whether it says all.
    static let table: [(String, String, Bool)] = [
        ("", "", true), (".a = 1", "a = 1", true), (".a = 1 && duration > 1s", "a = 1 and duration > 1s", true),
        ("!(.a = 1)", "not a = 1", true), (".a = nil", "a = nil", true), (".a != nil", "a != nil", true),
        ("trace:id = \"AB\"", "trace:id = \"000000000000000000000000000000ab\"", true),
        // What is of more than the span
        ("traceDuration > 1s", "", false), (".a = 1 && traceDuration > 1s", "a = 1", false),
        (".a = 1 || rootName = \"x\"", "", false), ("!(.a = 1 && rootName = \"x\")", "", false),
        ("!(traceDuration > 1s)", "", false), ("(.a = 1 || rootName = \"x\") && .b = 2", "b = 2", false),
        ("parent.a = 1 && .b = 2", "b = 2", false), ("span:childCount > 1", "", false),
        ("nestedSetParent < 0", "", false),
        ("!(.b = 1) && !(nestedSetParent < 0)", "not b = 1", false),
        ("link:traceID = \"AB\"", "link:traceID = \"000000000000000000000000000000ab\"", true),
        // Fields with fields
        (".a = .b && .c = 1", "c = 1", false), (".a + 1 = 2", "", false), ("!.a = 1", "", false),
        ("(.a = 1) = .b", "", false), ("(.a = 1) = (.b = 1)", "", false),
        // Across types nothing holds
        (".a = error", "not true", true), ("resource.service.name = 5", "not true", true),
        (".a = error && traceDuration > 1s", "not true", false), (".a = error || .b = 1", "b = 1", true),
        // Events
        ("event.a = 1", "event.a = 1", true), ("event.a != 1", "event.a != 1", true),
        ("event.a = 1 || event.b = 2", "event.a = 1 or event.b = 2", true),
        ("event.a = 1 && .b = 2", "event.a = 1 and b = 2", true),
        ("event.a = 1 && event.b = 2", "event.a = 1 and event.b = 2", false),
        ("event:name = \"x\" && event.b = 2", "event:name = \"x\" and event.b = 2", false),
        ("event.a = 1 && link.b = 2", "event.a = 1 and link.b = 2", true), ("event.a != nil", "event.a != nil", true),
        ("event.a = nil", "event:name != nil", false), ("!(event.a = 1)", "", false),
        ("event:timeSinceStart > 1s && event.a = 1", "event.a = 1", false),
        ("link.a = nil", "link:traceID != nil", false),
        ("link.a = 1 && link.b = 2", "link.a = 1 and link.b = 2", false),
        ("event:name != nil", "event:name != nil", true),
    ]

    @Test(arguments: table)
    func `the store is asked what it can answer, and whether that is all is known`(row: (String, String, Bool)) throws {
        let (predicate, isExact) = Lowering.predicate(try Self.condition(in: "{\(row.0)}"))
        #expect(TraceQL.text(of: predicate) == row.1)
        #expect(isExact == row.2)
    }

    /// A pipeline, and what some span of each matching trace has to satisfy.
    static let pipelines: [(String, [String])] = [
        ("{ }", [""]), ("{ .a = 1 }", ["a = 1"]), ("{ .a = 1 } && { .b = 2 }", ["a = 1", "b = 2"]),
        ("{ .a = 1 } || { .b = 2 }", ["a = 1 or b = 2"]), ("{ .a = 1 } >> { .b = 2 }", ["a = 1", "b = 2"]),
        ("{ .a = 1 } ~ { .a = 1 }", ["a = 1"]), ("{ .a = 1 } !>> { .b = 2 }", ["b = 2"]),
        ("{ .a = 1 } &>> { .b = 2 }", ["a = 1", "b = 2"]), ("{ .a = 1 } >> { }", ["a = 1"]),
        ("{ .a = 1 } !~ { }", [""]), ("{ .a = 1 } || { }", [""]), ("{ .a = 1 } || { rootName = \"x\" }", [""]),
        ("({ .a = 1 } && { .b = 2 }) || { .c = 3 }", ["a = 1 or c = 3", "b = 2 or c = 3"]),
        ("({ .a = 1 } && { .b = 2 }) || ({ .c = 3 } >> { .d = 4 })", ["a = 1 or c = 3", "b = 2 or d = 4"]),
        ("({ .a = 1 } !> { .b = 2 }) && { .c = 3 }", ["b = 2", "c = 3"]),
        ("({ .a = 1 } | count() > 1) && ({ .b = 2 } | by(.c))", ["a = 1", "b = 2"]),
        ("{ .a = 1 } | count() > 2 | { .b = 2 }", ["a = 1", "b = 2"]), ("count() > 2", [""]),
        ("{ .a = 1 && traceDuration > 1s } | select(.c)", ["a = 1"]), ("by(.a) | { .b = 2 }", ["b = 2"]),
        ("error = true | order by duration", ["status = error"]), ("{ false } && { .a = 1 }", ["not true", "a = 1"]),
    ]

    @Test(arguments: pipelines)
    func `what some span of a matching trace satisfies is known`(row: (String, [String])) throws {
        guard case .spans(let pipeline) = try TraceQL.parse(row.0).statement else { return }
        #expect(Lowering.requirements(of: pipeline).map(TraceQL.text) == row.1)
    }

    @Test(arguments: 0..<8)
    func `no span is overlooked, and none is found in vain when the predicate says all`(seed: UInt64) throws {
        var spans = NastySpans(seed: seed)
        var exactCount = 0
        let some = spans.spans(60)
        for _ in 0..<150 {
            let text = "{ \(spans.condition()) }"
            guard let condition = try Self.condition(in: text) else { continue }
            let (predicate, isExact) = Lowering.predicate(condition)
            if isExact { exactCount += 1 }
            for span in some {
                let isMeant = Meaning.satisfies(span, condition)
                let isFound = predicate.matches(span)
                #expect(isFound || !isMeant, "\(text) overlooks \(span)")
                #expect(!isExact || isFound == isMeant, "\(text) finds \(span)")
            }
        }
        #expect(exactCount > 20)
    }

    private static func condition(in text: String) throws -> Expression? {
        guard case .spans(let pipeline) = try TraceQL.parse(text).statement,
            case .spansets(.filter(let condition)) = pipeline.stages.first
        else { return nil }
        return condition
    }
}

extension NastySpans {
    private static let conditions = [
        ".a = 1", "span.b != \"a\"", "resource.a >= 7", ".c =~ \"a.*\"", "instrumentation.a !~ \"b\"", ".a", "!.b",
        ".a = nil", "span.c != nil", "event.a = 1", "event.a != 1", "event.b != nil", "event.c = nil", "link.a = 1",
        "link.b != nil", "link.c = nil", "event:name = \"a\"", "event:name !~ \"a.*\"", "event:timeSinceStart > 5",
        "link:traceID != nil", "duration > 1050", "duration < 1100.5", "name =~ \"a.*\"", "status = error",
        "kind != server",
        "resource.service.name = \"a\"", "resource.service.name = 5", ".a = error", "true", "false",
        "traceDuration > 5",
        "parent.a = 1", ".a = .b", ".a + 1 > 2", "span:parentID = \"\"", ".a = true", ".b < 1.5", "rootName = \"x\"",
    ]

    /// What stands in braces, up to four levels deep.
    fileprivate mutating func condition(depth: Int = 0) -> String {
        switch below(depth < 4 ? 6 : 2) {
        case 2, 3: "(\(condition(depth: depth + 1)) && \(condition(depth: depth + 1)))"
        case 4: "(\(condition(depth: depth + 1)) || \(condition(depth: depth + 1)))"
        case 5: "!(\(condition(depth: depth + 1)))"
        default: pick(Self.conditions) ?? "true"
        }
    }
}

/// The plain reading of a condition: some choice of one event and one link, or of none, makes it true.
private enum Meaning {
    static func satisfies(_ span: Span, _ condition: Expression) -> Bool {
        for events in [[]] + span.events.map({ [$0] }) {
            for links in [[]] + span.links.map({ [$0] }) {
                var chosen = span
                (chosen.events, chosen.links) = (events, links)
                if holds(condition, of: chosen) { return true }
            }
        }
        return false
    }

    private static func holds(_ condition: Expression, of span: Span) -> Bool {
        switch condition.node {
        case .literal(.bool(let bool)): return bool
        case .unary(.not, let inner): return !holds(inner, of: span)
        case .binary(.and, let left, let right): return holds(left, of: span) && holds(right, of: span)
        case .binary(.or, let left, let right): return holds(left, of: span) || holds(right, of: span)
        case .binary(let sign, let left, let right):
            guard case .field(let field) = left.node, case .literal(let literal) = right.node,
                let stored = stored(field), let comparison = SpanPredicate.Comparison(rawValue: sign.rawValue)
            else { return guess(condition, of: span) }
            return holds(field, stored, comparison, literal, of: span)
        default: return guess(condition, of: span)
        }
    }

    private static func holds(
        _ field: Field,
        _ stored: SpanField,
        _ comparison: SpanPredicate.Comparison,
        _ literal: Literal,
        of span: Span
    ) -> Bool {
        let values = stored.values(in: span)
        switch literal {
        case .nil:
            let isThere = values.contains { $0 != .null }
            let isOfNone = stored.isOfEvents && span.events.isEmpty || stored.isOfLinks && span.links.isEmpty
            return comparison == .equal ? !isThere && !isOfNone : isThere
        case .string(let text):
            let isPattern = comparison == .matches || comparison == .notMatches
            guard isPattern, let pattern = try? TextPattern(text) else {
                return values.contains(where: ValueTest(comparison, .string(text)).holds)
            }
            return values.contains(where: ValueTest(comparison, .pattern(pattern)).holds)
        case .int(let int), .duration(let int):
            if stored == .serviceName { return false }
            if stored == .duration { return ValueTest(comparison, .int(int)).holds(nanos: span.durationNanos) }
            return values.contains(where: ValueTest(comparison, .int(int)).holds)
        case .double(let double):
            if stored == .duration { return ValueTest(comparison, .double(double)).holds(nanos: span.durationNanos) }
            return values.contains(where: ValueTest(comparison, .double(double)).holds)
        case .bool(let bool): return values.contains(where: ValueTest(comparison, .bool(bool)).holds)
        case .status(let status):
            guard stored == .status else { return false }
            return ("\(span.status.code)" == status.rawValue) == (comparison == .equal)
        case .kind(let kind):
            guard stored == .kind else { return false }
            return ("\(span.kind)" == kind.rawValue) == (comparison == .equal)
        }
    }

    /// What cannot be told from one span may be so or so; the same each time it is asked of the same one.
    private static func guess(_ condition: Expression, of span: Span) -> Bool {
        (span.spanID.rawValue &+ UInt64(condition.range.count) &+ UInt64(span.events.count)) & 1 == 0
    }

    private static func stored(_ field: Field) -> SpanField? {
        switch field {
        case .attribute(.resource, "service.name"): .serviceName
        case .attribute(let scope, let key): .attribute(scope, key)
        case .intrinsic(.duration): .duration
        case .intrinsic(.name): .name
        case .intrinsic(.status): .status
        case .intrinsic(.kind): .kind
        case .intrinsic(.parentID): .parentSpanID
        case .intrinsic(.eventName): .eventName
        case .intrinsic(.linkTraceID): .linkTraceID
        default: nil
        }
    }
}

extension SpanField {
    fileprivate var isOfEvents: Bool {
        if case .attribute(.event, _) = self { true } else { self == .eventName }
    }
    fileprivate var isOfLinks: Bool {
        if case .attribute(.link, _) = self { true } else { self == .linkTraceID }
    }
}
