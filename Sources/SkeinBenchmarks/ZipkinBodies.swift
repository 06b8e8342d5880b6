// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// The spans of batches as exporters write them for Zipkin: resources as tags of every span, values as texts.
struct ZipkinBodies {
    private(set) var json: [[UInt8]] = []
    private(set) var proto3: [[UInt8]] = []

    init(_ batches: [SpanBatch]) {
        for batch in batches {
            let spans = batch.spans
            var text = JSONWriter()
            text.array { json in
                for span in spans { Self.write(span, to: &json) }
            }
            json.append(text.array())
            proto3.append(spans.flatMap { Self.field(1, Self.protobuf($0)) })
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

    private static func field(_ number: UInt8, _ body: [UInt8]) -> [UInt8] {
        [number << 3 | 2] + varint(UInt64(body.count)) + body
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.appendVarint(value)
        return writer.array()
    }
}
