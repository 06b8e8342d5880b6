// SPDX-License-Identifier: Apache-2.0
import CZlib
import SkeinBase

/// gzip (RFC 1952) through zlib, which the HTTP client needs anyhow.
enum Gzip {
    /// `bytes` in gzip; `nil` when zlib has no memory for it. Level 1: telemetry repeats itself so much that more effort gains
    /// little.
    static func compress(_ bytes: UnsafeRawBufferPointer, level: Int32 = 1) -> [UInt8]? {
        var stream = z_stream()
        // 15 bits of window, and 16 for the wrapper of gzip.
        let code = deflateInit2_(
            &stream,
            level,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard code == Z_OK, let inputCount = UInt32(exactly: bytes.count) else { return nil }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(inputCount)))
        guard let outputCount = UInt32(exactly: bound) else { return nil }
        var isWhole = false
        let packed = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            stream.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
            stream.avail_in = inputCount
            stream.next_out = output.baseAddress
            stream.avail_out = outputCount
            isWhole = deflate(&stream, Z_FINISH) == Z_STREAM_END
            count = bound - Int(stream.avail_out)
        }
        return isWhole ? packed : nil
    }
}
