// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// A cursor over one message of the Protocol Buffers wire format (encoding guide, "Message Structure").
///
/// The caller loops: `while let tag = try reader.nextTag()`, switches on the tag it knows, and passes all others to
/// ``skip(_:known:)``. Offsets in errors count from the first byte of the outermost message. Groups are refused: no message
/// of ours has any, and they are the one construct that nests without a length.
package struct ProtobufReader {
    private var reader: ByteReader
    /// Offset of this message within the outermost one.
    private let origin: Int

    /// A reader of the message that is all of `bytes`.
    @inline(__always)
    package init(_ bytes: UnsafeRawBufferPointer, origin: Int = 0) {
        reader = ByteReader(bytes)
        self.origin = origin
    }

    /// Offset of the next byte, counted in the outermost message.
    package var offset: Int { origin &+ reader.position }
    /// Whether the message is read.
    package var isAtEnd: Bool { reader.isAtEnd }
    /// Bytes not yet read.
    package var remaining: Int { reader.remaining }

    /// Field number and wire type as they stand on the wire: `number << 3 | type`. `nil` at the end.
    @inline(__always)
    package mutating func nextTag() throws(WireError) -> UInt64? {
        if reader.isAtEnd { return nil }
        let start = offset
        let tag = try readVarint()
        // Number 0 does not exist: a body of zeros is no message. Numbers have 29 bits.
        if tag < 8 || tag > 0xffff_ffff { throw Self.badTag(tag, at: start) }
        return tag
    }

    @inline(never)
    private static func badTag(_ tag: UInt64, at offset: Int) -> WireError {
        WireError(.malformed, "field number \(tag >> 3) where 1 to 536870911 are allowed", at: offset)
    }

    /// The value of a field of wire type 0.
    @inline(__always)
    package mutating func readVarint() throws(WireError) -> UInt64 {
        do { return try reader.readVarint() } catch { throw WireError(error, origin: origin) }
    }

    /// The value of a field of wire type 1.
    @inline(__always)
    package mutating func readFixed64() throws(WireError) -> UInt64 {
        do { return try reader.readLittleEndian(UInt64.self) } catch { throw WireError(error, origin: origin) }
    }

    /// The value of a field of wire type 5.
    @inline(__always)
    package mutating func readFixed32() throws(WireError) -> UInt32 {
        do { return try reader.readLittleEndian(UInt32.self) } catch { throw WireError(error, origin: origin) }
    }

    /// The value of a field of wire type 2, not copied.
    @inline(__always)
    package mutating func readBytes() throws(WireError) -> UnsafeRawBufferPointer {
        do { return try reader.readLengthPrefixed() } catch { throw WireError(error, origin: origin) }
    }

    /// A reader of the message that is the value of a field of wire type 2.
    @inline(__always)
    package mutating func readMessage() throws(WireError) -> ProtobufReader {
        let bytes = try readBytes()
        return ProtobufReader(bytes, origin: offset &- bytes.count)
    }

    /// The two parts of a message that is exactly `{ 1: bytes, 2: bytes }` in this order, each shorter than 128 bytes:
    /// nearly every `KeyValue` there is. `nil` for any other message, which is then read field by field.
    @inline(__always)
    func splitPair() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer)? {
        reader.splitPair()
    }

    /// Passes over the value of the field whose tag was read last.
    @inline(never)
    package mutating func skip(_ tag: UInt64) throws(WireError) {
        switch tag & 7 {
        case 0: _ = try readVarint()
        case 1: _ = try readFixed64()
        case 2: _ = try readBytes()
        case 5: _ = try readFixed32()
        default: throw wrongType(tag, "0, 1, 2 or 5")
        }
    }

    /// Passes over the value of a field that the caller did not take. When its number is one of `known` (bit `n` for
    /// field `n`), the wire type was wrong, and that is an error: passing over it would lose data without a word.
    @inline(never)
    package mutating func skip(_ tag: UInt64, known: UInt64) throws(WireError) {
        if tag < 64 << 3, known & 1 << (tag >> 3) != 0 { throw wrongType(tag, "another") }
        try skip(tag)
    }

    private func wrongType(_ tag: UInt64, _ expected: String) -> WireError {
        WireError(.malformed, "field \(tag >> 3) has wire type \(tag & 7) where \(expected) is expected", at: offset)
    }
}

extension ByteReader {
    @inline(__always)
    fileprivate func splitPair() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer)? {
        let bytes = rest
        let count = bytes.count
        // Each load below is proved by the comparison before it.
        guard count >= 4, bytes.unsafelyLoad(0, as: UInt8.self) == 0x0a else { return nil }
        let first = Int(bytes.unsafelyLoad(1, as: UInt8.self))
        guard first < 0x80, first &+ 4 <= count, bytes.unsafelyLoad(first &+ 2, as: UInt8.self) == 0x12 else {
            return nil
        }
        let second = Int(bytes.unsafelyLoad(first &+ 3, as: UInt8.self))
        guard second < 0x80, first &+ second &+ 4 == count else { return nil }
        let base = bytes.baseAddress.unsafelyUnwrapped
        return (
            UnsafeRawBufferPointer(start: base + 2, count: first),
            UnsafeRawBufferPointer(start: base + first + 4, count: second)
        )
    }
}
