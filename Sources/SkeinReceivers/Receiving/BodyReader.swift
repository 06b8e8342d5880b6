// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinWire

/// From the body of a request to what it says: inflate and decode, within limits.
struct BodyReader: Sendable {
    /// How much the parts of a request may become.
    let limits: DecodingLimits
    private let bytesMax: Int
    private let clock: any WallClock

    /// A reader of bodies up to `bytesMax` bytes after decompression; decoded they may have twice as many, which only those
    /// reach that hold next to nothing many times.
    init(bytesMax: Int, itemsMax: Int = DecodingLimits().itemsMax, clock: any WallClock) {
        self.bytesMax = bytesMax
        self.clock = clock
        var limits = DecodingLimits()
        limits.columnBytesMax = 2 * bytesMax
        limits.itemsMax = itemsMax
        self.limits = limits
    }

    /// What `decode` makes of a body, received at a moment in nanoseconds since 1970. What the body was unpacked to is let
    /// go before this returns.
    func read<Decoded>(
        _ body: borrowing ByteBuffer,
        coding: ContentCoding,
        memory: HeldMemory,
        decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> Decoded
    ) throws(Refusal) -> Decoded {
        // Unpacking runs to its end on one thread, so at most one body a core is unpacked but not yet counted.
        guard coding != .identity else {
            return try body.withBytes { bytes throws(Refusal) in try self.decode(bytes, decode) }
        }
        let plain = try inflate(body, coding)
        // Both, and what the spans will take.
        let needed = body.readableBytes + 2 * plain.count
        guard memory.holdRequest(needed) else { throw .noMemory(needed, of: memory.budget) }
        return try plain.withBytes { bytes throws(Refusal) in try self.decode(bytes, decode) }
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

    private func decode<Decoded>(
        _ bytes: UnsafeRawBufferPointer,
        _ decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> Decoded
    ) throws(Refusal) -> Decoded {
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
        case .noTraceID: self = .noTrace
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
