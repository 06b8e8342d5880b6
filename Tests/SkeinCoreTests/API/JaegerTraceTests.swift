// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Testing

@testable import SkeinAPI

/// One trace in Jaeger's JSON, trap by trap.
struct JaegerTraceTests {
    /// The one trace of an API over these spans.
    private func trace(_ spans: [SkeinModel.Span], query: String = "") async throws -> JSONValue {
        let api = try await APIUnderTest(spans)
        return try await api.json("/api/traces/\(spans[0].traceID)\(query)")["data"][0]
    }

    @Test func `a small trace reads as Jaeger writes it`() async throws {
        let api = try await APIUnderTest([Shop.order[0]])
        #expect(
            try await api.text("/api/traces/\(Shop.traceID)") == """
                {"data":[{"traceID":"0af7651916cd43dd8448eb211c80319c","spans":[{"traceID":"0af7651916cd43dd8448eb211c80319c",\
                "spanID":"0000000000000001","operationName":"GET /checkout","references":[],\
                "startTime":1795341000000000,"duration":9000,\
                "tags":[{"key":"span.kind","type":"string","value":"server"}],"logs":[],"processID":"p1","warnings":null}],\
                "processes":{"p1":{"serviceName":"web","tags":[]}},"warnings":null}],\
                "total":0,"limit":0,"offset":0,"errors":null}
                """
        )
    }

    @Test func `where parents run in a circle the first span is a root, and says so`() async throws {
        let spans = [
            Shop.span(1, parent: 3), Shop.span(2, parent: 1, at: 1), Shop.span(3, parent: 2, at: 2),
            Shop.span(4, parent: 4, at: 3), Shop.span(5, parent: 4, at: 4),
        ]
        let api = try await APIUnderTest(spans)
        let shown = try await api.json("/api/traces/\(Shop.traceID)")["data"][0]["spans"].array
        #expect(shown.map { $0["references"][0]["spanID"] == nil } == [true, false, false, true, false])
        #expect(
            shown.map { $0["warnings"][0].string?.contains("run in a circle") ?? false } == [
                true, false, false, true, false,
            ]
        )
        let raw = try await api.json("/api/traces/\(Shop.traceID)?raw=true")["data"][0]["spans"].array
        #expect(raw.allSatisfy { $0["references"][0]["spanID"] != nil })
    }

    @Test func `ids of 64 bits have 16 digits, others 32, and every form finds its trace`() async throws {
        let short = TraceID(high: 0, low: 0xab)
        var linked = Shop.span(1, trace: short)
        linked.links = [.init(traceID: Shop.traceID, spanID: SpanID(9)), .init(traceID: short, spanID: SpanID(8))]
        let api = try await APIUnderTest([linked])
        for form in [
            "ab", "AB", "00000000000000ab", "000000000000000000000000000000ab", "AAAAAAAAAKs=", "AAAAAAAAAKs",
            "AAAAAAAAAAAAAAAAAAAAqw==", "AAAAAAAAAAAAAAAAAAAAqw%3D%3D",
        ] {
            let trace = try await api.json("/api/traces/\(form)")["data"][0]
            #expect(trace["traceID"] == "00000000000000ab", "\(form)")
            #expect(trace["spans"][0]["references"][0]["traceID"] == .string("\(Shop.traceID)"))
            #expect(trace["spans"][0]["references"][1]["traceID"] == "00000000000000ab")
        }
        #expect(
            try await api.json("/api/traces/cd", status: 404)["errors"] == [["code": 404, "msg": "trace not found"]]
        )
        for bad in ["xyz", "0", "0%2F1", "123456789012345678901234567890123"] {
            let error = try await api.json("/api/traces/\(bad)", status: 400)
            #expect(error["errors"][0]["msg"].string?.hasPrefix("unable to parse param 'traceID': ") == true)
            #expect(error["data"] == nil)
        }
    }

    @Test func `values keep their types, and integers that JavaScript would spoil are text`() async throws {
        var span = Shop.span(1)
        span.kind = .unspecified
        span.attributes = [
            Attribute("a", "text"), Attribute("b", true), Attribute("c", 9_007_199_254_740_991),
            Attribute("d", 9_007_199_254_740_992), Attribute("e", -9_007_199_254_740_992), Attribute("f", .int(.min)),
            Attribute("g", 1.5), Attribute("h", .bytes([0xff, 0, 0x10])), Attribute("i", .null),
            Attribute("j", ["x", 1, [true]]), Attribute("k", .map([Attribute("y", "\"z\"")])),
            Attribute("l", .double(.nan)),
        ]
        let tags = try await trace([span])["spans"][0]["tags"].array.map { [$0["key"], $0["type"], $0["value"]] }
        #expect(
            tags == [
                ["a", "string", "text"], ["b", "bool", true], ["c", "int64", 9_007_199_254_740_991],
                ["d", "int64", "9007199254740992"], ["e", "int64", "-9007199254740992"],
                ["f", "int64", "-9223372036854775808"], ["g", "float64", 1.5], ["h", "binary", "/wAQ"],
                ["i", "string", ""], ["j", "string", #"["x",1,[true]]"#], ["k", "string", #"{"y":"\"z\""}"#],
                ["l", "float64", "NaN"],
            ]
        )
    }

    @Test func `what Jaeger has no field for is a tag`() async throws {
        var span = Shop.order[2]
        span.traceState = "vendor=1"
        span.flags = 0x301
        span.scope = InstrumentationScope(name: "lib", version: "2")
        let shown = try await trace([span])["spans"][0]
        #expect(shown["flags"] == 1)
        #expect(
            shown["tags"].array.map { $0["key"].string } == [
                "error", "http.status_code", "otel.scope.name", "otel.scope.version", "otel.status_code",
                "otel.status_description", "span.kind", "user.id", "w3c.tracestate",
            ]
        )
        #expect(shown["tags"].tag("error") == ["key": "error", "type": "bool", "value": true])
        #expect(shown["tags"].tag("otel.status_code")["value"] == "ERROR")
        #expect(shown["tags"].tag("otel.status_description")["value"] == "card declined")
        #expect(shown["logs"][0]["timestamp"] == .int(Int64(Shop.start / 1000) + 3000))
        #expect(
            shown["logs"][0]["fields"] == [
                ["key": "event", "type": "string", "value": "exception"],
                ["key": "exception.type", "type": "string", "value": "CardError"],
            ]
        )
    }

    @Test func `a tag that the client sent already comes once, and its own error tag stays as it is`() async throws {
        var span = Shop.span(1)
        span.attributes = [Attribute("error", "true"), Attribute("span.kind", "server")]
        var tags = try await trace([span])["spans"][0]["tags"]
        #expect(tags.array.count == 2)
        #expect(tags.tag("error")["type"] == "string")
        span.status = .init(.error)
        span.attributes = [Attribute("error", true)]
        tags = try await trace([span])["spans"][0]["tags"]
        #expect(tags.array.filter { $0["key"] == "error" }.count == 1)
    }

    @Test func `links follow from, unless the client said that it is a child`() async throws {
        var span = Shop.span(2, parent: 1)
        span.links = [
            .init(traceID: Shop.traceID, spanID: SpanID(5)),
            .init(
                traceID: Shop.traceID,
                spanID: SpanID(6),
                attributes: [Attribute("opentracing.ref_type", "child_of")]
            ),
            .init(traceID: .zero, spanID: SpanID(7)),
        ]
        func references(_ query: String) async throws -> [JSONValue] {
            try await trace([span], query: query)["spans"][0]["references"].array.map { [$0["refType"], $0["spanID"]] }
        }
        let shown: [JSONValue] = [
            ["CHILD_OF", "0000000000000001"], ["FOLLOWS_FROM", "0000000000000005"], ["CHILD_OF", "0000000000000006"],
        ]
        #expect(try await references("") == shown)
        #expect(try await references("?raw=true") == shown + [["FOLLOWS_FROM", "0000000000000007"]])
        #expect(try await trace([span])["spans"][0]["parentSpanID"] == "0000000000000001")
    }

    @Test func `equal resources are one process, whichever batch brought them`() async throws {
        let api = try await APIUnderTest([Shop.span(1)])
        var other = Shop.span(2, at: 1)
        try await api.store.append(SpanBatch(spans: [other]))
        other = Shop.span(3, service: "db", at: 2)
        other.resource.attributes += [Attribute("host.name", "h"), Attribute("a", 1)]
        try await api.store.append(SpanBatch(spans: [other]))
        let trace = try await api.json("/api/traces/\(Shop.traceID)")["data"][0]
        #expect(trace["spans"].array.map { $0["processID"] } == ["p1", "p1", "p2"])
        #expect(trace["processes"].keys == ["p1", "p2"])
        #expect(trace["processes"]["p2"]["serviceName"] == "db")
        #expect(trace["processes"]["p2"]["tags"].array.map { $0["key"] } == ["a", "host.name"])
    }

    @Test func `a span without a service gets Jaeger's name for it, and is found by it`() async throws {
        var span = Shop.span(1)
        span.resource = Resource()
        let api = try await APIUnderTest([span])
        let trace = try await api.json("/api/traces?service=OTLPResourceNoServiceName")["data"][0]
        #expect(trace["processes"]["p1"] == ["serviceName": "OTLPResourceNoServiceName", "tags": []])
        #expect(try await api.json("/api/services/OTLPResourceNoServiceName/operations")["data"] == ["GET /"])
        #expect(try await api.json("/api/services")["data"].array.contains("OTLPResourceNoServiceName"))
        #expect(try await api.json("/api/v3/services")["services"].array.contains("OTLPResourceNoServiceName"))
        // A service may really be called so.
        let named = Shop.span(1, trace: TraceID(high: 0, low: 7), service: "OTLPResourceNoServiceName", name: "real")
        let other = try await APIUnderTest([named])
        #expect(try await other.json("/api/traces?service=OTLPResourceNoServiceName")["data"].array.count == 1)
        #expect(try await other.json("/api/services/OTLPResourceNoServiceName/operations")["data"] == ["real"])
        #expect(try await other.json("/api/services")["data"] == ["OTLPResourceNoServiceName"])
    }

    @Test func `logs come in the order of time unless raw`() async throws {
        var span = Shop.span(1)
        span.events = [.init(timeUnixNanos: 2000, name: "b"), .init(timeUnixNanos: 1000, name: "a")]
        #expect(try await trace([span])["spans"][0]["logs"].array.map { $0["timestamp"] } == [1, 2])
        #expect(try await trace([span], query: "?raw=1")["spans"][0]["logs"].array.map { $0["timestamp"] } == [2, 1])
    }

    @Test func `client and server that share an id are told apart, and children hang on the server`() async throws {
        let spans = [
            Shop.span(1, name: "call", kind: .client), Shop.span(1, service: "db", name: "serve", kind: .server, at: 1),
            Shop.span(5, parent: 1, service: "db", name: "work", kind: .internal, at: 2),
        ]
        let shown = try await trace(spans)["spans"].array
        #expect(shown.map { $0["operationName"] } == ["call", "serve", "work"])
        #expect(shown[0]["parentSpanID"] == nil)
        #expect(shown[1]["parentSpanID"] == shown[0]["spanID"])
        #expect(shown[1]["spanID"] != shown[0]["spanID"])
        #expect(shown[2]["parentSpanID"] == shown[1]["spanID"])
        #expect(shown.allSatisfy { $0["warnings"] == nil })
        #expect(try await trace(spans, query: "?raw=true")["spans"][1]["spanID"] == "0000000000000001")
    }

    @Test func `what is odd about a span is said in its warnings`() async throws {
        var clamped = Shop.span(2, parent: 9, at: 10)
        clamped.endsBeforeStart = true
        clamped.durationNanos = 0
        let shown = try await trace([Shop.span(1, at: 5), clamped, Shop.span(3, parent: 1, at: 1)])["spans"].array
        #expect(
            shown.map { $0["warnings"] } == [
                ["starts 4 ns before its parent: the clocks of their hosts may differ"], nil,
                [
                    "the client reported an end before the start; the duration is shown as zero",
                    "parent span 0000000000000009 is not in this trace (yet)",
                ],
            ]
        )
    }

    @Test func `the greatest times that exist are shown`() async throws {
        var span = Shop.span(1)
        span.startUnixNanos = .max
        span.durationNanos = 0
        var other = Shop.span(2)
        other.startUnixNanos = 0
        other.durationNanos = .max
        let shown = try await trace([span, other])["spans"].array
        #expect(shown.map { $0["startTime"] } == [0, 18_446_744_073_709_551])
        #expect(shown.map { $0["duration"] } == [18_446_744_073_709_551, 0])
    }

    @Test func `pretty print is the same answer, indented`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let plain = try await api.json("/api/traces/\(Shop.traceID)")
        let pretty = try await api.text("/api/traces/\(Shop.traceID)?prettyPrint=true")
        #expect(pretty.hasPrefix("{\n    \"data\": [\n        {\n            \"traceID\": \"0af7"))
        #expect(pretty.hasSuffix("\n    \"errors\": null\n}"))
        #expect(try await api.json("/api/traces/\(Shop.traceID)?prettyPrint=1") == plain)
    }

    @Test(.timeLimit(.minutes(1)))
    func `many shared ids in a row are told apart in no time`() {
        let spans = (UInt64(1)...20_000).flatMap { id in
            [SkeinModel.Span.Kind.client, .server].map { Shop.span(id, kind: $0, at: id) }
        }
        let ids = JaegerSpanIDs(SpanBatch(spans: spans), isRaw: false)
        #expect(Set(ids.spans).count == 40_000)
    }
}
