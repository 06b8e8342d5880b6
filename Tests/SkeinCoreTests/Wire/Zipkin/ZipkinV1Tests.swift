// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

@Suite struct ZipkinV1Tests {
    private static let web = #"{"serviceName":"Web","ipv4":"10.0.0.1","port":80}"#
    private static let db = #"{"serviceName":"db","ipv4":"10.0.0.2"}"#

    /// `at` in microseconds, the text and where.
    private static func annotation(_ at: Int, _ text: String, _ endpoint: String? = web) -> String {
        #"{"timestamp":\#(at),"value":"\#(text)"\#(endpoint.map { #","endpoint":\#($0)"# } ?? "")}"#
    }

    private static func binary(_ key: String, _ value: String, _ endpoint: String? = web) -> String {
        #"{"key":"\#(key)","value":\#(value)\#(endpoint.map { #","endpoint":\#($0)"# } ?? "")}"#
    }

    private static func span(_ annotations: [String], _ binary: [String] = [], _ rest: String = "") throws
        -> [SkeinModel.Span]
    {
        try Zipkin.v1Spans(
            #"""
            [{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"2","name":"Get","parentId":"1"\#(rest),
            "annotations":[\#(annotations.joined(separator: ","))],
            "binaryAnnotations":[\#(binary.joined(separator: ","))]}]
            """#
        )
    }

    @Test func `a client is told by its annotations`() throws {
        let spans = try Self.span(
            [Self.annotation(1000, "cs"), Self.annotation(1200, "ws"), Self.annotation(3000, "cr")],
            [Self.binary("http.path", #""/a""#), Self.binary("sa", "true", Self.db)]
        )
        var span = SkeinModel.Span(
            traceID: TraceID(high: 0x463a_c35c_9f64_13ad, low: 0x4848_5a39_53bb_6124),
            spanID: SpanID(2),
            parentSpanID: SpanID(1),
            name: "Get",
            kind: .client,
            startUnixNanos: 1_000_000,
            durationNanos: 2_000_000
        )
        span.attributes = [
            Attribute("http.path", "/a"), Attribute("net.host.ip", "10.0.0.1"), Attribute("net.host.port", 80),
            Attribute("peer.service", "db"), Attribute("net.peer.ip", "10.0.0.2"),
        ]
        span.events = [.init(timeUnixNanos: 1_200_000, name: "ws")]
        span.resource.attributes = [Attribute("service.name", "Web")]
        #expect(spans == [span])
    }

    @Test func `both sides of a call become two spans of one id`() throws {
        let spans = try Self.span(
            [
                Self.annotation(1000, "cs"), Self.annotation(2000, "sr", Self.db),
                Self.annotation(2100, "query", Self.db),
                Self.annotation(2500, "ss", Self.db), Self.annotation(4000, "cr"), Self.annotation(4500, "done"),
                Self.annotation(4600, "nowhere", nil),
            ],
            [Self.binary("a", #""web""#), Self.binary("b", #""db""#, Self.db), Self.binary("c", #""none""#, nil)],
            #","timestamp":900,"duration":5000,"debug":true"#
        )
        #expect(spans.map(\.kind) == [.client, .server])
        #expect(spans.map(\.spanID) == [SpanID(2), SpanID(2)] && spans.map(\.parentSpanID) == [SpanID(1), SpanID(1)])
        #expect(spans.map(\.resource.serviceName) == ["Web", "db"])
        #expect(
            spans.map(\.startUnixNanos) == [900_000, 2_000_000] && spans.map(\.durationNanos) == [5_000_000, 500_000]
        )
        #expect(spans.map { $0.events.map(\.name) } == [["done", "nowhere"], ["query"]])
        #expect(spans.map { $0.attributes["a"] } == ["web", nil] && spans.map { $0.attributes["b"] } == [nil, "db"])
        #expect(spans.map { $0.attributes["c"] } == ["none", nil])
        #expect(spans.map(\.flags) == [1, 1])
    }

    struct TimeRow: Sendable {
        var annotations: [(Int, String)]
        var rest = ""
        var kind: SkeinModel.Span.Kind
        var start: UInt64
        var duration: UInt64 = 0
        var isMarked = false
        var events: [String] = []
    }

    static let timeRows = [
        TimeRow(annotations: [(5, "sr"), (9, "ss")], kind: .server, start: 5, duration: 4),
        TimeRow(
            annotations: [(5, "sr"), (9, "ss")],
            rest: #","timestamp":4,"duration":7"#,
            kind: .server,
            start: 4,
            duration: 7
        ),
        TimeRow(annotations: [(5, "sr")], kind: .server, start: 5),
        TimeRow(annotations: [(9, "cr")], rest: #","timestamp":4"#, kind: .client, start: 4, duration: 5),
        TimeRow(annotations: [(9, "cr")], kind: .client, start: 9, isMarked: true),
        TimeRow(annotations: [(9, "cs"), (5, "cr")], kind: .client, start: 9),
        TimeRow(annotations: [(5, "ms"), (8, "ws")], kind: .producer, start: 5, duration: 3),
        TimeRow(annotations: [(5, "ms")], kind: .producer, start: 5),
        TimeRow(annotations: [(5, "wr"), (8, "mr")], kind: .consumer, start: 5, duration: 3),
        TimeRow(annotations: [(8, "mr")], kind: .consumer, start: 8),
        TimeRow(
            annotations: [(5, "wr"), (4, "ws")],
            kind: .unspecified,
            start: 4,
            isMarked: true,
            events: ["wr", "ws"]
        ),
        TimeRow(annotations: [(5, "sr"), (6, "sr")], kind: .server, start: 5, events: ["sr"]),
        TimeRow(
            annotations: [(5, "CS"), (6, "csx")],
            kind: .unspecified,
            start: 5,
            isMarked: true,
            events: ["CS", "csx"]
        ),
    ]

    @Test(arguments: timeRows)
    func `kind and times come from annotations where the span does not say them`(_ row: TimeRow) throws {
        let span = try #require(
            try Self.span(row.annotations.map { Self.annotation($0.0, $0.1) }, [], row.rest).first
        )
        #expect(span.kind == row.kind)
        #expect(span.startUnixNanos == row.start * 1000 && span.durationNanos == row.duration * 1000)
        #expect((span.attributes["otel.zipkin.absentField.startTime"] != nil) == row.isMarked)
        #expect(span.events.map(\.name) == row.events)
        #expect(span.resource.serviceName == "Web")
    }

    @Test func `a message has both its ends`() throws {
        let broker = #"{"serviceName":"kafka"}"#
        let spans = try Self.span(
            [Self.annotation(1, "ms"), Self.annotation(5, "mr", Self.db)],
            [Self.binary("ma", "true", broker)]
        )
        #expect(spans.map(\.kind) == [.producer, .consumer])
        #expect(spans.map { $0.attributes["peer.service"] } == ["kafka", nil])
    }

    @Test func `a span without sides has the service that any of its parts names`() throws {
        let local = try Self.span([], [Self.binary("lc", #""""#)], #","timestamp":1"#)
        #expect(local.map(\.kind) == [.unspecified] && local.map(\.resource.serviceName) == ["Web"])
        #expect(local[0].attributes["lc"] == nil)
        let component = try Self.span([], [Self.binary("lc", #""worker""#)], #","timestamp":1"#)
        #expect(component[0].attributes["lc"] == "worker")
        let tagged = try Self.span([], [Self.binary("sa", "true", Self.db), Self.binary("k", "1")], #","timestamp":1"#)
        #expect(tagged[0].resource.serviceName == "Web" && tagged[0].attributes["peer.service"] == "db")
        let nowhere = try Self.span([Self.annotation(3, "x", nil)], [], #","timestamp":1"#)
        #expect(nowhere[0].resource.attributes.isEmpty)
    }

    @Test func `an address under the name of the side itself says only where`() throws {
        let spans = try Self.span(
            [Self.annotation(1, "sr"), Self.annotation(2, "ss")],
            [Self.binary("ca", #""1""#, #"{"serviceName":"Web","ipv4":"10.0.0.9"}"#)]
        )
        #expect(spans[0].attributes["peer.service"] == nil && spans[0].attributes["net.peer.ip"] == "10.0.0.9")
    }

    @Test(arguments: [
        (#"{"key":"k","value":true}"#, AttributeValue.bool(true)), (#"{"key":"k","value":false}"#, .bool(false)),
        (#"{"key":"k","value":5}"#, .int(5)), (#"{"key":"k","value":-2.5}"#, .double(-2.5)),
        (#"{"key":"k","value":"5"}"#, .string("5")), (#"{"key":"k","value":"5","type":"I64"}"#, .int(5)),
        (#"{"type":"DOUBLE","value":"5","key":"k"}"#, .double(5)),
        (#"{"key":"k","value":"x","type":"I16"}"#, .string("x")),
        (#"{"key":"k","value":"AQ==","type":"BYTES"}"#, .string("AQ==")), (#"{"key":"k"}"#, .string("")),
        (#"{"key":"k","value":1e400}"#, .double(.infinity)),
    ])
    func `binary annotations keep their type`(json: String, value: AttributeValue) throws {
        let spans = try Self.span([Self.annotation(1, "sr"), Self.annotation(1, "ss")], [json])
        #expect(spans[0].attributes["k"] == value)
    }

    @Test func `tags say the same as in version 2`() throws {
        let spans = try Self.span(
            [Self.annotation(1, "sr"), Self.annotation(2, "e\\\": {", nil)],
            [Self.binary("error", #""boom""#), Self.binary("host.name", #""h""#)]
        )
        #expect(spans[0].status == .init(.error, message: "boom"))
        #expect(spans[0].resource.attributes["host.name"] == "h")
    }

    @Test func `a span with a bad id is left out alone`() throws {
        let json = #"[{"traceId":"1","id":"x"},{"traceId":"1","id":"2","timestamp":1},{"id":"2"}]"#
        let decoded = try Zipkin.decode(Array(json.utf8), as: .jsonV1)
        #expect(decoded.batch.spans.map(\.spanID) == [SpanID(2)])
        #expect(decoded.rejected == [.invalidSpanID: 1, .invalidTraceID: 1])
    }
}
