// SPDX-License-Identifier: Apache-2.0
private import CZstd
package import SkeinBase
import Synchronization

/// Packs with zstd (RFC 8878). One context and its tables, reused from call to call; not shared between tasks.
package struct ZstdCompressor: ~Copyable {
    private let context: OpaquePointer

    /// A compressor of `level` 1…19; 1 is the one for hot paths. Frames carry their content size and no checksum.
    package init(level: Int) {
        guard let context = ZSTD_createCCtx() else { fatalError("out of memory") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Appends one frame that holds `input` to `output` and returns its length.
    @discardableResult
    package func compress(_ input: UnsafeRawBufferPointer, into output: inout ByteWriter) -> Int {
        let bound = ZSTD_compressBound(input.count)
        var length = 0
        output.write(atMost: bound) { room in
            length = ZSTD_compress2(context, room, bound, input.baseAddress, input.count)
            precondition(ZSTD_isError(length) == 0, "zstd's bound was too small")
            return length
        }
        return length
    }

    /// One frame that holds `input`.
    package func compress(_ input: UnsafeRawBufferPointer) -> [UInt8] {
        var output = ByteWriter(capacity: ZSTD_compressBound(input.count))
        compress(input, into: &output)
        return output.array()
    }
}

/// Unpacks zstd (RFC 8878). Not shared between tasks; making one is cheap, since contexts are kept for the next.
package struct ZstdDecompressor: ~Copyable {
    private let context: OpaquePointer
    /// RFC 9659 §3: content codings keep to a window of 8 MiB.
    private static let windowLogMax: Int32 = 23

    /// Contexts at rest: a new one costs as much as unpacking 16 KiB.
    private static let idle = Mutex<[Idle]>([])
    private static let idleMax = 16

    /// A context that nobody uses: whoever takes it out of the list owns it alone, hence Sendable.
    private struct Idle: @unchecked Sendable {
        var context: OpaquePointer
    }

    package init() {
        if let idle = Self.idle.withLock({ $0.popLast() }) {
            context = idle.context
        } else {
            guard let context = ZSTD_createDCtx() else { fatalError("out of memory") }
            self.context = context
            ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLogMax)
        }
    }

    deinit {
        let idle = Idle(context: context)
        let isKept = Self.idle.withLock { list in
            if list.count < Self.idleMax { list.append(idle) }
            return list.last?.context == idle.context
        }
        if !isKept { ZSTD_freeDCtx(context) }
    }

    /// Unpacks `input`, which must give exactly `count` bytes: the caller knows the size and has judged it.
    package func decompress(_ input: UnsafeRawBufferPointer, count: Int) throws(CompressionError) -> [UInt8] {
        var result = 0
        let output = [UInt8](unsafeUninitializedCapacity: max(count, 1)) { room, used in
            result = ZSTD_decompressDCtx(context, room.baseAddress, count, input.baseAddress, input.count)
            used = ZSTD_isError(result) == 0 ? result : 0
        }
        guard ZSTD_isError(result) == 0, result == count else {
            throw CompressionError(.corrupt, "the zstd data does not unpack to \(count) bytes")
        }
        return output
    }

    /// Unpacks one frame or several, joined, of unknown size; stops as soon as there are more than `limit` bytes.
    package func decompress(_ input: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        let step = ZSTD_DStreamOutSize()
        // The claimed size is a guess for the room, bounded by what the body could reasonably hold.
        let claim = ZSTD_getFrameContentSize(input.baseAddress, input.count)
        var output = ByteWriter(capacity: Int(min(claim, UInt64(min(max(limit, 0), input.count &* 64)))))
        var result = 1
        while true {
            // One byte more than the limit tells "full" from "too large".
            let room = min(step - 1, max(limit, 0) - output.count) + 1
            let before = (source.pos, output.count)
            output.write(atMost: room) { start in
                var target = ZSTD_outBuffer(dst: start, size: room, pos: 0)
                result = ZSTD_decompressStream(context, &target, &source)
                return target.pos
            }
            guard ZSTD_isError(result) == 0 else {
                throw CompressionError(.corrupt, "the zstd data does not unpack after byte \(source.pos)")
            }
            guard output.count <= limit else { throw .tooLarge(limit, "zstd") }
            if source.pos == source.size, result == 0 { return output.array() }
            guard before != (source.pos, output.count) else {
                throw CompressionError(.corrupt, "the zstd data ends inside a frame")
            }
        }
    }
}
