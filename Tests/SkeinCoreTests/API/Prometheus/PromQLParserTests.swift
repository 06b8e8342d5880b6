// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Testing

@testable import SkeinAPI

@Suite struct PromQLParserTests {
    /// A query, and how it is written in the one way.
    static let queries: [(String, String)] = [
        ("1", "1"), (" -1 ", "-1"), ("+.5", "0.5"), ("1e-3", "0.001"), ("0x1F", "31"), ("Inf", "+Inf"), ("nan", "NaN"),
        ("1 + 2 * 3", "(1 + (2 * 3))"), ("1 - 2 - 3", "((1 - 2) - 3)"), ("(1 - 2) / 4", "((1 - 2) / 4)"),
        ("1 < bool 2 + 3", "(1 < bool (2 + 3))"), ("\"a\\tb\"", "\"a\\tb\""), ("'\\u00fc\\x41'", "\"üA\""),
        ("x", "{__name__=\"x\"}"), ("x{}", "{__name__=\"x\"}"), ("x # the rest\n", "{__name__=\"x\"}"),
        ("x{a=\"1\",b!='2',c=~`3.*`,d!~\"4\",}", "{__name__=\"x\",a=\"1\",b!=\"2\",c=~\"3.*\",d!~\"4\"}"),
        ("{__name__=~\"x|y\"}", "{__name__=~\"x|y\"}"), ("x offset 5m", "{__name__=\"x\"} offset 300000ms"),
        ("rate(x[1h30m])", "rate({__name__=\"x\"}[5400000ms])"),
        ("increase(x{a=\"b\"}[1m0s] offset 1d)", "increase({__name__=\"x\",a=\"b\"}[60000ms] offset 86400000ms)"),
        ("sum(x)", "sum by () ({__name__=\"x\"})"), ("SUM by (b,a,) (x)", "sum by (a,b) ({__name__=\"x\"})"),
        ("sum(x) without (le)", "sum without (le) ({__name__=\"x\"})"),
        ("topk(5, x)", "topk by () (5, {__name__=\"x\"})"),
        ("bottomk by (a) (1+1, x)", "bottomk by (a) ((1 + 1), {__name__=\"x\"})"),
        ("group by (client) (x)", "group by (client) ({__name__=\"x\"})"),
        (
            "histogram_quantile(.9, sum(rate(x[5m])) by (le))",
            "histogram_quantile(0.9, sum by (le) (rate({__name__=\"x\"}[300000ms])))"
        ),
        ("x > 0", "({__name__=\"x\"} > 0)"), ("-x", "-{__name__=\"x\"}"),
        ("x / on (a) y", "({__name__=\"x\"} / on (a) {__name__=\"y\"})"),
        ("x / ignoring(b, a) y", "({__name__=\"x\"} / ignoring (a,b) {__name__=\"y\"})"),
        ("x OR y and z", "({__name__=\"x\"} or ({__name__=\"y\"} and {__name__=\"z\"}))"),
        ("x unless y == 1", "({__name__=\"x\"} unless ({__name__=\"y\"} == 1))"),
        ("x or vector(0)", "({__name__=\"x\"} or vector(0))"),
        ("sum", "{__name__=\"sum\"}"), ("a:b_c:rate5m", "{__name__=\"a:b_c:rate5m\"}"),
    ]

    @Test(arguments: queries)
    func `a query is read as it is meant`(query: String, text: String) throws {
        #expect(try PromQL.parse(query).description == text)
    }

    /// A text that is no query, and where and why.
    static let failures: [(String, String)] = [
        ("", "1:1 the query is empty: ask for a metric, as traces_spanmetrics_calls_total is"),
        ("x y", "1:3 unexpected \"y\": expected an operator or the end"),
        ("sum(rate(x[5m])", "1:16 unexpected the end: expected , or )"),
        ("x[5m]", "1:1 a range vector is no answer: ask for rate(…) or increase(…) of it"),
        ("rate(x)", "1:1 rate takes a range vector, as in rate(x[5m]), not an instant vector"),
        ("sum(x[5m])", "1:1 sum takes an instant vector, not a range vector: put rate(…) or increase(…) around it"),
        ("histogram_quantile(x, y)", "1:1 histogram_quantile takes a number first, not an instant vector"),
        ("topk(x)", "1:1 topk takes 2 arguments, not 1"),
        ("irate(x[5m])", "1:1 \"irate\" is not supported; did you mean rate?"),
        (
            "label_replace(x)",
            "1:1 \"label_replace\" is not supported: there are rate, increase, histogram_quantile, vector, sum, avg, min, max, "
                + "count, group, topk, bottomk"
        ),
        ("x{a}", "1:4 unexpected \"}\": expected =, !=, =~ or !~"),
        ("x{a=b}", "1:5 unexpected \"b\": expected a text in quotes"),
        ("x{a=\"b\" c=\"d\"}", "1:9 unexpected \"c\": expected , or }"),
        ("{a=\"\"}", "1:1 the selector finds every series there is: name a metric or the value of a label"),
        ("{a=~\".*\"}", "1:1 the selector finds every series there is: name a metric or the value of a label"),
        ("x{__name__=\"y\"}", "1:1 the metric is named twice, x and y: name it once"),
        ("x{a=~\"(\"}", "1:6 \"(\" is no regular expression: this ( has no )"),
        ("1 < 2", "1:3 a comparison of two numbers takes bool, as in 1 < bool 2"),
        ("x + bool y", "1:5 bool goes with comparisons, not with +"),
        ("x and 1", "1:3 and takes two instant vectors: write a number n as vector(n)"),
        ("x + on (a) 1", "1:3 on and ignoring go between two instant vectors"),
        (
            "x / on (a) group_left y",
            "1:12 group_left is not supported: each sample finds one; aggregate a side with sum by (…)"
        ),
        ("x + 'a'", "1:3 + takes numbers and instant vectors, not a text"),
        ("x[5m:1m]", "1:5 subqueries are not supported: ask query_range for the moments you want"),
        ("x @ 5", "1:3 @ is not supported: ask for the time that you want"),
        ("x offset -5m", "1:10 a negative duration is not supported"),
        ("x[0s]", "1:2 a range takes more than nothing"),
        ("x[5]", "1:3 unexpected \"5\": expected a duration such as 5m"),
        ("sum(x)[5m]", "1:7 a range goes behind a selector, as in traces_spanmetrics_calls_total[5m]"),
        ("x\n  + 5q", "2:5 \"5q\" is no number and no duration, as 1.5, 1e-3 and 1h30m are"),
        ("x % 2", "1:3 unexpected \"%\": expected an operator or the end"),
        ("'a", "1:1 this string has no end"), ("\"a\nb\"", "1:1 this string has no end on its line"),
        ("'\\q'", "1:2 this escape is unknown; a backslash is written as \\\\"),
        ("x ; y", "1:3 \";\" has no meaning here"),
        ("5m30h", "1:1 \"5m30h\" is no number and no duration, as 1.5, 1e-3 and 1h30m are"),
        (String(repeating: "(", count: 100), "1:65 the query nests more than 64 deep, which is the limit: split it"),
        (String(repeating: "-", count: 100), "1:65 the query nests more than 64 deep, which is the limit: split it"),
        (
            Array(repeating: "1", count: 300).joined(separator: "+"),
            "1:514 the query has more than 256 operators, which is the limit: split it"
        ),
        (
            String(repeating: " ", count: 20_000),
            "1:1 the query has 20000 bytes; the limit is 16384: shorten it"
        ),
    ]

    @Test(arguments: failures)
    func `what is no query is refused with its place`(query: String, text: String) {
        do throws(PromQL.Failure) {
            let expression = try PromQL.parse(query)
            Issue.record("\(query) is read as \(expression)")
        } catch {
            #expect("\(error.line):\(error.column) \(error.message)".hasPrefix(text), "\(error.message)")
        }
    }

    @Test func `any bytes are read or refused`() {
        var seed = SeededRandom(seed: 7)
        let pieces = [
            "x", "sum", "rate", "by", "(", ")", "[5m]", "{", "}", "=~", "\"a\"", "'", "\\", "1e", "+", "or", "on",
            "offset", "5m", ",", "-", "#", "\n",
        ]
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 1...12, using: &seed)).map { _ in pieces.randomElement(using: &seed) ?? "" }
                .joined()
            _ = try? PromQL.parse(text)
        }
    }
}
