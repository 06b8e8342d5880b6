// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct JaegerThriftTests {
    /// Written by Apache Thrift 0.25 for Python with the classes of opentelemetry-exporter-jaeger-thrift 1.21.
    static let classic = Bytes.hex(
        """
        82810009656d697442617463681c1c180473686f70192c1808686f73746e616d6515001803626f7800180e6a61656765722e
        76657273696f6e15001804476f2d320000191c16041601160616081805474554202f192c1500160416011608001502161216
        10160e001502168080f28183898506168827197c18097370616e2e6b696e64150018067365727665720018056572726f7215
        04310018176f74656c2e7374617475735f6465736372697074696f6e15001804626f6f6d0018016915064609001801641502
        27000000000000f83f00180162150432001801781508580200ff00191c16c881f28183898506192c18056576656e74150018
        09657863657074696f6e0018016e150646020000000000
        """
    )

    @Test func `a batch from a classic client is told in OpenTelemetry's terms`() throws {
        let decoded = try Jaeger.decode(Self.classic)
        var span = SkeinModel.Span(
            traceID: TraceID(high: .max, low: 2),
            spanID: SpanID(3),
            parentSpanID: SpanID(4),
            name: "GET /",
            kind: .server,
            startUnixNanos: 1_700_000_000_000_000_000,
            durationNanos: 2_500_000
        )
        span.flags = 1
        span.status = .init(.error, message: "boom")
        span.attributes = [
            Attribute("i", -5), Attribute("d", 1.5), Attribute("b", false), Attribute("x", .bytes([0, 255])),
        ]
        span.events = [
            .init(timeUnixNanos: 1_700_000_000_000_100_000, name: "exception", attributes: [Attribute("n", 1)])
        ]
        span.links = [
            .init(
                traceID: TraceID(high: 8, low: 9),
                spanID: SpanID(7),
                attributes: [Attribute("opentracing.ref_type", "follows_from")]
            )
        ]
        span.resource.attributes = [
            Attribute("service.name", "shop"), Attribute("host.name", "box"),
            Attribute("opencensus.exporterversion", "Jaeger-Go-2"),
        ]
        #expect(decoded.batch.spans == [span])
        #expect(decoded.batch.serviceName(at: 0) == "shop")
    }

    static func span(_ fields: [(Int, Thrift)]) throws -> SkeinModel.Span {
        try #require(try Jaeger.decode(Thrift.emitBatch([.span(fields)])).batch.spans.first)
    }

    static func span(tags: [Thrift]) throws -> SkeinModel.Span { try span([(10, .list(tags))]) }

    @Test(arguments: [
        ("client", SkeinModel.Span.Kind.client), ("server", .server), ("producer", .producer), ("consumer", .consumer),
        ("internal", .internal), ("Server", .unspecified), ("", .unspecified),
    ])
    func `the tag span.kind becomes the kind and goes`(text: String, kind: SkeinModel.Span.Kind) throws {
        let span = try Self.span(tags: [.tag("span.kind", text)])
        #expect(span.kind == kind && span.attributes.isEmpty)
    }

    struct StatusRow: Sendable {
        var tags: [(String, AttributeValue)]
        var code: SkeinModel.Span.Status.Code
        var message = ""
        var left: [String]
    }

    static let statusRows = [
        StatusRow(tags: [("error", true)], code: .error, left: []),
        StatusRow(tags: [("error", false)], code: .unset, left: ["error"]),
        StatusRow(tags: [("error", "true")], code: .unset, left: ["error"]),
        StatusRow(tags: [("error", 1)], code: .unset, left: ["error"]),
        StatusRow(tags: [("error", true), ("otel.status_description", "d")], code: .error, message: "d", left: []),
        StatusRow(
            tags: [("error", true), ("http.status_message", "m")],
            code: .error,
            message: "m",
            left: ["http.status_message"]
        ),
        StatusRow(
            tags: [("http.status_message", "m"), ("otel.status_description", "d"), ("error", true)],
            code: .error,
            message: "d",
            left: ["http.status_message"]
        ),
        StatusRow(tags: [("otel.status_code", "OK")], code: .ok, left: []),
        StatusRow(tags: [("otel.status_code", "error")], code: .error, left: []),
        StatusRow(tags: [("otel.status_code", "weird")], code: .unset, left: []),
        StatusRow(
            tags: [("otel.status_code", "Error"), ("otel.status_description", "d")],
            code: .error,
            message: "d",
            left: []
        ),
        StatusRow(tags: [("otel.status_code", "OK"), ("error", true)], code: .error, left: []),
        StatusRow(
            tags: [("otel.status_code", "OK"), ("http.status_code", 500)],
            code: .ok,
            left: ["http.status_code"]
        ),
        StatusRow(tags: [("otel.status_description", "d")], code: .unset, left: ["otel.status_description"]),
        StatusRow(tags: [("http.status_code", 200)], code: .unset, left: ["http.status_code"]),
        StatusRow(tags: [("http.status_code", 399)], code: .unset, left: ["http.status_code"]),
        StatusRow(tags: [("http.status_code", 404)], code: .error, left: ["http.status_code"]),
        StatusRow(
            tags: [("http.status_code", 404), ("span.kind", "server")],
            code: .unset,
            left: ["http.status_code"]
        ),
        StatusRow(
            tags: [("span.kind", "client"), ("http.status_code", 404)],
            code: .error,
            left: ["http.status_code"]
        ),
        StatusRow(
            tags: [("http.status_code", 500), ("span.kind", "server")],
            code: .error,
            left: ["http.status_code"]
        ),
        StatusRow(tags: [("http.status_code", 99)], code: .error, left: ["http.status_code"]),
        StatusRow(tags: [("http.status_code", "503")], code: .error, left: ["http.status_code"]),
        StatusRow(tags: [("http.status_code", "many")], code: .unset, left: ["http.status_code"]),
        StatusRow(
            tags: [("http.status_code", 503), ("http.status_message", "m")],
            code: .error,
            message: "m",
            left: ["http.status_code", "http.status_message"]
        ),
        StatusRow(
            tags: [("w3c.tracestate", "a=b"), ("otel.scope.name", "s")],
            code: .unset,
            left: ["w3c.tracestate", "otel.scope.name"]
        ),
    ]

    @Test(arguments: statusRows.indices)
    func `status follows the error tag, then the status code, then HTTP`(index: Int) throws {
        let row = Self.statusRows[index]
        let span = try Self.span(
            tags: row.tags.map { key, value in
                switch value {
                case .bool(let value): .tag(key, value)
                case .int(let value): .tag(key, value)
                case .string(let value): .tag(key, value)
                default: fatalError("no such tag in the table")
                }
            }
        )
        #expect(span.status == .init(row.code, message: row.message))
        #expect(span.attributes.map(\.key) == row.left)
    }

    @Test func `tags keep their types, and a type that nobody knows is said`() throws {
        let unknown = Thrift.fields([(1, .text("u")), (2, .i32(9)), (3, .text("x"))])
        let span = try Self.span(
            tags: [.tag("s", "1"), .tag("d", 0.5), .tag("b", true), .tag("l", Int64.min), .tag("x", [1, 2]), unknown]
        )
        #expect(
            span.attributes == [
                Attribute("s", "1"), Attribute("d", 0.5), Attribute("b", true), Attribute("l", .int(.min)),
                Attribute("x", .bytes([1, 2])), Attribute("u", "<Unknown Jaeger TagType \"9\">"),
            ]
        )
    }

    @Test func `the parent is the field, else the first child-of, else the first follows-from, of the same trace`()
        throws
    {
        let here: (Int64, Int64) = (1, 2)
        let other = Thrift.reference(0, trace: (1, 9), span: 70)
        let follows = Thrift.reference(1, trace: here, span: 71)
        let child = Thrift.reference(0, trace: here, span: 72)
        func links(_ span: SkeinModel.Span) -> [String] {
            span.links.map { "\($0.spanID.rawValue) \($0.attributes["opentracing.ref_type"] ?? .null)" }
        }
        let byField = try Self.span([(4, .i64(72)), (6, .list([other, follows, child]))])
        #expect(byField.parentSpanID == SpanID(72))
        #expect(links(byField) == [#"70 string("child_of")"#, #"71 string("follows_from")"#])
        let byChild = try Self.span([(6, .list([other, follows, child]))])
        #expect(byChild.parentSpanID == SpanID(72) && byChild.links.count == 2)
        let byFollows = try Self.span([(6, .list([other, follows]))])
        #expect(byFollows.parentSpanID == SpanID(71) && links(byFollows) == [#"70 string("child_of")"#])
        let root = try Self.span([(6, .list([other]))])
        #expect(root.parentSpanID == .zero && root.links.count == 1)
    }

    @Test func `a log's field event becomes the event's name`() throws {
        let span = try Self.span([
            (
                11,
                .list([
                    .fields([(1, .i64(7)), (2, .list([.tag("a", Int64(1)), .tag("event", "retry")]))]),
                    .fields([(1, .i64(8))]),
                    .fields([(1, .i64(9)), (2, .list([.tag("event", Int64(5))]))]),
                ])
            )
        ])
        #expect(
            span.events == [
                .init(timeUnixNanos: 7000, name: "retry", attributes: [Attribute("a", 1)]),
                .init(timeUnixNanos: 8000, name: ""),
                .init(timeUnixNanos: 9000, name: "", attributes: [Attribute("event", 5)]),
            ]
        )
    }

    @Test func `process tags become resource attributes and known names are translated once`() throws {
        let process = Thrift.fields([
            (1, .text("s")), (2, .list([.tag("hostname", "a"), .tag("host.name", "b"), .tag("ip", "c")])),
        ])
        let batch = try Jaeger.decode(Thrift.emitBatch([.span()], process: process)).batch
        #expect(batch.spans[0].resource.attributes.map(\.key) == ["service.name", "hostname", "host.name", "ip"])
        let nameless = Thrift.fields([(1, .text("OTLPResourceNoServiceName"))])
        let none = try Jaeger.decode(Thrift.emitBatch([.span()], process: nameless)).batch
        #expect(none.serviceName(at: 0) == "" && none.spans[0].resource.attributes.isEmpty)
    }

    @Test func `times beyond the calendar are clamped`() throws {
        let late = try Self.span([(8, .i64(.max)), (9, .i64(.max))])
        #expect(late.startUnixNanos == .max && late.durationNanos == 0)
        let early = try Self.span([(8, .i64(-5)), (9, .i64(10))])
        #expect(early.startUnixNanos == 0 && early.durationNanos == 5000)
        let backwards = try Self.span([(8, .i64(100)), (9, .i64(-1))])
        #expect(backwards.endsBeforeStart && backwards.durationNanos == 0)
    }

    @Test func `spans may come before the process`() throws {
        let body = Thrift.fields([(2, .list([.span()])), (1, .fields([(1, .text("late"))]))])
        let batch = try Jaeger.decode(Thrift.message(.fields([(1, body)]))).batch
        #expect(batch.count == 1 && batch.serviceName(at: 0) == "late")
    }

    @Test func `a call is taken as a one-way message is, and nothing else`() throws {
        let arguments = Thrift.fields([(1, .fields([(2, .list([.span()]))]))])
        #expect(try Jaeger.decode(Thrift.message(arguments, kind: 1)).accepted == 1)
        for (name, kind) in [("emitBatch", UInt8(2)), ("emitZipkinBatch", 4), ("", 4)] {
            let error = #expect(throws: WireError.self) {
                try Jaeger.decode(Thrift.message(arguments, name: name, kind: kind))
            }
            #expect(error?.code == .unsupported)
        }
    }

    @Test func `spans without ids are left out and counted, those that say nothing at all are not`() throws {
        let good = Thrift.span([(5, .text("good"))])
        let noTrace = Thrift.fields([(3, .i64(1)), (11, .list([.fields([(1, .i64(1))])]))])
        let noSpan = Thrift.fields([(1, .i64(1))])
        let decoded = try Jaeger.decode(Thrift.emitBatch([noTrace, good, .fields([]), noSpan]))
        #expect(decoded.batch.spans.map(\.name) == ["good"])
        #expect(decoded.rejected == [.invalidTraceID: 1, .invalidSpanID: 1])
        #expect(decoded.batch.spans[0].events.isEmpty)
    }

    @Test func `fields that nobody knows are passed over, whatever their type`() throws {
        let unknown: [(Int, Thrift)] = [
            (20, .bool(true)), (21, .byte(1)), (22, .i32(5)), (23, .double(1)), (24, .text("x")),
            (25, .list([.i32(1), .i32(2)], of: 5)), (26, .fields([(1, .bool(false)), (900, .i64(3))])),
            (27, .list(Array(repeating: .byte(1), count: 20), of: 1)), (5, .text("name")),
        ]
        #expect(try Self.span(unknown).name == "name")
        let emptyMap: [UInt8] = [0x1b, 0x00]
        let map: [UInt8] = [0x1b, 0x02, 0x58, 0x02, 0x01, 0x61, 0x04, 0x01, 0x62]
        let arguments = Thrift.fields([(9, .fields([(1, .fields([]))]))]).encoded.dropLast()
        let header = Thrift.message(.fields([])).dropLast()
        for value in [emptyMap, map] { #expect(try Jaeger.decode(header + arguments + value + [0]).accepted == 0) }
    }

    @Test(arguments: [
        ("", "end inside"), ("80010004", "where a compact message has 130"), ("8282", "no kind of message"),
        ("82a1", "no kind of message"), ("82 81 00 ff ff ff ff 0f", "end inside"),
    ])
    func `garbage is refused`(hex: String, message: String) {
        let error = #expect(throws: WireError.self) { try Jaeger.decode(Bytes.hex(hex)) }
        #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a list that claims more elements than bytes is refused before it costs anything`() {
        let header = Thrift.message(.fields([])).dropLast()
        let spans = Bytes.hex("1c 29 fc ff ff ff ff ff ff ff ff 7f")
        let error = #expect(throws: WireError.self) { try Jaeger.decode(header + spans) }
        #expect(error?.message.contains("elements are announced and 0 bytes follow") == true)
    }

    @Test func `unknown fields that nest without end are refused`() {
        let deep = (0..<1000).reduce(Thrift.fields([])) { inner, _ in .fields([(1, inner)]) }
        let error = #expect(throws: WireError.self) { try Jaeger.decode(Thrift.message(.fields([(7, deep)]))) }
        #expect(error?.code == .tooDeep)
    }

    @Test func `a datagram cut anywhere is refused whole`() {
        for length in 0..<Self.classic.count {
            #expect(throws: WireError.self) { try Jaeger.decode(Array(Self.classic[..<length])) }
        }
    }

    @Test func `random damage never traps`() {
        var random = SeededRandom(seed: 3)
        var decoder = Jaeger.ThriftDecoder()
        var survivors = 0
        for _ in 0..<20_000 {
            var bytes = Self.classic
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 12..<bytes.count, using: &random)
                bytes[at] = UInt8.random(in: 0...255, using: &random)
            }
            if let decoded = try? Jaeger.decode(bytes, &decoder) {
                survivors += 1
                #expect(decoded.batch.spans.count == decoded.accepted)
            }
        }
        #expect(survivors > 100)
    }
}
