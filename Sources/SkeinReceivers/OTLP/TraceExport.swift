// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import SkeinBase
import SkeinCompression
import SkeinModel
package import SkeinPipeline
import SkeinWire

/// One OTLP export of spans, whatever it came over: inflate, decode, store, and say what was left out.
package struct TraceExport: Sendable {
    /// The two encodings of OTLP messages.
    enum Encoding: Sendable {
        case protobuf, json
    }

    let pipeline: Pipeline
    let counters: IngestCounters
    private let bytesMax: Int
    private let clock: any WallClock
    private let limits: DecodingLimits
    private let decoders: DecoderPool

    /// An export of requests up to `bytesMax` bytes after decompression; decoded they may have twice as many, which only
    /// those reach that hold next to nothing many times.
    package init(pipeline: Pipeline, counters: IngestCounters, bytesMax: Int, clock: any WallClock = SystemClock()) {
        self.pipeline = pipeline
        self.counters = counters
        self.bytesMax = bytesMax
        self.clock = clock
        var limits = DecodingLimits()
        limits.columnBytesMax = 2 * bytesMax
        self.limits = limits
        decoders = DecoderPool(limits: limits)
    }

    /// Stores the spans of a request; returns when they are as durable as the store promises. Only bad spans are left
    /// out, which the response then says. `memory` holds the body, and from when it is decoded what came of it.
    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        encoding: Encoding,
        memory: HeldMemory? = nil
    ) async throws(Refusal) -> OTLP.ExportTraceServiceResponse {
        counters.bytes.add(body.readableBytes)
        let memory = memory ?? HeldMemory(pipeline.budget)
        let decoded = try decode(body, coding, encoding, memory)
        // The store may make us wait.
        _ = consume body
        counters.receivedSpans.add(decoded.accepted + decoded.rejectedCount)
        for (reason, count) in decoded.rejected { counters.reject(count, SpanRejection(reason)) }
        counters.drop(decoded.dropped.attributes, .attributes)
        counters.drop(decoded.dropped.events, .events)
        counters.drop(decoded.dropped.links, .links)
        try pipeline.hold(decoded.batch, in: memory, counters: counters)
        try await pipeline.submit(decoded.batch, counters: counters)
        return OTLP.ExportTraceServiceResponse(decoded)
    }

    /// The spans of a body. What it was unpacked to is let go before the store is waited for.
    private func decode(
        _ body: borrowing ByteBuffer,
        _ coding: ContentCoding,
        _ encoding: Encoding,
        _ memory: HeldMemory
    ) throws(Refusal) -> DecodedSpans {
        // Unpacking runs to its end on one thread, so at most one body a core is unpacked but not yet counted.
        guard coding != .identity else {
            return try body.withBytes { bytes throws(Refusal) in try decode(bytes, encoding) }
        }
        let plain = try inflate(body, coding)
        // Both, and what the spans will take.
        let needed = body.readableBytes + 2 * plain.count
        guard memory.holdRequest(needed) else { throw .noMemory(needed, of: memory.budget) }
        return try plain.withBytes { bytes throws(Refusal) in try decode(bytes, encoding) }
    }

    private func inflate(_ body: borrowing ByteBuffer, _ coding: ContentCoding) throws(Refusal) -> [UInt8] {
        do {
            return try body.withBytes { bytes throws(CompressionError) in try coding.decode(bytes, limit: bytesMax) }
        } catch {
            switch error.code {
            case .tooLarge:
                throw Refusal(
                    .tooLarge,
                    "unpacked, the body is larger than the limit of \(bytesMax) bytes: send smaller batches"
                )
            case .corrupt: throw Refusal(.malformed, error.message)
            }
        }
    }

    private func decode(_ bytes: UnsafeRawBufferPointer, _ encoding: Encoding) throws(Refusal) -> DecodedSpans {
        do {
            let now = clock.unixNanos
            switch encoding {
            case .protobuf:
                return try decoders.lend { decoder throws(WireError) in
                    try decoder.decode(bytes, receivedUnixNanos: now)
                }
            case .json:
                var decoder = OTLP.JSONDecoder(limits: limits)
                return try decoder.decode(bytes, receivedUnixNanos: now)
            }
        } catch {
            if error.code == .tooLarge { throw Refusal(.tooLarge, error.message) }
            throw Refusal(.malformed, error.description)
        }
    }
}

extension SpanRejection {
    /// The counter's reason for the decoder's.
    init(_ reason: RejectionReason) {
        switch reason {
        case .invalidTraceID: self = .traceID
        case .invalidSpanID: self = .spanID
        case .invalidParentSpanID: self = .parentSpanID
        case .valueTooDeep: self = .depth
        case .invalidTime: self = .time
        }
    }
}

extension ByteBuffer {
    /// Lends the readable bytes, with typed errors.
    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let result: Result<R, E> = withUnsafeReadableBytes { bytes in
            do throws(E) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

extension Array where Element == UInt8 {
    /// Lends the bytes, with typed errors.
    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let result: Result<R, E> = withUnsafeBytes { bytes in
            do throws(E) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
