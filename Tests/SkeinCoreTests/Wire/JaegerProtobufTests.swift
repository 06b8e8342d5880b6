// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

/// What clients send to `jaeger.api_v2.CollectorService/PostSpans`.
@Suite struct JaegerProtobufTests {
    static let traceID = Bytes.hex("00000000000000010000000000000002")

    static func id(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }
    static func moment(_ seconds: UInt64, _ nanos: UInt64) -> [UInt8] {
        Bytes.field(1, varint: seconds) + Bytes.field(2, varint: nanos)
    }
    static func tag(_ key: String, _ text: String) -> [UInt8] { Bytes.field(1, key) + Bytes.field(3, text) }
    static func reference(_ trace: [UInt8], _ span: UInt64, isChildOf: Bool) -> [UInt8] {
        Bytes.field(1, trace) + Bytes.field(2, id(span)) + (isChildOf ? [] : Bytes.field(3, varint: 1))
    }
    /// The body of a span with good ids and `rest`.
    static func span(_ rest: [UInt8] = []) -> [UInt8] { Bytes.field(1, traceID) + Bytes.field(2, id(3)) + rest }
    static func request(_ spans: [[UInt8]], process: [UInt8]? = Bytes.field(1, "shop")) -> [UInt8] {
        Bytes.field(1, spans.flatMap { Bytes.field(1, $0) } + (process.map { Bytes.field(2, $0) } ?? []))
    }
    static func decoded(_ rest: [UInt8]) throws -> SkeinModel.Span {
        try #require(try Jaeger.decode(protobuf: request([span(rest)])).batch.spans.first)
    }

    @Test func `a request is told in OpenTelemetry's terms`() throws {
        let tags: [[UInt8]] = [
            Self.tag("s", "1"), Bytes.field(1, "b") + Bytes.field(2, varint: 1) + Bytes.field(4, varint: 1),
            Bytes.field(1, "l") + Bytes.field(2, varint: 2) + Bytes.field(5, varint: UInt64(bitPattern: -5)),
            Bytes.field(1, "d") + Bytes.field(2, varint: 3) + Bytes.fixed64(6, (1.5).bitPattern),
            Bytes.field(1, "x") + Bytes.field(2, varint: 4) + Bytes.field(7, [0, 255]),
            Bytes.field(1, "u") + Bytes.field(2, varint: 9), Self.tag("span.kind", "server"),
            Self.tag("otel.status_code", "ERROR"), Self.tag("otel.status_description", "boom"),
            Self.tag("w3c.tracestate", "ot=th:8,a=b"), Self.tag("otel.scope.name", "lib"),
            Self.tag("otel.library.version", "2"),
        ]
        let log = Bytes.field(1, Self.moment(1_700_000_000, 100_000)) + Bytes.field(2, Self.tag("event", "retry"))
        let rest =
            Bytes.field(3, "GET /") + Bytes.field(4, Self.reference(Self.traceID, 4, isChildOf: true))
            + Bytes.field(4, Self.reference(Bytes.hex("0000000000000009"), 7, isChildOf: false))
            + Bytes.field(5, varint: 3) + Bytes.field(6, Self.moment(1_700_000_000, 5))
            + Bytes.field(7, Self.moment(2, 7)) + tags.flatMap { Bytes.field(8, $0) } + Bytes.field(9, log)
            + Bytes.field(11, "p1") + Bytes.field(12, "a warning") + Bytes.field(99, "unknown")
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: 2),
            spanID: SpanID(3),
            parentSpanID: SpanID(4),
            name: "GET /",
            kind: .server,
            startUnixNanos: 1_700_000_000_000_000_005,
            durationNanos: 2_000_000_007
        )
        span.flags = 1
        span.weight = 2
        span.traceState = "ot=th:8,a=b"
        span.scope = InstrumentationScope(name: "lib", version: "2")
        span.status = .init(.error, message: "boom")
        span.attributes = [
            Attribute("s", "1"), Attribute("b", true), Attribute("l", -5), Attribute("d", 1.5),
            Attribute("x", .bytes([0, 255])), Attribute("u", "<Unknown Jaeger TagType \"9\">"),
        ]
        span.events = [.init(timeUnixNanos: 1_700_000_000_000_100_000, name: "retry")]
        span.links = [
            .init(
                traceID: TraceID(high: 0, low: 9),
                spanID: SpanID(7),
                attributes: [Attribute("opentracing.ref_type", "follows_from")]
            )
        ]
        span.resource.attributes = [Attribute("service.name", "shop")]
        #expect(try Self.decoded(rest) == span)
    }

    @Test func `a span's own process comes before the batch's, and there may be none`() throws {
        let own = Self.span(Bytes.field(10, Bytes.field(1, "own")))
        let both = try Jaeger.decode(protobuf: Self.request([own, Self.span()])).batch
        #expect([both.serviceName(at: 0), both.serviceName(at: 1)] == ["own", "shop"])
        let none = try Jaeger.decode(protobuf: Self.request([Self.span()], process: nil)).batch
        #expect(none.count == 1 && none.serviceName(at: 0) == "")
    }

    @Test func `short trace ids are low halves, and ids of other lengths leave their span out`() throws {
        let short = Bytes.field(1, Self.id(9)) + Bytes.field(2, Self.id(3))
        let odd = Bytes.field(1, [1, 2, 3]) + Bytes.field(2, Self.id(3))
        let oddSpan = Bytes.field(1, Self.traceID) + Bytes.field(2, [1])
        let none = Bytes.field(3, "no ids")
        let decoded = try Jaeger.decode(protobuf: Self.request([odd, short, oddSpan, none]))
        #expect(decoded.batch.spans.map(\.traceID) == [TraceID(high: 0, low: 9)])
        #expect(decoded.rejected == [.invalidTraceID: 2, .invalidSpanID: 1])
        #expect(decoded.firstMessage == "trace ids must be 16 or 8 bytes")
    }

    @Test func `references whose ids have other lengths are counted and told`() throws {
        let bad = Bytes.field(4, Bytes.field(1, [1, 2, 3]) + Bytes.field(2, Self.id(4)) + Bytes.field(3, varint: 1))
        let good = Bytes.field(4, Self.reference(Self.traceID, 4, isChildOf: true))
        let decoded = try Jaeger.decode(protobuf: Self.request([Self.span(bad + good)]))
        #expect(decoded.batch.spans[0].droppedLinksCount == 1 && decoded.batch.spans[0].parentSpanID == SpanID(4))
        #expect(decoded.dropped.invalidLinks == 1 && decoded.dropped.count == 1)
        #expect(decoded.warning == "1 references were dropped: their ids are not as long as ids are")
    }

    @Test(arguments: [
        (UInt64(bitPattern: -5), UInt64(0), UInt64(0)), (UInt64.max >> 1, 0, .max),
        (18_446_744_073, 0, 18_446_744_073_000_000_000),
        (1, UInt64(bitPattern: -1), 999_999_999),
    ])
    func `times beyond the calendar are clamped`(seconds: UInt64, nanos: UInt64, expected: UInt64) throws {
        #expect(try Self.decoded(Bytes.field(6, Self.moment(seconds, nanos))).startUnixNanos == expected)
    }

    @Test(arguments: ["0a", "0a05", "0a020a05", "08 01", "00", "0a 04 0a 02 08 01"])
    func `garbage is refused`(hex: String) {
        #expect(throws: WireError.self) { try Jaeger.decode(protobuf: Bytes.hex(hex)) }
    }

    @Test func `random damage never traps`() {
        var random = SeededRandom(seed: 6)
        let rest =
            Bytes.field(4, Self.reference(Self.traceID, 4, isChildOf: true)) + Bytes.field(8, Self.tag("a", "b"))
            + Bytes.field(9, Bytes.field(1, Self.moment(1, 2)) + Bytes.field(2, Self.tag("event", "e")))
        let whole = Self.request([Self.span(rest), Self.span()])
        var survivors = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let decoded = try? Jaeger.decode(protobuf: bytes) {
                survivors += 1
                #expect(decoded.batch.spans.count == decoded.accepted)
            }
        }
        #expect(survivors > 100)
    }
}
