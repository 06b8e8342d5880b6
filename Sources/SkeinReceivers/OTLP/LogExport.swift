// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import SkeinBase
import SkeinCompression
import SkeinModel
package import SkeinPipeline
import SkeinWire

/// One OTLP export of log records, whatever it came over: those that belong to a trace are stored, the others counted.
package struct LogExport: Sendable {
    let pipeline: LogPipeline
    private let reader: BodyReader
    private let decoders: DecoderPool<OTLP.ProtobufDecoder>

    /// An export of requests up to `bytesMax` bytes after decompression.
    package init(
        pipeline: LogPipeline,
        bytesMax: Int,
        itemsMax: Int = DecodingLimits().itemsMax,
        clock: any WallClock = SystemClock()
    ) {
        self.pipeline = pipeline
        let reader = BodyReader(bytesMax: bytesMax, itemsMax: itemsMax, clock: clock)
        self.reader = reader
        decoders = DecoderPool { OTLP.ProtobufDecoder(limits: reader.limits) }
    }

    /// Stores the records of a request; returns when they are as durable as the store promises. The response says how many
    /// were left out.
    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        encoding: TraceExport.Encoding,
        memory: HeldMemory? = nil
    ) async throws(Refusal) -> OTLP.ExportResponse {
        let memory = memory ?? HeldMemory(pipeline.budget)
        let decoded = try reader.read(body, coding: coding, memory: memory) {
            bytes,
            now throws(WireError) -> DecodedLogs in
            switch encoding {
            case .protobuf:
                return try decoders.lend { decoder throws(WireError) in
                    try decoder.decodeLogs(bytes, receivedUnixNanos: now)
                }
            case .json:
                var decoder = OTLP.JSONDecoder(limits: reader.limits)
                return try decoder.decodeLogs(bytes, receivedUnixNanos: now)
            }
        }
        _ = consume body
        pipeline.counters.received.add(decoded.batch.count + decoded.rejectedCount)
        for (reason, count) in decoded.rejected { pipeline.counters.reject(count, SpanRejection(reason)) }
        try await pipeline.submit(decoded.batch, memory: memory)
        return OTLP.ExportResponse(decoded)
    }
}
