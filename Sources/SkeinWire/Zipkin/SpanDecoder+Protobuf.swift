// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// `ListOfSpans { 1 spans* }` (zipkin-api 1.0.0 `zipkin.proto`).
extension Zipkin.SpanDecoder {
    mutating func readProtobuf(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        var list = ProtobufReader(bytes)
        while let tag = try list.nextTag() {
            guard tag == 0x0a else {
                try list.skip(tag, known: 0b10)
                continue
            }
            try readSpan(try list.readMessage())
        }
    }

    /// `Span { 1 trace_id, 2 parent_id, 3 id, 4 kind, 5 name, 6 timestamp (fixed64), 7 duration, 8 local_endpoint,
    /// 9 remote_endpoint, 10 annotations*, 11 tags (map), 12 debug, 13 shared }`
    private mutating func readSpan(_ message: ProtobufReader) throws(WireError) {
        var message = message
        while let tag = try message.nextTag() {
            switch tag {
            case 0x0a: translator.ids.setTraceID(bytes: try message.readBytes())
            case 0x12: translator.ids.setParentSpanID(bytes: try message.readBytes())
            case 0x1a: translator.ids.setSpanID(bytes: try message.readBytes())
            case 0x20: translator.span.kind = Self.kind(try message.readVarint())
            case 0x2a: translator.span.name = translator.intern(text: try message.readBytes())
            case 0x31: translator.span.timestampMicros = Int64(clamping: try message.readFixed64())
            case 0x38: translator.span.durationMicros = Int64(clamping: try message.readVarint())
            case 0x42: translator.span.localEndpoint = try readEndpoint(try message.readMessage())
            case 0x4a: translator.span.remoteEndpoint = try readEndpoint(try message.readMessage())
            case 0x52:
                let annotation = try message.readMessage()
                if translator.takeAnnotation() { try readAnnotation(annotation) }
            case 0x5a:
                let entry = try message.readMessage()
                if translator.takeTag() { try readTag(entry) }
            case 0x60: if try message.readVarint() != 0 { translator.span.isDebug = true }
            case 0x68: translator.span.isShared = try message.readVarint() != 0
            default: try message.skip(tag, known: 0x1ffe)
            }
        }
        try translator.endSpan(at: message.offset)
    }

    /// The numbers differ from OpenTelemetry's.
    private static func kind(_ number: UInt64) -> Span.Kind {
        switch number {
        case 1: .client
        case 2: .server
        case 3: .producer
        case 4: .consumer
        default: .unspecified
        }
    }

    /// `Endpoint { 1 service_name, 2 ipv4 (4 bytes), 3 ipv6 (16 bytes), 4 port }`
    private mutating func readEndpoint(_ message: ProtobufReader) throws(WireError) -> Zipkin.Endpoint {
        var message = message
        var endpoint = Zipkin.Endpoint()
        while let tag = try message.nextTag() {
            switch tag {
            case 0x0a: endpoint.serviceName = translator.intern(serviceName: try message.readBytes())
            case 0x12: endpoint.ipv4 = translator.intern(ipv4: try message.readBytes())
            case 0x1a: endpoint.ipv6 = translator.intern(ipv6: try message.readBytes())
            case 0x20: endpoint.port = UInt16(exactly: try message.readVarint()) ?? 0
            default: try message.skip(tag, known: 0b1_1110)
            }
        }
        return endpoint
    }

    /// `Annotation { 1 timestamp (fixed64), 2 value }`
    private mutating func readAnnotation(_ message: ProtobufReader) throws(WireError) {
        var message = message
        var event = Zipkin.SpanTranslator.Event()
        var micros: Int64 = 0
        while let tag = try message.nextTag() {
            switch tag {
            case 0x09: micros = Int64(clamping: try message.readFixed64())
            case 0x12: event = translator.event(try message.readBytes())
            default: try message.skip(tag, known: 0b110)
            }
        }
        try translator.add(event, micros: micros, at: message.offset)
    }

    /// `{ 1 key, 2 value }`, either of which is empty where it is not there.
    private mutating func readTag(_ entry: ProtobufReader) throws(WireError) {
        let (key, value): (UnsafeRawBufferPointer, UnsafeRawBufferPointer)
        if let pair = entry.splitPair() {
            (key, value) = pair
        } else {
            (key, value) = try Self.readPair(entry)
        }
        try translator.close(translator.openTag(key), value, at: entry.offset)
    }

    private static func readPair(
        _ entry: ProtobufReader
    ) throws(WireError) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        var entry = entry
        var key = UnsafeRawBufferPointer(start: nil, count: 0)
        var value = key
        while let tag = try entry.nextTag() {
            switch tag {
            case 0x0a: key = try entry.readBytes()
            case 0x12: value = try entry.readBytes()
            default: try entry.skip(tag, known: 0b110)
            }
        }
        return (key, value)
    }
}
