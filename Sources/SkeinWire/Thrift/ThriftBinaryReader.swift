// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The binary encoding (Thrift 0.22 `doc/specs/thrift-binary-protocol.md`). All integers are big-endian.
///
///     message  strict: 80 01 00 kind, i32 length + name, i32 sequence      older: i32 length + name, kind, i32 sequence
///     field    type, i16 id; type 0 ends the struct                        list   type, i32 size
///     map      key type, value type, i32 size                              binary i32 length + bytes
///     boolean  one byte                                                    double 8 bytes
struct ThriftBinaryReader: ThriftReader {
    private var reader: ByteReader

    init(_ bytes: UnsafeRawBufferPointer) { reader = ByteReader(bytes) }

    var offset: Int { reader.position }
    var remaining: Int { reader.remaining }

    mutating func readMessageHeader() throws(WireError) -> ThriftMessageHeader {
        let first: Int32 = try integer()
        let name: UnsafeRawBufferPointer
        let kind: UInt8
        if first < 0 {
            guard UInt32(bitPattern: first) & 0xffff_ff00 == 0x8001_0000 else {
                throw WireError(.malformed, "the message begins with neither 80 01 00 nor the length of a name", at: 0)
            }
            kind = UInt8(truncatingIfNeeded: first)
            name = try readBinary()
        } else {
            name = try bytes(Int(first))
            kind = try integer()
        }
        guard let kind = ThriftMessageHeader.Kind(rawValue: kind) else {
            throw WireError(.malformed, "\(kind) is no kind of message: 1 to 4 are", at: 0)
        }
        let _: Int32 = try integer()
        return ThriftMessageHeader(kind: kind, name: name)
    }

    mutating func nextField(after id: Int16) throws(WireError) -> ThriftField? {
        let start = offset
        let number: UInt8 = try integer()
        if number == 0 { return nil }
        let type = try Self.type(number, at: start)
        return ThriftField(id: try integer(), type: type)
    }

    mutating func readListHeader() throws(WireError) -> (element: ThriftType, count: Int) {
        let start = offset
        let number: UInt8 = try integer()
        let size: Int32 = try integer()
        // An empty list need not say of what; some writers say 0.
        if size == 0 { return (.byte, 0) }
        return (try Self.type(number, at: start), try bounded(size, at: start))
    }

    mutating func readMapHeader() throws(WireError) -> (key: ThriftType, value: ThriftType, count: Int) {
        let start = offset
        let (key, value): (UInt8, UInt8) = (try integer(), try integer())
        let size: Int32 = try integer()
        if size == 0 { return (.byte, .byte, 0) }
        return (try Self.type(key, at: start), try Self.type(value, at: start), try bounded(size, at: start))
    }

    mutating func readBoolField() throws(WireError) -> Bool { try readBoolElement() }

    mutating func readBoolElement() throws(WireError) -> Bool { try readByte() != 0 }

    mutating func readByte() throws(WireError) -> Int8 { try integer() }

    mutating func readInteger(_ type: ThriftType) throws(WireError) -> Int64 {
        switch type {
        case .i16: Int64(try integer() as Int16)
        case .i32: Int64(try integer() as Int32)
        default: try integer()
        }
    }

    mutating func readDouble() throws(WireError) -> Double { Double(bitPattern: try integer()) }

    mutating func readBinary() throws(WireError) -> UnsafeRawBufferPointer {
        let start = offset
        let length: Int32 = try integer()
        guard length >= 0 else { throw WireError(.malformed, "a length of \(length) bytes", at: start) }
        return try bytes(Int(length))
    }

    /// The bytes from `start`, an offset that was read before, up to the next byte.
    func read(since start: Int) -> UnsafeRawBufferPointer { reader.read(since: start) }

    /// Passes over `value` if it comes next: what was read of the same bytes is then known.
    mutating func skip(ifNext value: UnsafeRawBufferPointer) -> Bool { reader.skip(ifNext: value) }

    private static func type(_ number: UInt8, at start: Int) throws(WireError) -> ThriftType {
        switch number {
        case 2: .bool
        case 3: .byte
        case 4: .double
        case 6: .i16
        case 8: .i32
        case 10: .i64
        case 11: .binary
        case 12: .structure
        case 13: .map
        case 14: .set
        case 15: .list
        default: throw WireError(.malformed, "\(number) is no type of the binary encoding", at: start)
        }
    }

    private mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>() throws(WireError) -> Integer {
        do { return try reader.readBigEndian(Integer.self) } catch { throw WireError(error, origin: 0) }
    }

    private mutating func bytes(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        do { return try reader.read(count) } catch { throw WireError(error, origin: 0) }
    }

    /// Every element takes at least one byte, so more elements than bytes is a lie.
    private func bounded(_ size: Int32, at start: Int) throws(WireError) -> Int {
        guard size >= 0, Int(size) <= remaining else {
            throw WireError(.malformed, "\(size) elements are announced and \(remaining) bytes follow", at: start)
        }
        return Int(size)
    }
}
