// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Zipkin {
    /// Turns a list of Zipkin's spans, in any of its formats, into columns in OpenTelemetry's terms (see ``Zipkin``).
    ///
    /// Lenient where clients differ: members and fields in any order, unknown ones ignored, `null` as absent, tags that are numbers
    /// or booleans as their text. Of a member given twice the last counts; lists and tags given twice are joined.
    ///
    /// Measured with `SkeinBenchmarks` over the bench corpus (200,000 spans in 426 requests, 18 tags a span, those of the resource
    /// included) on a busy 2-core machine: 1.2 CPU seconds per million spans in JSON of 1021 bytes each, 0.7 in Protocol Buffers of
    /// 854. The same spans in OTLP's Protocol Buffers, 409 bytes and 10 attributes each, take 0.35.
    ///
    /// Keep a decoder and reuse it: its tables stay warm. It is not shared between tasks.
    package struct SpanDecoder: ~Copyable {
        var translator: SpanTranslator
        var v1 = V1Span()
        var lastEndpoint = LastEndpoint()

        /// A decoder; it holds memory only while and after it works.
        package init(limits: DecodingLimits = DecodingLimits()) { translator = SpanTranslator(limits) }

        /// The spans of one request. Bad spans are left out and counted; bytes that are no list of this format throw, and nothing
        /// of them is kept. `isDebug` marks all spans as those of a client that debugs (B3: `X-B3-Flags: 1`).
        package mutating func decode(
            _ bytes: UnsafeRawBufferPointer,
            as format: Format,
            isDebug: Bool = false,
            receivedUnixNanos: UInt64
        ) throws(WireError) -> DecodedSpans {
            translator.start(receivedUnixNanos: receivedUnixNanos, isDebug: isDebug)
            do throws(WireError) {
                switch format {
                case .jsonV2: try readJSON(bytes)
                case .proto3: try readProtobuf(bytes)
                case .jsonV1: try readV1JSON(bytes)
                case .thrift: try readThrift(bytes)
                }
            } catch {
                translator.cancel()
                throw error
            }
            return translator.finish()
        }
    }
}
