// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// `Tag { 1 key, 2 vType (i32), 3 vStr, 4 vDouble, 5 vBool, 6 vLong, 7 vBinary }`, its text not copied.
struct JaegerTag {
    /// `TagType` of jaeger.thrift.
    enum Kind: Int64 {
        case string = 0
        case double = 1
        case bool = 2
        case long = 3
        case binary = 4
    }

    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var kindNumber: Int64 = 0
    var text = UnsafeRawBufferPointer(start: nil, count: 0)
    var double = 0.0
    var bool = false
    var long: Int64 = 0
    var binary = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Reads the struct.
    init(_ reader: inout some ThriftReader) throws(WireError) {
        var id: Int16 = 0
        while let field = try reader.nextField(after: id) {
            id = field.id
            switch (field.id, field.type) {
            case (1, .binary): key = try reader.readBinary()
            case (2, .i32): kindNumber = try reader.readInteger(.i32)
            case (3, .binary): text = try reader.readBinary()
            case (4, .double): double = try reader.readDouble()
            case (5, .bool): bool = try reader.readBoolField()
            case (6, .i64): long = try reader.readInteger(.i64)
            case (7, .binary): binary = try reader.readBinary()
            default: try reader.skip(field.type)
            }
        }
    }

    var kind: Kind? { Kind(rawValue: kindNumber) }

    /// Whether the key is exactly `name`.
    func isNamed(_ name: StaticString) -> Bool {
        key.count == name.utf8CodeUnitCount
            && key.elementsEqual(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// The text of a string tag, empty for any other.
    var string: String { kind == .string ? UTF8Text.repaired(text) : "" }

    /// The ref of the value.
    func value(in builder: inout SpanBatchBuilder) -> SpanBatch.Ref {
        switch kind {
        case .string: builder.intern(stringValue: text)
        case .double: builder.intern(.double(double))
        case .bool: builder.intern(.bool(bool))
        case .long: builder.intern(.int(long))
        case .binary: builder.intern(.bytes([UInt8](binary)))
        case nil: builder.intern(.string("<Unknown Jaeger TagType \"\(kindNumber)\">"))
        }
    }
}
