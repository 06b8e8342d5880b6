// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinWire

/// One OTLP export of spans, whatever it came over, and the answer that says what was left out.
package struct TraceExport: Sendable {
    /// The two encodings of OTLP messages.
    enum Encoding: Sendable {
        case protobuf, json
    }

    private let intake: SpanIntake
    private let decoders: DecoderPool<OTLP.ProtobufDecoder>

    var pipeline: Pipeline { intake.pipeline }
    var counters: IngestCounters { intake.counters }

    /// An export through `intake`.
    package init(_ intake: SpanIntake) {
        self.intake = intake
        decoders = DecoderPool { [limits = intake.limits] in OTLP.ProtobufDecoder(limits: limits) }
    }

    /// Stores the spans of a request; returns when they are as durable as the store promises. Only bad spans are left
    /// out, which the response then says, and what sampling leaves out, but for an import.
    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        encoding: Encoding,
        memory: HeldMemory? = nil,
        isImport: Bool = false
    ) async throws(Refusal) -> OTLP.ExportResponse {
        let receipt = try await (isImport ? intake.importing : intake).receive(body, coding: coding, memory: memory) {
            bytes,
            now throws(WireError) -> DecodedSpans in
            switch encoding {
            case .protobuf:
                return try decoders.lend { decoder throws(WireError) in
                    try decoder.decode(bytes, receivedUnixNanos: now)
                }
            case .json:
                var decoder = OTLP.JSONDecoder(limits: intake.limits)
                return try decoder.decode(bytes, receivedUnixNanos: now)
            }
        }
        var response = OTLP.ExportResponse(receipt.decoded)
        guard receipt.overflowCount > 0 else { return response }
        // What the client should hear first is what it can mend.
        if response.rejectedCount == 0 { response.errorMessage = receipt.overflowMessage }
        response.rejectedCount += receipt.overflowCount
        return response
    }
}
