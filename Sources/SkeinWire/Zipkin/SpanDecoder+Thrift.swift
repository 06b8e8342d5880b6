// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// A list of `zipkincore.Span` in the binary encoding (zipkin-api 1.0.0 `zipkinCore.thrift`).
extension Zipkin.SpanDecoder {
    mutating func readThrift(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        lastEndpoint = LastEndpoint()
        var reader = ThriftBinaryReader(bytes)
        for _ in 0..<(try Self.structures(&reader)) { try readSpan(&reader) }
        guard reader.remaining == 0 else {
            throw WireError(.malformed, "\(reader.remaining) bytes follow the list of spans", at: reader.offset)
        }
    }

    /// `Span { 1 trace_id, 3 name, 4 id, 5 parent_id, 6 annotations, 8 binary_annotations, 9 debug, 10 timestamp, 11 duration,
    /// 12 trace_id_high }`: ids and times (µs) are i64.
    private mutating func readSpan(_ reader: inout ThriftBinaryReader) throws(WireError) {
        startV1Span()
        var traceID = TraceID.zero
        var (spanID, parentSpanID) = (SpanID.zero, SpanID.zero)
        var id: Int16 = 0
        while let field = try reader.nextField(after: id) {
            id = field.id
            switch (field.id, field.type) {
            case (1, .i64): traceID.low = UInt64(bitPattern: try reader.readInteger(.i64))
            case (3, .binary): v1.name = translator.intern(text: try reader.readBinary())
            case (4, .i64): spanID = SpanID(UInt64(bitPattern: try reader.readInteger(.i64)))
            case (5, .i64): parentSpanID = SpanID(UInt64(bitPattern: try reader.readInteger(.i64)))
            case (6, .list):
                for _ in 0..<(try Self.structures(&reader)) { try readAnnotation(&reader) }
            case (8, .list):
                for _ in 0..<(try Self.structures(&reader)) { try readBinaryAnnotation(&reader) }
            case (9, .bool): v1.isDebug = try reader.readBoolField()
            case (10, .i64): v1.timestampMicros = try reader.readInteger(.i64)
            case (11, .i64): v1.durationMicros = try reader.readInteger(.i64)
            case (12, .i64): traceID.high = UInt64(bitPattern: try reader.readInteger(.i64))
            default: try reader.skip(field.type)
            }
        }
        v1.ids = Zipkin.SpanIDs(traceID: traceID, spanID: spanID, parentSpanID: parentSpanID)
        try endV1Span(at: reader.offset)
    }

    /// `Annotation { 1 timestamp, 2 value, 3 host }`
    private mutating func readAnnotation(_ reader: inout ThriftBinaryReader) throws(WireError) {
        guard v1.takeAnnotation() else { return try reader.skip(.structure) }
        var annotation = Zipkin.V1Span.Annotation()
        var id: Int16 = 0
        while let field = try reader.nextField(after: id) {
            id = field.id
            switch (field.id, field.type) {
            case (1, .i64): annotation.micros = try reader.readInteger(.i64)
            case (2, .binary): annotation.text = v1.keep(try reader.readBinary())
            case (3, .structure): annotation.endpoint = try readEndpoint(&reader)
            default: try reader.skip(field.type)
            }
        }
        v1.add(annotation)
    }

    /// `BinaryAnnotation { 1 key, 2 value, 3 annotation_type (i32), 4 host }`
    private mutating func readBinaryAnnotation(_ reader: inout ThriftBinaryReader) throws(WireError) {
        guard v1.takeBinaryAnnotation() else { return try reader.skip(.structure) }
        var annotation = Zipkin.V1Span.BinaryAnnotation()
        var value = UnsafeRawBufferPointer(start: nil, count: 0)
        var type: Int64 = 6
        var id: Int16 = 0
        while let field = try reader.nextField(after: id) {
            id = field.id
            switch (field.id, field.type) {
            case (1, .binary): annotation.key = v1.keep(try reader.readBinary())
            case (2, .binary): value = try reader.readBinary()
            case (3, .i32): type = try reader.readInteger(.i32)
            case (4, .structure): annotation.endpoint = try readEndpoint(&reader)
            default: try reader.skip(field.type)
            }
        }
        annotation.value = keep(value, type: type)
        v1.add(annotation)
    }

    /// The value of an `AnnotationType`: BOOL 0, BYTES 1, I16 2, I32 3, I64 4, DOUBLE 5, STRING 6, numbers big-endian.
    private mutating func keep(
        _ bytes: UnsafeRawBufferPointer,
        type: Int64
    ) -> Zipkin.V1Span.BinaryAnnotation.Value {
        func number() -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        if type == 6 { return .text(v1.keep(bytes)) }
        return switch (type, bytes.count) {
        case (0, 1): .bool(bytes[0] != 0)
        case (2, 2): .int(Int64(Int16(truncatingIfNeeded: number())))
        case (3, 4): .int(Int64(Int32(truncatingIfNeeded: number())))
        case (4, 8): .int(Int64(bitPattern: number()))
        case (5, 8): .double(Double(bitPattern: number()))
        default: .bytes(v1.keep(bytes))
        }
    }

    /// The endpoint that was read last: all annotations of one side name the same.
    struct LastEndpoint {
        /// Bytes of the request.
        var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        var endpoint = Zipkin.Endpoint()
    }

    private mutating func readEndpoint(_ reader: inout ThriftBinaryReader) throws(WireError) -> Zipkin.Endpoint {
        if !lastEndpoint.bytes.isEmpty, reader.skip(ifNext: lastEndpoint.bytes) { return lastEndpoint.endpoint }
        let start = reader.offset
        let endpoint = try readNewEndpoint(&reader)
        lastEndpoint = LastEndpoint(bytes: reader.read(since: start), endpoint: endpoint)
        return endpoint
    }

    /// `Endpoint { 1 ipv4 (i32), 2 port (i16), 3 service_name, 4 ipv6 (16 bytes) }`
    private mutating func readNewEndpoint(_ reader: inout ThriftBinaryReader) throws(WireError) -> Zipkin.Endpoint {
        var endpoint = Zipkin.Endpoint()
        var id: Int16 = 0
        while let field = try reader.nextField(after: id) {
            id = field.id
            switch (field.id, field.type) {
            case (1, .i32):
                let address = UInt32(truncatingIfNeeded: try reader.readInteger(.i32)).bigEndian
                if address != 0 {
                    endpoint.ipv4 = withUnsafeBytes(of: address) { translator.intern(ipv4: $0) }
                }
            case (2, .i16): endpoint.port = UInt16(truncatingIfNeeded: try reader.readInteger(.i16))
            case (3, .binary): endpoint.serviceName = translator.intern(serviceName: try reader.readBinary())
            case (4, .binary): endpoint.ipv6 = translator.intern(ipv6: try reader.readBinary())
            default: try reader.skip(field.type)
            }
        }
        return endpoint
    }

    /// The header of a list of structs: how many follow.
    private static func structures(_ reader: inout ThriftBinaryReader) throws(WireError) -> Int {
        let start = reader.offset
        let (element, count) = try reader.readListHeader()
        guard element == .structure || count == 0 else {
            throw WireError(.malformed, "a list of \(element) where structs are expected", at: start)
        }
        return count
    }
}
