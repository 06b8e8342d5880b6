// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire

extension Zipkin {
    /// What is decoded is received at 5 ns after 1970.
    static func decode(
        _ bytes: [UInt8],
        as format: Format,
        isDebug: Bool = false,
        limits: DecodingLimits = DecodingLimits()
    ) throws(WireError) -> DecodedSpans {
        var decoder = SpanDecoder(limits: limits)
        return try decode(bytes, as: format, isDebug: isDebug, &decoder)
    }

    static func decode(
        _ bytes: [UInt8],
        as format: Format,
        isDebug: Bool = false,
        _ decoder: inout SpanDecoder
    ) throws(WireError) -> DecodedSpans {
        let result: Result<DecodedSpans, WireError> = bytes.withUnsafeBytes { buffer in
            do throws(WireError) {
                return .success(try decoder.decode(buffer, as: format, isDebug: isDebug, receivedUnixNanos: 5))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The spans of JSON of version 2.
    static func spans(_ json: String) throws -> [SkeinModel.Span] {
        try decode(Array(json.utf8), as: .jsonV2).batch.spans
    }

    /// The spans of JSON of version 1.
    static func v1Spans(_ json: String) throws -> [SkeinModel.Span] {
        try decode(Array(json.utf8), as: .jsonV1).batch.spans
    }

    static func format(_ body: [UInt8], sentTo version: Format.Version, isBinary: Bool = false) -> Format? {
        body.withUnsafeBytes { Format($0, sentTo: version, isBinary: isBinary) }
    }
}
