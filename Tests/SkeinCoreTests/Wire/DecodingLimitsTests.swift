// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

/// What a request may become: few bytes on the wire must not be many in memory.
@Suite struct DecodingLimitsTests {
    /// A span with five of everything that it may have too much of, in owners of five attributes each.
    private static let rich: SkeinModel.Span = {
        var span = SpanBatchTests.full
        let attributes = (1...5).map { Attribute("k\($0)", .int(Int64($0))) }
        span.weight = 1
        span.attributes = attributes
        span.events = (1...5).map { .init(timeUnixNanos: UInt64(1000 + $0), name: "e\($0)", attributes: attributes) }
        span.links = (1...5).map { .init(traceID: span.traceID, spanID: SpanID(UInt64($0)), attributes: attributes) }
        span.resource = Resource(attributes: [Attribute("service.name", "shop")] + attributes)
        span.scope = InstrumentationScope(name: "lib", attributes: attributes)
        return span
    }()

    private static func decode(_ span: SkeinModel.Span, json: Bool, _ limits: DecodingLimits) throws(WireError)
        -> DecodedSpans
    {
        let batch = SpanBatch(spans: [span])
        if json {
            var decoder = OTLP.JSONDecoder(limits: limits)
            return try OTLP.decode(json: Array(OTLPJSONTests.encode(batch).utf8), &decoder)
        }
        var decoder = OTLP.ProtobufDecoder(limits: limits)
        return try OTLP.decode(OTLP.encode(batch), &decoder)
    }

    @Test(arguments: [false, true])
    func `what an owner has too much of is dropped and counted on it`(_ json: Bool) throws {
        var limits = DecodingLimits()
        limits.itemsMax = 3
        let decoded = try Self.decode(Self.rich, json: json, limits)
        var kept = Self.rich
        kept.attributes.removeLast(2)
        kept.events.removeLast(2)
        kept.links.removeLast(2)
        kept.resource.attributes.removeLast(3)
        kept.scope.attributes.removeLast(2)
        for index in 0..<3 {
            kept.events[index].attributes.removeLast(2)
            kept.events[index].droppedAttributesCount += 2
            kept.links[index].attributes.removeLast(2)
            kept.links[index].droppedAttributesCount += 2
        }
        kept.droppedAttributesCount += 2
        kept.droppedEventsCount += 2
        kept.droppedLinksCount += 2
        kept.resource.droppedAttributesCount += 3
        kept.scope.droppedAttributesCount += 2
        #expect(decoded.batch.spans == [kept])
        #expect(decoded.dropped.attributes == 2 + 3 + 2 + 3 * 2 + 3 * 2)
        #expect(decoded.dropped.events == 2 && decoded.dropped.links == 2)
        #expect(decoded.rejected.isEmpty)
        #expect(decoded.warning.contains("a span keeps 3 of each"))
    }

    @Test(arguments: [false, true])
    func `what is within the limits loses nothing`(_ json: Bool) throws {
        var limits = DecodingLimits()
        limits.itemsMax = 6
        let decoded = try Self.decode(Self.rich, json: json, limits)
        #expect(decoded.batch.spans == [Self.rich])
        #expect(decoded.dropped.count == 0 && decoded.warning.isEmpty)
    }

    @Test(arguments: [false, true])
    func `a request that becomes too much is not decoded to its end`(_ json: Bool) throws {
        var limits = DecodingLimits()
        limits.columnBytesMax = 600
        let error = #expect(throws: WireError.self) { try Self.decode(Self.rich, json: json, limits) }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("600 bytes") == true)
        limits.columnBytesMax = 1200
        #expect(try Self.decode(Self.rich, json: json, limits).accepted == 1)
    }

    @Test func `the size that is counted is about the size of the columns`() throws {
        let spans = (1...2000).map { number in
            var span = Self.rich
            span.spanID = SpanID(UInt64(number))
            return span
        }
        let bytes = OTLP.encode(SpanBatch(spans: spans))
        let size = try OTLP.decode(bytes).batch.byteCount
        var limits = DecodingLimits()
        limits.columnBytesMax = size * 9 / 10
        var decoder = OTLP.ProtobufDecoder(limits: limits)
        #expect(throws: WireError.self) { try OTLP.decode(bytes, &decoder) }
        limits.columnBytesMax = size * 11 / 10
        var generous = OTLP.ProtobufDecoder(limits: limits)
        #expect(try OTLP.decode(bytes, &generous).accepted == 2000)
    }

    @Test func `a decoder that gave up serves the next request`() throws {
        var limits = DecodingLimits()
        limits.columnBytesMax = 200
        var decoder = OTLP.ProtobufDecoder(limits: limits)
        #expect(throws: WireError.self) { try OTLP.decode(OTLP.encode(SpanBatch(spans: [Self.rich])), &decoder) }
        let decoded = try OTLP.decode(OTLP.encode(SpanBatch(spans: [SpanBatchTests.bare])), &decoder)
        #expect(decoded.batch.spans == [SpanBatchTests.bare])
    }

    @Test func `a value of millions of nothings is refused`() {
        // An unknown field at its end makes the value uncanonical, so that it must be read.
        let value =
            Bytes.field(5, [UInt8](repeating: 0, count: 2_200_000).enumerated().map { $0.offset % 2 == 0 ? 0x0a : 0 })
            + Bytes.field(15, varint: 1)
        let bytes = Bytes.request([Bytes.span(Bytes.field(9, Bytes.field(1, "k") + Bytes.field(2, value)))])
        let error = #expect(throws: WireError.self) { try OTLP.decode(bytes) }
        #expect(error?.code == .tooLarge)
    }
}
