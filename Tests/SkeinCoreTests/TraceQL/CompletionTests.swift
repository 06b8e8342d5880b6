// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import SkeinTraceQL
import Testing

@Suite struct CompletionTests {
    /// A query with § where something is typed; what that is, and the text that a choice stands in place of.
    static let table: [(String, Completion.Subject, String)] = [
        // Names
        ("§", .field(nil, prefix: ""), ""), ("ser§", .field(nil, prefix: "ser"), "ser"),
        ("{§", .field(nil, prefix: ""), ""), ("{ §", .field(nil, prefix: ""), ""),
        ("{ § }", .field(nil, prefix: ""), ""),
        ("{ dur§", .field(nil, prefix: "dur"), "dur"), ("{ du§ration > 1s }", .field(nil, prefix: "du"), "duration"),
        ("{ .§", .field(.attribute(.any), prefix: ""), "."),
        ("{ .fo§ }", .field(.attribute(.any), prefix: "fo"), ".fo"),
        ("{ span.§", .field(.attribute(.span), prefix: ""), "span."),
        (
            "{ resource.service.na§ = \"x\" }", .field(.attribute(.resource), prefix: "service.na"),
            "resource.service.na"
        ),
        ("{ span.\"a b§", .field(.attribute(.span), prefix: "a b"), "span.\"a b"),
        ("{ event:§", .field(.intrinsic("event"), prefix: ""), "event:"),
        ("{ span:du§", .field(.intrinsic("span"), prefix: "du"), "span:du"),
        ("{ parent.§", .field(.parentAttribute(.any), prefix: ""), "parent."),
        ("{ parent.resource.ser§", .field(.parentAttribute(.resource), prefix: "ser"), "parent.resource.ser"),
        ("{ parent:na§", .field(.intrinsic("parent"), prefix: "na"), "parent:na"),
        ("{ .a = 1 && sp§", .field(nil, prefix: "sp"), "sp"), ("{ .a = 1 &&§", .field(nil, prefix: ""), ""),
        ("{ .a == 1 && sp§", .field(nil, prefix: "sp"), "sp"), ("{ (.a = 1 || §", .field(nil, prefix: ""), ""),
        ("{ !§", .field(nil, prefix: ""), ""), ("{ !(st§ }", .field(nil, prefix: "st"), "st"),
        ("a = 1 and §", .field(nil, prefix: ""), ""), ("a = 1 or not kin§", .field(nil, prefix: "kin"), "kin"),
        ("(a = 1 and http.ro§", .field(nil, prefix: "http.ro"), "http.ro"),
        ("{ .a = 1 + §", .field(nil, prefix: ""), ""),
        ("{ .a > span.§", .field(.attribute(.span), prefix: ""), "span."),
        ("{ } | by(§", .field(nil, prefix: ""), ""),
        ("{ } | rate() by(resource.§)", .field(.attribute(.resource), prefix: ""), "resource."),
        ("{ } | select(.a, na§)", .field(nil, prefix: "na"), "na"),
        ("{ } | quantile_over_time(dur§", .field(nil, prefix: "dur"), "dur"),
        ("{ } | max(§", .field(nil, prefix: ""), ""),
        ("{ } | compare({ st§", .field(nil, prefix: "st"), "st"), ("{ .a } >> { §", .field(nil, prefix: ""), ""),
        ("a = b | rate() by (serv§", .field(nil, prefix: "serv"), "serv"),
        // Values
        ("{ status = §", .value(of: .intrinsic(.status), .equal, prefix: "", isQuoted: false), ""),
        ("{ status = er§ }", .value(of: .intrinsic(.status), .equal, prefix: "er", isQuoted: false), "er"),
        ("{ status =§", .value(of: .intrinsic(.status), .equal, prefix: "", isQuoted: false), ""),
        ("{ name = \"§", .value(of: .intrinsic(.name), .equal, prefix: "", isQuoted: true), "\""),
        ("{ name != \"GET /§", .value(of: .intrinsic(.name), .notEqual, prefix: "GET /", isQuoted: true), "\"GET /"),
        (
            "{ name = \"GET§ /a\" && .b = \"c\" }",
            .value(of: .intrinsic(.name), .equal, prefix: "GET", isQuoted: true), "\"GET /a\""
        ),
        ("{ name = `a§", .value(of: .intrinsic(.name), .equal, prefix: "a", isQuoted: true), "`a"),
        ("{ .a = \"x\\\"y§", .value(of: .attribute(.any, "a"), .equal, prefix: "x\"y", isQuoted: true), "\"x\\\"y"),
        (
            "{ resource.service.name =~ \"ch§",
            .value(of: .attribute(.resource, "service.name"), .matches, prefix: "ch", isQuoted: true), "\"ch"
        ),
        ("{ duration > 5§", .value(of: .intrinsic(.duration), .greater, prefix: "5", isQuoted: false), "5"),
        (
            "service = ch§", .value(of: .attribute(.resource, "service.name"), .equal, prefix: "ch", isQuoted: false),
            "ch"
        ),
        (
            "service = checkout and http.route = \"/a§",
            .value(of: .attribute(.any, "http.route"), .equal, prefix: "/a", isQuoted: true), "\"/a"
        ),
        ("{ .a == §", .value(of: .attribute(.any, "a"), .equal, prefix: "", isQuoted: false), ""),
        ("{ parent:name = \"§", .value(of: .parentIntrinsic(.name), .equal, prefix: "", isQuoted: true), "\""),
        // Operators
        ("{ .a §", .sign(["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]), ""),
        ("{ .a !§", .sign(["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]), "!"),
        ("duration §", .sign(["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]), ""),
        ("{ .a = 1 §", .sign(["&&", "||", "}"]), ""), ("{ (.a = \"x\" §", .sign(["&&", "||", ")"]), ""),
        ("a = 1 §", .sign(["and", "or", "|"]), ""), ("a = 1 a§", .sign(["and", "or", "|"]), "a"),
        ("{ name = \"x\"§", .sign(["&&", "||", "}"]), ""),
        ("{ } §", .sign(["|", "&&", "||", ">", ">>", "<", "<<", "~"]), ""),
        ("{ } | count() §", .sign(["=", "!=", "<", "<=", ">", ">="]), ""),
        ("{ } | rate() §", .sign(["by", "|", "with"]), ""), ("{ } | by(.a) §", .sign(["|"]), ""),
        // Functions
        ("{ } | co§", .function(stages, prefix: "co"), "co"), ("{ } | §", .function(stages, prefix: ""), ""),
        ("a = 1 | §", .function(stages, prefix: ""), ""),
        ("{ } | rate() | §", .function(["topk", "bottomk"], prefix: ""), ""),
        ("{ } | rate() by(.a) | to§", .function(["topk", "bottomk"], prefix: "to"), "to"),
        ("{ } | order §", .sign(["by"]), ""),
        ("{ } | order by dur§", .sign(["start", "duration", "spans", "errors"]), "dur"),
        ("{ } | order by duration §", .sign(["desc", "asc"]), ""),
        ("{ } >> §", .function(["{", "count", "min", "max", "avg", "sum"], prefix: ""), ""),
        ("{ } | compare(§", .function(["{"], prefix: ""), ""),
        // Nothing
        ("{ } | count(§", .nothing, ""), ("{ } | topk(§", .nothing, ""),
        ("{ } | quantile_over_time(.a, §", .nothing, ""),
        ("{ } with(§", .nothing, ""), ("{ /* .a§", .nothing, ""), ("{ .a // b§", .nothing, ""),
        ("{ 5§ }", .nothing, "5"),
    ]

    static let stages = [
        "{", "by", "coalesce", "select", "count", "min", "max", "avg", "sum", "rate", "compare", "count_over_time",
        "min_over_time", "max_over_time", "avg_over_time", "sum_over_time", "quantile_over_time", "histogram_over_time",
        "order by",
    ]

    @Test(arguments: table)
    func `what is typed, and what a choice replaces`(row: (String, Completion.Subject, String)) throws {
        let parts = row.0.split(separator: "§", omittingEmptySubsequences: false)
        let text = parts.joined()
        let completion = TraceQL.complete(text, at: parts[0].utf8.count)
        #expect(completion.subject == row.1)
        #expect(String(decoding: Array(text.utf8)[completion.replaced], as: UTF8.self) == row.2)
    }

    /// A `q` of tag values, and what it restricts spans to.
    static let lenient: [(String, String?)] = [
        ("{ span.a = 1 }", "span.a = 1"), ("{ span.a = 1 && span.foo = }", "span.a = 1"),
        ("{ span.a = 1 && span.foo }", "span.a = 1"), ("{ span.foo = && span.a = 1 }", "span.a = 1"),
        ("{ span.a = 1 && span.foo = ", "span.a = 1"), ("{ span.a = 1 && span.foo = \"", "span.a = 1"),
        ("{ span.a = 1 && span.foo =~ \"x", "span.a = 1"), ("{ span.a = 1 && na", "span.a = 1"),
        ("{ span.a = 1 || span.b = 2 }", "span.a = 1 or span.b = 2"), ("{ span.a = 1 || span.foo = }", "span.a = 1"),
        ("{ span.a = 1 && (span.b = 2 || span.foo = ) }", "span.a = 1 and span.b = 2"),
        ("{ resource.service.name = \"x\" && status = error && .foo = }", "service = \"x\" and status = error"),
        ("{ duration > 1s && traceDuration > 5s }", "duration > 1s"), ("{ !(span.a = 1) }", "not span.a = 1"),
        ("{ span.a = 1 } | rate() by(span.b)", "span.a = 1"), ("{ span.a = 1 } with(x=1)", "span.a = 1"),
        ("{ name = \"}\" && span.foo = }", "name = \"}\""), ("{ span.a = 1 && .foo = }", "span.a = 1"),
        ("{ .a = 1 }", nil), ("{ span.a = 1 && .b = 2 }", nil), ("{ span.a = 1 } && { span.b = 2 }", nil),
        ("{ span.a = 1 } >> { }", nil), ("{ span.a = 1 && }", nil), ("{ span.a = 1 || }", nil),
        ("{ && span.a = 1 }", nil),
        ("span.a = 1", nil), ("", nil), ("{", nil), ("{}", nil), ("{ span.foo = }", nil), ("{ span.foo }", nil),
        ("{ (span.foo = ) && span.a = 1 }", nil), ("{ span.a = 1 && && span.b = 2 }", nil),
        ("{ traceDuration > 1s }", nil),
        ("{ span.a = 1 } &&", nil), ("{ span.a = 1 } | compare({ span.b = 2 })", nil), ("{ foo = 1 }", nil),
        ("{ span.a = 'x' }", nil), ("{ span.a = 1, span.b = 2 }", nil),
    ]

    @Test(arguments: lenient)
    func `the whole conditions of one pair of braces restrict tag values`(row: (String, String?)) {
        #expect(TraceQL.lenientConditions(row.0).map(TraceQL.text) == row.1)
    }

    @Test func `no text and no place in it is too strange`() {
        var random = SeededRandom(seed: 21)
        let pieces = [
            "{", "}", "(", ")", "|", "span.", "resource.a", ".b", "parent:", "event:name", "=", "!=", "!", "&", "&&",
            "||",
            "\"", "`", "\\", "é", "a", "and", "not", "error", "count(", "rate()", "by(", "with(", ",", "/*", "//", "\n",
            " ",
            "5", "5ms", "-", ">>", "~", "order", "\u{0}", "😀",
        ]
        for _ in 0..<10_000 {
            let count = Int.random(in: 0..<12, using: &random)
            let text = (0..<count).compactMap { _ in pieces.randomElement(using: &random) }.joined()
            let place = Int.random(in: -2...(text.utf8.count + 2), using: &random)
            let completion = TraceQL.complete(text, at: place)
            let isWithin =
                completion.replaced.lowerBound >= 0 && completion.replaced.upperBound <= text.utf8.count
                && completion.replaced.lowerBound <= max(0, place)
            #expect(isWithin, "\(text) at \(place): \(completion)")
            _ = TraceQL.lenientConditions(text)
        }
    }
}
