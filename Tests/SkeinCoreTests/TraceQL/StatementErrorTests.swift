// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL
import Testing

@Suite struct StatementErrorTests {
    /// A query that neither dialect accepts; column and length of what is wrong, a part of the message, the suggestion.
    static let refused: [(String, Int, Int, String, String?)] = [
        // Spansets
        ("{ .a } { .b }", 8, 1, "operator is expected", nil), ("{ .a } and { .b }", 8, 3, "joined by signs", "&&"),
        ("{ .a } & { .b }", 8, 1, "& is no operator", "&&"), ("{ .a } + { .b }", 8, 1, "+ does not join", nil),
        ("{ .a } = { .b }", 8, 1, "= does not join", nil), ("{ .a } >>", 10, 0, "the query ends", nil),
        ("{ .a } &&", 10, 0, "the query ends", nil), (">> { }", 1, 2, "structural operators", nil),
        ("{ .a } >> .b", 11, 2, "stand in braces", "{ .b"), ("{ .a } | .b = 1", 10, 2, "stand in braces", "{ .b"),
        ("{ .a } || duration", 11, 8, "stand in braces", "{ duration"), ("({ .a }", 1, 1, "has no )", nil),
        ("({ .a }))", 9, 1, "no ( before", nil), ("{ .a }}", 7, 1, "no { before", nil),
        ("{ (.a = 1 }", 11, 1, ") is expected", nil), ("{ .a = 1 | rate()", 10, 1, "behind the closing }", "} |"),
        ("{ { .a } }", 3, 1, "braces do not stand", nil), ("{ .a >> .b }", 6, 2, "between two", nil),
        ("{ .a = 1, .b = 2 }", 9, 1, "no comma", nil), ("! { }", 1, 1, "{ … } or a function", nil),
        // Pipelines
        ("{ } |", 6, 0, "the query ends", nil), ("{ } | | rate()", 7, 1, "missing between", nil),
        ("coalesce()", 1, 8, "needs spans before it", "{ } | coalesce"),
        ("{ } | coalesce(.a)", 16, 2, "takes nothing", nil), ("{ } | by()", 10, 1, "a name or a value", nil),
        ("{ } | by(.a, .b)", 12, 1, "one value", nil), ("{ } | by(1)", 10, 1, "same for all", nil),
        ("{ } | by .a", 7, 2, "parentheses are missing", nil), ("{ } | select()", 14, 1, "a name or a value", nil),
        ("{ } | select(.a + 1)", 14, 6, "a field's name", nil), ("{ } | select(1)", 14, 1, "a field's name", nil),
        ("{ } | select(.a,)", 17, 1, "a name or a value", nil), ("{ } | select(.a .b)", 17, 2, ") is expected", nil),
        ("{ } | by(.a) by(.b)", 14, 2, "joined by |", "| by"), ("{ } count() > 1", 5, 5, "joined by |", "| count"),
        ("{ } | foo()", 7, 3, "unknown function foo", nil), ("{ } | cuont() > 1", 7, 5, "unknown function", "count"),
        ("{ } | raet()", 7, 4, "unknown function", "rate"), ("{ } | group_by(.a)", 7, 8, "unknown function", "by"),
        ("{ } | count_over_tme()", 7, 14, "unknown function", "count_over_time"),
        ("{ } | count > 2", 7, 5, "parentheses are missing", "count()"),
        ("{ } | by(.a) | rate", 16, 4, "parentheses are missing", "rate()"),
        ("{ count() > 2 }", 3, 5, "behind the braces", nil), ("{ rate() }", 3, 4, "behind the braces", nil),
        ("{ foo() = 1 }", 3, 3, "unknown function foo", nil),
        // Aggregates
        ("{ } | count()", 14, 0, "a comparison is expected after count()", nil),
        ("{ } | count(.a) > 1", 13, 2, "takes nothing", nil), ("{ } | max() > 1", 11, 1, "a name or a value", nil),
        ("{ } | max(name) > 1", 11, 4, "takes numbers", nil), ("{ } | avg(1) > 1", 11, 1, "same for all", nil),
        ("{ } | sum(status) > 1", 11, 6, "takes numbers", nil), ("{ } | count() > \"x\"", 17, 3, "only numbers", nil),
        ("{ } | count() =~ 2", 15, 2, "is for text", nil), ("{ } | count() == 2", 15, 2, "no operator", "="),
        ("{ } | 1 < 2", 7, 5, "two constants", nil), ("{ } | 5", 7, 1, "a number alone", nil),
        ("{ } | count() > 1 && count() < 5", 19, 2, "stage of its own", "|"),
        ("{ } | count() > 1 > 2", 19, 1, "stage of its own", nil), ("{ } && 5", 5, 2, "does not join", nil),
        ("({ } | count()) > 2", 15, 1, "pipelines are not compared", nil),
        ("({ } | count()) > ({ } | count())", 15, 1, "pipelines are not compared", nil),
        ("{ } | count() > 1 / 0", 17, 5, "no finite result", nil),
        ("{ } | max(.a) && 2", 15, 2, "does not join numbers", nil),
        // Series
        ("{ } with(a=1) | count() > 1", 15, 1, "at the end of a query", nil),
        ("rate()", 1, 4, "needs spans", "{ } | rate"), ("topk(5)", 1, 4, "needs spans", nil),
        ("{ } | topk(5)", 7, 4, "takes series", nil), ("{ } | rate(.a)", 12, 2, "takes nothing", nil),
        ("{ } | rate() by .a", 14, 2, "parentheses are missing", nil),
        ("{ } | rate() by()", 17, 1, "a name or a value", nil),
        ("{ } | rate() by(.a, .b, .c, .d, .e, .f)", 37, 2, "at most 5", nil),
        ("{ } | quantile_over_time(.a, .5) by(.a, .b, .c, .d, .e)", 53, 2, "at most 4", nil),
        ("{ } | rate() by(.a + 1)", 17, 6, "a field's name", nil),
        ("{ } | min_over_time()", 21, 1, "a name or a value", nil),
        ("{ } | max_over_time(.a, .b)", 23, 1, ") is expected", nil),
        ("{ } | quantile_over_time(.a)", 28, 1, "a quantile is expected", nil),
        ("{ } | quantile_over_time(.a, 1.5)", 30, 3, "from 0 to 1", nil),
        ("{ } | quantile_over_time(.a, -0.1)", 30, 4, "from 0 to 1", nil),
        ("{ } | quantile_over_time(.a, \"x\")", 30, 3, "from 0 to 1", nil),
        ("{ } | quantile_over_time(.a, 1s)", 30, 2, "from 0 to 1", nil),
        ("{ } | compare()", 15, 1, "stands in braces", nil), ("{ } | compare(.a = 1)", 15, 2, "stands in braces", nil),
        ("{ } | compare({ .a }, 0)", 21, 3, "1 to 1000", nil), ("{ } | compare({ .a }, 1001)", 21, 6, "1 to 1000", nil),
        ("{ } | compare({ .a }, 5, 1)", 21, 6, "two times", nil),
        ("{ } | compare({ .a }, 5, 2, 1)", 21, 9, "not before", nil),
        ("{ } | compare({ .a }, 5, 2, 2)", 21, 9, "not before", nil),
        ("{ } | compare({ .a }, 5, -2, 2)", 21, 10, "not before", nil),
        ("{ } | compare({ .a }, 5, 1, 2, 3)", 30, 1, ") is expected", nil),
        ("{ } | compare({ .a }, 1.5)", 23, 3, "whole number", nil),
        ("{ } | compare({ .a }) by(.b)", 23, 2, "joined by |", "| by"),
        ("{ } | rate() | topk()", 21, 1, "a value is expected", nil),
        ("{ } | rate() | topk(0)", 21, 1, "at least 1", nil), ("{ } | rate() | topk(1.5)", 21, 3, "at least 1", nil),
        ("{ } | rate() | bottomk(-1)", 24, 2, "at least 1", nil),
        ("{ } | rate() | > \"x\"", 18, 3, "only numbers", nil),
        ("{ } | rate() | =~ 1", 16, 2, "series are followed", nil),
        ("{ } | rate() | count() > 1", 16, 5, "series are followed", nil),
        ("{ } | rate() | tpok(1)", 16, 4, "unknown function tpok", "topk"),
        ("{ } | rate() | { }", 16, 1, "series are followed", nil), ("{ } | rate() | rate()", 16, 4, "series are", nil),
        ("({ } | rate()) % 2", 16, 1, "+ - * and /", nil), ("({ } | rate()) ^ 2", 16, 1, "+ - * and /", nil),
        ("({ } | rate()) * 2s", 18, 2, "plain numbers", nil),
        ("({ } | rate()) && ({ } | rate())", 16, 2, "+ - * and /", nil), ("({ } | rate()) + { }", 16, 1, "+ -", nil),
        ("({ } | rate()) + count()", 18, 7, "plain numbers", nil), ("-({ } | rate())", 1, 15, "take a minus", nil),
        ("{ } | ({ } | rate())", 7, 14, "cannot follow", nil), ("1 + 2", 1, 1, "", nil),
        // Hints
        ("{ } with()", 10, 1, "key=value", nil), ("{ } with(sample)", 16, 1, "needs a value", nil),
        ("{ } with(sample=)", 17, 1, "a value is expected", nil),
        ("{ } with sample=true", 10, 6, "in parentheses", nil),
        ("{ } with(a=1 b=2)", 14, 1, ") is expected", nil), ("{ } with(a=.b)", 12, 2, "a value is expected", nil),
        ("(a = 1 | rate())", 8, 1, ") is expected", nil), ("{ } | by(.a and .b)", 13, 3, "joined by signs", "&&"),
        ("with(a=1)", 1, 4, "", nil),
        // Names and values
        ("{ spans.foo = 1 }", 3, 9, "unknown name spans.foo", "span.foo"),
        ("{ resourse.service.name = \"x\" }", 3, 21, "unknown name", "resource.service.name"),
        ("{ http.status_code = 500 }", 3, 16, "unknown name http.status_code", ".http.status_code"),
        ("{ spn:duration > 1s }", 3, 12, "unknown name", "span:duration"),
        ("{ trace:rootServiceName = \"x\" }", 3, 21, "unknown name", "trace:rootService"),
        ("{ span:foo = 1 }", 3, 8, "unknown name span:foo", nil), ("{ .a = 'x' }", 8, 3, "double quotes", "\"x\""),
        ("{ .a == 1 }", 6, 2, "no operator", "="), ("{ .a = 1 AND .b = 2 }", 10, 3, "joined by signs", "&&"),
        ("{ .a = foo }", 8, 3, "unknown value foo", "\"foo\""), ("{ .a = +1 }", 8, 1, "takes no +", nil),
        ("{ resource.service.name = check-out }", 27, 9, "unknown value", "\"check-out\""),
        ("{ status = eror }", 12, 4, "unknown value", "error"), ("{ } | sort by duration", 7, 4, "unknown", "order by"),
        ("{ .a = 0x10 }", 8, 4, "neither a number", nil), ("{ .a = 1_000 }", 8, 5, "neither a number", nil),
        ("{ duration > 1 s }", 16, 1, "conditions are joined", nil),
        ("{ .a = \"\\q\" }", 9, 2, "unknown escape", "\\\\q"),
        ("{ .a = 9223372036854775808 }", 8, 19, "larger than", nil),
        ("{ .a = \"x\" + \"y\" }", 8, 9, "for numbers", nil),
        ("{ .a + \"x\" = 1 }", 3, 8, "for numbers", nil), ("{ name + 1 = 2 }", 3, 8, "for numbers", nil),
        ("{ status =~ \"e.*\" }", 13, 5, "no text", nil), ("{ .a =~ .b }", 9, 2, "double quotes", nil),
        ("{ .a =~ \"a\" + \"b\" }", 9, 9, "for numbers", nil), ("{ .a !~ 5 }", 9, 1, "double quotes", "\"5\""),
        ("{ .a =~ \"(\" }", 10, 1, "in the pattern", nil), ("{ name = 5 }", 10, 1, "double quotes", "\"5\""),
        ("{ duration = \"x\" }", 14, 3, "is a duration", nil), ("{ name = duration }", 3, 15, "do not compare", nil),
        ("{ status = kind }", 3, 13, "do not compare", nil), ("{ nestedSetLeft = \"x\" }", 19, 3, "is a number", nil),
        ("{ duration = nil }", 14, 3, "never missing", nil), ("{ name = nil }", 10, 3, "never missing", "\"\""),
        ("{ event:name = nil }", 16, 3, "never missing", nil), ("{ rootName = nil }", 14, 3, "never missing", "\"\""),
        ("{ resource.service.name = nil }", 27, 3, "only empty", "\"\""), ("{ 1 }", 3, 1, "no condition", nil),
        ("{ \"a\" }", 3, 3, "no condition", nil), ("{ name }", 7, 0, "a comparison is expected", nil),
        ("{ duration && .a }", 11, 0, "a comparison is expected", nil), ("{ .a && 1 }", 9, 1, "no condition", nil),
        ("{ !duration }", 12, 0, "a comparison is expected", nil), ("{ -name = 1 }", 3, 5, "take a minus", nil),
        ("{ (.a = 1) = 5 }", 14, 1, "true or false", nil), ("{ (.a = 1) + 1 = 2 }", 3, 12, "for numbers", nil),
        ("{ .a > true }", 3, 9, "= and != only", nil), ("{ status > error }", 3, 14, "= and != only", nil),
        ("{ .a > nil }", 8, 3, "= and != only", nil), ("{ status = \"error\" }", 12, 7, "error, ok or unset", "error"),
        ("{ \"a\" =~ name }", 3, 3, "on the right", nil), ("{ parent = 5 }", 3, 6, "", nil),
    ]

    @Test(arguments: refused)
    func `neither dialect accepts it, and the place and the remedy are told`(row: (String, Int, Int, String, String?)) {
        for dialect in [TraceQL.Dialect.tempo, .skein] {
            do throws(QueryError) {
                _ = try TraceQL.parse(row.0, dialect)
                Issue.record("\(row.0) was accepted")
            } catch {
                guard dialect == .skein, !row.3.isEmpty else { continue }
                #expect(error.range.column == row.1, "\(row.0): \(error)")
                #expect(error.range.length == row.2, "\(row.0): \(error)")
                #expect(error.message.contains(row.3), "\(row.0): \(error)")
                #expect(error.suggestion == row.4, "\(row.0): \(error)")
            }
        }
    }
}
