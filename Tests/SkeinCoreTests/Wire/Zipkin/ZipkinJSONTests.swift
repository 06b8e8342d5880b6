// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

@Suite struct ZipkinJSONTests {
    /// A span with all there is.
    static let full = """
        {"traceId":"0af7651916cd43dd8448eb211c80319c","parentId":"00F067AA0BA902B7","id":"b7ad6b7169203331",
        "kind":"CLIENT","name":"Get /Orders","timestamp":1700000000000000,"duration":2500,
        "localEndpoint":{"serviceName":"Shop","ipv4":"192.168.99.1","port":8080},
        "remoteEndpoint":{"serviceName":"Orders","ipv6":"2001:db8::c001","port":3306},
        "annotations":[{"timestamp":1700000000000100,"value":"retry"}],
        "tags":{"http.method":"GET","http.path":"/orders"},"debug":true,"shared":true,"unknown":[{"a":null}]}
        """

    static let fullSpan: SkeinModel.Span = {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c),
            spanID: SpanID(0xb7ad_6b71_6920_3331),
            parentSpanID: SpanID(0x00f0_67aa_0ba9_02b7),
            name: "Get /Orders",
            kind: .client,
            startUnixNanos: 1_700_000_000_000_000_000,
            durationNanos: 2_500_000
        )
        span.flags = 1
        span.attributes = [
            Attribute("http.method", "GET"), Attribute("http.path", "/orders"), Attribute("zipkin.debug", true),
            Attribute("net.host.ip", "192.168.99.1"), Attribute("net.host.port", 8080),
            Attribute("peer.service", "Orders"),
            Attribute("net.peer.ip", "2001:db8::c001"), Attribute("net.peer.port", 3306),
        ]
        span.events = [.init(timeUnixNanos: 1_700_000_000_000_100_000, name: "retry")]
        span.resource.attributes = [Attribute("service.name", "Shop")]
        return span
    }()

    @Test func `a span with all there is is told in OpenTelemetry's terms`() throws {
        let decoded = try Zipkin.decode(Array("[\(Self.full)]".utf8), as: .jsonV2)
        #expect(decoded.batch.spans == [Self.fullSpan])
        #expect(decoded.batch.serviceName(at: 0) == "Shop")
        #expect(decoded.rejected.isEmpty && decoded.warning.isEmpty)
    }

    @Test func `an empty list has no spans`() throws {
        #expect(try Zipkin.spans(" [ ] ").isEmpty)
    }

    @Test(arguments: [
        ("1", "2", "", TraceID(high: 0, low: 1), SpanID(2), SpanID.zero),
        ("00000000000000ab", "CD", "0", TraceID(high: 0, low: 0xab), SpanID(0xcd), .zero),
        ("10000000000000001", "2", "3", TraceID(high: 1, low: 1), SpanID(2), SpanID(3)),
        ("1", "2", "0002", TraceID(high: 0, low: 1), SpanID(2), .zero),
    ])
    func `ids are padded, and a span is not its own parent`(
        _ row: (String, String, String, TraceID, SpanID, SpanID)
    ) throws {
        let span = try #require(
            try Zipkin.spans(#"[{"traceId":"\#(row.0)","id":"\#(row.1)","parentId":"\#(row.2)"}]"#).first
        )
        #expect(span.traceID == row.3 && span.spanID == row.4 && span.parentSpanID == row.5)
    }

    @Test(arguments: [
        (#"{"id":"1"}"#, RejectionReason.invalidTraceID, "received 0 of them"),
        (#"{"traceId":"0000","id":"1"}"#, .invalidTraceID, "not all zero"),
        (#"{"traceId":"xyz","id":"1"}"#, .invalidTraceID, "received other characters"),
        (#"{"traceId":"000000000000000000000000000000001","id":"1"}"#, .invalidTraceID, "received 33 of them"),
        (#"{"traceId":"1"}"#, .invalidSpanID, "received 0 of them"),
        (#"{"traceId":"1","id":"00000000000000001"}"#, .invalidSpanID, "received 17 of them"),
        (#"{"traceId":"1","id":"g"}"#, .invalidSpanID, "received other characters"),
        (#"{"traceId":"1","id":"1","parentId":"-1"}"#, .invalidParentSpanID, "received other characters"),
        (#"{"traceId":"1","id":"1","parentId":"11111111111111111"}"#, .invalidParentSpanID, "received 17 of them"),
    ])
    func `a span with a bad id is left out alone`(json: String, reason: RejectionReason, message: String) throws {
        let bad = json.dropLast() + #","tags":{"lost":"x"},"annotations":[{"timestamp":1,"value":"lost"}]}"#
        let decoded = try Zipkin.decode(Array("[\(bad),\(Self.full)]".utf8), as: .jsonV2)
        #expect(decoded.batch.spans == [Self.fullSpan])
        #expect(decoded.rejected == [reason: 1])
        #expect(decoded.firstMessage.contains(message))
    }

    /// A span with these members.
    private func span(_ members: String) throws -> SkeinModel.Span {
        try #require(try Zipkin.spans(#"[{"traceId":"1","id":"2","timestamp":1000,\#(members)}]"#).first)
    }

    @Test(arguments: [
        (#""kind":"CLIENT""#, SkeinModel.Span.Kind.client), (#""kind":"SERVER""#, .server),
        (#""kind":"PRODUCER""#, .producer), (#""kind":"CONSUMER""#, .consumer), (#""kind":"OTHER""#, .unspecified),
        (#""kind":null"#, .unspecified), (#""tags":{"span.kind":"internal"}"#, .internal),
    ])
    func `a kind is the kind, and its tag goes`(members: String, kind: SkeinModel.Span.Kind) throws {
        let span = try span(members)
        #expect(span.kind == kind && span.attributes.isEmpty)
    }

    @Test func `a tag span-kind that says nothing new stays`() throws {
        #expect(try span(#""tags":{"span.kind":"server"}"#).attributes == [Attribute("span.kind", "server")])
        let client = try span(#""tags":{"span.kind":"internal"},"kind":"CLIENT""#)
        #expect(client.kind == .client && client.attributes == [Attribute("span.kind", "internal")])
    }

    struct StatusRow: Sendable {
        var tags: String
        var code: SkeinModel.Span.Status.Code
        var message = ""
        var left: [Attribute] = []
    }

    static let statusRows = [
        StatusRow(tags: #""a":"b""#, code: .unset, left: [Attribute("a", "b")]),
        StatusRow(tags: #""error":"true""#, code: .error),
        StatusRow(tags: #""error":true"#, code: .error),
        StatusRow(tags: #""error":"false""#, code: .error, left: [Attribute("error", "false")]),
        StatusRow(tags: #""error":"""#, code: .error, left: [Attribute("error", "")]),
        StatusRow(tags: #""error":"boom""#, code: .error, message: "boom", left: [Attribute("error", "boom")]),
        StatusRow(tags: #""otel.status_code":"OK""#, code: .ok),
        StatusRow(tags: #""otel.status_code":"ERROR""#, code: .error),
        StatusRow(tags: #""otel.status_code":"UNSET""#, code: .unset),
        StatusRow(tags: #""otel.status_code":"odd""#, code: .unset, left: [Attribute("otel.status_code", "odd")]),
        StatusRow(
            tags: #""otel.status_description":"why","otel.status_code":"ERROR","error":"x""#,
            code: .error,
            message: "why",
            left: [Attribute("error", "x")]
        ),
        StatusRow(
            tags: #""otel.status_code":"OK","otel.status_description":"fine""#,
            code: .ok,
            left: [Attribute("otel.status_description", "fine")]
        ),
        StatusRow(
            tags: #""otel.status_code":"OK","error":"x""#,
            code: .error,
            message: "x",
            left: [Attribute("error", "x")]
        ),
    ]

    @Test(arguments: statusRows)
    func `tags say the status`(_ row: StatusRow) throws {
        let span = try span(#""tags":{\#(row.tags)}"#)
        #expect(span.status == .init(row.code, message: row.message))
        #expect(span.attributes == row.left)
    }

    @Test func `tags that are fields in OpenTelemetry become those`() throws {
        let span = try span(
            #"""
            "tags":{"w3c.tracestate":"ot=th:8,a=b","otel.scope.name":"lib","otel.library.version":"2","host.name":"h1",
            "k8s.pod.name":"p","service.version":"3","otel.dropped_attributes_count":"4","otel.dropped_events_count":"5",
            "otel.dropped_links_count":"many","hostname":"x",
            "otlp.link.0":"0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331|a=b|{\"k\":[1,1.5,true,null,\"|\"]}|2",
            "otlp.link.1":"0af7651916cd43dd8448eb211c80319c|b7ad6b7169203331||{}|0","otlp.link.2":"odd"}
            """#
        )
        #expect(span.traceState == "ot=th:8,a=b" && span.weight == 2)
        #expect(span.scope == InstrumentationScope(name: "lib", version: "2"))
        #expect(
            span.resource.attributes == [
                Attribute("host.name", "h1"), Attribute("k8s.pod.name", "p"), Attribute("service.version", "3"),
            ]
        )
        #expect(span.droppedAttributesCount == 4 && span.droppedEventsCount == 5)
        #expect(
            span.attributes == [
                Attribute("otel.dropped_links_count", "many"), Attribute("hostname", "x"),
                Attribute("otlp.link.2", "odd"),
            ]
        )
        let id = (trace: Self.fullSpan.traceID, span: Self.fullSpan.spanID)
        #expect(
            span.links == [
                .init(
                    traceID: id.trace,
                    spanID: id.span,
                    traceState: "a=b",
                    attributes: [Attribute("k", .array([1, 1.5, true, .null, "|"]))],
                    droppedAttributesCount: 2
                ),
                .init(traceID: id.trace, spanID: id.span),
            ]
        )
    }

    @Test(arguments: [
        (#"plain"#, SkeinModel.Span.Event(timeUnixNanos: 1000, name: "plain")),
        (#""#, .init(timeUnixNanos: 1000, name: "")),
        (
            #"\"e\":{\"k\":\"v\",\"n\":1}"#,
            .init(timeUnixNanos: 1000, name: "e", attributes: [Attribute("k", "v"), Attribute("n", 1)])
        ),
        (
            #"{\"e\": {\"k\": {\"a\": -2.5}}}"#,
            .init(timeUnixNanos: 1000, name: "e", attributes: [Attribute("k", .map([Attribute("a", -2.5)]))])
        ),
        (
            #"a|b|{\"k\":true}|7"#,
            .init(timeUnixNanos: 1000, name: "a|b", attributes: [Attribute("k", true)], droppedAttributesCount: 7)
        ),
        (#"a|{}|x"#, .init(timeUnixNanos: 1000, name: "a|{}|x")),
        (#"a|{]|1"#, .init(timeUnixNanos: 1000, name: "a|{]|1")),
        (#"|1"#, .init(timeUnixNanos: 1000, name: "|1")), (#"|{"#, .init(timeUnixNanos: 1000, name: "|{")),
        (#"{\"e\":1}"#, .init(timeUnixNanos: 1000, name: #"{"e":1}"#)),
        (#"{\"e\":{},\"f\":{}}"#, .init(timeUnixNanos: 1000, name: #"{"e":{},"f":{}}"#)),
        (#"\"e\":{\"k\":\"v\"}}"#, .init(timeUnixNanos: 1000, name: #""e":{"k":"v"}}"#)),
    ])
    func `annotations are events, some with attributes`(text: String, event: SkeinModel.Span.Event) throws {
        let span = try span(#""annotations":[{"value":"\#(text)","timestamp":1}]"#)
        #expect(span.events == [event])
    }

    @Test func `without a timestamp the first annotation is the start, else the time of receipt`() throws {
        let mark = [Attribute("otel.zipkin.absentField.startTime", true)]
        let bare = try #require(try Zipkin.spans(#"[{"traceId":"1","id":"2","duration":3}]"#).first)
        #expect(bare.startUnixNanos == 5 && bare.durationNanos == 3000 && bare.attributes == mark)
        let annotated = try #require(
            try Zipkin.spans(
                #"""
                [{"traceId":"1","id":"2","timestamp":0,
                "annotations":[{"timestamp":9,"value":"b"},{"timestamp":7,"value":"a"},{"value":"c"}]}]
                """#
            ).first
        )
        #expect(annotated.startUnixNanos == 7000 && annotated.durationNanos == 0 && annotated.attributes == mark)
    }

    @Test(arguments: [
        (#""timestamp":-1"#, 5, 0), (#""timestamp":9223372036854775807"#, UInt64.max, 0),
        (#""timestamp":"1""#, 1000, 0), (#""timestamp":1e3,"duration":-5"#, 1_000_000, 0),
        (#""timestamp":18446744073709551,"duration":9223372036854775807"#, 18_446_744_073_709_551_000, 615),
    ])
    func `times out of range are the nearest there are`(members: String, start: UInt64, duration: UInt64) throws {
        let span = try #require(try Zipkin.spans(#"[{"traceId":"1","id":"2",\#(members)}]"#).first)
        #expect(span.startUnixNanos == start && span.durationNanos == duration)
    }

    @Test func `tags of an endpoint go before what the endpoint says`() throws {
        let span = try span(
            #"""
            "remoteEndpoint":{"serviceName":"a","ipv4":"1.2.3.4","port":5},"localEndpoint":{"ipv4":"","ipv6":"::1","port":99999},
            "tags":{"peer.service":"b","net.peer.port":"6"}
            """#
        )
        #expect(
            span.attributes == [
                Attribute("peer.service", "b"), Attribute("net.peer.port", "6"), Attribute("net.host.ip", "::1"),
                Attribute("net.peer.ip", "1.2.3.4"),
            ]
        )
        #expect(span.resource.attributes.isEmpty)
    }

    @Test func `the name that stands for no service is none`() throws {
        let span = try span(#""localEndpoint":{"serviceName":"OTLPResourceNoServiceName"}"#)
        #expect(span.resource.attributes.isEmpty)
    }

    @Test(arguments: [
        (#""localEndpoint":{"serviceName":"a"},"tags":{"service.name":"a"}"#, "a", []),
        (#""tags":{"service.name":"a"}"#, "a", []),
        (#""tags":{"service.name":"b"},"localEndpoint":{"serviceName":"a"}"#, "a", [Attribute("service.name", "b")]),
    ])
    func `a tag says the service where the endpoint does not`(
        members: String,
        service: String,
        left: [Attribute]
    ) throws {
        let span = try span(members)
        #expect(span.resource.attributes == [Attribute("service.name", .string(service))])
        #expect(span.attributes == left)
    }

    @Test func `client and server of one id are both kept`() throws {
        let spans = try Zipkin.spans(
            #"""
            [{"traceId":"1","id":"2","kind":"CLIENT","timestamp":1,"localEndpoint":{"serviceName":"a"}},
            {"traceId":"1","id":"2","kind":"SERVER","timestamp":2,"shared":true,"localEndpoint":{"serviceName":"b"}}]
            """#
        )
        #expect(spans.map(\.kind) == [.client, .server])
        #expect(spans.map(\.resource.serviceName) == ["a", "b"])
    }

    @Test func `of two spans of one id without kinds the shared one is the server's`() throws {
        let spans = try Zipkin.spans(
            #"""
            [{"traceId":"1","id":"2","timestamp":1,"shared":false,"localEndpoint":{"serviceName":"a"}},
            {"traceId":"1","id":"2","timestamp":2,"shared":true,"localEndpoint":{"serviceName":"b"}},
            {"traceId":"1","id":"2","kind":"CONSUMER","shared":true}]
            """#
        )
        #expect(spans.map(\.kind) == [.unspecified, .server, .consumer])
    }

    @Test func `escaped keys and values, numbers and booleans are texts`() throws {
        let span = try span(#""tags":{"a\u0062":"\u00e9\n","n":-1.50,"t":false,"nothing":null,"":"e"},"name":"\"""#)
        #expect(span.name == "\"")
        #expect(
            span.attributes == [
                Attribute("ab", "é\n"), Attribute("n", "-1.50"), Attribute("t", "false"), Attribute("", "e"),
            ]
        )
    }

    @Test(arguments: [0, 1, 7, 8, 126, 127, 128, 129, 300])
    func `values that repeat and those that nearly do are told apart`(length: Int) throws {
        let text = String(repeating: "x", count: length)
        let values = [text, text, text + "y", text, String(text.dropLast()), text]
        let spans = try Zipkin.spans(
            "[" + values.map { #"{"traceId":"1","id":"2","timestamp":1,"tags":{"k":"\#($0)"}}"# }.joined(separator: ",")
                + "]"
        )
        #expect(spans.map(\.attributes) == values.map { [Attribute("k", .string($0))] })
    }

    @Test func `of a member given twice the last counts, and lists are joined`() throws {
        let span = try span(
            #"""
            "name":"a","name":"b","tags":{"k":"1"},"tags":{"k":"2"},
            "annotations":[{"timestamp":1,"value":"x"}],"annotations":[{"timestamp":2,"value":"y","value":"z"}]
            """#
        )
        #expect(span.name == "b")
        #expect(span.attributes == [Attribute("k", "1"), Attribute("k", "2")])
        #expect(span.events.map(\.name) == ["x", "z"])
    }

    @Test func `a client that debugs marks all spans of its request`() throws {
        let decoded = try Zipkin.decode(
            Array(
                #"[{"traceId":"1","id":"2","timestamp":1},{"traceId":"1","id":"3","timestamp":1,"debug":false}]"#.utf8
            ),
            as: .jsonV2,
            isDebug: true
        )
        #expect(decoded.batch.spans.map(\.flags) == [1, 1])
        #expect(decoded.batch.spans.map(\.attributes) == Array(repeating: [Attribute("zipkin.debug", true)], count: 2))
    }

    @Test func `a decoder serves request after request`() throws {
        var decoder = Zipkin.SpanDecoder()
        for _ in 0..<3 {
            #expect(throws: WireError.self) { try Zipkin.decode(Array("[\(Self.full),".utf8), as: .jsonV2, &decoder) }
            let decoded = try Zipkin.decode(Array("[\(Self.full)]".utf8), as: .jsonV2, &decoder)
            #expect(decoded.batch.spans == [Self.fullSpan])
        }
    }
}
