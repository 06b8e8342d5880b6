// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import Testing

@Suite struct SpanBatchTests {
    static let full: SkeinModel.Span = {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: 2),
            spanID: SpanID(3),
            parentSpanID: SpanID(4),
            name: "GET /",
            kind: .server,
            startUnixNanos: 1_000,
            durationNanos: 500
        )
        span.traceState = "a=b"
        span.flags = 0x301
        span.status = .init(.error, message: "boom")
        span.attributes = [
            Attribute("s", "text"), Attribute("b", true), Attribute("i", -7), Attribute("d", 1.5),
            Attribute("bytes", .bytes([0, 255])), Attribute("none", .null),
            Attribute("list", ["a", 1, .array([false])]), Attribute("map", .map([Attribute("k", 9)])),
        ]
        span.droppedAttributesCount = 1
        span.events = [
            .init(timeUnixNanos: 1_100, name: "e", attributes: [Attribute("x", 1)], droppedAttributesCount: 2)
        ]
        span.droppedEventsCount = 3
        span.links = [
            .init(
                traceID: TraceID(high: 5, low: 6),
                spanID: SpanID(7),
                traceState: "c=d",
                flags: 1,
                attributes: [Attribute("y", "z")],
                droppedAttributesCount: 4
            )
        ]
        span.droppedLinksCount = 5
        span.resource = Resource(
            attributes: [Attribute("service.name", "shop")],
            droppedAttributesCount: 6,
            schemaURL: "https://r"
        )
        span.scope = InstrumentationScope(
            name: "lib",
            version: "1",
            attributes: [Attribute("q", 1)],
            droppedAttributesCount: 7,
            schemaURL: "https://s"
        )
        span.weight = 10
        return span
    }()

    static let bare = SkeinModel.Span(
        traceID: TraceID(high: 0, low: 9),
        spanID: SpanID(1),
        name: "",
        startUnixNanos: 0,
        durationNanos: 0
    )

    @Test func `a batch gives back the spans it was made of`() {
        var backwards = Self.bare
        backwards.startUnixNanos = 10
        backwards.endsBeforeStart = true
        let spans = [Self.bare, Self.full, backwards, Self.full]
        let batch = SpanBatch(spans: spans, receivedUnixNanos: 77)
        #expect(batch.spans == spans)
        #expect(batch.receivedUnixNanos == 77)
        #expect(batch.resources.count == 2)
    }

    @Test func `merging rows keeps every field`() {
        let source = SpanBatch(spans: [Self.bare, Self.full, Self.bare])
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: source)
        merger.append(1, to: &builder)
        merger.append(0, to: &builder)
        merger.append(1, to: &builder)
        let merged = builder.finish(receivedUnixNanos: 0)
        #expect(merged.spans == [Self.full, Self.bare, Self.full])
        #expect(merged.resources.count == 2)
    }

    @Test func `a discarded span leaves nothing behind`() {
        var builder = SpanBatchBuilder()
        _ = builder.addResource(serviceName: 0)
        _ = builder.addScope(name: 0)
        let key = builder.intern("k")
        builder.addSpanAttribute(key: key, value: key)
        builder.addEventAttribute(key: key, value: key)
        builder.addEvent(timeUnixNanos: 1, name: key)
        builder.addLink(traceID: .zero, spanID: .zero, traceState: key)
        builder.discardSpan()
        builder.addSpan(.init())
        let batch = builder.finish(receivedUnixNanos: 0)
        #expect(batch.count == 1)
        #expect(batch.attributes.keyRefs.isEmpty && batch.events.nameRefs.isEmpty && batch.links.spanIDs.isEmpty)
    }

    @Test func `ids read hexadecimal text of any length and case`() {
        #expect(TraceID(hex: "ABCDEF")?.description == "00000000000000000000000000abcdef")
        #expect(TraceID(hex: "") == nil && TraceID(hex: "xyz") == nil)
        #expect(TraceID(hex: String(repeating: "a", count: 33)) == nil)
        #expect(SpanID(hex: "ff")?.description == "00000000000000ff")
        #expect(SpanID(hex: "10000000000000000") == nil)
    }
}
