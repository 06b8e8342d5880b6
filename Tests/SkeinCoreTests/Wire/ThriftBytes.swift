// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// Thrift values in the compact and the binary encoding, for tests.
indirect enum Thrift {
    case bool(Bool)
    case byte(Int8)
    case i16(Int64)
    case i32(Int64)
    case i64(Int64)
    case double(Double)
    case bytes([UInt8])
    case text(String)
    /// Elements of one type, which is told even for an empty list.
    case list([Thrift], of: UInt8 = 12)
    /// Fields by id, in this order.
    case fields([(Int, Thrift)])

    var type: UInt8 {
        switch self {
        case .bool(let value): value ? 1 : 2
        case .byte: 3
        case .i16: 4
        case .i32: 5
        case .i64: 6
        case .double: 7
        case .bytes, .text: 8
        case .list: 9
        case .fields: 12
        }
    }

    var encoded: [UInt8] {
        switch self {
        case .bool: []
        case .byte(let value): [UInt8(bitPattern: value)]
        case .i16(let value), .i32(let value), .i64(let value): Bytes.varint(value.zigZagEncoded)
        case .double(let value): (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
        case .bytes(let bytes): Bytes.varint(UInt64(bytes.count)) + bytes
        case .text(let text): Thrift.bytes(Array(text.utf8)).encoded
        case .list(let elements, let type):
            (elements.count < 15
                ? [UInt8(elements.count) << 4 | type] : [0xf0 | type] + Bytes.varint(UInt64(elements.count)))
                + elements.flatMap(\.encoded)
        case .fields(let fields): Self.encode(fields)
        }
    }

    private static func encode(_ fields: [(Int, Thrift)]) -> [UInt8] {
        var out: [UInt8] = []
        var last = 0
        for (id, value) in fields {
            if (1...15).contains(id - last) {
                out.append(UInt8(id - last) << 4 | value.type)
            } else {
                out.append(value.type)
                out += Bytes.varint(Int64(id).zigZagEncoded)
            }
            out += value.encoded
            last = id
        }
        return out + [0]
    }

    // MARK: Binary

    /// The number that the binary encoding has for the type.
    var binaryType: UInt8 {
        switch self {
        case .bool: 2
        case .byte: 3
        case .double: 4
        case .i16: 6
        case .i32: 8
        case .i64: 10
        case .bytes, .text: 11
        case .fields: 12
        case .list: 15
        }
    }

    var binaryEncoded: [UInt8] {
        func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        return switch self {
        case .bool(let value): [value ? 1 : 0]
        case .byte(let value): [UInt8(bitPattern: value)]
        case .i16(let value): bigEndian(Int16(truncatingIfNeeded: value))
        case .i32(let value): bigEndian(Int32(truncatingIfNeeded: value))
        case .i64(let value): bigEndian(value)
        case .double(let value): bigEndian(value.bitPattern)
        case .bytes(let bytes): bigEndian(Int32(bytes.count)) + bytes
        case .text(let text): Thrift.bytes(Array(text.utf8)).binaryEncoded
        case .list(let elements, _):
            [elements.first?.binaryType ?? 12] + bigEndian(Int32(elements.count)) + elements.flatMap(\.binaryEncoded)
        case .fields(let fields):
            fields.flatMap { [$1.binaryType] + bigEndian(Int16($0)) + $1.binaryEncoded } + [0]
        }
    }

    static func binaryMessage(
        _ arguments: Thrift,
        name: String = "emitBatch",
        kind: UInt8 = 4,
        isStrict: Bool = true
    ) -> [UInt8] {
        let name = Thrift.text(name).binaryEncoded
        let head = isStrict ? [0x80, 0x01, 0x00, kind] + name : name + [kind]
        return head + [0, 0, 0, 7] + arguments.binaryEncoded
    }

    // MARK: Jaeger

    static func tag(_ key: String, _ text: String) -> Thrift {
        .fields([(1, .text(key)), (2, .i32(0)), (3, .text(text))])
    }
    static func tag(_ key: String, _ value: Double) -> Thrift {
        .fields([(1, .text(key)), (2, .i32(1)), (4, .double(value))])
    }
    static func tag(_ key: String, _ value: Bool) -> Thrift {
        .fields([(1, .text(key)), (2, .i32(2)), (5, .bool(value))])
    }
    static func tag(_ key: String, _ value: Int64) -> Thrift {
        .fields([(1, .text(key)), (2, .i32(3)), (6, .i64(value))])
    }
    static func tag(_ key: String, _ value: [UInt8]) -> Thrift {
        .fields([(1, .text(key)), (2, .i32(4)), (7, .bytes(value))])
    }

    /// A span of trace 1:2 with id 3 and these fields.
    static func span(_ fields: [(Int, Thrift)] = []) -> Thrift {
        .fields([(1, .i64(2)), (2, .i64(1)), (3, .i64(3))] + fields)
    }

    static func reference(_ type: Int64, trace: (Int64, Int64), span: Int64) -> Thrift {
        .fields([(1, .i32(type)), (2, .i64(trace.1)), (3, .i64(trace.0)), (4, .i64(span))])
    }

    /// One datagram.
    static func emitBatch(_ spans: [Thrift], process: Thrift = .fields([(1, .text("shop"))])) -> [UInt8] {
        message(.fields([(1, batch(spans, process: process))]))
    }

    static func batch(_ spans: [Thrift], process: Thrift = .fields([(1, .text("shop"))])) -> Thrift {
        .fields([(1, process), (2, .list(spans))])
    }

    static func message(_ arguments: Thrift, name: String = "emitBatch", kind: UInt8 = 4) -> [UInt8] {
        [0x82, kind << 5 | 1, 7] + Thrift.text(name).encoded + arguments.encoded
    }
}

extension Jaeger {
    static func decode(_ bytes: [UInt8]) throws(WireError) -> DecodedSpans {
        var decoder = ThriftDecoder()
        return try decode(bytes, &decoder)
    }

    static func decode(_ bytes: [UInt8], _ decoder: inout ThriftDecoder) throws(WireError) -> DecodedSpans {
        try lend(bytes) { buffer throws(WireError) in try decoder.decodeCompact(buffer, receivedUnixNanos: 5) }
    }

    static func decode(binary bytes: [UInt8]) throws(WireError) -> DecodedSpans {
        var decoder = ThriftDecoder()
        return try lend(bytes) { buffer throws(WireError) in try decoder.decodeBinary(buffer, receivedUnixNanos: 5) }
    }

    static func decode(
        batch bytes: [UInt8],
        limits: DecodingLimits = DecodingLimits()
    ) throws(WireError) -> DecodedSpans {
        var decoder = ThriftDecoder(limits: limits)
        return try lend(bytes) { buffer throws(WireError) in try decoder.decodeBatch(buffer, receivedUnixNanos: 5) }
    }

    static func decode(
        protobuf bytes: [UInt8],
        limits: DecodingLimits = DecodingLimits()
    ) throws(WireError) -> DecodedSpans {
        var decoder = ProtobufDecoder(limits: limits)
        return try lend(bytes) { buffer throws(WireError) in try decoder.decode(buffer, receivedUnixNanos: 5) }
    }

    private static func lend(
        _ bytes: [UInt8],
        to body: (UnsafeRawBufferPointer) throws(WireError) -> DecodedSpans
    ) throws(WireError) -> DecodedSpans {
        let result: Result<DecodedSpans, WireError> = bytes.withUnsafeBytes { buffer in
            do throws(WireError) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
