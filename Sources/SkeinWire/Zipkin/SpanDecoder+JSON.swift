// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// `[{"traceId","parentId","id","kind","name","timestamp","duration","localEndpoint","remoteEndpoint","annotations","tags","debug",
/// "shared"}]` (zipkin-api 1.0.0 `zipkin2-api.yaml`, "Span").
extension Zipkin.SpanDecoder {
    mutating func readJSON(_ text: UnsafeRawBufferPointer) throws(WireError) {
        var json = JSONReader(text)
        try json.openArray()
        while try json.nextElement() { try readSpan(&json) }
        try json.finish()
    }

    private mutating func readSpan(_ json: inout JSONReader) throws(WireError) {
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "traceId": translator.ids.setTraceID(hex: try json.readString())
            case "id": translator.ids.setSpanID(hex: try json.readString())
            case "parentId": translator.ids.setParentSpanID(hex: try json.readString())
            case "name": translator.span.name = translator.intern(text: try json.readString())
            case "kind": translator.span.kind = Self.kind(JSONKey(bytes: try json.readString()))
            case "timestamp": translator.span.timestampMicros = try json.readInteger(Int64.self)
            case "duration": translator.span.durationMicros = try json.readInteger(Int64.self)
            case "localEndpoint": translator.span.localEndpoint = try readEndpoint(&json)
            case "remoteEndpoint": translator.span.remoteEndpoint = try readEndpoint(&json)
            case "tags": try readTags(&json)
            case "annotations":
                try json.openArray()
                while try json.nextElement() { try readAnnotation(&json) }
            case "shared": translator.span.isShared = try json.readBool()
            case "debug": if try json.readBool() { translator.span.isDebug = true }
            case "binaryAnnotations": throw json.misplaced(.jsonV1)
            default: try json.skipValue()
            }
        }
        try translator.endSpan(at: json.offset)
    }

    private static func kind(_ name: JSONKey) -> Span.Kind {
        switch name {
        case "CLIENT": .client
        case "SERVER": .server
        case "PRODUCER": .producer
        case "CONSUMER": .consumer
        default: .unspecified
        }
    }

    private mutating func readTags(_ json: inout JSONReader) throws(WireError) {
        try json.openObject()
        while let key = try json.nextMember() {
            guard translator.takeTag() else {
                try json.skipValue()
                continue
            }
            let tag = translator.openTag(key.bytes)
            let text = try json.readScalar()
            try translator.close(tag, text, at: json.offset)
        }
    }

    private mutating func readAnnotation(_ json: inout JSONReader) throws(WireError) {
        guard translator.takeAnnotation() else { return try json.skipValue() }
        var event = Zipkin.SpanTranslator.Event()
        var micros: Int64 = 0
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "timestamp": micros = try json.readInteger(Int64.self)
            case "value": event = translator.event(try json.readString())
            case "endpoint": throw json.misplaced(.jsonV1)
            default: try json.skipValue()
            }
        }
        try translator.add(event, micros: micros, at: json.offset)
    }

    /// `{"serviceName","ipv4","ipv6","port"}`, which both versions have.
    mutating func readEndpoint(_ json: inout JSONReader) throws(WireError) -> Zipkin.Endpoint {
        var endpoint = Zipkin.Endpoint()
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "serviceName": endpoint.serviceName = translator.intern(serviceName: try json.readString())
            case "ipv4": endpoint.ipv4 = translator.intern(stringValue: try json.readString())
            case "ipv6": endpoint.ipv6 = translator.intern(stringValue: try json.readString())
            case "port": endpoint.port = UInt16(exactly: try json.readInteger(Int64.self)) ?? 0
            default: try json.skipValue()
            }
        }
        return endpoint
    }
}

extension JSONReader {
    /// The error that spans of this format came to the path of the other version.
    func misplaced(_ format: Zipkin.Format) -> WireError {
        let here = malformed("")
        return format.misplaced(at: here.offset, place: here.place)
    }
}
