// SPDX-License-Identifier: Apache-2.0
private import CDeflate
import SkeinBase

/// Unpacks gzip (RFC 1952) as it comes, one member or several, joined: what libdeflate, which wants all at once, cannot.
struct GzipStream: ~Copyable {
    private enum Phase {
        case header
        case data
        case trailer
        /// Zeros behind the last member, as tapes have them.
        case padding
    }

    /// Longest header that is read: names and comments in it have no bound of their own.
    private static let headerBytesMax = 64 << 10

    private var phase = Phase.header
    private var inflate = InflateStream()
    private var checksum: UInt32 = 0
    private var size: UInt32 = 0
    private var isFirst = true

    /// Appends what the bytes from `at` on unpack to, up to a step.
    mutating func unpack(
        _ bytes: UnsafeRawBufferPointer,
        from at: inout Int,
        isLast: Bool,
        into out: inout ByteWriter
    ) throws(CompressionError) {
        let end = out.count + UnpackingStream.stepBytes
        while out.count < end {
            switch phase {
            case .header:
                if at == bytes.count, !isFirst { return }
                if !isFirst, bytes[at] == 0 {
                    phase = .padding
                    continue
                }
                guard let length = try Self.headerLength(UnsafeRawBufferPointer(rebasing: bytes[at...])) else {
                    guard !isLast else { throw Self.cutOff }
                    return
                }
                at += length
                isFirst = false
                inflate.begin()
                (checksum, size) = (0, 0)
                phase = .data
            case .data:
                let start = out.count
                let isEnd = try inflate.unpack(bytes, from: &at, isLast: isLast, into: &out, upTo: end)
                let made = UnsafeRawBufferPointer(rebasing: out.bytes[start...])
                checksum = libdeflate_crc32(checksum, made.baseAddress, made.count)
                size &+= UInt32(truncatingIfNeeded: made.count)
                guard isEnd else {
                    if made.isEmpty { return }
                    continue
                }
                phase = .trailer
            case .trailer:
                guard bytes.count - at >= 8 else {
                    guard !isLast else { throw Self.cutOff }
                    return
                }
                let found = (
                    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)),
                    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
                )
                guard found == (checksum, size) else {
                    throw CompressionError(.corrupt, "the gzip data unpacks to something else than was packed")
                }
                at += 8
                phase = .header
            case .padding:
                guard bytes[at...].allSatisfy({ $0 == 0 }) else {
                    throw CompressionError(.corrupt, "something that is not gzip follows the gzip data")
                }
                at = bytes.count
                return
            }
        }
    }

    private static var cutOff: CompressionError { CompressionError(.corrupt, "the gzip data is cut off") }

    /// Bytes of the header of a member (RFC 1952 §2.3); `nil` when it is not all there.
    private static func headerLength(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) -> Int? {
        guard bytes.count >= 10 else { return nil }
        guard bytes[0] == 0x1f, bytes[1] == 0x8b, bytes[2] == 8, bytes[3] & 0xe0 == 0 else {
            throw CompressionError(.corrupt, "something that is not gzip stands where a gzip header is expected")
        }
        let flags = bytes[3]
        var length = 10
        if flags & 4 != 0 {
            guard bytes.count >= 12 else { return nil }
            length = 12 + Int(bytes[10]) + Int(bytes[11]) << 8
        }
        // The name and the comment end with a zero.
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            guard length < bytes.count, let end = bytes[length...].firstIndex(of: 0) else {
                guard bytes.count <= headerBytesMax else {
                    throw CompressionError(.corrupt, "the gzip header is longer than \(headerBytesMax) bytes")
                }
                return nil
            }
            length = end + 1
        }
        if flags & 2 != 0 { length += 2 }
        return length <= bytes.count ? length : nil
    }
}
