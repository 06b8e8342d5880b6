// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Unpacks a stream of any length that is gzip, zstd or neither, as its first bytes say, in memory for a window and a block.
///
///     stream.append(bytes)                                // again and again; then stream.finish()
///     while try stream.unpack(into: &plain) { …; plain.removeAll() }
package struct UnpackingStream: ~Copyable {
    /// Bytes that one call appends, roughly.
    static let stepBytes = 128 << 10

    private var input = ByteWriter(capacity: 64 << 10)
    private var at = 0
    private var isFinished = false
    private var gzip: GzipStream?
    private var zstd: ZstdStream?
    /// How the stream is packed, once its first bytes are there.
    package private(set) var coding: ContentCoding?

    package init() {}

    /// Takes the next bytes of the stream.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        input.removeFirst(at)
        at = 0
        input.append(bytes)
    }

    /// Says that the stream ends here.
    package mutating func finish() { isFinished = true }

    /// Appends the next part of what the stream unpacks to. `false` when it takes more bytes, or when there are no more.
    package mutating func unpack(into out: inout ByteWriter) throws(CompressionError) -> Bool {
        if coding == nil {
            guard input.count >= 4 || isFinished else { return false }
            coding = Self.coding(of: input.bytes)
            if coding == .gzip { gzip = GzipStream() }
            if coding == .zstd { zstd = ZstdStream() }
        }
        let before = out.count
        let bytes = input.bytes
        if gzip != nil {
            try gzip?.unpack(bytes, from: &at, isLast: isFinished, into: &out)
        } else if zstd != nil {
            try zstd?.unpack(bytes, from: &at, isLast: isFinished, into: &out)
        } else {
            let count = min(bytes.count - at, Self.stepBytes)
            out.append(UnsafeRawBufferPointer(rebasing: bytes[at..<at + count]))
            at += count
        }
        return out.count > before
    }

    /// RFC 1952 §2.3.1 and RFC 8878 §3.1.
    private static func coding(of bytes: UnsafeRawBufferPointer) -> ContentCoding {
        if bytes.starts(with: [0x1f, 0x8b]) { return .gzip }
        // A frame, or one that is skipped.
        let isZstd = bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd])
        let isSkipped =
            bytes.first.map { $0 & 0xf0 == 0x50 } ?? false && bytes.dropFirst().starts(with: [0x2a, 0x4d, 0x18])
        return isZstd || isSkipped ? .zstd : .identity
    }
}
