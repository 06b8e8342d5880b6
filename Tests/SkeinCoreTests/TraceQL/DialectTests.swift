// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL
import Testing

@Suite struct DialectTests {
    /// What is of Skein's dialect only, its tree there, and a part of what is said in Tempo's.
    static let extensions: [(String, String, String)] = [
        // The bare form
        ("", "{}", "the query is empty"), ("duration > 1s", "{(> span:duration 1000000000ns)}", "stand in braces"),
        (
            "error = true | rate() by (service)",
            "<{(= span:status error)} | rate() by(resource.service.name)>", "stand in braces"
        ),
        ("duration > 1s | count() > 2", "{(> span:duration 1000000000ns)} | (> count() 2)", "stand in braces"),
        (
            "a = b | select(c, operation) | order by spans",
            "{(= .a \"b\")} | select(.c, span:name) | order(spans desc)", "stand in braces"
        ),
        (
            "a = 1 or b = 2 and c = 3 | rate() with (sample=true)",
            "<{(|| (= .a 1) (&& (= .b 2) (= .c 3)))} | rate()> with(sample=true)", "stand in braces"
        ),
        (
            "service = a and not error | max_over_time(duration) by(http.route, user-agent)",
            "<{(&& (= resource.service.name \"a\") (! (= span:status error)))}"
                + " | max_over_time(span:duration) by(.http.route, .user-agent)>", "stand in braces"
        ),
        ("| rate()", "<{} | rate()>", "stand in braces"),
        ("(a = 1 or b = 2) | rate()", "<{(|| (= .a 1) (= .b 2))} | rate()>", "stand in braces"),
        ("500ms < duration | by(kind)", "{(> span:duration 500000000ns)} | by(span:kind)", "stand in braces"),
        ("count = 5 and rate > 2", "{(&& (= .count 5) (> .rate 2))}", "stand in braces"),
        ("a = 1 with(x=1)", "{(= .a 1)} with(x=1)", "stand in braces"),
        (".a = .b", "{(= .a .b)}", "stand in braces"), ("a > b * 2", "{(> .a (* .b 2))}", "stand in braces"),
        ("duration/2 > 1s", "{(> (/ span:duration 2) 1000000000ns)}", "stand in braces"),
        ("status-code = 5", "{(= .status-code 5)}", "stand in braces"),
        ("trace:id = \"ab\"", "{(= trace:id \"000000000000000000000000000000ab\")}", "stand in braces"),
        ("name = x | { .a } | by(b)", "{(= span:name \"x\")} | {(= .a true)} | by(.b)", "stand in braces"),
        ("a = 1 | 2 < count()", "{(= .a 1)} | (> count() 2)", "stand in braces"),
        // Words as names in the parentheses of functions
        ("{ } | by(service)", "{} | by(resource.service.name)", "another name in braces"),
        ("{ } | rate() by(http.route)", "<{} | rate() by(.http.route)>", "unknown name http.route"),
        ("{ } | select(a-b)", "{} | select(.a-b)", "unknown name a-b"),
        ("{ } | avg(size) > 2", "{} | (> avg(.size) 2)", "unknown name size"),
        ("{ } | by(error)", "{} | by((= span:status error))", "is the same for all spans"),
        ("{ } | by(size > 5 && kind = server)", "{} | by((&& (> .size 5) (= span:kind server)))", "unknown name size"),
        ("{ } | by(duration > 500)", "{} | by((> span:duration 500))", ""),
        ("{ } | by(duration > traceDuration)", "{} | by((> span:duration trace:duration))", ""),
        ("{ } | quantile_over_time(latency, 0.5)", "<{} | quantile_over_time(.latency, 0.5)>", "unknown name latency"),
        // The span above
        ("{ parent.a = 1 }", "{(= parent.a 1)}", "no parent."),
        ("{ parent.span.a = 1 }", "{(= parent.span.a 1)}", "no parent."),
        (
            "{ parent.resource.service.name != resource.service.name }",
            "{(!= parent.resource.service.name resource.service.name)}", "no parent."
        ),
        ("{ parent.\"a b\" = nil }", "{(= parent.a b nil)}", "no parent."),
        ("{ parent:duration > 1s }", "{(> parent:duration 1000000000ns)}", "no parent."),
        ("{ parent:name =~ \"a.*\" }", "{(=~ parent:name \"a.*\")}", "no parent."),
        (
            "{ parent:status = error && parent:kind = client }",
            "{(&& (= parent:status error) (= parent:kind client))}", "no parent."
        ),
        ("{ parent:id = \"AB\" }", "{(= parent:id \"ab\")}", "no parent."),
        ("{ parent:name = nil }", "{(= parent:name nil)}", "no parent."),
        ("{ duration > parent:duration / 2 }", "{(> span:duration (/ parent:duration 2))}", "no parent."),
        ("{ parent = nil }", "{(= span:parentID \"\")}", "cannot be asked for the parent"),
        ("{ parent != nil }", "{(!= span:parentID \"\")}", "cannot be asked for the parent"),
        ("{ } | by(parent:name)", "{} | by(parent:name)", "no parent."),
        // Aggregates
        ("{ } | count() > max(.a)", "{} | (> count() max(.a))", "one aggregate with one constant"),
        ("{ } | 1 < count()", "{} | (> count() 1)", "one aggregate with one constant"),
        ("1 < count()", "(> count() 1)", "one aggregate with one constant"),
        ("{ } | count() + 1 > 2", "{} | (> (+ count() 1) 2)", "one aggregate with one constant"),
        (
            "{ } | max(duration) - min(duration) > 1s",
            "{} | (> (- max(span:duration) min(span:duration)) 1000000000ns)", "one aggregate with one constant"
        ),
        (
            "{ } | max(duration) > 2 * avg(duration)",
            "{} | (> max(span:duration) (* 2 avg(span:duration)))", "one aggregate with one constant"
        ),
        ("{ } | (count() + 1) * 2 > 4", "{} | (> (* (+ count() 1) 2) 4)", "one aggregate with one constant"),
        ("{ } | -count() < -2 ^ 2", "{} | (< (- 0 count()) -4)", "one aggregate with one constant"),
        // Order
        ("{ } | order by duration", "{} | order(duration desc)", "no order by"),
        ("{ } | order by start asc", "{} | order(start asc)", "no order by"),
        ("{ } | count() > 2 | order by errors desc", "{} | (> count() 2) | order(errors desc)", "no order by"),
        ("{ } | order by spans DESC with(a=1)", "{} | order(spans desc) with(a=1)", "no order by"),
        // Pipelines in parentheses
        ("({ } | count() > 1) && { .a }", "(&& [{} | (> count() 1)] {(= .a true)})", "only with another"),
        ("{ .a } >> ({ } | count() > 1)", "(>> {(= .a true)} [{} | (> count() 1)])", "only with another"),
        ("({ } | count() > 1) | { .a }", "{} | (> count() 1) | {(= .a true)}", "no | behind"),
        ("({ } | count() > 1) | rate()", "<{} | (> count() 1) | rate()>", "no | behind"),
        ("(({ }|by(.a)) && ({ }|by(.b))) | rate()", "<(&& [{} | by(.a)] [{} | by(.b)]) | rate()>", "no | behind"),
        ("{ .a } | ({ } | count() > 1)", "{(= .a true)} | [{} | (> count() 1)]", "behind a |"),
    ]

    @Test(arguments: extensions)
    func `what is Skein's own is understood, and refused where Tempo's verdict counts`(row: (String, String, String))
        throws
    {
        #expect(TreeText.of(try TraceQL.parse(row.0)) == row.1)
        do throws(QueryError) {
            let query = try TraceQL.parse(row.0, .tempo)
            // What both accept has to mean the same.
            #expect(row.2.isEmpty && TreeText.of(query) == row.1, "\(row.0) was accepted")
        } catch {
            #expect(!row.2.isEmpty && error.message.contains(row.2), "\(error)")
        }
    }

    @Test func `a bare condition that Tempo would understand in braces is suggested so`() {
        do throws(QueryError) {
            _ = try TraceQL.parse("duration > 1s", .tempo)
        } catch {
            #expect(error.suggestion == "{ duration > 1s }")
        }
        do throws(QueryError) {
            _ = try TraceQL.parse("service = checkout", .tempo)
        } catch {
            #expect(error.suggestion == nil)
        }
    }
}
