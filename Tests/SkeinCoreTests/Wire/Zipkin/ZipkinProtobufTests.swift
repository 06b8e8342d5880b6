// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

@Suite struct ZipkinProtobufTests {
    /// The span of `ZipkinJSONTests.full`, the addresses as bytes.
    static let full: [UInt8] =
        Bytes.field(1, Bytes.hex("0af7651916cd43dd8448eb211c80319c")) + Bytes.field(2, Bytes.hex("00f067aa0ba902b7"))
        + Bytes.field(3, Bytes.hex("b7ad6b7169203331")) + Bytes.field(4, varint: 1) + Bytes.field(5, "Get /Orders")
        + Bytes.fixed64(6, 1_700_000_000_000_000) + Bytes.field(7, varint: 2500)
        + Bytes.field(8, Bytes.field(1, "Shop") + Bytes.field(2, [192, 168, 99, 1]) + Bytes.field(4, varint: 8080))
        + Bytes.field(
            9,
            Bytes.field(1, "Orders") + Bytes.field(3, Bytes.hex("20010db800000000000000000000c001"))
                + Bytes.field(4, varint: 3306)
        )
        + Bytes.field(10, Bytes.fixed64(1, 1_700_000_000_000_100) + Bytes.field(2, "retry"))
        + tag("http.method", "GET") + tag("http.path", "/orders") + Bytes.field(12, varint: 1)
        + Bytes.field(13, varint: 1)
        + Bytes.field(99, "unknown")

    static func tag(_ key: String, _ value: String) -> [UInt8] {
        Bytes.field(11, Bytes.field(1, key) + Bytes.field(2, value))
    }

    static let ids = Bytes.field(1, [1]) + Bytes.field(3, [2]) + Bytes.fixed64(6, 1)

    static func list(_ spans: [UInt8]...) -> [UInt8] { spans.flatMap { Bytes.field(1, $0) } }

    private func span(_ rest: [UInt8]) throws -> SkeinModel.Span {
        try #require(try Zipkin.decode(Self.list(Self.ids + rest), as: .proto3).batch.spans.first)
    }

    @Test func `a span with all there is reads as the same in JSON`() throws {
        let decoded = try Zipkin.decode(Self.list(Self.full), as: .proto3)
        #expect(decoded.batch.spans == [ZipkinJSONTests.fullSpan])
    }

    @Test(
        arguments: [
            (0, .unspecified), (1, .client), (2, .server), (3, .producer), (4, .consumer), (5, .unspecified),
            (.max, .unspecified),
        ] as [(UInt64, SkeinModel.Span.Kind)]
    )
    func `the numbers of kinds are Zipkin's`(number: UInt64, kind: SkeinModel.Span.Kind) throws {
        #expect(try span(Bytes.field(4, varint: number)).kind == kind)
    }

    @Test(arguments: [(0, .unspecified), (1, .server)] as [(UInt64, SkeinModel.Span.Kind)])
    func `a shared span without a kind is a server's`(shared: UInt64, kind: SkeinModel.Span.Kind) throws {
        #expect(try span(Bytes.field(13, varint: shared)).kind == kind)
    }

    @Test func `ids of any length up to OpenTelemetry's are padded`() throws {
        let span = try span(Bytes.field(1, [UInt8](repeating: 1, count: 9)) + Bytes.field(2, [3]))
        #expect(span.traceID == TraceID(high: 1, low: 0x0101_0101_0101_0101) && span.parentSpanID == SpanID(3))
    }

    @Test(arguments: [
        (Bytes.field(3, [1]), RejectionReason.invalidTraceID),
        (Bytes.field(1, [UInt8](repeating: 1, count: 17)) + Bytes.field(3, [1]), .invalidTraceID),
        (Bytes.field(1, [1]), .invalidSpanID), (Bytes.field(1, [1]) + Bytes.field(3, [0, 0]), .invalidSpanID),
        (Bytes.field(1, [1]) + Bytes.field(3, [UInt8](repeating: 1, count: 9)), .invalidSpanID),
        (ids + Bytes.field(2, [UInt8](repeating: 1, count: 9)), .invalidParentSpanID),
    ])
    func `a span with a bad id is left out alone`(bytes: [UInt8], reason: RejectionReason) throws {
        let decoded = try Zipkin.decode(Self.list(bytes + Self.tag("lost", "x"), Self.full), as: .proto3)
        #expect(decoded.batch.spans == [ZipkinJSONTests.fullSpan])
        #expect(decoded.rejected == [reason: 1])
    }

    @Test func `tags may lack a part, or have it in another order`() throws {
        let long = String(repeating: "x", count: 300)
        let span = try span(
            Bytes.field(11, Bytes.field(2, "v") + Bytes.field(1, "k")) + Bytes.field(11, Bytes.field(1, "alone"))
                + Bytes.field(11, []) + Self.tag("long", long)
                + Bytes.field(11, Bytes.field(1, "a") + Bytes.field(1, "b"))
        )
        #expect(
            span.attributes == [
                Attribute("k", "v"), Attribute("alone", ""), Attribute("", ""), Attribute("long", .string(long)),
                Attribute("b", ""),
            ]
        )
    }

    @Test(arguments: [
        ("00000000000000000000000000000000", "::"), ("00000000000000000000000000000001", "::1"),
        ("20010db8000000010000000000000000", "2001:db8:0:1::"),
        ("20010db8000100020003000400050006", "2001:db8:1:2:3:4:5:6"),
        ("00010000000200000000000300000000", "1:0:2::3:0:0"), ("00010000000200030004000500060007", "1:0:2:3:4:5:6:7"),
        ("0a0b", nil),
    ])
    func `addresses of 16 bytes are written short`(hex: String, text: String?) throws {
        let span = try span(Bytes.field(8, Bytes.field(3, Bytes.hex(hex))))
        #expect(span.attributes == (text.map { [Attribute("net.host.ip", .string($0))] } ?? []))
    }

    @Test(
        arguments: [([0, 0, 0, 0], "0.0.0.0"), ([10, 9, 100, 255], "10.9.100.255"), ([1, 2, 3], nil)]
            as [([UInt8], String?)]
    )
    func `addresses of 4 bytes are numbers`(bytes: [UInt8], text: String?) throws {
        let span = try span(Bytes.field(8, Bytes.field(2, bytes)))
        #expect(span.attributes == (text.map { [Attribute("net.host.ip", .string($0))] } ?? []))
    }

    @Test func `text that is not UTF-8 is repaired`() throws {
        let span = try span(
            Bytes.field(5, [0x61, 0xff]) + Bytes.field(11, Bytes.field(1, [0xfe]) + Bytes.field(2, [0x80]))
        )
        #expect(span.name == "a\u{fffd}" && span.attributes == [Attribute("\u{fffd}", "\u{fffd}")])
    }
}
