// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// The spans of batches as exporters write them for Zipkin: resources as tags of every span, values as texts.
struct ZipkinBodies {
    private(set) var json: [[UInt8]] = []
    private(set) var proto3: [[UInt8]] = []
    private(set) var thrift: [[UInt8]] = []

    init(_ batches: [SpanBatch]) {
        for batch in batches {
            let spans = batch.spans
            var text = JSONWriter()
            text.array { json in
                for span in spans { Self.write(span, to: &json) }
            }
            json.append(text.array())
            proto3.append(spans.flatMap { Self.field(1, Self.protobuf($0)) })
            var list: [UInt8] = []
            ThriftValue.list(spans.map { Self.thrift($0) }).appendBinary(to: &list)
            thrift.append(list)
        }
    }

    private static let kinds: [SkeinModel.Span.Kind: (name: String, number: UInt8)] = [
        .client: ("CLIENT", 1), .server: ("SERVER", 2), .producer: ("PRODUCER", 3), .consumer: ("CONSUMER", 4),
    ]

    private static func tags(_ span: SkeinModel.Span) -> [(String, String)] {
        (span.attributes + span.resource.attributes.filter { $0.key != "service.name" }).map {
            ($0.key, text($0.value))
        }
    }

    private static func text(_ value: AttributeValue) -> String {
        if case .string(let text) = value { return text }
        var json = JSONWriter()
        json.plain(value)
        return String(decoding: json.array(), as: UTF8.self)
    }

    private static func write(_ span: SkeinModel.Span, to json: inout JSONWriter) {
        json.object { json in
            json.member("traceId", span.traceID)
            json.member("id", span.spanID)
            if span.parentSpanID.isValid { json.member("parentId", span.parentSpanID) }
            if let kind = kinds[span.kind] { json.member("kind", kind.name) }
            json.member("name", span.name)
            json.member("timestamp", decimal: span.startUnixNanos / 1000)
            json.member("duration", decimal: max(1, span.durationNanos / 1000))
            json.object("localEndpoint") { $0.member("serviceName", span.resource.serviceName) }
            json.object("tags") { json in
                for (key, value) in tags(span) {
                    json.key(text: key)
                    json.string(value)
                }
            }
            json.array("annotations") { json in
                for event in span.events {
                    json.object { json in
                        json.member("timestamp", decimal: event.timeUnixNanos / 1000)
                        json.member("value", event.name)
                    }
                }
            }
        }
    }

    private static func protobuf(_ span: SkeinModel.Span) -> [UInt8] {
        func id(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }
        func fixed64(_ number: UInt8, _ value: UInt64) -> [UInt8] {
            [number << 3 | 1] + withUnsafeBytes(of: value.littleEndian, Array.init)
        }
        var out = field(1, id(span.traceID.high) + id(span.traceID.low)) + field(3, id(span.spanID.rawValue))
        if span.parentSpanID.isValid { out += field(2, id(span.parentSpanID.rawValue)) }
        if let kind = kinds[span.kind] { out += [0x20, kind.number] }
        out += field(5, Array(span.name.utf8)) + fixed64(6, span.startUnixNanos / 1000)
        out += [0x38] + varint(max(1, span.durationNanos / 1000))
        out += field(8, field(1, Array(span.resource.serviceName.utf8)))
        for event in span.events {
            out += field(10, fixed64(1, event.timeUnixNanos / 1000) + field(2, Array(event.name.utf8)))
        }
        for (key, value) in tags(span) { out += field(11, field(1, Array(key.utf8)) + field(2, Array(value.utf8))) }
        return out
    }

    /// A span of version 1: kinds and times are annotations, and every one names its end.
    private static func thrift(_ span: SkeinModel.Span) -> ThriftValue {
        let host = ThriftValue.structure([.init(3, .text(span.resource.serviceName))])
        let (start, end) = (span.startUnixNanos / 1000, (span.startUnixNanos + span.durationNanos) / 1000)
        func annotation(_ micros: UInt64, _ value: String) -> ThriftValue {
            .structure([.init(1, .i64(Int64(micros))), .init(2, .text(value)), .init(3, host)])
        }
        let core: [(UInt64, String)] =
            switch span.kind {
            case .client: [(start, "cs"), (end, "cr")]
            case .server: [(start, "sr"), (end, "ss")]
            case .producer: [(start, "ms")]
            case .consumer: [(start, "mr")]
            default: []
            }
        let annotations =
            core.map { annotation($0, $1) } + span.events.map { annotation($0.timeUnixNanos / 1000, $0.name) }
        let binary = tags(span).map { key, value in
            ThriftValue.structure([.init(1, .text(key)), .init(2, .text(value)), .init(3, .i32(6)), .init(4, host)])
        }
        func whole(_ number: UInt64) -> ThriftValue { .i64(Int64(bitPattern: number)) }
        var fields: [ThriftValue.Field] = [
            .init(1, whole(span.traceID.low)), .init(3, .text(span.name)), .init(4, whole(span.spanID.rawValue)),
        ]
        if span.parentSpanID.isValid { fields.append(.init(5, whole(span.parentSpanID.rawValue))) }
        fields += [
            .init(6, .list(annotations)), .init(8, .list(binary)), .init(10, .i64(Int64(start))),
            .init(11, .i64(Int64(max(1, span.durationNanos / 1000)))), .init(12, whole(span.traceID.high)),
        ]
        return .structure(fields)
    }

    private static func field(_ number: UInt8, _ body: [UInt8]) -> [UInt8] {
        [number << 3 | 2] + varint(UInt64(body.count)) + body
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.appendVarint(value)
        return writer.array()
    }
}
