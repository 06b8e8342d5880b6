// SPDX-License-Identifier: Apache-2.0
private import CDeflate

/// Unpacks DEFLATE in its three wrappers, through libdeflate: three times as fast as zlib, but it wants the whole input
/// and room for the whole output, so the room starts at a guess and grows while the limit allows.
enum Inflate {
    /// RFC 1952: one member or several, joined.
    static func gzip(_ input: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        // The trailer holds the size modulo 2^32. It is a guess for the room, never believed.
        var guess = input.count &* 4
        if input.count >= 18 {
            let size = input.loadUnaligned(fromByteOffset: input.count &- 4, as: UInt32.self)
            guess = Int(UInt32(littleEndian: size))
        }
        return try unpack(input, limit: limit, guess: guess, format: "gzip", members: true) {
            libdeflate_gzip_decompress_ex($0, $1, $2, $3, $4, $5, $6)
        }
    }

    /// RFC 1950, and RFC 1951 when the first two bytes are no zlib header.
    static func zlibOrRaw(_ input: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        // RFC 1950 §2.2: method 8, window at most 32 KiB, and the two bytes are a multiple of 31. Raw data that looks
        // so by chance fails as zlib and is tried again as raw.
        if input.count >= 2, input[0] & 0x0f == 8, input[0] >> 4 <= 7,
            (Int(input[0]) << 8 | Int(input[1])).isMultiple(of: 31)
        {
            do throws(CompressionError) {
                return try unpack(input, limit: limit, guess: input.count &* 4, format: "zlib") {
                    libdeflate_zlib_decompress_ex($0, $1, $2, $3, $4, $5, $6)
                }
            } catch  where error.code != .corrupt { throw error } catch {}
        }
        return try unpack(input, limit: limit, guess: input.count &* 4, format: "deflate") {
            libdeflate_deflate_decompress_ex($0, $1, $2, $3, $4, $5, $6)
        }
    }

    private typealias Decompress = (
        OpaquePointer, UnsafeRawPointer, Int, UnsafeMutableRawPointer, Int, UnsafeMutablePointer<Int>,
        UnsafeMutablePointer<Int>
    ) -> libdeflate_result

    private static func unpack(
        _ input: UnsafeRawBufferPointer,
        limit: Int,
        guess: Int,
        format: String,
        members: Bool = false,
        _ decompress: Decompress
    ) throws(CompressionError) -> [UInt8] {
        guard let context = libdeflate_alloc_decompressor() else { fatalError("out of memory") }
        defer { libdeflate_free_decompressor(context) }
        let limit = max(limit, 0)
        // DEFLATE cannot unpack to more than 1032 times its size, so a huge claim in a small body costs nothing.
        var capacity = min(max(guess, 256), limit, input.count.multipliedReportingOverflow(by: 1032).partialValue)
        while true {
            var failure: CompressionError?
            var needsMore = false
            let output = [UInt8](unsafeUninitializedCapacity: max(capacity, 1)) { room, used in
                used = 0
                var consumed = 0
                // One turn unpacks one member.
                while let start = input.baseAddress, let target = room.baseAddress {
                    var read = 0
                    var written = 0
                    let result = decompress(
                        context,
                        start + consumed,
                        input.count - consumed,
                        target + used,
                        capacity - used,
                        &read,
                        &written
                    )
                    if result == LIBDEFLATE_INSUFFICIENT_SPACE {
                        needsMore = true
                        return
                    }
                    guard result == LIBDEFLATE_SUCCESS else { break }
                    consumed += read
                    used += written
                    if consumed == input.count { return }
                    guard members else { break }
                }
                failure = CompressionError(.corrupt, "the \(format) data does not unpack after byte \(consumed)")
            }
            if let failure { throw failure }
            if !needsMore { return output }
            guard capacity < limit else { throw .tooLarge(limit, format) }
            capacity = min(max(capacity, 1024) &* 2, limit)
        }
    }
}

/// Packs for HTTP answers, at the level where text shrinks to a fifth at 200 MB/s.
enum Deflate {
    private static let level: Int32 = 5

    static func gzip(_ input: UnsafeRawBufferPointer) -> [UInt8] {
        pack(input, bound: libdeflate_gzip_compress_bound) { libdeflate_gzip_compress($0, $1, $2, $3, $4) }
    }

    static func zlib(_ input: UnsafeRawBufferPointer) -> [UInt8] {
        pack(input, bound: libdeflate_zlib_compress_bound) { libdeflate_zlib_compress($0, $1, $2, $3, $4) }
    }

    private static func pack(
        _ input: UnsafeRawBufferPointer,
        bound: (OpaquePointer?, Int) -> Int,
        _ compress: (OpaquePointer, UnsafeRawPointer, Int, UnsafeMutableRawPointer, Int) -> Int
    ) -> [UInt8] {
        guard let context = libdeflate_alloc_compressor(level) else { fatalError("out of memory") }
        defer { libdeflate_free_compressor(context) }
        let none: StaticString = ""
        return [UInt8](unsafeUninitializedCapacity: bound(context, input.count)) { room, used in
            guard let target = room.baseAddress else { return }
            let start = input.baseAddress ?? UnsafeRawPointer(none.utf8Start)
            used = compress(context, start, input.count, target, room.count)
            precondition(used > 0, "libdeflate's bound was too small")
        }
    }
}
