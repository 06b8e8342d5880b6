// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL
import Testing

@Suite struct StatementTests {
    /// A query of either dialect, and its tree.
    static let common: [(String, String)] = [
        // Spansets
        ("{}", "{}"), ("{ .a }", "{(= .a true)}"), ("{ !.a }", "{(= .a false)}"), ("({ .a = 1 })", "{(= .a 1)}"),
        ("{ .a = 1 } && { .b = 1 } || { .c = 1 }", "(|| (&& {(= .a 1)} {(= .b 1)}) {(= .c 1)})"),
        ("{ .a = 1 } || { .b = 1 } && { .c = 1 }", "(&& (|| {(= .a 1)} {(= .b 1)}) {(= .c 1)})"),
        ("{ .a } >> { .b } && { .c }", "(&& (>> {(= .a true)} {(= .b true)}) {(= .c true)})"),
        ("{ .a } && { .b } >> { .c }", "(&& {(= .a true)} (>> {(= .b true)} {(= .c true)}))"),
        ("{ .a } >> { .b } > { .c }", "(> (>> {(= .a true)} {(= .b true)}) {(= .c true)})"),
        ("{ .a } >> ({ .b } > { .c })", "(>> {(= .a true)} (> {(= .b true)} {(= .c true)}))"),
        ("{}>{}", "(> {} {})"), ("{}>>{}", "(>> {} {})"), ("{}<{}", "(< {} {})"), ("{}<<{}", "(<< {} {})"),
        ("{}~{}", "(~ {} {})"), ("{}!>{}", "(!> {} {})"), ("{}!>>{}", "(!>> {} {})"), ("{}!<{}", "(!< {} {})"),
        ("{}!<<{}", "(!<< {} {})"), ("{}!~{}", "(!~ {} {})"), ("{}&>{}", "(&> {} {})"), ("{}&>>{}", "(&>> {} {})"),
        ("{}&<{}", "(&< {} {})"), ("{}&<<{}", "(&<< {} {})"), ("{}&~{}", "(&~ {} {})"),
        // Pipelines
        ("{ } | { .a = 1 }", "{} | {(= .a 1)}"),
        ("{ } | count() > 2", "{} | (> count() 2)"), ("count() > 2", "(> count() 2)"),
        ("{ } | by(.a) | count() > 2 | coalesce()", "{} | by(.a) | (> count() 2) | coalesce()"),
        ("by(resource.x) | count() > 1", "by(resource.x) | (> count() 1)"),
        ("{ } | select(.a, span.b, duration)", "{} | select(.a, span.b, span:duration)"),
        ("{ } | by(.a = 1)", "{} | by((= .a 1))"), ("{ } | by(duration/2)", "{} | by((/ span:duration 2))"),
        ("{ } | avg(duration) > 1s", "{} | (> avg(span:duration) 1000000000ns)"),
        ("{ } | max(.a + 1) >= -2.5", "{} | (>= max((+ .a 1)) -2.5)"),
        ("{ } | sum(.a) != 2 * 3", "{} | (!= sum(.a) 6)"),
        ("{ } | min(traceDuration) < (1 + 1) * 1m", "{} | (< min(trace:duration) 120000000000ns)"),
        (
            "({ .a } | count() > 1) && ({ .b } | count() > 2)",
            "(&& [{(= .a true)} | (> count() 1)] [{(= .b true)} | (> count() 2)])"
        ),
        (
            "({ .a } | count() > 1) >> ({ .b } | by(.c))",
            "(>> [{(= .a true)} | (> count() 1)] [{(= .b true)} | by(.c)])"
        ),
        ("({ .a } | count() > 1)", "{(= .a true)} | (> count() 1)"), ("(count() > 1)", "(> count() 1)"),
        ("({ .a } && { .b }) | count() > 1", "(&& {(= .a true)} {(= .b true)}) | (> count() 1)"),
        // Series
        ("{ } | rate()", "<{} | rate()>"), ("{ .a = 1 } | by(.b) | rate()", "<{(= .a 1)} | by(.b) | rate()>"),
        ("{ } | count_over_time() by (.a, resource.b)", "<{} | count_over_time() by(.a, resource.b)>"),
        ("{ } | min_over_time(duration)", "<{} | min_over_time(span:duration)>"),
        ("{ } | max_over_time(.a) by(name)", "<{} | max_over_time(.a) by(span:name)>"),
        ("{ } | avg_over_time(span.a)", "<{} | avg_over_time(span.a)>"),
        ("{ } | sum_over_time(.a)", "<{} | sum_over_time(.a)>"),
        (
            "{ } | quantile_over_time(duration, .5, 0.99, 1) by(.a)",
            "<{} | quantile_over_time(span:duration, 0.5, 0.99, 1.0) by(.a)>"
        ),
        ("{ } | histogram_over_time(duration)", "<{} | histogram_over_time(span:duration)>"),
        ("{ } | compare({ .a = 1 })", "<{} | compare({(= .a 1)}, 10)>"),
        ("{ } | compare({ status = error }, 1000)", "<{} | compare({(= span:status error)}, 1000)>"),
        ("{ } | compare({ }, 5, 1, 2)", "<{} | compare({}, 5, 1, 2)>"),
        ("{ } | rate() | topk(3) | > 2", "<{} | rate() | topk(3) | > 2.0>"),
        ("{ } | rate() > 2", "<{} | rate() | > 2.0>"), ("{ } | rate() by(.a)!=0", "<{} | rate() by(.a) | != 0.0>"),
        ("{ } | rate() > 1 | topk(2)", "<{} | rate() | > 1.0 | topk(2)>"),
        ("{ } | rate() | topk(5) > 10", "<{} | rate() | topk(5) | > 10.0>"),
        (
            "{ } | max_over_time(duration) >= 1s with(sample=true)",
            "<{} | max_over_time(span:duration) | >= 1.0> with(sample=true)"
        ),
        ("({ } | rate()) / ({ .a } | rate()) > .5", "(/ <{} | rate()> <{(= .a true)} | rate()>) | > 0.5"),
        ("{ } | rate() by(.a) | bottomk(1)", "<{} | rate() by(.a) | bottomk(1)>"),
        ("{ } | max_over_time(duration) | >= 1500ms", "<{} | max_over_time(span:duration) | >= 1.5>"),
        ("{ } | rate() | != -1", "<{} | rate() | != -1.0>"),
        ("({ } | rate()) + ({ .a } | rate())", "(+ <{} | rate()> <{(= .a true)} | rate()>)"),
        ("({ } | rate()) * (1 / 2)", "(* <{} | rate()> 0.0)"), ("100 * ({ } | rate())", "(* 100.0 <{} | rate()>)"),
        ("({}|rate()) + ({}|rate()) * 2.5", "(+ <{} | rate()> (* <{} | rate()> 2.5))"),
        ("(({}|rate()) - ({}|rate())) / ({}|rate())", "(/ (- <{} | rate()> <{} | rate()>) <{} | rate()>)"),
        ("(({}|rate()) / ({}|rate())) | topk(2)", "(/ <{} | rate()> <{} | rate()>) | topk(2)"),
        // As Grafana asks
        (
            "{nestedSetParent<0 && true && resource.service.name != nil} | rate() with(sample=true)",
            "<{(&& (&& (< nestedSetParent 0) true) true)} | rate()> with(sample=true)"
        ),
        (
            "({nestedSetParent<0 && status = error} &>> { status = error }) || ({nestedSetParent<0}) "
                + "| select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)",
            "(|| (&>> {(&& (< nestedSetParent 0) (= span:status error))} {(= span:status error)}) {(< nestedSetParent 0)})"
                + " | select(span:status, resource.service.name, span:name, nestedSetParent, nestedSetLeft, nestedSetRight)"
        ),
        (
            "{true && kind=server} | quantile_over_time(duration, 0.9) by (resource.service.name)",
            "<{(&& true (= span:kind server))} | quantile_over_time(span:duration, 0.9) by(resource.service.name)>"
        ),
        // Hints
        ("{ } | rate() with(sample=true)", "<{} | rate()> with(sample=true)"),
        (
            "{ } with (most_recent=true, x=1.5, y=\"z\", t=1s, s=ok, n=nil, i=-1)",
            "{} with(most_recent=true, x=1.5, y=\"z\", t=1000000000ns, s=ok, n=nil, i=-1)"
        ),
    ]

    @Test(arguments: common)
    func `what Tempo accepts means the same in both dialects`(row: (String, String)) throws {
        #expect(TreeText.of(try TraceQL.parse(row.0, .tempo)) == row.1)
        #expect(TreeText.of(try TraceQL.parse(row.0, .skein)) == row.1)
    }
}
