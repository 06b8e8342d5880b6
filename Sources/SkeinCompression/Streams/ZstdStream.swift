// SPDX-License-Identifier: Apache-2.0
private import CZstd
import SkeinBase

/// Unpacks zstd (RFC 8878) as it comes, one frame or several, joined.
struct ZstdStream: ~Copyable {
    private let context: OpaquePointer
    /// What `zstd` itself takes unless it is told otherwise: a window of 128 MiB.
    private static let windowLogMax: Int32 = 27
    /// Whether a frame is begun and not ended.
    private var isInFrame = false

    init() {
        guard let context = ZSTD_createDCtx() else { fatalError("out of memory") }
        self.context = context
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLogMax)
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Appends what the bytes from `at` on unpack to, up to a step.
    mutating func unpack(
        _ bytes: UnsafeRawBufferPointer,
        from at: inout Int,
        isLast: Bool,
        into out: inout ByteWriter
    ) throws(CompressionError) {
        let end = out.count + UnpackingStream.stepBytes
        while out.count < end {
            var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: at)
            let before = (source.pos, out.count)
            let room = end - out.count
            var result = 0
            out.write(atMost: room) { start in
                var target = ZSTD_outBuffer(dst: start, size: room, pos: 0)
                result = ZSTD_decompressStream(context, &target, &source)
                return target.pos
            }
            guard ZSTD_isError(result) == 0 else {
                throw CompressionError(
                    .corrupt,
                    "the zstd data does not unpack: \(String(cString: ZSTD_getErrorName(result)))"
                )
            }
            let isMoving = before != (source.pos, out.count)
            if isMoving { isInFrame = result != 0 }
            at = source.pos
            guard isMoving else { break }
        }
        if isLast, isInFrame, at == bytes.count, out.count < end {
            throw CompressionError(.corrupt, "the zstd data ends inside a frame")
        }
    }
}
