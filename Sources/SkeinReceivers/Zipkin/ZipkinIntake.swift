// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinWire

/// Takes Zipkin's spans, whatever they came over and in whichever format.
package struct ZipkinIntake: Sendable {
    /// What a request says of the format of its body.
    enum Hint {
        /// It was sent to the path of this version; the bytes show whether it is the binary format or the textual one.
        case sentTo(Zipkin.Format.Version, isBinary: Bool)
        case known(Zipkin.Format)
    }

    private let intake: SpanIntake
    private let decoders: DecoderPool<Zipkin.SpanDecoder>

    /// An intake in front of `intake`.
    package init(_ intake: SpanIntake) {
        self.intake = intake
        decoders = DecoderPool { [limits = intake.limits] in Zipkin.SpanDecoder(limits: limits) }
    }

    var counters: IngestCounters { intake.counters }

    /// Stores the spans of a request; returns when they are as durable as the store promises. Zipkin's answers cannot say that
    /// some spans were left out: only when there is none but bad ones the request is refused.
    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        as hint: Hint,
        isDebug: Bool = false,
        memory: HeldMemory? = nil
    ) async throws(Refusal) {
        let receipt = try await intake.receive(body, coding: coding, memory: memory) {
            bytes,
            now throws(WireError) -> DecodedSpans in
            let format = try Self.format(of: bytes, hint)
            return try decoders.lend { decoder throws(WireError) in
                try decoder.decode(bytes, as: format, isDebug: isDebug, receivedUnixNanos: now)
            }
        }
        let decoded = receipt.decoded
        guard decoded.accepted > 0 || decoded.rejectedCount == 0 else {
            throw Refusal(.malformed, "none of \(decoded.rejectedCount) spans is good: \(decoded.firstMessage)")
        }
    }

    private static func format(of bytes: UnsafeRawBufferPointer, _ hint: Hint) throws(WireError) -> Zipkin.Format {
        switch hint {
        case .known(let format): return format
        case .sentTo(let version, let isBinary):
            // No bytes are no spans, which is what an empty list of Protocol Buffers looks like.
            if bytes.isEmpty { return .proto3 }
            guard let format = Zipkin.Format(bytes, sentTo: version, isBinary: isBinary) else {
                throw WireError(.malformed, "the body is no list of spans: its first byte is \(bytes[0])", at: 0)
            }
            guard format.version == version else { throw format.misplaced(at: 0) }
            return format
        }
    }
}
