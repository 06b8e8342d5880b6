// SPDX-License-Identifier: Apache-2.0

/// A cursor over bytes that came from outside.
///
/// Every read is checked against what is left, so no input makes it trap or read past its end. It borrows the bytes:
/// use it only inside the `withUnsafeBytes` that lent them. Copying it saves a position to return to.

public struct ByteReader {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var offset: Int

    /// A reader at the first of `bytes`.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.offset = 0
    }

    /// Offset of the next byte, `0...count`.
    @inlinable public var position: Int { offset }
    /// Bytes not yet read.
    @inlinable public var remaining: Int { bytes.count &- offset }
    /// Whether every byte was read.
    @inlinable public var isAtEnd: Bool { offset == bytes.count }

    /// The bytes not yet read, not copied.
    @inlinable public var rest: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + offset }, count: remaining)
    }

    /// The next byte.
    @inlinable @inline(__always)
    public mutating func readByte() throws(ByteError) -> UInt8 {
        guard offset < bytes.count else { throw ByteError(.truncated, at: offset) }
        let byte = bytes.unsafelyLoad(offset, as: UInt8.self)
        offset &+= 1
        return byte
    }

    /// A base-128 varint, least significant group first (Protocol Buffers encoding, Thrift compact).
    @inlinable @inline(__always)
    public mutating func readVarint() throws(ByteError) -> UInt64 {
        // One and two byte varints are nearly all there are: lengths, tags and small numbers.
        if offset < bytes.count {
            let first = bytes.unsafelyLoad(offset, as: UInt8.self)
            if first < 0x80 {
                offset &+= 1
                return UInt64(first)
            }
            if offset &+ 1 < bytes.count {
                let second = bytes.unsafelyLoad(offset &+ 1, as: UInt8.self)
                if second < 0x80 {
                    offset &+= 2
                    return UInt64(first & 0x7f) | UInt64(second) &<< 7
                }
            }
        }
        return try readLongVarint()
    }

    @usableFromInline @inline(never)
    mutating func readLongVarint() throws(ByteError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var at = offset
        while at < bytes.count {
            let byte = bytes.unsafelyLoad(at, as: UInt8.self)
            at &+= 1
            if shift == 63, byte > 1 { throw ByteError(.varintOverflow, at: offset) }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 {
                offset = at
                return value
            }
            shift &+= 7
        }
        throw ByteError(.truncated, at: offset)
    }

    /// A fixed-width integer, least significant byte first.
    @inlinable @inline(__always)
    public mutating func readLittleEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(ByteError)
        -> T
    {
        guard remaining >= MemoryLayout<T>.size else { throw ByteError(.truncated, at: offset) }
        let value = T(littleEndian: bytes.unsafelyLoad(offset, as: T.self))
        offset &+= MemoryLayout<T>.size
        return value
    }

    /// A fixed-width integer, most significant byte first.
    @inlinable
    public mutating func readBigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(ByteError) -> T {
        T(bigEndian: T(littleEndian: try readLittleEndian(type)))
    }

    /// The next `count` bytes, not copied.
    @inlinable @inline(__always)
    public mutating func read(_ count: Int) throws(ByteError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw ByteError(.truncated, at: offset) }
        // The guard proved the range; an empty buffer may have no base.
        let slice = UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + offset }, count: count)
        offset &+= count
        return slice
    }

    /// A varint length, then that many bytes, not copied.
    @inlinable @inline(__always)
    public mutating func readLengthPrefixed() throws(ByteError) -> UnsafeRawBufferPointer {
        let start = offset
        let length = try readVarint()
        guard length <= UInt64(remaining) else {
            offset = start
            throw ByteError(.truncated, at: start)
        }
        // The guard proved the range; an empty buffer may have no base.
        let slice = UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + offset }, count: Int(length))
        offset &+= Int(length)
        return slice
    }

    /// The bytes from `start` up to the next byte, not copied; none when `start` is no earlier offset.
    @inlinable
    public func read(since start: Int) -> UnsafeRawBufferPointer {
        guard start >= 0, start < offset else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    /// Passes over `expected` if the bytes not yet read begin with it.
    @inlinable
    public mutating func skip(ifNext expected: UnsafeRawBufferPointer) -> Bool {
        guard expected.count <= remaining, bytes.unsafelyEqual(from: offset, expected) else { return false }
        offset &+= expected.count
        return true
    }

    /// Passes over `count` bytes.
    @inlinable
    public mutating func skip(_ count: Int) throws(ByteError) {
        guard count >= 0, count <= remaining else { throw ByteError(.truncated, at: offset) }
        offset &+= count
    }
}

extension UnsafeRawBufferPointer {
    /// An unaligned load whose bounds the caller has checked.
    @inlinable @inline(__always)
    public func unsafelyLoad<T: BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
        // The caller proved offset + size <= count, and count > 0 means a base address.
        baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: type)
    }

    /// Whether the bytes from `start` on begin with `other`. The caller has checked that there are as many.
    @inlinable @inline(__always)
    public func unsafelyEqual(from start: Int, _ other: UnsafeRawBufferPointer) -> Bool {
        let count = other.count
        var at = 0
        while at &+ 8 <= count {
            if unsafelyLoad(start &+ at, as: UInt64.self) != other.unsafelyLoad(at, as: UInt64.self) { return false }
            at &+= 8
        }
        if at == count { return true }
        if count >= 8 {
            // The last word overlaps what is compared already: cheaper than a loop over its bytes.
            return unsafelyLoad(start &+ count &- 8, as: UInt64.self)
                == other.unsafelyLoad(count &- 8, as: UInt64.self)
        }
        if count >= 4 {
            return unsafelyLoad(start, as: UInt32.self) == other.unsafelyLoad(0, as: UInt32.self)
                && unsafelyLoad(start &+ count &- 4, as: UInt32.self)
                    == other.unsafelyLoad(count &- 4, as: UInt32.self)
        }
        while at < count {
            if unsafelyLoad(start &+ at, as: UInt8.self) != other.unsafelyLoad(at, as: UInt8.self) { return false }
            at &+= 1
        }
        return true
    }
}

extension UInt64 {
    /// The signed number that a zig-zag varint stands for (Protocol Buffers `sint64`, Thrift compact integers).
    @inlinable public var zigZagDecoded: Int64 { Int64(bitPattern: self &>> 1) ^ -Int64(bitPattern: self & 1) }
}

extension Int64 {
    /// The zig-zag form: small magnitudes become small numbers.
    @inlinable public var zigZagEncoded: UInt64 { UInt64(bitPattern: (self &<< 1) ^ (self &>> 63)) }
}
