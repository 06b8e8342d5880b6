// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// `[{"traceId","parentId","id","name","timestamp","duration","annotations","binaryAnnotations","debug"}]` (zipkin-api 1.0.0
/// `zipkin-api.yaml`, "Span").
extension Zipkin.SpanDecoder {
    mutating func readV1JSON(_ text: UnsafeRawBufferPointer) throws(WireError) {
        var json = JSONReader(text)
        try json.openArray()
        while try json.nextElement() { try readV1Span(&json) }
        try json.finish()
    }

    private mutating func readV1Span(_ json: inout JSONReader) throws(WireError) {
        startV1Span()
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "traceId": v1.ids.setTraceID(hex: try json.readString())
            case "id": v1.ids.setSpanID(hex: try json.readString())
            case "parentId": v1.ids.setParentSpanID(hex: try json.readString())
            case "name": v1.name = translator.intern(text: try json.readString())
            case "timestamp": v1.timestampMicros = try json.readInteger(Int64.self)
            case "duration": v1.durationMicros = try json.readInteger(Int64.self)
            case "debug": v1.isDebug = try json.readBool()
            case "annotations":
                try json.openArray()
                while try json.nextElement() { try readV1Annotation(&json) }
            case "binaryAnnotations":
                try json.openArray()
                while try json.nextElement() { try readBinaryAnnotation(&json) }
            case "localEndpoint", "remoteEndpoint", "tags": throw json.misplaced(.jsonV2)
            default: try json.skipValue()
            }
        }
        try endV1Span(at: json.offset)
    }

    /// `{"timestamp","value","endpoint"}`
    private mutating func readV1Annotation(_ json: inout JSONReader) throws(WireError) {
        guard v1.takeAnnotation() else { return try json.skipValue() }
        var annotation = Zipkin.V1Span.Annotation()
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "timestamp": annotation.micros = try json.readInteger(Int64.self)
            case "value": annotation.text = v1.keep(try json.readString())
            case "endpoint": annotation.endpoint = try readEndpoint(&json)
            default: try json.skipValue()
            }
        }
        v1.add(annotation)
    }

    /// `{"key","value","type","endpoint"}`: without a type the value says of which it is.
    private mutating func readBinaryAnnotation(_ json: inout JSONReader) throws(WireError) {
        guard v1.takeBinaryAnnotation() else { return try json.skipValue() }
        var annotation = Zipkin.V1Span.BinaryAnnotation()
        var kind = JSONReader.Kind.string
        var type = Kind.text
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "key": annotation.key = v1.keep(try json.readString())
            case "value":
                kind = try json.peek()
                annotation.value = .text(v1.keep(try json.readScalar()))
            case "type": type = Kind(JSONKey(bytes: try json.readString()))
            case "endpoint": annotation.endpoint = try readEndpoint(&json)
            default: try json.skipValue()
            }
        }
        if case .text(let text) = annotation.value, let value = type.value(of: v1.text(text), kind) {
            annotation.value = value
        }
        v1.add(annotation)
    }

    /// What `type` says of a value.
    private enum Kind {
        case text, whole, double

        init(_ name: JSONKey) {
            switch name {
            case "I16", "I32", "I64": self = .whole
            case "DOUBLE": self = .double
            default: self = .text
            }
        }

        /// The value, `nil` for one that is text.
        func value(of text: UnsafeRawBufferPointer, _ kind: JSONReader.Kind) -> Zipkin.V1Span.BinaryAnnotation.Value? {
            let isNumber = kind == .number
            if kind == .bool { return .bool(text.first == UInt8(ascii: "t")) }
            guard isNumber || self != .text else { return nil }
            let text = UTF8Text.repaired(text)
            if self != .double, let whole = Int64(text) { return .int(whole) }
            return Double(text).map { .double($0) }
        }
    }
}
