// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// Bytes for tests: from hexadecimal text with blanks, and as Protocol Buffers fields.
enum Bytes {
    static func hex(_ text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { Hex.value(of: $0) }
        precondition(digits.count % 2 == 0)
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.appendVarint(value)
        return writer.array()
    }

    /// A field of wire type 2.
    static func field(_ number: UInt64, _ body: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(body.count)) + body
    }

    static func field(_ number: UInt64, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }

    /// A field of wire type 0.
    static func field(_ number: UInt64, varint value: UInt64) -> [UInt8] { varint(number << 3) + varint(value) }

    static func fixed64(_ number: UInt64, _ value: UInt64) -> [UInt8] {
        varint(number << 3 | 1) + (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// A request with one resource and one scope, both empty, and these spans (bodies of `Span` messages).
    static func request(_ spans: [[UInt8]]) -> [UInt8] { field(1, field(2, spans.flatMap { field(2, $0) })) }

    static let traceID = field(1, [UInt8](repeating: 1, count: 16))
    static let spanID = field(2, [UInt8](repeating: 2, count: 8))
    /// The body of a `Span` with good ids and `rest`.
    static func span(_ rest: [UInt8] = []) -> [UInt8] { traceID + spanID + rest }
}

extension OTLP {
    static func decode(_ bytes: [UInt8]) throws(WireError) -> DecodedSpans {
        var decoder = ProtobufDecoder()
        return try decode(bytes, &decoder)
    }

    static func decode(_ bytes: [UInt8], _ decoder: inout ProtobufDecoder) throws(WireError) -> DecodedSpans {
        let result: Result<DecodedSpans, WireError> = bytes.withUnsafeBytes { buffer in
            do throws(WireError) {
                return .success(try decoder.decode(buffer, receivedUnixNanos: 5))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    static func decode(json: String) throws(WireError) -> DecodedSpans { try decode(json: Array(json.utf8)) }

    static func decode(json: [UInt8]) throws(WireError) -> DecodedSpans {
        var decoder = JSONDecoder()
        return try decode(json: json, &decoder)
    }

    static func decode(json: [UInt8], _ decoder: inout JSONDecoder) throws(WireError) -> DecodedSpans {
        let result: Result<DecodedSpans, WireError> = json.withUnsafeBytes { buffer in
            do throws(WireError) {
                return .success(try decoder.decode(buffer, receivedUnixNanos: 5))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    static func encode(_ batch: SpanBatch) -> [UInt8] {
        var out = ByteWriter()
        ProtobufEncoder.append(batch, to: &out)
        return out.array()
    }
}
