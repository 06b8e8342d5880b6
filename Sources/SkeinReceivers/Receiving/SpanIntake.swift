// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import SkeinBase
import SkeinCompression
import SkeinModel
package import SkeinPipeline
import SkeinWire

/// One request with spans, whatever its format and whatever it came over: inflate, decode, store, and count what was left
/// out.
package struct SpanIntake: Sendable {
    let pipeline: Pipeline
    let counters: IngestCounters
    /// How much the spans of a request may become.
    let limits: DecodingLimits
    private let bytesMax: Int
    private let clock: any WallClock

    /// An intake of requests up to `bytesMax` bytes after decompression; decoded they may have twice as many, which only
    /// those reach that hold next to nothing many times.
    package init(pipeline: Pipeline, counters: IngestCounters, bytesMax: Int, clock: any WallClock = SystemClock()) {
        self.pipeline = pipeline
        self.counters = counters
        self.bytesMax = bytesMax
        self.clock = clock
        var limits = DecodingLimits()
        limits.columnBytesMax = 2 * bytesMax
        self.limits = limits
    }

    /// Stores the spans that `decode` finds in a body, received at a moment in nanoseconds since 1970; returns when they are
    /// as durable as the store promises. `memory` holds the body, and from when it is decoded what came of it.
    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        memory: HeldMemory? = nil,
        decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> DecodedSpans
    ) async throws(Refusal) -> DecodedSpans {
        counters.bytes.add(body.readableBytes)
        let memory = memory ?? HeldMemory(pipeline.budget)
        let decoded = try unpack(body, coding, memory, decode)
        // The store may make us wait.
        _ = consume body
        count(decoded)
        try pipeline.hold(decoded.batch, in: memory, counters: counters)
        try await pipeline.submit(decoded.batch, counters: counters)
        return decoded
    }

    private func count(_ decoded: DecodedSpans) {
        counters.receivedSpans.add(decoded.accepted + decoded.rejectedCount)
        for (reason, count) in decoded.rejected { counters.reject(count, SpanRejection(reason)) }
        counters.drop(decoded.dropped.attributes, .attributes)
        counters.drop(decoded.dropped.events, .events)
        counters.drop(decoded.dropped.links, .links)
    }

    /// The spans of a body. What it was unpacked to is let go before the store is waited for.
    private func unpack(
        _ body: borrowing ByteBuffer,
        _ coding: ContentCoding,
        _ memory: HeldMemory,
        _ decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> DecodedSpans
    ) throws(Refusal) -> DecodedSpans {
        // Unpacking runs to its end on one thread, so at most one body a core is unpacked but not yet counted.
        guard coding != .identity else {
            return try body.withBytes { bytes throws(Refusal) in try read(bytes, decode) }
        }
        let plain = try inflate(body, coding)
        // Both, and what the spans will take.
        let needed = body.readableBytes + 2 * plain.count
        guard memory.holdRequest(needed) else { throw .noMemory(needed, of: memory.budget) }
        return try plain.withBytes { bytes throws(Refusal) in try read(bytes, decode) }
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

    private func read(
        _ bytes: UnsafeRawBufferPointer,
        _ decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> DecodedSpans
    ) throws(Refusal) -> DecodedSpans {
        do {
            return try decode(bytes, clock.unixNanos)
        } catch {
            switch error.code {
            case .tooLarge: throw Refusal(.tooLarge, error.message)
            case .malformed, .tooDeep, .unsupported: throw Refusal(.malformed, error.description)
            }
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
