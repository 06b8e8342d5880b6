// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import Testing

/// What the tools say of a small shop.
struct MCPToolTests {
    static let id = "0af7651916cd43dd8448eb211c80319c"
    private static let headline = """
        Trace \(id): web · GET /checkout, started 2026-11-22T09:50:00.000Z, took 9ms, 3 spans, 1 error.
        Spans by service: web 1, checkout 1, payment 1 (1 error).

        """

    @Test(
        arguments: [
            (
                "list_services", "",
                """
                Figures from 2026-11-22T09:00:00.000Z up to 2026-11-22T10:00:00.000Z, in whole minutes.
                | service | spans | errors | p50 | p95 |
                |---|---|---|---|---|
                | checkout | 1 | 0 | 6.75ms | 6.75ms |
                | payment | 1 | 1 | 3.09ms | 3.09ms |
                | web | 1 | 0 | 8.76ms | 8.76ms |
                """
            ),
            (
                "list_operations", #""service":"web","since":"6h""#,
                """
                Figures from 2026-11-22T04:00:00.000Z on, in whole minutes.
                | operation | kind | spans | errors | p50 | p95 |
                |---|---|---|---|---|---|
                | GET /checkout | server | 1 | 0 | 8.76ms | 8.76ms |
                """
            ),
            (
                "list_attributes", #""prefix":"http""#,
                """
                | attribute | types | share of spans |
                |---|---|---|
                | span.http.status_code | int | 33.3% |
                """
            ),
            (
                "attribute_values", #""key":"user.id""#,
                """
                | value | spans |
                |---|---|
                | abc123 | 1 |
                """
            ),
            (
                "search_traces", #""query":"error = true","limit":"5""#,
                """
                | trace id | start | duration | spans | matching | errors | root |
                |---|---|---|---|---|---|---|
                | \(id) | 2026-11-22T09:50:00.000Z | 9ms | 3 | 1 | 1 | web · GET /checkout |
                """
            ),
            (
                "search_traces", #""query":"{ .user.di = 1 }""#,
                """
                No traces of all time satisfy the query.
                No stored span carries user.di; did you mean user.id?
                """
            ),
        ]
    )
    func `lists say what there is`(tool: String, arguments: String, text: String) async throws {
        #expect(try await MCPClient(Shop.order).call(tool, arguments) == text)
    }

    @Test func `a trace is a waterfall with what failed first`() async throws {
        let text = try await MCPClient(Shop.order, version: "2026-07-28").call(
            "get_trace",
            #""trace_id":"\#(Self.id)""#
        )
        #expect(
            text == Self.headline + """

                Failing spans, those first below which nothing failed:
                - payment · charge [0000000000000003] +2ms: card declined; CardError; http.status_code=500

                +0s web · GET /checkout 9ms (self 2ms) [0000000000000001]
                  +1ms checkout · place order 7ms (self 4ms) [0000000000000002]
                    +2ms payment · charge 3ms ERROR [0000000000000003]
                """
        )
    }

    @Test func `a part of a trace is what is below a span, or satisfies a query`() async throws {
        let client = try await MCPClient(Shop.order)
        let below = try await client.call("get_trace", #""trace_id":"\#(Self.id)","span_id":"2","max_depth":0"#)
        #expect(
            below == Self.headline + """

                +1ms checkout · place order 7ms (self 4ms) [0000000000000002] (+1 below)
                Shown are 1 of 2 spans, failing and long ones first. For more, repeat the call with span_id of a line that says \
                (+n below), or with query, such as { duration > 10ms }.
                """
        )
        let long = try await client.call("get_trace", #""trace_id":"\#(Self.id)","query":"{ name = \"place order\" }""#)
        #expect(
            long == Self.headline + """

                +0s web · GET /checkout 9ms (self 2ms) [0000000000000001]
                  +1ms checkout · place order 7ms (self 4ms) [0000000000000002] (+1 below)
                """
        )
    }

    @Test func `siblings that do the same are one line`() async throws {
        var spans = [Shop.span(1, lasting: 100_000_000)]
        for number in UInt64(2)...13 {
            spans.append(
                Shop.span(number, parent: 1, service: "db", name: "SELECT", at: number, lasting: number * 1000)
            )
        }
        let text = try await MCPClient(spans).call("get_trace", #""trace_id":"\#(Self.id)""#)
        #expect(text.hasSuffix("  +13ns db · SELECT 13µs [000000000000000d] ×12, 90µs in all"))
    }

    @Test func `what a query wants is found below each of many alike`() async throws {
        var spans = [Shop.span(1, lasting: 100_000_000)]
        for number in UInt64(2)...5 {
            spans.append(
                Shop.span(number, parent: 1, service: "cart", name: "item", at: number, lasting: number * 1000)
            )
            spans.append(
                Shop.span(number + 10, parent: number, service: "db", name: "SELECT", at: number, lasting: 100)
            )
        }
        let arguments = #""trace_id":"\#(Self.id)","query":"{ name = \"SELECT\" }""#
        let text = try await MCPClient(spans).call("get_trace", arguments)
        #expect(text.split(separator: "\n").count { $0.contains("SELECT") } == 4)
        #expect(!text.contains("Shown are"))
    }

    @Test func `a span says all it has`() async throws {
        let text = try await MCPClient(Shop.order).call("get_span", #""trace_id":"\#(Self.id)","span_id":"3""#)
        #expect(
            text == """
                Span 0000000000000003 of trace \(Self.id): payment · charge
                kind server, parent 0000000000000002
                start 2026-11-22T09:50:00.002Z, duration 3ms
                status error: card declined
                attributes:
                  user.id = abc123
                  http.status_code = 500
                event exception at +1ms:
                  exception.type = CardError
                resource:
                  service.name = payment
                """
        )
    }

    @Test func `a critical path says who is waited for`() async throws {
        let text = try await MCPClient(Shop.order).call("critical_path", #""trace_id":"\#(Self.id)""#)
        #expect(text.contains("| checkout · place order | 4ms | 44.4% |\n| payment · charge | 3ms | 33.3% |"))
        #expect(
            text.hasSuffix(
                "+5ms checkout · place order 3ms [0000000000000002]\n+8ms web · GET /checkout 1ms [0000000000000001]"
            )
        )
    }

    @Test func `a comparison says what one trace does more`() async throws {
        var slow = Shop.order
        for row in slow.indices { slow[row].traceID = TraceID(high: 1, low: 2) }
        slow[2].durationNanos = 5_000_000
        let client = try await MCPClient(Shop.order + slow)
        let text = try await client.call("compare_traces", #""a":"\#(Self.id)","b":"10000000000000002""#)
        #expect(
            text.hasSuffix(
                "| checkout · place order → payment · charge | changed | 1 → 1 | 1 → 1 | 3ms → 5ms | 3ms → 5ms |"
            ),
            "\(text)"
        )
    }

    @Test func `errors are grouped by type and message`() async throws {
        let text = try await MCPClient(Shop.order).call("find_errors", #""service":"payment""#)
        #expect(
            text.hasSuffix(
                """
                - CardError: (no message) — 1 (origins 1) in 1 trace; services payment; operations charge; \
                last 2026-11-22T09:50:00.003Z; traces \(Self.id)
                """
            ),
            "\(text)"
        )
        let none = try await MCPClient(Shop.order).call("find_errors", #""service":"web""#)
        #expect(none.hasPrefix("No errors from 2026-11-22T09:00:00.000Z"))
    }

    @Test func `calls that are made again and again are found`() async throws {
        var spans = [Shop.span(1, name: "GET /cart", lasting: 20_000_000)]
        for number in UInt64(2)...13 {
            let at = number * 1_000_000
            spans.append(Shop.span(number, parent: 1, name: "SELECT", kind: .client, at: at, lasting: 900_000))
        }
        let text = try await MCPClient(spans).call("find_problems")
        #expect(
            text.contains("- web · GET /cart calls web · SELECT up to 12 times, 54% of its time, in 1 trace"),
            "\(text)"
        )
        #expect(try await MCPClient().call("find_problems").hasSuffix("No problems were found."))
    }

    @Test func `figures say who calls whom, and how often over time`() async throws {
        let client = try await MCPClient(Shop.order)
        #expect(
            try await client.call("service_graph", #""service":"web""#) == """
                Calls from 2026-11-22T09:00:00.000Z up to 2026-11-22T10:00:00.000Z, in whole minutes.
                | from | to | type | calls | errors | p50 | p95 |
                |---|---|---|---|---|---|---|
                | web | checkout | direct | 1 | 0 | 6.75ms | 6.75ms |
                """
        )
        let query = #""query":"{ status = error } | count_over_time() by(resource.service.name)","step":"15m""#
        #expect(
            try await client.call("metrics", query) == """
                1 series, 5 values each, every 15m: at 2026-11-22T09:00:00.000Z … 2026-11-22T10:00:00.000Z, each for the time \
                before it.
                | series | min | mean | max | values (- is none) |
                |---|---|---|---|---|
                | resource.service.name=payment | 0 | 0.2 | 1 | 0 0 0 0 1 |
                """
        )
    }

    @Test func `slow spans are told from the others`() async throws {
        let spans = (UInt64(1)...100).flatMap { number -> [SkeinModel.Span] in
            let trace = TraceID(high: 9, low: number)
            let nanos: UInt64 = number > 96 ? 90_000_000 : 9_000_000
            var root = Shop.span(1, trace: trace, name: "GET /cart", at: number * 1000, lasting: nanos)
            root.attributes = [Attribute("region", number > 96 ? "eu" : "us")]
            let query = Shop.span(
                2,
                parent: 1,
                trace: trace,
                service: "db",
                name: "SELECT",
                at: number * 1000,
                lasting: nanos - 5_000_000
            )
            return [root, query]
        }
        let client = try await MCPClient(spans)
        for arguments in [
            #""service":"web","operation":"GET /cart""#, #""query":"{ name = \"GET /cart\" }","slower_than":"50ms""#,
            #""query":"service = web and name = \"GET /cart\"""#,
        ] {
            let text = try await client.call("explain_slow", arguments)
            #expect(text.contains(": 4 spans, against 96 others"), "\(text)")
            #expect(text.contains("| span.region | eu | 100% | 0% |"))
            #expect(text.contains("| db · SELECT | 85ms | 4ms |"))
            #expect(text.contains("Slow traces: 00000000000000090000000000000064, "))
        }
    }
}
