// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// The spans of batches as clients of Jaeger write them, a batch for each run of spans of one service: the resource is the
/// process, what Jaeger has no field for are tags.
struct JaegerBodies {
    /// Messages to an agent.
    private(set) var compact: [[UInt8]] = []
    private(set) var binary: [[UInt8]] = []
    /// Batches that are posted to a collector.
    private(set) var posted: [[UInt8]] = []
    private(set) var protobuf: [[UInt8]] = []

    init(_ batches: [SpanBatch]) {
        for batch in batches {
            for spans in Self.runs(of: batch.spans) {
                let thrift = Self.batch(spans)
                var body: [UInt8] = []
                thrift.appendBinary(to: &body)
                posted.append(body)
                let arguments = ThriftValue.structure([.init(1, thrift)])
                var message: [UInt8] = [0x80, 1, 0, 4, 0, 0, 0, 9] + Array("emitBatch".utf8) + [0, 0, 0, 0]
                arguments.appendBinary(to: &message)
                binary.append(message)
                message = [0x82, 0x81, 0, 9] + Array("emitBatch".utf8)
                arguments.appendCompact(to: &message)
                compact.append(message)
                protobuf.append(Self.request(spans))
            }
        }
    }

    private static func runs(of spans: [SkeinModel.Span]) -> [[SkeinModel.Span]] {
        var runs: [[SkeinModel.Span]] = []
        for span in spans {
            if runs.last?.last?.resource == span.resource {
                runs[runs.count - 1].append(span)
            } else {
                runs.append([span])
            }
        }
        return runs
    }

    /// The attributes of a span and what else clients say in tags.
    private static func tags(_ span: SkeinModel.Span) -> [Attribute] {
        var tags = span.attributes
        if span.kind != .unspecified { tags.append(Attribute("span.kind", .string("\(span.kind)"))) }
        if span.status.code == .error { tags.append(Attribute("error", true)) }
        return tags
    }

    private static func process(_ span: SkeinModel.Span?) -> [Attribute] {
        (span?.resource.attributes ?? []).filter { $0.key != "service.name" }
    }

    private static func fields(_ event: SkeinModel.Span.Event) -> [Attribute] {
        [Attribute("event", .string(event.name))] + event.attributes
    }

    private static func text(_ value: AttributeValue) -> String {
        if case .string(let text) = value { return text }
        var json = JSONWriter()
        json.plain(value)
        return json.text
    }

    // MARK: Thrift

    private static func batch(_ spans: [SkeinModel.Span]) -> ThriftValue {
        let service = ThriftValue.text(spans.first?.resource.serviceName ?? "")
        return .structure([
            .init(1, .structure([.init(1, service), .init(2, tags(process(spans.first)))])),
            .init(2, .list(spans.map { span($0) })),
        ])
    }

    private static func span(_ span: SkeinModel.Span) -> ThriftValue {
        let logs = span.events.map { event in
            ThriftValue.structure([.init(1, .i64(Int64(event.timeUnixNanos / 1000))), .init(2, tags(fields(event)))])
        }
        return .structure([
            .init(1, whole(span.traceID.low)), .init(2, whole(span.traceID.high)),
            .init(3, whole(span.spanID.rawValue)),
            .init(4, whole(span.parentSpanID.rawValue)), .init(5, .text(span.name)), .init(7, .i32(1)),
            .init(8, .i64(Int64(span.startUnixNanos / 1000))), .init(9, .i64(Int64(span.durationNanos / 1000))),
            .init(10, tags(tags(span))), .init(11, .list(logs)),
        ])
    }

    private static func whole(_ number: UInt64) -> ThriftValue { .i64(Int64(bitPattern: number)) }

    private static func tags(_ attributes: [Attribute]) -> ThriftValue {
        .list(
            attributes.map { attribute in
                let (type, field): (Int32, ThriftValue.Field) =
                    switch attribute.value {
                    case .double(let value): (1, .init(4, .double(value)))
                    case .bool(let value): (2, .init(5, .bool(value)))
                    case .int(let value): (3, .init(6, .i64(value)))
                    case .bytes(let value): (4, .init(7, .binary(value)))
                    default: (0, .init(3, .text(text(attribute.value))))
                    }
                return .structure([.init(1, .text(attribute.key)), .init(2, .i32(type)), field])
            }
        )
    }

    // MARK: Protocol Buffers

    private static func request(_ spans: [SkeinModel.Span]) -> [UInt8] {
        var out = ByteWriter()
        out.appendMessage(1) { out in
            for span in spans { out.appendMessage(1) { append(span, to: &$0) } }
            out.appendMessage(2) { out in
                out.appendField(1, text: spans.first?.resource.serviceName ?? "")
                append(process(spans.first), 2, to: &out)
            }
        }
        return out.array()
    }

    private static func append(_ span: SkeinModel.Span, to out: inout ByteWriter) {
        append(span.traceID, to: &out)
        append(span.spanID, 2, to: &out)
        out.appendField(3, text: span.name)
        if span.parentSpanID.isValid {
            out.appendMessage(4) { out in
                append(span.traceID, to: &out)
                append(span.parentSpanID, 2, to: &out)
            }
        }
        out.appendField(5, varint: 1)
        append(nanos: span.startUnixNanos, 6, to: &out)
        append(nanos: span.durationNanos, 7, to: &out)
        append(tags(span), 8, to: &out)
        for event in span.events {
            out.appendMessage(9) { out in
                append(nanos: event.timeUnixNanos, 1, to: &out)
                append(fields(event), 2, to: &out)
            }
        }
    }

    private static func append(_ id: TraceID, to out: inout ByteWriter) {
        let words = (id.high.bigEndian, id.low.bigEndian)
        withUnsafeBytes(of: words) { out.appendField(1, bytes: $0) }
    }

    private static func append(_ id: SpanID, _ number: UInt64, to out: inout ByteWriter) {
        withUnsafeBytes(of: id.rawValue.bigEndian) { out.appendField(number, bytes: $0) }
    }

    private static func append(nanos: UInt64, _ number: UInt64, to out: inout ByteWriter) {
        out.appendMessage(number) { out in
            out.appendField(1, varint: nanos / 1_000_000_000)
            out.appendField(2, varint: nanos % 1_000_000_000)
        }
    }

    private static func append(_ tags: [Attribute], _ number: UInt64, to out: inout ByteWriter) {
        for tag in tags {
            out.appendMessage(number) { out in
                out.appendField(1, text: tag.key)
                switch tag.value {
                case .bool(let value):
                    out.appendField(2, varint: 1)
                    out.appendField(4, varint: value ? 1 : 0)
                case .int(let value):
                    out.appendField(2, varint: 2)
                    out.appendField(5, varint: UInt64(bitPattern: value))
                case .double(let value):
                    out.appendField(2, varint: 3)
                    out.appendField(6, fixed64: value.bitPattern)
                case .bytes(let value):
                    out.appendField(2, varint: 4)
                    value.withUnsafeBytes { out.appendField(7, bytes: $0) }
                default: out.appendField(3, text: text(tag.value))
                }
            }
        }
    }
}
