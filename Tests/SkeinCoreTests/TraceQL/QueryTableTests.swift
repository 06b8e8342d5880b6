// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL
import Testing

@Suite struct QueryTableTests {
    /// A query, and the text of the condition it states. What is alike on both sides is left out on the right.
    static let plans: [(String, String?)] = [
        // Everything
        ("", nil), ("  \n", ""), ("{}", ""), ("{ }", ""), ("/* all */ {} // of them", ""), ("{ true }", ""),
        ("({ .a = 1 })", "a = 1"), ("{ false }", "not true"), ("{ 1 = 1 }", ""), ("{ 2 * 3 > 7 }", "not true"),
        ("{ nil = nil }", "not true"),
        // What the first page of the manual says
        ("duration > 500ms", nil), ("error = true", "status = error"), ("user.id = \"abc123\"", nil),
        ("service = \"order-service\"", nil), ("{ duration > 500ms }", "duration > 500ms"),
        ("service = \"a\" AND duration > 1s", "service = \"a\" and duration > 1s"),
        // The bare form's own names
        ("operation = \"GET /\"", "name = \"GET /\""), ("error = false", "not status = error"),
        ("error != true", "not status = error"), ("error", "status = error"), ("not error", "not status = error"),
        ("true = error", "status = error"), ("true = true", ""), ("nil = true or a = 1", "a = 1"),
        ("service = checkout", "service = \"checkout\""), ("name = status", "name = \"status\""),
        ("service != checkout", "service != \"checkout\""), ("user.id = abc-123", "user.id = \"abc-123\""),
        ("cache.hit = true", nil), ("cache.hit = TRUE", "cache.hit = true"), ("status = ERROR", "status = error"),
        ("status = \"ok\"", "status = ok"), ("kind = server", nil), ("kind != Client", "kind != client"),
        ("\"a\" = service", "service = \"a\""), ("500ms < duration", "duration > 500ms"),
        ("error = status", "status = error"), ("server = kind", "kind = server"), ("5 <= .a", "a >= 5"),
        ("name =~ GET.*", "name =~ \"GET.*\""),
        // Scopes and quoted names
        ("span.http.status_code = 500", nil), ("resource.host.name = \"h\"", nil),
        ("resource.service.name = \"x\"", "service = \"x\""), ("event.exception.type = \"E\"", nil),
        ("link.kind = \"producer\"", nil), ("instrumentation.lang = \"go\"", nil), (".user.id = 1", "user.id = 1"),
        (".service = \"x\"", nil), (".error = \"x\"", nil), (".duration = 5", nil), (".span.x = 1", nil),
        ("span.\"a b\" = 1", nil), (".\"x\"=1", "x = 1"), ("span.\"a\\\"b\\\\\" = 1", nil),
        (".a-b/c:d@e[0] = 1", "a-b/c:d@e[0] = 1"), ("user-agent = \"x\"", nil), ("..a = 1", nil),
        ("span.'a' = 1", nil), ("span.\"\" = 1", nil), ("größe > 2", nil),
        ("trace:id = \"ABCdef\"", "trace:id = \"00000000000000000000000000abcdef\""), ("span:id = \"ff\"", nil),
        ("span:parentID = \"\"", nil),
        ("instrumentation:name = \"otel\"", nil), ("span:duration > 1s", "duration > 1s"),
        ("statusMessage =~ \".*timeout.*\"", nil),
        ("event:name = \"exception\"", nil), ("event:name != nil", nil),
        ("{ event:name =~ \"ex.*\" }", "event:name =~ \"ex.*\""),
        // Existence
        ("user.id != nil", nil), ("user.id = nil", nil), ("nil != user.id", "user.id != nil"),
        ("{ .a = nil }", "a = nil"),
        ("not user.id = nil", "user.id != nil"), ("x = NIL", "x = nil"),
        // Joining
        ("a = 1 and b = 2 or c = 3", nil), ("a = 1 or b = 2 and c = 3", nil),
        ("(a = 1 or b = 2) and c = 3", nil), ("a=1&&b=2||c=3", "a = 1 and b = 2 or c = 3"),
        ("{ .a = 1 || .b = 2 && .c = 3 }", "(a = 1 or b = 2) and c = 3"), ("not (a = 1 and b = 2)", nil),
        ("not a = 1 and b = 2", nil), ("!a = 1", "not a = 1"), ("not not a = 1", "a = 1"),
        ("a = 1 and (b = 2 and (c = 3))", "a = 1 and b = 2 and c = 3"), ("a = 1 and a = 1", "a = 1"),
        ("a = 1 or true", ""), ("a = 1 and true", "a = 1"), ("a = 1 and false", "not true"), ("((a = 1))", "a = 1"),
        // TraceQL's own ways
        ("{ .a }", "a = true"), ("{ !.a }", "a = false"), ("{ .a = 1 = true }", "a = 1"),
        ("{ .a = 1 = false }", "not a = 1"), ("{ !(.a = 1) && .b = 2 }", "not a = 1 and b = 2"),
        ("{ duration > 500 }", "duration > 500ns"), ("{ kind = server }", "kind = server"),
        ("{ .a = error }", "not true"), ("{ resource.service.name = 5 }", "not true"),
        // Values
        ("a = -5", nil), ("a = -2 ^ 2", "a = -4"), ("a = 2 ^ 3 ^ 2", "a = 512"), ("a = 7 / 2", "a = 3"),
        ("a = -7 % 4", "a = -3"), ("a = 1 + 2 * 3", "a = 7"), ("a = 1.5", nil), ("a = .5", "a = 0.5"),
        ("a = 5.", "a = 5.0"), ("a = 1e3", "a = 1000.0"), ("a = 1.e2", "a = 100.0"), ("a = 2 ^ -1", "a = 0"),
        ("a = 9223372036854775807", nil), ("a = minInt", nil), ("a = 1ms", "a = 1000000"),
        ("duration > 2 * 500ms", "duration > 1s"), ("duration > 1.5 * 1s", "duration > 1500ms"),
        ("duration > 1h2m3.5s", "duration > 3723500ms"), ("duration > 1.5ms", "duration > 1500us"),
        ("duration < 1d", "duration < 24h"), ("duration < 1w", "duration < 168h"),
        ("duration < 1y", "duration < 8760h"),
        ("duration > 3µs", "duration > 3us"), ("duration > 3μs", "duration > 3us"), ("duration >= 0", "duration >= 0s"),
        ("duration != 12ns", nil), ("duration > -1s", nil),
        ("a = `x\\d\"`", "a = \"x\\\\d\\\"\""), ("a = \"\\x41\\u00e9\\101\\t\\\\\"", "a = \"AéA\\t\\\\\""),
        ("name =~ \"GET\"", "name = \"GET\""), ("name !~ \"a\\\\.b\"", "name != \"a.b\""),
        ("name !~ \"GET.*|POST.*\"", nil), ("/* c */ a = 1 // rest", "a = 1"),
    ]

    @Test(arguments: plans)
    func `a query plans to one condition, whose text plans to it again`(row: (String, String?)) throws {
        let predicate = try TraceQL.plan(row.0)
        let text = TraceQL.text(of: predicate)
        #expect(text == row.1 ?? row.0)
        #expect(try TraceQL.plan(text) == predicate)
    }

    @Test func `conditions are in the terms of the store`() throws {
        #expect(try TraceQL.plan("duration > 500ms") == .compare(.duration, .greater, .int(500_000_000)))
        #expect(try TraceQL.plan("error=true") == .compare(.status, .equal, .status(.error)))
        #expect(try TraceQL.plan("service = \"a\"") == .compare(.serviceName, .equal, .string("a")))
        #expect(try TraceQL.plan("user.id = \"a\"") == .compare(.attribute(.any, "user.id"), .equal, .string("a")))
        #expect(try TraceQL.plan("kind = client") == .compare(.kind, .equal, .kind(.client)))
        #expect(try TraceQL.plan("span.n >= 1.5") == .compare(.attribute(.span, "n"), .greaterOrEqual, .double(1.5)))
        #expect(
            try TraceQL.plan("name =~ \"a.*\" and not x != nil")
                == .and([
                    .compare(.name, .matches, .pattern(TextPattern("a.*"))), .not(.exists(.attribute(.any, "x"))),
                ])
        )
    }
}
