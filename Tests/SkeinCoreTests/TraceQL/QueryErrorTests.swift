// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL
import Testing

@Suite struct QueryErrorTests {
    /// A query, column and length of what is wrong, a part of the message, the suggestion.
    static let table: [(String, Int, Int, String, String?)] = [
        // Slips
        ("durration > 500ms", 1, 9, "unknown name durration", "duration"),
        ("Duration > 5s", 1, 8, "unknown name", "duration"),
        ("statsu = error", 1, 6, "unknown name", "status"),
        ("{ durration > 500ms }", 3, 9, "unknown name durration", "duration"),
        ("{ foo = 1 }", 3, 3, "unknown name foo", ".foo"),
        ("{ service = \"x\" }", 3, 7, "another name", "resource.service.name"),
        ("{ .a = 1 and .b = 2 }", 10, 3, "joined by signs", "&&"),
        ("a == 1", 3, 2, "== is no operator", "="),
        ("a <> 1", 3, 2, "<> is no operator", "!="),
        ("a = 1 & b = 2", 7, 1, "& is no operator", "&&"),
        ("a = 'x y'", 5, 5, "double quotes", "\"x y\""),
        ("a = 'it\"s", 5, 5, "double quotes", "\"it\\\"s\""),
        ("service:checkout", 17, 0, "a comparison is expected", "service = \"checkout\""),
        ("name like \"x\"", 6, 4, "patterns", "=~"),
        ("name is \"x\"", 6, 2, "compared with =", "="),
        ("duration > 500", 12, 3, "needs a unit", "500ms"),
        ("duration > \"500ms\"", 12, 7, "without quotes", "500ms"),
        ("duration > 500 ms", 16, 2, "joined", nil),
        ("duration > 500mz", 12, 5, "neither a number nor a duration", "500ms"),
        ("duration > 500MS", 12, 5, "neither a number nor a duration", "500ms"),
        ("duration > 1.5seconds and error = true", 12, 10, "neither a number nor a duration", "1.5s"),
        ("duration > 1m30sec", 12, 7, "neither a number nor a duration", "1m30s"),
        ("{ span:duration > 5min }", 19, 4, "neither a number nor a duration", "5m"),
        ("duration > 5x", 12, 2, "neither a number nor a duration", nil),
        ("a = 500mz", 5, 5, "neither a number nor a duration", "\"500mz\""),
        ("name = 5", 8, 1, "double quotes", "\"5\""),
        ("service = nil", 11, 3, "never missing, only empty", "\"\""),
        ("version = 1.2.3", 11, 5, "neither a number nor a duration", "\"1.2.3\""),
        ("status = eror", 10, 4, "error, ok or unset", "error"),
        ("status = 500", 10, 3, "error, ok or unset", nil),
        ("kind = sever", 8, 5, "server", "server"),
        ("span:durtion > 1s", 1, 12, "unknown name", "span:duration"),
        // Types
        ("duration > \"x\"", 12, 3, "is a duration", nil),
        ("duration = fast", 12, 4, "is a duration", nil),
        ("duration =~ \"5.*\"", 13, 5, "no text", nil),
        ("status > error", 1, 14, "= and != only", nil),
        ("status =~ \"err.*\"", 11, 7, "no text", nil),
        ("{ status = \"error\" }", 12, 7, "error, ok or unset", "error"),
        ("kind < server", 1, 13, "= and != only", nil),
        ("a > true", 1, 8, "= and != only", nil),
        ("a > nil", 5, 3, "= and != only", nil),
        ("duration = nil", 12, 3, "never missing", nil),
        ("error = 3", 9, 1, "write .error", nil),
        ("error = \"x\"", 9, 3, "write .error", nil),
        ("name =~ 5", 9, 1, "double quotes", "\"5\""),
        ("\"a.*\" =~ name", 1, 5, "on the right", nil),
        ("1 = \"a\"", 1, 7, "do not compare", nil),
        ("a = 1 / 0", 5, 5, "no finite result", nil),
        ("a = \"x\" + \"y\"", 5, 9, "for numbers", nil),
        // Shape
        ("a", 2, 0, "a comparison is expected after a", nil),
        ("checkout service", 10, 7, "a comparison is expected after checkout", nil),
        ("a = 1 b = 2", 7, 1, "joined by and or or", nil),
        ("a =", 4, 0, "a name or a value is expected", nil),
        ("a = 1 and", 10, 0, "a name or a value is expected", nil),
        ("and a = 1", 1, 3, "a name or a value is expected", nil),
        ("(a = 1", 1, 1, "has no )", nil),
        ("a = 1)", 6, 1, "no ( before", nil),
        ("{ .a = 1", 1, 1, "has no }", nil),
        ("a = 1}", 6, 1, "no { before", nil),
        ("5", 1, 1, "no condition", nil),
        ("a = \"x", 5, 2, "no closing quote", nil),
        ("a = \"x\\q\"", 7, 2, "unknown escape", "\\\\q"),
        ("span. = 1", 1, 5, "must follow the full stop", nil),
        ("span.\"a = 1", 6, 6, "no closing quote", nil),
        ("a = 1 /* x", 7, 4, "no end", nil),
        ("a = 99999999999999999999", 5, 20, "larger than 9223372036854775807", nil),
        ("a = 0x10", 5, 4, "neither a number", "\"0x10\""),
        ("a = 1_000", 5, 5, "neither a number", "\"1_000\""),
        ("a = +1", 5, 1, "takes no +", nil),
        ("duration > 999y", 12, 4, "292 years", nil),
        ("a = #", 5, 1, "unexpected character #", nil),
        ("a, b", 2, 1, "no comma", nil),
        ("{ .a = 1 } x", 12, 1, "nothing may follow", nil),
        ("é = 1 and\n  b == 2", 5, 2, "== is no operator", "="),
        // Patterns
        ("name =~ \"a(b\"", 11, 1, "in the pattern: this ( has no )", nil),
        ("name =~ \"\\\\d(\"", 13, 1, "has no )", nil),
        ("name =~ `[z-a]`", 11, 1, "wrong order", nil),
        ("name =~ a{3}", 10, 1, "one { … }, or none", nil),
        // What is more than a condition
        ("{ .a = 1 } | count() > 2", 12, 1, "pipelines after |", nil),
        ("{ .a = 1 } >> { .b = 2 }", 12, 2, "structural operators such as >>", nil),
        ("{ .a = 1 } > { .b = 2 }", 12, 1, "structural operators such as >", nil),
        ("{ .a = 1 } !~ { }", 12, 2, "structural operators such as !~", nil),
        ("{ .a = 1 } && { .b = 2 }", 12, 2, "several { … }", nil),
        ("a = 1 | rate()", 7, 1, "pipelines after |", nil),
        ("count() > 2", 1, 5, "functions such as count()", nil),
        ("{ } with (most_recent=true)", 5, 4, "hints after with", nil),
        ("a = 1 with(x=1)", 7, 4, "hints after with", nil),
        ("traceDuration > 1s", 1, 18, "more than the span itself", nil),
        ("{ .a = 1 && event:timeSinceStart > 1s }", 13, 25, "more than the span itself", nil),
        ("{ parent.a = 1 }", 3, 12, "more than the span itself", nil),
        (".a = .b", 1, 7, "more than the span itself", nil),
        (".a + 1 = 2", 1, 10, "more than the span itself", nil),
        ("duration / 2 > 1s", 1, 17, "more than the span itself", nil),
        ("{ event.a = 1 && event.b = 2 }", 3, 26, "more than the span itself", nil),
        ("not event:name = x", 1, 18, "more than the span itself", nil),
    ]

    @Test(arguments: table)
    func `a defect is named with its place and its remedy`(row: (String, Int, Int, String, String?)) {
        do throws(QueryError) {
            _ = try TraceQL.plan(row.0)
            Issue.record("\(row.0) was accepted")
        } catch {
            #expect(error.range.column == row.1, "\(error)")
            #expect(error.range.length == row.2, "\(error)")
            #expect(error.message.contains(row.3), "\(error)")
            #expect(error.suggestion == row.4, "\(error)")
        }
    }

    @Test func `places count bytes for machines and characters for people`() {
        do throws(QueryError) {
            _ = try TraceQL.plan("é = 1 and\n  ü == 2")
        } catch {
            #expect(error.range.offset == 16)
            #expect(error.range.line == 2)
            #expect(error.range.column == 5)
            #expect(error.found == "==")
            #expect(error.expected == ["="])
        }
    }

    @Test func `length, depth and the number of operators are bounded`() {
        let long = "a = \"" + String(repeating: "x", count: TraceQL.Limits.queryBytesMax) + "\""
        let deep = String(repeating: "(", count: 65) + "a = 1" + String(repeating: ")", count: 65)
        let wide = Array(repeating: "a = 1", count: 300).joined(separator: " or ")
        for (query, part) in [
            (long, "16384 are accepted"), (deep, "deeper than 64"), (wide, "more than 512 operators"),
            (String(repeating: "!", count: 5000) + "a = 1", "deeper than 64"),
            ("a = " + String(repeating: "-", count: 5000) + "1", "deeper than 64"),
            ("a = 1" + String(repeating: "^1", count: 500), "deeper than 64"),
        ] {
            do throws(QueryError) {
                _ = try TraceQL.plan(query)
                Issue.record("accepted: \(query.prefix(20))…")
            } catch {
                #expect(error.message.contains(part), "\(error)")
            }
        }
        #expect(throws: Never.self) {
            _ = try TraceQL.plan(String(repeating: "(", count: 64) + "a = 1" + String(repeating: ")", count: 64))
            _ = try TraceQL.plan(Array(repeating: "a = 1", count: 256).joined(separator: " or "))
        }
    }

    @Test func `garbage of every kind is refused and never a trap`() {
        var random = SeededText(seed: 7)
        for _ in 0..<20_000 {
            let text = random.next()
            guard let predicate = try? TraceQL.plan(text) else { continue }
            #expect((try? TraceQL.plan(TraceQL.text(of: predicate))) == predicate, "\(text)")
        }
    }

    /// Texts made of pieces of queries, so that they come close to being some.
    private struct SeededText {
        var state: UInt64
        init(seed: UInt64) { state = seed }

        static let pieces = [
            "a", "duration", "status", "error", "kind", "server", "service", "name", "nil", "true", "and", "or", "not",
            "=", "!=", "<", ">=", "=~", "!~", "&&", "||", "!", "(", ")", "{", "}", "1", "-1", "2.5", "500ms", "1h2m",
            "\"x\"", "\"a.*\"", "`b`", "'c'", ".x", "span.y", "resource.\"z w\"", "event:name", "trace:id", "|", ">>",
            "+", "*", "/", "%", "^", ",", " ", "\n", "\"", "\\", "é", "😀", "\u{0}", "//", "/*", "*/", "9999999999999",
        ]

        mutating func below(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(count))
        }

        mutating func next() -> String {
            (0..<(1 + below(9))).map { _ in Self.pieces[below(Self.pieces.count)] }
                .joined(separator: below(2) == 0 ? " " : "")
        }
    }
}
