// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinModel
import SkeinRecording
import SkeinWire
import Testing
import Tracing

@Suite struct JaegerThriftTests {
    enum Form: CaseIterable, Sendable { case compact, binary, batch }

    /// The messages of `spans`, none of which is too large.
    private func messages(_ spans: [FinishedSpan], _ form: Form, byteCountMax: Int = 1 << 20) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var oversize = JaegerThrift.Oversize()
        switch form {
        case .compact:
            oversize = JaegerThrift.forEachDatagram(of: spans, in: ThriftCompact.self, byteCountMax: byteCountMax) {
                bytes,
                _ in messages.append([UInt8](bytes))
            }
        case .binary:
            oversize = JaegerThrift.forEachDatagram(of: spans, in: ThriftBinary.self, byteCountMax: byteCountMax) {
                bytes,
                _ in messages.append([UInt8](bytes))
            }
        case .batch: JaegerThrift.forEachBatch(of: spans) { bytes, _ in messages.append([UInt8](bytes)) }
        }
        #expect(oversize == JaegerThrift.Oversize())
        return messages
    }

    private func decoded(_ message: [UInt8], _ form: Form) throws -> [SkeinModel.Span] {
        var decoder = Jaeger.ThriftDecoder()
        let decoded = try message.withUnsafeBytes { bytes in
            switch form {
            case .compact: try decoder.decodeCompact(bytes, receivedUnixNanos: 1)
            case .binary: try decoder.decodeBinary(bytes, receivedUnixNanos: 1)
            case .batch: try decoder.decodeBatch(bytes, receivedUnixNanos: 1)
            }
        }
        #expect(decoded.rejectedCount == 0)
        return (0..<decoded.batch.count).map { decoded.batch.span(at: $0) }
    }

    /// A row as Jaeger can say it.
    private func asJaeger(_ row: SkeinModel.Span) -> SkeinModel.Span {
        func value(_ value: AttributeValue) -> AttributeValue {
            switch value {
            case .string, .bool, .int, .double, .bytes: value
            case .null, .array, .map: .string(RecordedValue(value).text)
            }
        }
        func values(_ attributes: [Attribute]) -> [Attribute] {
            attributes.map { Attribute($0.key, value($0.value)) }
        }
        var told = row
        told.startUnixNanos = row.startUnixNanos / 1000 * 1000
        told.durationNanos = row.durationNanos / 1000 * 1000
        told.flags = row.flags & 1
        told.scope = InstrumentationScope()
        told.traceState = ""
        told.resource = Resource(attributes: values(row.resource.attributes))
        if row.resource.attributes.isEmpty { told.resource.attributes = [Attribute("service.name", "unknown_service")] }
        told.attributes = values(row.attributes) + [Attribute("otel.scope.name", .string(row.scope.name))]
        if !row.traceState.isEmpty { told.attributes.append(Attribute("w3c.tracestate", .string(row.traceState))) }
        for (key, count) in [
            ("otel.dropped_attributes_count", row.droppedAttributesCount),
            ("otel.dropped_events_count", row.droppedEventsCount), ("otel.dropped_links_count", row.droppedLinksCount),
        ] where count > 0 {
            told.attributes.append(Attribute(key, .int(Int64(count))))
        }
        (told.droppedAttributesCount, told.droppedEventsCount, told.droppedLinksCount) = (0, 0, 0)
        told.events = row.events.map { event in
            var told = event
            told.timeUnixNanos = event.timeUnixNanos / 1000 * 1000
            told.droppedAttributesCount = 0
            if event.droppedAttributesCount > 0 {
                let count = Int64(event.droppedAttributesCount)
                told.attributes.append(Attribute("otel.event.dropped_attributes_count", .int(count)))
            }
            return told
        }
        told.links = row.links.map { link in
            SkeinModel.Span.Link(
                traceID: link.traceID,
                spanID: link.spanID,
                attributes: [Attribute("opentracing.ref_type", "follows_from")]
            )
        }
        return told
    }

    @Test(arguments: Sample.all, Form.allCases)
    func `what is written reads back, as far as Jaeger can say it`(sample: Sample, form: Form) throws {
        let messages = messages(sample.spans, form)
        #expect(messages.count == 1)
        #expect(try decoded(messages[0], form) == SampleTracer.rows(sample.spans).map(asJaeger))
    }

    @Test func `a compact message is written byte by byte as the encoding has it`() {
        let tracer = SampleTracer(Resource(attributes: [Attribute("service.name", "s")]))
        tracer.span("n", start: 2000, nanos: 1000, file: "") { $0.setAttribute("k", true) }
        let span: [UInt8] =
            [0x16, 2, 0x16] + zigZag(Int64(bitPattern: 0xa0b1_c2d3_e4f5_0617))
            + [0x16] + zigZag(Int64(bitPattern: 0x0200_0000_0000_00ff)) + [0x16, 0, 0x18, 1, 0x6e]
            + [0x25, 2, 0x16, 4, 0x16, 2]
            + [0x19, 0x2c] + [0x18, 1, 0x6b, 0x15, 4, 0x31, 0]
            + [0x18, 9] + Array("span.kind".utf8) + [0x15, 0, 0x18, 8] + Array("internal".utf8) + [0, 0]
        let message: [UInt8] =
            [0x82, 0x81, 0, 9] + Array("emitBatch".utf8) + [0x1c, 0x1c, 0x18, 1, 0x73, 0, 0x19, 0x1c] + span + [0, 0]
        #expect(messages(tracer.spans, .compact) == [message])
    }

    private func zigZag(_ value: Int64) -> [UInt8] {
        var out = ByteWriter()
        out.appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63))
        return out.array()
    }

    @Test func `a binary message is strict, and a batch has no envelope`() {
        let tracer = SampleTracer()
        tracer.span()
        let prefix: [UInt8] = [0x80, 1, 0, 4, 0, 0, 0, 9] + Array("emitBatch".utf8) + [0, 0, 0, 0, 12, 0, 1]
        let (message, batch) = (messages(tracer.spans, .binary)[0], messages(tracer.spans, .batch)[0])
        #expect(message == prefix + batch + [0])
        #expect(batch.starts(with: [12, 0, 1, 11, 0, 1, 0, 0, 0, 4] + Array("shop".utf8)))
    }

    @Test func `tags of a span that say what its fields say are not said twice`() throws {
        let tracer = SampleTracer(Resource())
        tracer.span(kind: .client) { span in
            for key in ["span.kind", "error", "otel.status_code"] { span.setAttribute(key, "mine") }
            span.setStatus(SpanStatus(code: .error, message: "no stock"))
            span.addEvent(SpanEvent(name: "a", at: Moment(nanosecondsSinceEpoch: 1), attributes: ["event": "b"]))
        }
        let read = try decoded(messages(tracer.spans, .compact)[0], .compact)[0]
        #expect(read.kind == .client && read.status == .init(.error, message: "no stock"))
        #expect(read.attributes == [Attribute("otel.scope.name", "Shop")])
        #expect(read.events.map(\.name) == ["b"] && read.events[0].attributes.isEmpty)
    }

    @Test func `a link may say that it is a parent`() throws {
        let tracer = SampleTracer()
        let other = tracer.span()
        tracer.span { span in
            if let target = other.spanContext { span.addLink(target, attributes: ["opentracing.ref_type": "child_of"]) }
        }
        let read = try decoded(messages(tracer.spans, .compact)[0], .compact)[1]
        #expect(read.links[0].attributes["opentracing.ref_type"] == "child_of")
    }

    @Test(arguments: [Form.compact, .binary])
    func `datagrams are as full as the limit lets them be, and none is larger`(form: Form) throws {
        let tracer = SampleTracer()
        for index in 0..<100 {
            tracer.span("span \(index)") { $0.setAttribute("k", String(repeating: "v", count: index)) }
        }
        let whole = messages(tracer.spans, form)[0].count
        for limit in [400, 1000, whole - 1, whole + 4] {
            let messages = messages(tracer.spans, form, byteCountMax: limit)
            #expect(messages.allSatisfy { $0.count <= limit })
            #expect(try messages.flatMap { try decoded($0, form) }.map(\.name) == tracer.rows.map(\.name))
            for (message, next) in zip(messages, messages.dropFirst()) {
                let rest = try decoded(next, form).count
                #expect(rest == 0 || message.count + next.count / max(1, rest) > limit - 150)
            }
        }
        #expect(messages(tracer.spans, form, byteCountMax: whole + 4).count == 1)
    }

    @Test func `a span that is larger than a datagram is left out, and counted with its size`() throws {
        let tracer = SampleTracer()
        for (name, count) in [("a", 1), ("b", 70_000), ("c", 1), ("d", 80_000)] {
            tracer.span(name) { $0.setAttribute("k", String(repeating: "v", count: count)) }
        }
        var names: [String] = []
        let oversize = try JaegerThrift.forEachDatagramThrowing(of: tracer.spans) {
            names += try decoded($0, .compact).map(\.name)
        }
        #expect(names == ["a", "c"])
        #expect(oversize.spanCount == 2 && (80_000..<80_400).contains(oversize.byteCountMax))
    }

    @Test func `a datagram has the spans of one process`() throws {
        let (shop, bank) = (SampleTracer(), SampleTracer(Resource(attributes: [Attribute("service.name", "bank")])))
        for tracer in [shop, bank, shop] { tracer.span() }
        let mixed = [shop.spans[0], bank.spans[0], shop.spans[1]]
        for form in Form.allCases {
            let services = try messages(mixed, form).map { try decoded($0, form).map(\.resource.serviceName) }
            #expect(services == [["shop", "shop"], ["bank"]])
        }
    }
}

extension JaegerThrift {
    /// With the usual limit; the first error of `body` is thrown in the end.
    fileprivate static func forEachDatagramThrowing(
        of spans: [FinishedSpan],
        _ body: ([UInt8]) throws -> Void
    ) throws -> Oversize {
        var messages: [[UInt8]] = []
        let oversize = forEachDatagram(of: spans, in: ThriftCompact.self) { bytes, _ in messages.append([UInt8](bytes))
        }
        try messages.forEach(body)
        return oversize
    }
}
