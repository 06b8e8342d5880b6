// SPDX-License-Identifier: Apache-2.0

/// Bytes that grow at the end. Owns its memory; hand the result on with ``array()`` or lend it with ``bytes``.
public struct ByteWriter: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var used: Int

    /// Bytes written.
    @inlinable public var count: Int { used }

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        self.base = .allocate(byteCount: self.capacity, alignment: 16)
        self.used = 0
    }

    deinit { base.deallocate() }

    /// What was written. Valid until the next write.
    @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: used) }

    /// A copy of what was written.
    public func array() -> [UInt8] { [UInt8](bytes) }

    /// Forgets what was written and keeps the memory.
    @inlinable public mutating func removeAll() { used = 0 }

    /// Forgets all after the first `count` bytes.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= used)
        used = count
    }

    /// Forgets the first `count` bytes; the rest moves to the front.
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= used)
        base.copyMemory(from: base + count, byteCount: used - count)
        used -= count
    }

    /// Makes room for `count` more bytes.
    @inlinable
    public mutating func reserve(_ count: Int) {
        if capacity &- used < count { grow(count) }
    }

    @usableFromInline @inline(never)
    mutating func grow(_ count: Int) {
        let wanted = max(used + count, capacity * 2)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        moved.copyMemory(from: base, byteCount: used)
        base.deallocate()
        base = moved
        capacity = wanted
    }

    /// Reserves `worstCase` bytes, lets `body` write through the pointer, and advances by what it returns.
    ///
    /// The idiom of every hot encoder: one check, then writes through a local pointer.
    @inlinable
    public mutating func write(atMost worstCase: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        reserve(worstCase)
        let written = body(base + used)
        precondition(written >= 0 && written <= worstCase)
        used &+= written
    }

    /// Appends one byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + used).copyMemory(from: source, byteCount: bytes.count)
        used &+= bytes.count
    }

    /// Appends the UTF-8 of `string`.
    public mutating func append(utf8 string: String) {
        var string = string
        string.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a fixed-width integer, least significant byte first.
    @inlinable
    public mutating func appendLittleEndian<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        base.storeBytes(of: value.littleEndian, toByteOffset: used, as: T.self)
        used &+= MemoryLayout<T>.size
    }

    /// Overwrites four bytes written before; used for lengths and checksums known only later.
    @inlinable
    public mutating func overwriteLittleEndian(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= used)
        base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Overwrites one byte written before.
    @inlinable
    public mutating func overwrite(_ byte: UInt8, at offset: Int) {
        precondition(offset >= 0 && offset < used)
        base.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }

    /// Overwrites bytes written before with a varint; as many as ``varintLength(_:)`` says.
    @inlinable
    public mutating func overwriteVarint(_ value: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset + Self.varintLength(value) <= used)
        _ = UnsafeMutableRawPointer.storeVarint(value, at: base + offset)
    }

    /// Moves all from `offset` on towards the end by `distance`, or towards the front if that is negative; what is in the gap
    /// has no meaning until overwritten.
    public mutating func moveTail(from offset: Int, by distance: Int) {
        precondition(offset >= 0 && offset <= used && offset + distance >= 0)
        reserve(max(distance, 0))
        (base + offset + distance).copyMemory(from: base + offset, byteCount: used - offset)
        used += distance
    }

    /// Bytes of `value` as a varint, 1 to 10.
    @inlinable
    public static func varintLength(_ value: UInt64) -> Int { max(1, (70 - value.leadingZeroBitCount) / 7) }

    /// Appends a base-128 varint, 1 to 10 bytes.
    @inlinable
    public mutating func appendVarint(_ value: UInt64) {
        reserve(10)
        used &+= UnsafeMutableRawPointer.storeVarint(value, at: base + used)
    }
}

// The memory has one owner, which cannot be copied; whoever holds the writer holds all of it.
extension ByteWriter: @unchecked Sendable {}

extension UnsafeMutableRawPointer {
    /// Writes a varint at `pointer`, which must have room for ten bytes, and returns its length.
    @inlinable
    public static func storeVarint(_ value: UInt64, at pointer: UnsafeMutableRawPointer) -> Int {
        var rest = value
        var length = 0
        while rest >= 0x80 {
            pointer.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: length, as: UInt8.self)
            rest &>>= 7
            length &+= 1
        }
        pointer.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: length, as: UInt8.self)
        return length &+ 1
    }
}
