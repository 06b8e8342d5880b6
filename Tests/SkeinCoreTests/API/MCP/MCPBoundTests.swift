// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import Testing

/// Answers that would be too long, and arguments that are wrong. That none is too long, ``MCPClient/call(_:_:isError:)``
/// expects of every answer.
struct MCPBoundTests {
    @Test func `of a trace of 5,000 spans what failed and took long is shown`() async throws {
        var spans = [Shop.span(1, name: "GET /all", lasting: 900_000_000)]
        for number in UInt64(2)...5_000 {
            var span = Shop.span(
                number,
                parent: number / 7 + 1 == number ? 1 : number / 7 + 1,
                service: "service \(number % 13)",
                name: "operation \(number % 101)",
                at: number * 1000,
                lasting: 900_000_000 / number
            )
            if number == 4_888 { span.status = .init(.error, message: "broken") }
            spans.append(span)
        }
        let client = try await MCPClient(spans)
        let text = try await client.call("get_trace", #""trace_id":"\#(Shop.traceID)""#)
        #expect(text.contains("+4.88ms service 0 · operation 40 184µs ERROR [0000000000001318]"))
        #expect(text.contains("[0000000000000002]"))
        #expect(text.contains(" of 5000 spans, failing and long ones first. For more, repeat the call with span_id"))
        _ = try await client.call("critical_path", #""trace_id":"\#(Shop.traceID)""#)
    }

    @Test func `a deep trace and long texts are cut`() async throws {
        let long = String(repeating: "long\n", count: 200)
        let spans = (UInt64(1)...500).map { number in
            var span = Shop.span(
                number,
                parent: number - 1,
                service: long,
                name: long,
                at: number,
                lasting: 3_000 - number
            )
            if number == 7 { span.attributes = (0..<50).map { Attribute("key \($0)", .string(long)) } }
            if number % 2 == 0 { span.status = .init(.error, message: long) }
            return span
        }
        let client = try await MCPClient(spans)
        for tool in ["get_trace", "critical_path"] {
            let text = try await client.call(tool, #""trace_id":"\#(Shop.traceID)""#)
            #expect(text.contains("Shown are "))
        }
        let span = try await client.call("get_span", #""trace_id":"\#(Shop.traceID)","span_id":"7""#)
        #expect(span.contains(" of 50 attributes: "))
        for tool in ["list_services", "find_errors", "list_attributes", "search_traces"] {
            _ = try await client.call(tool)
        }
    }

    @Test func `pages of a search follow each other`() async throws {
        let spans = (UInt64(1)...60).map { Shop.span(1, trace: TraceID(high: 3, low: $0), at: $0 / 2 * 1000) }
        let client = try await MCPClient(spans)
        var seen: [Substring] = []
        var cursor = ""
        for _ in 0..<9 {
            let text = try await client.call("search_traces", #""limit":25,"order":"start asc"\#(cursor)"#)
            seen += text.split(separator: "\n").dropFirst(2).filter { $0.hasPrefix("|") }.map {
                $0.dropFirst(2).prefix(32)
            }
            guard let place = text.range(of: "cursor ") else { break }
            cursor = #","cursor":"\#(text[place.upperBound...].prefix(58))""#
        }
        #expect(seen.count == 60)
        #expect(Set(seen).count == 60)
    }

    @Test(
        arguments: [
            (
                "search_traces", #""query":"{ duratoin > 5ms }""#,
                """
                unknown name duratoin; an attribute's name begins with a full stop or a scope, such as .duratoin.
                At line 1, column 3 of query.
                Expected: duration, kind, name, nestedSetLeft, nestedSetParent, nestedSetRight, parent, rootName, \
                rootServiceName, status, statusMessage, traceDuration.
                Did you mean: duration
                """
            ),
            ("search_traces", #""limit":51"#, "\"51\" is out of bounds: limit takes 1 to 50."),
            ("search_traces", #""qurey":"x""#, "\"qurey\" is no argument of search_traces; did you mean query?"),
            ("search_traces", #""query":{"a":1}"#, "query is an object or a nested list: it takes a text or a number."),
            ("search_traces", #""since":"soon""#, "\"soon\" is no duration: expected one as in 15m, 6h or 7d."),
            (
                "search_traces", #""since":"1h","start":"0""#,
                "since and start are both there: leave one of them out."
            ),
            ("get_trace", "", "trace_id is missing: The trace: 1 to 32 hexadecimal digits."),
            (
                "get_trace", #""trace_id":"xyz""#,
                "\"xyz\" is no trace id: expected 1 to 32 hexadecimal digits, not all zero."
            ),
            (
                "get_trace", #""trace_id":"abc""#,
                "No span of trace 00000000000000000000000000000abc is stored: search_traces finds what is."
            ),
            (
                "get_span", #""trace_id":"\#(MCPToolTests.id)","span_id":"77""#,
                """
                Trace \(MCPToolTests.id) has no span 0000000000000077: get_trace shows the ids of its spans in brackets.
                """
            ),
            (
                "metrics", #""query":"{ }""#,
                "The query finds spans and counts none: end it with a function, as in | rate() or | count_over_time()."
            ),
            (
                "metrics", #""query":"{ } | rate()","step":"1s""#,
                "a step of 1s cuts the range into more than 48 values: take 2m or more."
            ),
            ("list_operations", #""service":"wbe""#, "\"wbe\" is no service; did you mean web?"),
            ("explain_slow", "", "Say which spans to explain: either query, or service and operation."),
        ]
    )
    func `an argument that is wrong is named with its remedy`(
        tool: String,
        arguments: String,
        text: String
    ) async throws {
        #expect(try await MCPClient(Shop.order).call(tool, arguments, isError: true) == text)
    }
}
