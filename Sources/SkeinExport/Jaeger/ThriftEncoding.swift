// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// How Thrift's values become bytes.
package protocol ThriftEncoding {
    /// The envelope of a call without an answer; the arguments, a struct, follow.
    static func appendOnewayHeader(_ name: StaticString, to out: inout ByteWriter)
    /// The header of a field that follows one with the id `last`, in one struct.
    static func appendFieldHeader(_ id: Int16, after last: Int16, _ type: ThriftFieldType, to out: inout ByteWriter)
    /// A field of one of these values, header and value.
    static func appendField(_ id: Int16, after last: Int16, bool: Bool, to out: inout ByteWriter)
    /// The header of a list of structs.
    static func appendStructListHeader(count: Int, to out: inout ByteWriter)
    static func append(i32: Int32, to out: inout ByteWriter)
    static func append(i64: Int64, to out: inout ByteWriter)
    static func append(double: Double, to out: inout ByteWriter)
    static func append(binary: UnsafeRawBufferPointer, to out: inout ByteWriter)
}

/// The types of fields that are written, booleans aside.
package enum ThriftFieldType {
    case i32, i64, double, binary, structure, list
}

/// The compact encoding (Thrift 0.22 `doc/specs/thrift-compact-protocol.md`).
///
///     message  82, kind << 5 | version 1, varint sequence, varint length + name, arguments as a struct
///     field    delta << 4 | type; the type of a boolean is its value: 1 true, 2 false; 0 ends the struct
///     list     size << 4 | type; size 15: varint size follows
///     integer  zig-zag varint        double  8 bytes, little-endian         binary  varint length + bytes
package enum ThriftCompact: ThriftEncoding {
    package static func appendOnewayHeader(_ name: StaticString, to out: inout ByteWriter) {
        out.append(0x82)
        out.append(4 << 5 | 1)
        out.append(0)
        append(binary: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), to: &out)
    }

    package static func appendFieldHeader(
        _ id: Int16,
        after last: Int16,
        _ type: ThriftFieldType,
        to out: inout ByteWriter
    ) {
        let number: UInt8 =
            switch type {
            case .i32: 5
            case .i64: 6
            case .double: 7
            case .binary: 8
            case .list: 9
            case .structure: 12
            }
        appendHeader(id, last, number, to: &out)
    }

    package static func appendField(_ id: Int16, after last: Int16, bool: Bool, to out: inout ByteWriter) {
        appendHeader(id, last, bool ? 1 : 2, to: &out)
    }

    /// Ids grow, by less than 16.
    private static func appendHeader(_ id: Int16, _ last: Int16, _ type: UInt8, to out: inout ByteWriter) {
        precondition(id > last && id - last < 16)
        out.append(UInt8(truncatingIfNeeded: id - last) << 4 | type)
    }

    package static func appendStructListHeader(count: Int, to out: inout ByteWriter) {
        if count < 15 { return out.append(UInt8(truncatingIfNeeded: count) << 4 | 12) }
        out.append(0xfc)
        out.appendVarint(UInt64(count))
    }

    package static func append(i32: Int32, to out: inout ByteWriter) { append(i64: Int64(i32), to: &out) }

    package static func append(i64: Int64, to out: inout ByteWriter) {
        out.appendVarint(UInt64(bitPattern: i64 &<< 1 ^ i64 &>> 63))
    }

    package static func append(double: Double, to out: inout ByteWriter) { out.appendLittleEndian(double.bitPattern) }

    package static func append(binary: UnsafeRawBufferPointer, to out: inout ByteWriter) {
        out.appendVarint(UInt64(binary.count))
        out.append(binary)
    }
}

/// The binary encoding (Thrift 0.22 `doc/specs/thrift-binary-protocol.md`). All integers are big-endian.
///
///     message  80 01 00 kind, i32 length + name, i32 sequence     list    type, i32 size
///     field    type, i16 id; type 0 ends the struct               binary  i32 length + bytes
package enum ThriftBinary: ThriftEncoding {
    package static func appendOnewayHeader(_ name: StaticString, to out: inout ByteWriter) {
        append(i32: Int32(bitPattern: 0x8001_0004), to: &out)
        append(binary: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), to: &out)
        append(i32: 0, to: &out)
    }

    package static func appendFieldHeader(
        _ id: Int16,
        after last: Int16,
        _ type: ThriftFieldType,
        to out: inout ByteWriter
    ) {
        let number: UInt8 =
            switch type {
            case .double: 4
            case .i32: 8
            case .i64: 10
            case .binary: 11
            case .structure: 12
            case .list: 15
            }
        out.append(number)
        out.appendLittleEndian(id.byteSwapped)
    }

    package static func appendField(_ id: Int16, after last: Int16, bool: Bool, to out: inout ByteWriter) {
        out.append(2)
        out.appendLittleEndian(id.byteSwapped)
        out.append(bool ? 1 : 0)
    }

    package static func appendStructListHeader(count: Int, to out: inout ByteWriter) {
        out.append(12)
        append(i32: Int32(clamping: count), to: &out)
    }

    package static func append(i32: Int32, to out: inout ByteWriter) { out.appendLittleEndian(i32.byteSwapped) }

    package static func append(i64: Int64, to out: inout ByteWriter) { out.appendLittleEndian(i64.byteSwapped) }

    package static func append(double: Double, to out: inout ByteWriter) {
        out.appendLittleEndian(double.bitPattern.byteSwapped)
    }

    package static func append(binary: UnsafeRawBufferPointer, to out: inout ByteWriter) {
        append(i32: Int32(clamping: binary.count), to: &out)
        out.append(binary)
    }
}
