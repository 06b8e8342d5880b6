// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// A tag of a span or process, or a field of a log, its text not copied.
struct JaegerTag {
    /// `TagType` of jaeger.thrift; the numbers of model.proto's `ValueType` differ.
    enum Kind: Int64 {
        case string = 0
        case double = 1
        case bool = 2
        case long = 3
        case binary = 4

        /// The kind that a number of model.proto's `ValueType` stands for.
        init?(protobuf number: UInt64) {
            switch number {
            case 0: self = .string
            case 1: self = .bool
            case 2: self = .long
            case 3: self = .double
            case 4: self = .binary
            default: return nil
            }
        }
    }

    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    /// `nil` of a type that nobody knows, whose number is ``kindNumber``.
    var kind: Kind? = .string
    var kindNumber: Int64 = 0
    var text = UnsafeRawBufferPointer(start: nil, count: 0)
    var double = 0.0
    var bool = false
    var long: Int64 = 0
    var binary = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Whether what it says is said in a field of the span.
    var isTold = false

    /// `Tag { 1 key, 2 vType (i32), 3 vStr, 4 vDouble, 5 vBool, 6 vLong, 7 vBinary }` of jaeger.thrift.
    init(_ reader: inout some ThriftReader) throws(WireError) {
        var id: Int16 = 0
        while let field = try reader.nextField(after: id) {
            id = field.id
            switch (field.id, field.type) {
            case (1, .binary): key = try reader.readBinary()
            case (2, .i32):
                kindNumber = try reader.readInteger(.i32)
                kind = Kind(rawValue: kindNumber)
            case (3, .binary): text = try reader.readBinary()
            case (4, .double): double = try reader.readDouble()
            case (5, .bool): bool = try reader.readBoolField()
            case (6, .i64): long = try reader.readInteger(.i64)
            case (7, .binary): binary = try reader.readBinary()
            default: try reader.skip(field.type)
            }
        }
    }

    /// `KeyValue { 1 key, 2 v_type, 3 v_str, 4 v_bool, 5 v_int64, 6 v_float64 (fixed64), 7 v_binary }` of model.proto.
    init(_ message: ProtobufReader) throws(WireError) {
        var message = message
        while let tag = try message.nextTag() {
            switch tag {
            case 0x0a: key = try message.readBytes()
            case 0x10:
                let number = try message.readVarint()
                kindNumber = Int64(truncatingIfNeeded: number)
                kind = Kind(protobuf: number)
            case 0x1a: text = try message.readBytes()
            case 0x20: bool = try message.readVarint() != 0
            case 0x28: long = Int64(bitPattern: try message.readVarint())
            case 0x31: double = Double(bitPattern: try message.readFixed64())
            case 0x3a: binary = try message.readBytes()
            default: try message.skip(tag, known: 0b1111_1110)
            }
        }
    }

    /// Whether the key is exactly `name`.
    @inline(__always)
    func isNamed(_ name: StaticString) -> Bool {
        key.count == name.utf8CodeUnitCount
            && key.unsafelyEqual(
                from: 0,
                UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            )
    }

    /// The text of a string tag, empty for any other.
    var string: String { kind == .string ? UTF8Text.repaired(text) : "" }

    /// The ref of the value, best asked for right after the key was interned.
    func value(in builder: inout SpanBatchBuilder) -> SpanBatch.Ref {
        switch kind {
        case .string: builder.intern(stringOfKey: text)
        case .double: builder.intern(doubleOfKey: double)
        case .bool: builder.intern(boolOfKey: bool)
        case .long: builder.intern(intOfKey: long)
        case .binary: builder.intern(.bytes([UInt8](binary)))
        case nil: builder.intern(.string("<Unknown Jaeger TagType \"\(kindNumber)\">"))
        }
    }
}
