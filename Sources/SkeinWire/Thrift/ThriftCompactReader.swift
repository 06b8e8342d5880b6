// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The compact encoding (Thrift 0.22 `doc/specs/thrift-compact-protocol.md`).
///
///     message  82, kind << 5 | version 1, varint sequence, varint length + name, arguments as a struct
///     field    delta << 4 | type; delta 0: zig-zag varint id follows. The type of a boolean is its value: 1 true, 2 false
///     list     size << 4 | type; size 15: varint size follows          map  varint size, then key << 4 | value unless 0
///     integer  zig-zag varint        double  8 bytes, little-endian         binary  varint length + bytes
struct ThriftCompactReader: ThriftReader {
    private var reader: ByteReader
    private var fieldBool = false

    init(_ bytes: UnsafeRawBufferPointer) { reader = ByteReader(bytes) }

    var offset: Int { reader.position }
    var remaining: Int { reader.remaining }

    mutating func readMessageHeader() throws(WireError) -> ThriftMessageHeader {
        let first = try byte()
        guard first == 0x82 else {
            throw WireError(.malformed, "the first byte is \(first) where a compact message has 130", at: 0)
        }
        let second = try byte()
        guard second & 0x1f == 1, let kind = ThriftMessageHeader.Kind(rawValue: second >> 5) else {
            throw WireError(.malformed, "the second byte is \(second), no kind of message of version 1", at: 1)
        }
        _ = try varint()
        return ThriftMessageHeader(kind: kind, name: try readBinary())
    }

    mutating func nextField(after id: Int16) throws(WireError) -> ThriftField? {
        let start = offset
        let header = try byte()
        if header & 15 == 0 { return nil }
        guard let type = Self.type(header & 15) else { throw unknownType(header & 15, at: start) }
        fieldBool = header & 15 == 1
        let delta = Int16(header >> 4)
        let next = delta == 0 ? Int16(truncatingIfNeeded: try varint().zigZagDecoded) : id &+ delta
        return ThriftField(id: next, type: type)
    }

    mutating func readListHeader() throws(WireError) -> (element: ThriftType, count: Int) {
        let start = offset
        let header = try byte()
        guard let type = Self.type(header & 15) else { throw unknownType(header & 15, at: start) }
        let size = header >> 4 == 15 ? try varint() : UInt64(header >> 4)
        return (type, try bounded(size, at: start))
    }

    mutating func readMapHeader() throws(WireError) -> (key: ThriftType, value: ThriftType, count: Int) {
        let start = offset
        let size = try varint()
        if size == 0 { return (.byte, .byte, 0) }
        let types = try byte()
        guard let key = Self.type(types >> 4), let value = Self.type(types & 15) else {
            throw unknownType(types, at: start)
        }
        return (key, value, try bounded(size, at: start))
    }

    mutating func readBoolField() throws(WireError) -> Bool { fieldBool }

    mutating func readBoolElement() throws(WireError) -> Bool { try byte() == 1 }

    mutating func readByte() throws(WireError) -> Int8 { Int8(bitPattern: try byte()) }

    mutating func readInteger(_ type: ThriftType) throws(WireError) -> Int64 {
        let value = try varint().zigZagDecoded
        return switch type {
        case .i16: Int64(Int16(truncatingIfNeeded: value))
        case .i32: Int64(Int32(truncatingIfNeeded: value))
        default: value
        }
    }

    mutating func readDouble() throws(WireError) -> Double {
        do {
            return Double(bitPattern: try reader.readLittleEndian(UInt64.self))
        } catch {
            throw WireError(error, origin: 0)
        }
    }

    mutating func readBinary() throws(WireError) -> UnsafeRawBufferPointer {
        do { return try reader.readLengthPrefixed() } catch { throw WireError(error, origin: 0) }
    }

    private static func type(_ number: UInt8) -> ThriftType? {
        switch number {
        case 1, 2: .bool
        case 3: .byte
        case 4: .i16
        case 5: .i32
        case 6: .i64
        case 7: .double
        case 8: .binary
        case 9: .list
        case 10: .set
        case 11: .map
        case 12: .structure
        default: nil
        }
    }

    private mutating func byte() throws(WireError) -> UInt8 {
        do { return try reader.readByte() } catch { throw WireError(error, origin: 0) }
    }

    private mutating func varint() throws(WireError) -> UInt64 {
        do { return try reader.readVarint() } catch { throw WireError(error, origin: 0) }
    }

    /// Every element takes at least one byte, so more elements than bytes is a lie.
    private func bounded(_ size: UInt64, at start: Int) throws(WireError) -> Int {
        guard size <= UInt64(remaining) else {
            throw WireError(.malformed, "\(size) elements are announced and \(remaining) bytes follow", at: start)
        }
        return Int(size)
    }

    private func unknownType(_ number: UInt8, at start: Int) -> WireError {
        WireError(.malformed, "type \(number) where 1 to 12 are allowed", at: start)
    }
}
