// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// A cursor over a Thrift message in one of its encodings ("Thrift Protocol Structure", Thrift 0.22 `doc/specs`).
///
/// A struct is read by a loop: `while let field = try reader.nextField(after: id)`, with `id` the last field's, then one
/// read by the field's type, or ``skip(_:)`` for what the caller does not know. Where a field has another type than the
/// caller knows it by, it skips as well, as generated code does. Sizes are checked against the bytes that are left
/// before anything is done with them, and skipping is bounded in depth.
protocol ThriftReader {
    /// Offset of the next byte.
    var offset: Int { get }
    /// Bytes not yet read.
    var remaining: Int { get }

    /// The envelope of a call; the arguments, a struct, follow.
    mutating func readMessageHeader() throws(WireError) -> ThriftMessageHeader
    /// The header of the struct's next field, `nil` at its end.
    mutating func nextField(after id: Int16) throws(WireError) -> ThriftField?
    /// The type of a list's or set's elements, and how many follow: at most as many as bytes are left.
    mutating func readListHeader() throws(WireError) -> (element: ThriftType, count: Int)
    /// The types of a map's keys and values, and how many pairs follow: at most as many as bytes are left.
    mutating func readMapHeader() throws(WireError) -> (key: ThriftType, value: ThriftType, count: Int)
    /// The boolean that is the value of the field whose header was read last.
    mutating func readBoolField() throws(WireError) -> Bool
    /// The boolean that is an element of a list, set or map.
    mutating func readBoolElement() throws(WireError) -> Bool
    mutating func readByte() throws(WireError) -> Int8
    /// An `i16`, `i32` or `i64`.
    mutating func readInteger(_ type: ThriftType) throws(WireError) -> Int64
    mutating func readDouble() throws(WireError) -> Double
    /// A string or binary, not copied.
    mutating func readBinary() throws(WireError) -> UnsafeRawBufferPointer
}

/// The types of Thrift, whatever their numbers in an encoding.
enum ThriftType {
    case bool, byte, i16, i32, i64, double, binary, list, set, map, structure
}

/// The header of a field.
struct ThriftField {
    var id: Int16
    var type: ThriftType
}

/// The envelope of a call.
struct ThriftMessageHeader {
    enum Kind: UInt8 {
        case call = 1
        case reply = 2
        case exception = 3
        case oneway = 4
    }

    var kind: Kind
    var name: UnsafeRawBufferPointer
}

extension ThriftReader {
    /// How deep structs, lists, sets and maps that nobody knows may nest.
    static var skipDepthMax: Int { 32 }

    /// Passes over the value of a field of this type.
    mutating func skip(_ type: ThriftType) throws(WireError) {
        if type == .bool { _ = try readBoolField() } else { try skipElement(type, depth: 0) }
    }

    private mutating func skipElement(_ type: ThriftType, depth: Int) throws(WireError) {
        guard depth < Self.skipDepthMax else {
            throw WireError(.tooDeep, "a value nests deeper than \(Self.skipDepthMax) structs and lists", at: offset)
        }
        switch type {
        case .bool: _ = try readBoolElement()
        case .byte: _ = try readByte()
        case .i16, .i32, .i64: _ = try readInteger(type)
        case .double: _ = try readDouble()
        case .binary: _ = try readBinary()
        case .list, .set:
            let (element, count) = try readListHeader()
            for _ in 0..<count { try skipElement(element, depth: depth + 1) }
        case .map:
            let (key, value, count) = try readMapHeader()
            for _ in 0..<count {
                try skipElement(key, depth: depth + 1)
                try skipElement(value, depth: depth + 1)
            }
        case .structure:
            var id: Int16 = 0
            while let field = try nextField(after: id) {
                id = field.id
                if field.type == .bool {
                    _ = try readBoolField()
                } else {
                    try skipElement(field.type, depth: depth + 1)
                }
            }
        }
    }
}
