// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

/// Jaeger's API version 3 over HTTP.
struct JaegerV3Tests {
    private static let range = "query.startTimeMin=2026-11-22T09:00:00Z&query.startTimeMax=2026-11-22T10:00:00Z"

    /// The ids of the spans that a search answers.
    private func spans(_ api: APIUnderTest, _ query: String) async throws -> [String] {
        let answer = try await api.json("/api/v3/traces?\(query)")
        return answer["result"]["resourceSpans"].array.flatMap { $0["scopeSpans"].array }
            .flatMap { $0["spans"].array }.compactMap { $0["spanId"].string }
    }

    private func error(_ code: Int64, _ grpc: Int64, _ status: String, _ message: String) -> JSONValue {
        [
            "error": [
                "httpCode": .int(code), "message": .string(message), "grpcCode": .int(grpc),
                "httpStatus": .string(status),
            ]
        ]
    }

    @Test func `lists of names are messages without an envelope`() async throws {
        let api = try await APIUnderTest(
            Shop.order + [Shop.span(4, name: "GET /", kind: .client), Shop.span(5, kind: .unspecified)]
        )
        let table: [(String, String)] = [
            ("/api/v3/services", #"{"services":["checkout","payment","web"]}"#),
            (
                "/api/v3/operations?service=web",
                #"{"operations":[{"name":"GET /","spanKind":"internal"},{"name":"GET /","spanKind":"client"},"#
                    + #"{"name":"GET /checkout","spanKind":"server"}]}"#
            ),
            (
                "/api/v3/operations?service=web&spanKind=client",
                #"{"operations":[{"name":"GET /","spanKind":"client"}]}"#
            ),
            (
                "/api/v3/operations?service=web&span_kind=internal",
                #"{"operations":[{"name":"GET /","spanKind":"internal"}]}"#
            ),
            ("/api/v3/operations?service=nobody", #"{"operations":[]}"#),
            (
                "/api/v3/capabilities",
                #"{"search":{"withoutServiceName":true,"sameSpanConjunction":true}}"#
            ),
        ]
        for (target, answer) in table { #expect(try await api.text(target) == answer, "\(target)") }
        #expect(try await APIUnderTest().text("/api/v3/services") == #"{"services":[]}"#)
        #expect(
            try await api.json("/api/v3/operations", status: 400)
                == error(400, 3, "Bad Request", "parameter 'service' is required")
        )
    }

    @Test func `a trace is OTLP JSON with hexadecimal ids and numbers for words`() async throws {
        let api = try await APIUnderTest([Shop.order[0]])
        let wanted = """
            {"result":{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},\
            "scopeSpans":[{"scope":{},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000001",\
            "name":"GET /checkout","kind":2,"startTimeUnixNano":"1795341000000000000",\
            "endTimeUnixNano":"1795341000009000000"}]}]}]}}
            """
        #expect(try await api.text("/api/v3/traces/\(Shop.traceID)") == wanted)
        for query in [
            "startTime=2026-11-22T09:00:00Z&endTime=2026-11-22T10:00:00Z&rawTraces=true",
            "start_time=2026-11-22T10:00:00+01:00&end_time=2026-11-22T10:00:00.123456789+01:00&raw_traces=1",
        ] { #expect(try await api.text("/api/v3/traces/\(Shop.traceID)?\(query)") == wanted, "\(query)") }
    }

    @Test func `what is not there, and what cannot be read, says so in the form of the gateway`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let table: [(String, JSONValue)] = [
            ("traces/abc", error(404, 5, "Not Found", "trace not found")),
            ("traces?\(Self.range)&query.serviceName=nobody", error(404, 5, "Not Found", "No traces found")),
            ("nothing", error(404, 5, "Not Found", "Nothing is served at /api/v3/nothing.")),
            (
                "traces/xyz",
                error(
                    400,
                    3,
                    "Bad Request",
                    #"malformed parameter trace_id: "xyz" is no trace id, expected 16 or 32 hexadecimal digits"#
                )
            ),
            (
                "traces?query.serviceName=web",
                error(400, 3, "Bad Request", "query.startTimeMin and query.startTimeMax are required")
            ),
            (
                "traces?query.start_time_min=yesterday",
                error(
                    400,
                    3,
                    "Bad Request",
                    #"malformed parameter query.start_time_min: "yesterday" is no time, expected RFC 3339 as in "#
                        + "2026-11-22T10:00:00.5Z"
                )
            ),
            (
                "traces?\(Self.range)&query.durationMin=fast",
                error(400, 3, "Bad Request", #"malformed parameter query.durationMin: time: invalid duration "fast""#)
            ),
            (
                "traces?\(Self.range)&query.num_traces=x",
                error(
                    400,
                    3,
                    "Bad Request",
                    #"malformed parameter query.num_traces: strconv.ParseUint: parsing "x": invalid syntax"#
                )
            ),
            (
                "traces?\(Self.range)&query.rawTraces=maybe",
                error(
                    400,
                    3,
                    "Bad Request",
                    #"malformed parameter query.rawTraces: strconv.ParseBool: parsing "maybe": invalid syntax"#
                )
            ),
            (
                "trace-summaries?\(Self.range)&query.searchDepth=10001",
                error(400, 3, "Bad Request", "searchDepth is 10001, it takes 1 to 10000")
            ),
            (
                "trace-summaries?query.startTimeMin=2026-11-22T10:00:00Z&query.startTimeMax=2026-11-22T09:00:00Z",
                error(400, 3, "Bad Request", "startTimeMin must be before startTimeMax")
            ),
            (
                "trace-summaries?\(Self.range)&query.filter=%7B%7D",
                error(
                    501,
                    12,
                    "Not Implemented",
                    "structured filters (query.filter) are not served: use serviceName, operationName, attributes and durations, "
                        + "or TraceQL at /api/skein/v1/search"
                )
            ),
            (
                "dependencies?startTime=2026-11-22T10:00:00Z",
                error(400, 3, "Bad Request", "startTime and endTime are required")
            ),
        ]
        for (target, wanted) in table {
            let status = Int(wanted["error"]["httpCode"].int ?? 0)
            #expect(try await api.json("/api/v3/\(target)", status: status) == wanted, "\(target)")
        }
        let tags = try await api.json("/api/v3/traces?\(Self.range)&query.attributes=x", status: 400)
        #expect(tags["error"]["message"].string?.hasPrefix("malformed parameter query.attributes: ") == true)
        #expect(try await api.ask("/api/v3/services", method: "POST").status == 405)
    }

    @Test(
        arguments: [
            ("", 3), ("&query.serviceName=payment", 3), ("&query.service_name=payment", 3),
            ("&query.operationName=charge", 3), ("&query.service_name=web&query.operation_name=GET%20/checkout", 3),
            ("&query.service_name=web&query.span_name=GET%20/checkout", 3),
            ("&query.service_name=web&query.operation_name=charge", 0),
            ("&query.attributes=%7B%22user.id%22%3A%22abc123%22%7D", 3),
            ("&query.attributes=%7B%22user.id%22%3A%22abc%22%7D", 0),
            ("&query.durationMin=9ms&query.durationMax=9ms", 3), ("&query.duration_min=9000001ns", 0),
            ("&query.searchDepth=0", 3), ("&query.num_traces=1&query.search_depth=5", 3),
        ]
    )
    func `a search takes both spellings, and needs no service`(query: String, count: Int) async throws {
        let api = try await APIUnderTest(Shop.order)
        guard count > 0 else {
            _ = try await api.json("/api/v3/traces?\(Self.range)\(query)", status: 404)
            return
        }
        #expect(try await spans(api, Self.range + query).count == count)
    }

    @Test func `a time zone may lose its plus, the start is in the range and the end is not`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let start = "2026-11-22T09:50:00.000000000"
        for (from, to, count) in [
            ("\(start)Z", "2026-11-22T09:50:00.000000001Z", 3), ("2026-11-22T09:00:00Z", "\(start)Z", 0),
            ("2026-11-22T10:50:00+01:00", "2026-11-22T11:00:00+01:00", 3),
            ("2026-11-22T10:50:00%2B01:00", "2026-11-22T11:00:00%2B01:00", 3),
            ("2026-11-22T04:50:00-05:00", "2026-11-22T05:00:00.5-05:00", 3),
        ] {
            let target =
                "/api/v3/trace-summaries?query.service_name=web&query.start_time_min=\(from)&query.start_time_max=\(to)"
            #expect(try await api.json(target)["summaries"].array.count == (count > 0 ? 1 : 0), "\(from)")
        }
    }

    @Test func `a search answers several traces in one document, newest first`() async throws {
        let api = try await APIUnderTest(
            (UInt64(1)...3).map { Shop.span($0, trace: TraceID(high: 0, low: $0), at: $0 * 1000) }
        )
        #expect(try await spans(api, Self.range) == ["0000000000000003", "0000000000000002", "0000000000000001"])
        #expect(
            try await spans(api, "\(Self.range)&query.searchDepth=2") == ["0000000000000003", "0000000000000002"]
        )
    }

    @Test func `spans that share an id are told apart and empty links left out, unless raw`() async throws {
        var caller = Shop.span(1, name: "call", kind: .client)
        caller.links = [
            .init(traceID: .zero, spanID: SpanID(7)),
            .init(traceID: Shop.traceID, spanID: SpanID(8), flags: 1, attributes: [Attribute("a", 1)]),
            .init(traceID: Shop.traceID, spanID: .zero),
        ]
        let api = try await APIUnderTest(
            [caller, Shop.span(1, service: "db", at: 1), Shop.span(2, parent: 1, service: "db", at: 2)]
        )
        func spans(_ query: String) async throws -> [JSONValue] {
            try await api.json("/api/v3/traces/\(Shop.traceID)?\(query)")["result"]["resourceSpans"].array
                .flatMap { $0["scopeSpans"][0]["spans"].array }
        }
        let shown = try await spans("")
        #expect(shown[1]["spanId"] != "0000000000000001" && shown[1]["parentSpanId"] == "0000000000000001")
        #expect(shown[2]["parentSpanId"] == shown[1]["spanId"])
        #expect(shown[0]["links"].array.map { $0["spanId"] } == ["0000000000000008"])
        #expect(shown[0]["links"][0]["flags"] == 1 && shown[0]["links"][0]["attributes"].array.count == 1)
        let raw = try await spans("rawTraces=true")
        #expect(raw.map { $0["spanId"] } == ["0000000000000001", "0000000000000001", "0000000000000002"])
        #expect(raw[0]["links"].array.count == 3)
    }

    @Test(arguments: StoreUnderTest.allCases)
    func `summaries count errors by service and spans whose parent is missing`(_ store: StoreUnderTest) async throws {
        let rootless = TraceID(high: 0, low: 9)
        let circle = TraceID(high: 0, low: 10)
        let spans =
            Shop.order + [
                Shop.span(11, parent: 5, trace: rootless, service: "late", name: "first", at: 20_000_000),
                Shop.span(12, parent: 11, trace: rootless, service: "late", name: "second", at: 20_000_001),
                Shop.span(13, parent: 6, trace: rootless, service: "other", name: "third", at: 20_000_002),
                Shop.span(21, parent: 22, trace: circle, name: "round", at: 10_000_000),
                Shop.span(22, parent: 21, trace: circle, name: "and round", at: 10_000_001),
            ]
        let answer = try await store.api(spans).json("/api/v3/trace-summaries?\(Self.range)")
        let wanted: [JSONValue] = [
            [
                "traceId": "00000000000000000000000000000009", "rootServiceName": "late", "rootOperationName": "first",
                "minStartTimeUnixNano": "1795341000020000000", "maxEndTimeUnixNano": "1795341000021000002",
                "spanCount": 3, "errorSpanCount": 0, "orphanSpanCount": 2,
                "services": [
                    ["name": "late", "spanCount": 2, "errorSpanCount": 0],
                    ["name": "other", "spanCount": 1, "errorSpanCount": 0],
                ],
            ],
            [
                "traceId": "0000000000000000000000000000000a", "rootServiceName": "web", "rootOperationName": "round",
                "minStartTimeUnixNano": "1795341000010000000", "maxEndTimeUnixNano": "1795341000011000001",
                "spanCount": 2, "errorSpanCount": 0, "orphanSpanCount": 0,
                "services": [["name": "web", "spanCount": 2, "errorSpanCount": 0]],
            ],
            [
                "traceId": "0af7651916cd43dd8448eb211c80319c", "rootServiceName": "web",
                "rootOperationName": "GET /checkout", "minStartTimeUnixNano": "1795341000000000000",
                "maxEndTimeUnixNano": "1795341000009000000", "spanCount": 3, "errorSpanCount": 1, "orphanSpanCount": 0,
                "services": [
                    ["name": "checkout", "spanCount": 1, "errorSpanCount": 0],
                    ["name": "payment", "spanCount": 1, "errorSpanCount": 1],
                    ["name": "web", "spanCount": 1, "errorSpanCount": 0],
                ],
            ],
        ]
        #expect(answer["summaries"] == .array(wanted))
        let none = try await store.api(spans).text("/api/v3/trace-summaries?\(Self.range)&query.serviceName=nobody")
        #expect(none == #"{"summaries":[]}"#)
    }

    @Test func `a trace that is too large to be put together is summed up all the same`() async throws {
        let store = TooLargeStore(wrapped: MemoryStore())
        try await store.append(
            SpanBatch(spans: Shop.order + [Shop.span(9, parent: 77, at: 5_000_000)], receivedUnixNanos: 1)
        )
        let summary = try await APIUnderTest(over: store).json("/api/v3/trace-summaries?\(Self.range)")["summaries"][0]
        #expect(summary["spanCount"] == 4 && summary["orphanSpanCount"] == 1)
        #expect(summary["rootOperationName"] == "GET /checkout")
    }

    @Test func `a trace that is too large for an answer does not hide the others`() async throws {
        let store = MemoryStore()
        let small = Shop.span(9, trace: TraceID(high: 0, low: 9), at: 1)
        try await store.append(SpanBatch(spans: Shop.order + [small], receivedUnixNanos: 1))
        let api = APIUnderTest(over: store, traceSpanCountMax: 2)
        #expect(try await spans(api, Self.range) == ["0000000000000009"])
        let refused = try await api.json("/api/v3/traces?\(Self.range)&query.serviceName=payment", status: 422)
        #expect(refused["error"]["grpcCode"] == 8 && refused["error"]["httpStatus"] == "Unprocessable Content")
        #expect(try await api.ask("/api/v3/traces/\(Shop.traceID)").status == 422)
    }

    @Test func `dependencies are the calls between services`() async throws {
        let api = try await APIUnderTest(Shop.order)
        for names in [("startTime", "endTime"), ("start_time", "end_time")] {
            let answer = try await api.text(
                "/api/v3/dependencies?\(names.0)=2026-11-22T09:00:00Z&\(names.1)=2026-11-22T10:00:00Z"
            )
            #expect(
                answer
                    == #"{"dependencies":[{"parent":"checkout","child":"payment","callCount":"1"},"#
                    + #"{"parent":"web","child":"checkout","callCount":"1"}]}"#
            )
        }
    }
}

/// A store that refuses to evaluate traces.
private struct TooLargeStore: StoreWrapper {
    var wrapped: any SpanStore

    func search<Evaluator: TraceEvaluator>(
        _ query: TraceQuery,
        evaluatedBy evaluator: Evaluator
    ) async throws(StoreError) -> EvaluatedPage<Evaluator.Answer> {
        throw StoreError(.limit, "too large")
    }
}
