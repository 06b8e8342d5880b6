// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

@Suite struct ZipkinThriftTests {
    static func list(_ spans: [Thrift]) -> [UInt8] { Thrift.list(spans).binaryEncoded }

    /// A span of trace 1:2 with id 3 and these fields.
    static func span(_ fields: [(Int, Thrift)] = []) -> Thrift {
        .fields([(1, .i64(2)), (4, .i64(3)), (12, .i64(1))] + fields)
    }

    static let web = Thrift.fields([(1, .i32(0x0a00_0001)), (2, .i16(-1)), (3, .text("Web"))])
    static let db = Thrift.fields([
        (1, .i32(0)), (3, .text("db")), (4, .bytes([UInt8](repeating: 0, count: 15) + [1])),
    ])

    static func annotation(_ at: Int64, _ text: String, _ host: Thrift = web) -> Thrift {
        .fields([(1, .i64(at)), (2, .text(text)), (3, host)])
    }

    static func binary(_ key: String, _ value: [UInt8], _ type: Int64, _ host: Thrift = web) -> Thrift {
        .fields([(1, .text(key)), (2, .bytes(value)), (3, .i32(type)), (4, host)])
    }

    /// A span with all there is.
    static let full = span([
        (3, .text("Get")), (5, .i64(4)),
        (6, .list([annotation(5, "cs"), annotation(7, "retry"), annotation(9, "cr")])),
        (
            8,
            .list([
                binary("b", [0], 0), binary("y", [1, 255], 1), binary("s", [0xff, 0xfe], 2),
                binary("i", [0, 0, 1, 0], 3),
                binary("l", [0xff, 255, 255, 255, 255, 255, 255, 255], 4),
                binary("d", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 5),
                binary("t", Array("text".utf8), 6), binary("odd", [1, 2, 3], 4), binary("sa", [1], 0, db),
            ])
        ),
        (9, .bool(true)), (10, .i64(4)), (11, .i64(6)), (99, .list([.fields([(1, .double(1))])])),
    ])

    static let fullSpan: SkeinModel.Span = {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: 2),
            spanID: SpanID(3),
            parentSpanID: SpanID(4),
            name: "Get",
            kind: .client,
            startUnixNanos: 4000,
            durationNanos: 6000
        )
        span.flags = 1
        span.attributes = [
            Attribute("b", false), Attribute("y", .bytes([1, 255])), Attribute("s", -2), Attribute("i", 256),
            Attribute("l", -1), Attribute("d", 1.5), Attribute("t", "text"), Attribute("odd", .bytes([1, 2, 3])),
            Attribute("zipkin.debug", true), Attribute("net.host.ip", "10.0.0.1"), Attribute("net.host.port", 65535),
            Attribute("peer.service", "db"), Attribute("net.peer.ip", "::1"),
        ]
        span.events = [.init(timeUnixNanos: 7000, name: "retry")]
        span.resource.attributes = [Attribute("service.name", "Web")]
        return span
    }()

    @Test func `a span with all there is is told in OpenTelemetry's terms`() throws {
        let decoded = try Zipkin.decode(Self.list([Self.full]), as: .thrift)
        #expect(decoded.batch.spans == [Self.fullSpan])
        #expect(decoded.rejected.isEmpty)
    }

    @Test func `an empty list has no spans`() throws {
        #expect(try Zipkin.decode([12, 0, 0, 0, 0], as: .thrift).accepted == 0)
    }

    @Test func `a span with a bad id is left out alone`() throws {
        let bad = [Thrift.fields([(4, .i64(3))]), .fields([(1, .i64(3))])]
        let decoded = try Zipkin.decode(Self.list(bad + [Self.full]), as: .thrift)
        #expect(decoded.batch.spans == [Self.fullSpan])
        #expect(decoded.rejected == [.invalidTraceID: 1, .invalidSpanID: 1])
    }

    @Test func `a field of another type than it should have is passed over`() throws {
        let decoded = try Zipkin.decode(
            Self.list([Self.span([(3, .i64(1)), (10, .text("x")), (6, .bool(true))])]),
            as: .thrift
        )
        #expect(decoded.batch.spans.map(\.name) == [""])
    }
}
