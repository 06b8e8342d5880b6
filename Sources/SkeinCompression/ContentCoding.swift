// SPDX-License-Identifier: Apache-2.0

/// A coding of HTTP content (RFC 9110 §8.4.1; zstd as in RFC 8878 and RFC 9659).
package enum ContentCoding: String, Hashable, Sendable, CaseIterable {
    case identity
    case gzip
    /// The zlib format (RFC 1950). Raw DEFLATE (RFC 1951), which some clients send under this name, is read as well.
    case deflate
    case zstd

    /// The coding that a header names, in any case; `x-gzip` is gzip (RFC 9110 §8.4.1.3). `nil` for one not offered.
    package init?(header: some StringProtocol) {
        switch header.lowercased() {
        case "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "zstd": self = .zstd
        default: return nil
        }
    }

    /// Unpacks a whole body of untrusted bytes.
    ///
    /// Never holds more than `limit` bytes of output (and, for zstd, a window of 8 MiB): it stops while unpacking,
    /// whatever size header or trailer claim. Bytes behind the end of the data are an error.
    package func decode(_ body: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        switch self {
        case .identity:
            guard body.count <= limit else { throw .tooLarge(limit, "plain") }
            return [UInt8](body)
        case .gzip: return try Inflate.gzip(body, limit: limit)
        case .deflate: return try Inflate.zlibOrRaw(body, limit: limit)
        case .zstd: return try ZstdDecompressor().decompress(body, limit: limit)
        }
    }

    /// Packs an answer. `identity` copies.
    package func encode(_ body: UnsafeRawBufferPointer) -> [UInt8] {
        switch self {
        case .identity: return [UInt8](body)
        case .gzip: return Deflate.gzip(body)
        case .deflate: return Deflate.zlib(body)
        case .zstd: return ZstdCompressor(level: 1).compress(body)
        }
    }
}
