// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// A value of Thrift, to be written in either of its encodings.
indirect enum ThriftValue {
    case bool(Bool)
    case i16(Int16)
    case i32(Int32)
    case i64(Int64)
    case double(Double)
    case binary([UInt8])
    /// Of structs.
    case list([ThriftValue])
    /// Fields with ascending ids.
    case structure([Field])

    /// A field of a struct.
    struct Field {
        var id: Int16
        var value: ThriftValue

        init(_ id: Int16, _ value: ThriftValue) {
            self.id = id
            self.value = value
        }
    }

    static func text(_ text: String) -> ThriftValue { .binary(Array(text.utf8)) }

    // MARK: Binary

    private var binaryType: UInt8 {
        switch self {
        case .bool: 2
        case .double: 4
        case .i16: 6
        case .i32: 8
        case .i64: 10
        case .binary: 11
        case .structure: 12
        case .list: 15
        }
    }

    /// Appends the binary encoding.
    func appendBinary(to out: inout [UInt8]) {
        func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.bigEndian) { out += $0 } }
        switch self {
        case .bool(let value): out.append(value ? 1 : 0)
        case .i16(let value): append(value)
        case .i32(let value): append(value)
        case .i64(let value): append(value)
        case .double(let value): append(value.bitPattern)
        case .binary(let bytes):
            append(Int32(bytes.count))
            out += bytes
        case .list(let values):
            out.append(12)
            append(Int32(values.count))
            for value in values { value.appendBinary(to: &out) }
        case .structure(let fields):
            for field in fields {
                out.append(field.value.binaryType)
                append(field.id)
                field.value.appendBinary(to: &out)
            }
            out.append(0)
        }
    }

    // MARK: Compact

    private var compactType: UInt8 {
        switch self {
        case .bool(let value): value ? 1 : 2
        case .i16: 4
        case .i32: 5
        case .i64: 6
        case .double: 7
        case .binary: 8
        case .list: 9
        case .structure: 12
        }
    }

    /// Appends the compact encoding.
    func appendCompact(to out: inout [UInt8]) {
        func append(_ value: UInt64) {
            var rest = value
            while rest > 0x7f {
                out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            out.append(UInt8(rest))
        }
        func append(signed value: Int64) { append(UInt64(bitPattern: value << 1 ^ value >> 63)) }
        switch self {
        case .bool: break
        case .i16(let value): append(signed: Int64(value))
        case .i32(let value): append(signed: Int64(value))
        case .i64(let value): append(signed: value)
        case .double(let value): withUnsafeBytes(of: value.bitPattern.littleEndian) { out += $0 }
        case .binary(let bytes):
            append(UInt64(bytes.count))
            out += bytes
        case .list(let values):
            if values.count < 15 {
                out.append(UInt8(values.count) << 4 | 12)
            } else {
                out.append(0xfc)
                append(UInt64(values.count))
            }
            for value in values { value.appendCompact(to: &out) }
        case .structure(let fields):
            var last: Int16 = 0
            for field in fields {
                out.append(UInt8(field.id - last) << 4 | field.value.compactType)
                last = field.id
                field.value.appendCompact(to: &out)
            }
            out.append(0)
        }
    }
}
