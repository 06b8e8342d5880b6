// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import SkeinTraceQL
import Testing

@Suite struct QueryInputTests {
    @Test func `pieces of queries in any order never trap, and what Tempo accepts means the same to Skein`() throws {
        var random = SeededRandom(seed: 11)
        var acceptedCount = 0
        for _ in 0..<60_000 {
            let text = Soup.next(&random)
            let query = try? TraceQL.parse(text)
            if let query {
                acceptedCount += 1
                for expression in query.expressions { expectResolved(expression, in: text) }
            }
            if let strict = try? TraceQL.parse(text, .tempo) {
                #expect(query.map(TreeText.of) == TreeText.of(strict), "\(text)")
            }
        }
        // Otherwise the soup says nothing of what is accepted.
        #expect(acceptedCount > 1000)
    }

    @Test func `bytes of any kind never trap`() {
        var random = SeededRandom(seed: 12)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next())
            }
            let text = String(decoding: bytes, as: UTF8.self)
            _ = try? TraceQL.parse(text)
            _ = try? TraceQL.parse("{ \(text) }", .tempo)
        }
    }

    static let large = [
        "{ " + String(repeating: "!", count: 60) + "(.a = 1) }",
        "{ " + String(repeating: "true = (", count: 60) + ".a" + String(repeating: ")", count: 60) + " }",
        "{ " + String(repeating: "!(1 > ", count: 30) + ".a" + String(repeating: ")", count: 30) + " }",
        String(repeating: "true = (", count: 60) + "a = 1" + String(repeating: ")", count: 60),
        String(repeating: "-(", count: 30) + "a" + String(repeating: ")", count: 30) + " = 1",
        String(repeating: "(", count: 10_000), String(repeating: "(", count: 10_000) + "{ }",
        "{ " + String(repeating: "(", count: 10_000), "{ } | " + String(repeating: "(", count: 10_000) + "count()",
        String(repeating: "!", count: 10_000), String(repeating: "-", count: 10_000),
        "{ } | " + String(repeating: "-", count: 9000),
        "{ .a = 1" + String(repeating: "^1", count: 8000) + " }", String(repeating: "{", count: 10_000),
        String(repeating: "{}>", count: 5000) + "{}", String(repeating: "{}|", count: 5000) + "{}",
        "{}|rate()" + String(repeating: "|>1", count: 5000), "({}|rate())" + String(repeating: "|>1", count: 5000),
        "{ } | rate() with(" + String(repeating: "a=1,", count: 4000) + "a=1)",
        "{ } | select(" + String(repeating: "a,", count: 8000) + "b)", String(repeating: "1+", count: 8000) + "count()",
        String(repeating: "{ .a } && ", count: 1_000_000 / 10), String(repeating: "x", count: 1_000_000),
        "{ .a =~ \"" + String(repeating: "(a|b)*", count: 2700) + "\" }", "/*" + String(repeating: "x", count: 16_000),
        "\"" + String(repeating: "\\n", count: 8000),
    ]

    // The time is that of a debug build on a busy machine; of a hundred times as much text it would be minutes.
    @Test func `what is too long, too deep or too much is answered at once`() {
        let clock = ContinuousClock()
        for text in Self.large {
            for dialect in [TraceQL.Dialect.skein, .tempo] {
                let time = clock.measure { _ = try? TraceQL.parse(text, dialect) }
                #expect(time < .seconds(2), "\(text.prefix(20))… took \(time)")
            }
        }
    }

    @Test func `limits are named`() {
        for (text, part) in [
            (String(repeating: "(", count: 10_000), "deeper than 64"),
            (String(repeating: "{}>", count: 5000) + "{}", "more than 512 operators"),
            (String(repeating: "{}|", count: 5000) + "{}", "more than 512 operators"),
            (String(repeating: "x", count: 1_000_000), "has 1000000 bytes, at most 16384"),
        ] {
            do throws(QueryError) {
                _ = try TraceQL.parse(text)
                Issue.record("accepted \(text.prefix(20))…")
            } catch {
                #expect(error.message.contains(part), "\(error)")
            }
        }
    }

    /// What ``Query`` promises of its expressions.
    private func expectResolved(_ expression: Expression, in text: String) {
        switch expression.node {
        case .word(let word): Issue.record("the word \(word) is left in \(text)")
        case .literal, .field: break
        case .unary(let sign, let inner):
            if sign == .minus, case .literal = inner.node { Issue.record("not folded: \(text)") }
            expectResolved(inner, in: text)
        case .binary(let sign, let left, let right):
            if case .literal = left.node, sign != .and, sign != .or,
                SpanPredicate.Comparison(rawValue: sign.rawValue) != nil
            {
                Issue.record("a value is left of \(sign.rawValue) in \(text)")
            }
            if sign == .matches || sign == .notMatches {
                guard case .literal(.string(let pattern)) = right.node, (try? TextPattern(pattern)) != nil else {
                    Issue.record("no pattern in \(text)")
                    return
                }
            }
            expectResolved(left, in: text)
            expectResolved(right, in: text)
        }
    }
}

/// Texts made of pieces of queries, so that they come close to being some.
private enum Soup {
    static let conditions = [
        ".a", "span.b", "resource.service.name", "duration", "status", "kind", "name", "event.x", "event:name",
        "parent.a",
        "parent:duration", "traceDuration", "nestedSetParent", "a", "service", "error", "server", "nil", "true", "1",
        "2.5",
        "500ms", "\"x\"", "\"a.*\"", "`b`", "minInt", "-", "!", "(", ")",
    ]
    static let signs = ["=", "!=", "<", ">=", "=~", "!~", "&&", "||", "+", "-", "*", "/", "%", "^", "and", "or", "not"]
    static let stages = [
        "count() > 1", "max(duration) > 1s", "avg(.a) < 2", "by(.a)", "by(service)", "coalesce()", "select(.a, name)",
        "rate()", "rate() by(.a)", "count_over_time()", "max_over_time(duration)", "quantile_over_time(duration, .5)",
        "compare({ .a })", "topk(2)", "> 5", "order by duration", "{ .b }", "({ } | count() > 1)", "1 < count()",
        "count()", "rate", "with(a=1)", "by(.a, .b)",
    ]
    static let joints = [
        " && ", " || ", " > ", " >> ", " < ", " << ", " ~ ", " !~ ", " !>> ", " &> ", " + ", " * ", " | ", " ",
    ]

    static func next(_ random: inout SeededRandom) -> String {
        func pick(_ list: [String]) -> String { list.randomElement(using: &random) ?? "" }
        func condition() -> String {
            var parts = [pick(conditions)]
            for _ in 0..<Int.random(in: 0..<4, using: &random) { parts += [pick(signs), pick(conditions)] }
            if Int.random(in: 0..<8, using: &random) == 0 {
                parts.remove(at: Int.random(in: 0..<parts.count, using: &random))
            }
            return parts.joined(separator: Int.random(in: 0..<4, using: &random) == 0 ? "" : " ")
        }
        func spanset() -> String {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: "{ }"
            case 1: "({ \(condition()) } | \(pick(stages)))"
            case 2: condition()
            default: "{ \(condition()) }"
            }
        }
        var text = spanset()
        for _ in 0..<Int.random(in: 0..<3, using: &random) { text += pick(joints) + spanset() }
        for _ in 0..<Int.random(in: 0..<3, using: &random) { text += " | " + pick(stages) }
        return text
    }
}

extension Query {
    /// Every expression that stands in it.
    fileprivate var expressions: [Expression] {
        switch statement {
        case .spans(let pipeline): Self.expressions(pipeline)
        case .series(let series): Self.expressions(series)
        }
    }

    private static func expressions(_ pipeline: Pipeline) -> [Expression] { pipeline.stages.flatMap(expressions) }

    private static func expressions(_ stage: Stage) -> [Expression] {
        switch stage {
        case .spansets(let spansets): expressions(spansets)
        case .filter(let filter): expressions(filter.left) + expressions(filter.right)
        case .group(let value): [value]
        case .coalesce, .select, .order: []
        }
    }

    private static func expressions(_ spansets: SpansetExpression) -> [Expression] {
        switch spansets {
        case .filter(let condition): condition.map { [$0] } ?? []
        case .pipeline(let pipeline): expressions(pipeline)
        case .combined(_, let left, let right): expressions(left) + expressions(right)
        }
    }

    private static func expressions(_ scalar: ScalarExpression) -> [Expression] {
        switch scalar {
        case .constant: []
        case .aggregate(let aggregate): aggregate.operand.map { [$0] } ?? []
        case .arithmetic(_, let left, let right): expressions(left) + expressions(right)
        }
    }

    private static func expressions(_ series: SeriesExpression) -> [Expression] {
        switch series {
        case .query(let query): expressions(query.pipeline)
        case .arithmetic(_, let left, let right): expressions(left) + expressions(right)
        case .constant: []
        case .stage(_, let inner): expressions(inner)
        }
    }
}
