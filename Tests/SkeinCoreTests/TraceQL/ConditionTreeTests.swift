// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL
import Testing

@Suite struct ConditionTreeTests {
    /// What stands in braces, and its tree, in both dialects.
    static let table: [(String, String)] = [
        // Scopes and intrinsics
        (".a = 1", "(= .a 1)"), ("span.a = 1", "(= span.a 1)"), ("resource.a = 1", "(= resource.a 1)"),
        ("event.a = 1", "(= event.a 1)"), ("link.a = 1", "(= link.a 1)"),
        ("instrumentation.a = 1", "(= instrumentation.a 1)"), ("duration > 1s", "(> span:duration 1000000000ns)"),
        ("name = \"x\"", "(= span:name \"x\")"), ("status = ok", "(= span:status ok)"),
        ("statusMessage = \"x\"", "(= span:statusMessage \"x\")"), ("kind != internal", "(!= span:kind internal)"),
        ("rootName = \"x\"", "(= trace:rootName \"x\")"), ("rootServiceName = \"\"", "(= trace:rootService \"\")"),
        ("traceDuration > 1m", "(> trace:duration 60000000000ns)"), ("nestedSetLeft > 1", "(> nestedSetLeft 1)"),
        ("nestedSetRight = 2", "(= nestedSetRight 2)"), ("nestedSetParent<0", "(< nestedSetParent 0)"),
        ("trace:duration > 1", "(> trace:duration 1)"), ("trace:rootName =~ \"a.*\"", "(=~ trace:rootName \"a.*\")"),
        ("trace:rootService != \"x\"", "(!= trace:rootService \"x\")"),
        ("trace:id = \"0123456789ABCDEF0123456789abcdef\"", "(= trace:id \"0123456789abcdef0123456789abcdef\")"),
        ("trace:id > \"AB\"", "(> trace:id \"ab\")"), ("span:duration = 5", "(= span:duration 5)"),
        ("span:name = \"x\"", "(= span:name \"x\")"), ("span:kind = server", "(= span:kind server)"),
        ("span:status != unset", "(!= span:status unset)"),
        ("span:statusMessage =~ `x`", "(=~ span:statusMessage \"x\")"),
        ("span:id =~ \"ab.*\"", "(=~ span:id \"ab.*\")"), ("span:parentID = \"\"", "(= span:parentID \"\")"),
        ("span:childCount > 3", "(> span:childCount 3)"), ("event:name = \"e\"", "(= event:name \"e\")"),
        ("event:timeSinceStart > 1ms", "(> event:timeSinceStart 1000000ns)"),
        ("link:traceID = \"AB\"", "(= link:traceID \"000000000000000000000000000000ab\")"),
        ("link:spanID = \"AB\"", "(= link:spanID \"ab\")"),
        ("instrumentation:name = \"x\"", "(= instrumentation:name \"x\")"),
        ("instrumentation:version = \"1\"", "(= instrumentation:version \"1\")"),
        // Names run to white space or a delimiter
        (".a-b = 1", "(= .a-b 1)"), (".a/b=1", "(= .a/b 1)"), (".a:b = 1", "(= .a:b 1)"), (".a@b = 1", "(= .a@b 1)"),
        (".a[0] = 1", "(= .a[0] 1)"), ("..a = 1", "(= ..a 1)"), ("span.\"\" = 1", "(= span. 1)"),
        ("span.'a' = 1", "(= span.'a' 1)"), (".\"x y\" = 1", "(= .x y 1)"),
        ("span.\"a\\\"\\\\\".b = 1", "(= span.a\"\\.b 1)"),
        (".a.\"b{c\".d = 1", "(= .a.b{c.d 1)"), (".a*2 = 1", "(= .a*2 1)"), (".name = 1", "(= .name 1)"),
        (".ünder = 1", "(= .ünder 1)"),
        (
            "resource.service.name=\"x\"&&name=\"y\"",
            "(&& (= resource.service.name \"x\") (= span:name \"y\"))"
        ),
        // Literals
        (".a = \"x\"", "(= .a \"x\")"), (".a = `x\\d`", "(= .a \"x\\d\")"), (".a = -1", "(= .a -1)"),
        (".a = 1e3", "(= .a 1000.0)"), (".a = .5", "(= .a 0.5)"), (".a = 5.", "(= .a 5.0)"),
        (".a = 9223372036854775807", "(= .a 9223372036854775807)"), (".a = minInt", "(= .a -9223372036854775808)"),
        (".a = maxInt", "(= .a 9223372036854775807)"), (".a = 1h2m3.5s", "(= .a 3723500000000ns)"),
        (".a = 1d", "(= .a 86400000000000ns)"), (".a = 1w", "(= .a 604800000000000ns)"),
        (".a = 1y", "(= .a 31536000000000000ns)"), (".a = 2µs", "(= .a 2000ns)"), (".a = 2us", "(= .a 2000ns)"),
        (".a = true", "(= .a true)"), (".a = nil", "(= .a nil)"), (".a != nil", "(!= .a nil)"),
        (".a = error", "(= .a error)"), (".a = server", "(= .a server)"),
        (
            ".a = \"\\x41\\u00e9\\U0001F600\\101\\a\\b\\f\\n\\r\\t\\v\"",
            "(= .a \"Aé😀A\u{7}\u{8}\u{c}\n\r\t\u{b}\")"
        ),
        // Folded
        (".a = 1 + 2 * 3", "(= .a 7)"), (".a = -2 ^ 2", "(= .a -4)"), (".a = 2 ^ 3 ^ 2", "(= .a 512)"),
        (".a = 7 / 2", "(= .a 3)"), (".a = -7 % 4", "(= .a -3)"), (".a = 1.0 / 0", "(= .a inf)"),
        (".a = 2 ^ 0.5", "(= .a 1.4142135623730951)"), (".a = maxInt + 1", "(= .a -9223372036854775808)"),
        ("duration > 2 * 500ms", "(> span:duration 1000000000ns)"), (".a = (1 + 2)", "(= .a 3)"),
        ("1 = 1", "true"), ("1 > 2", "false"), ("nil = nil", "false"), ("nil != nil", "false"), ("!true", "false"),
        ("true", "true"), ("true && .a", "(&& true (= .a true))"), (".a || true", "(|| (= .a true) true)"),
        ("\"a\" < \"b\"", "true"), ("1s = 1000000000", "true"), ("ok = ok", "true"),
        // Turned round
        ("1 < .a", "(> .a 1)"), ("1 >= .a", "(<= .a 1)"), ("\"x\" = name", "(= span:name \"x\")"),
        ("nil = .a", "(= .a nil)"), ("error = status", "(= span:status error)"), ("1 + 1 != .a", "(!= .a 2)"),
        ("5 < .a + 1", "(> (+ .a 1) 5)"),
        // Conditions
        (".a", "(= .a true)"), ("!.a", "(= .a false)"), ("!(.a)", "(= .a false)"), ("!!.a", "(= (! .a) false)"),
        ("!.a = 1", "(= (! .a) 1)"), ("!(.a = 1)", "(! (= .a 1))"), (".a = 1 = true", "(= .a 1)"),
        (".a = 1 = false", "(! (= .a 1))"), (".a = 1 != true", "(! (= .a 1))"), ("true = (.a = 1)", "(= .a 1)"),
        ("(.a = 1) = (.b = 2)", "(= (= .a 1) (= .b 2))"), ("(.a = 1) = .b", "(= (= .a 1) .b)"),
        (".a && .b || .c", "(|| (&& (= .a true) (= .b true)) (= .c true))"),
        (".a || .b && .c", "(&& (|| (= .a true) (= .b true)) (= .c true))"),
        (".a || (.b && .c)", "(|| (= .a true) (&& (= .b true) (= .c true)))"), (".a + .b", "(= (+ .a .b) true)"),
        ("((((.a = 1))))", "(= .a 1)"), ("!(.a && .b)", "(! (&& (= .a true) (= .b true)))"),
        // Existence
        (".service.name = nil", "(= .service.name nil)"), ("resource.service.name != nil", "true"),
        ("name != nil", "true"), ("duration != nil", "true"), ("rootName != nil", "true"), ("kind != nil", "true"),
        ("event:name != nil", "(!= event:name nil)"), ("event.a = nil", "(= event.a nil)"),
        ("link:traceID != nil", "(!= link:traceID nil)"), (".a + 1 = nil", "(= (+ .a 1) nil)"),
        // Fields with fields
        (".a = .b", "(= .a .b)"), ("duration > traceDuration / 2", "(> span:duration (/ trace:duration 2))"),
        (".a + .b * 2 > 3", "(> (+ .a (* .b 2)) 3)"), ("-.a < 1", "(< (- .a) 1)"),
        (
            "duration/2 > 1s",
            "(> (/ span:duration 2) 1000000000ns)"
        ), ("2*.a = 4", "(= (* 2 .a) 4)"), (".a ^ 2 ^ .b = 1", "(= (^ .a (^ 2 .b)) 1)"),
        ("name = rootName", "(= span:name trace:rootName)"), ("span:id != span:parentID", "(!= span:id span:parentID)"),
        ("nestedSetLeft = nestedSetRight - 1", "(= nestedSetLeft (- nestedSetRight 1))"),
        (".a % 2 = 0", "(= (% .a 2) 0)"), (".a - -1 = 0", "(= (- .a -1) 0)"),
        // Blanks
        ("/* a */ .a // b\n = 1", "(= .a 1)"), (".a=1&&.b=2", "(&& (= .a 1) (= .b 2))"), (".a=-1", "(= .a -1)"),
        (".a<-1||.b>=.5", "(|| (< .a -1) (>= .b 0.5))"), (".a=\"x\"&&.b", "(&& (= .a \"x\") (= .b true))"),
        ("\t.a\n=\r\n1\t", "(= .a 1)"),
    ]

    @Test(arguments: table)
    func `a condition in braces has one tree in both dialects`(row: (String, String)) throws {
        for dialect in [TraceQL.Dialect.tempo, .skein] {
            #expect(TreeText.of(try TraceQL.parse("{\(row.0)\n}", dialect)) == "{\(row.1)}")
        }
    }
}
