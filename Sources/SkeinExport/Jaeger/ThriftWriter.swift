// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Writes structs of Thrift, field by field with growing ids.
package struct ThriftWriter<Encoding: ThriftEncoding>: ~Copyable {
    package private(set) var out = ByteWriter(capacity: 1024)
    /// The id of the last field of the struct that is being written.
    private var last: Int16 = 0

    package init() {}

    package var count: Int { out.count }
    package var bytes: UnsafeRawBufferPointer { out.bytes }

    /// Forgets all but the first `count` bytes, which end outside of any struct.
    package mutating func truncate(to count: Int) { out.truncate(to: count) }

    /// Forgets the first `count` bytes.
    package mutating func removeFirst(_ count: Int) { out.removeFirst(count) }

    /// The envelope of a call without an answer, whose arguments, a struct, are opened.
    package mutating func openOneway(_ name: StaticString) {
        Encoding.appendOnewayHeader(name, to: &out)
        last = 0
    }

    /// Opens a field that is a struct, which nobody closes for the time being.
    package mutating func openStructure(_ id: Int16) {
        header(id, .structure)
        last = 0
    }

    /// Ends a struct that was opened.
    package mutating func closeStructure() { out.append(0) }

    /// Structs that were written elsewhere.
    package mutating func append(_ structures: UnsafeRawBufferPointer) { out.append(structures) }

    /// A struct that is an element of a list, or the whole.
    package mutating func structure(_ body: (inout Self) -> Void) {
        let outer = last
        last = 0
        body(&self)
        out.append(0)
        last = outer
    }

    package mutating func structure(_ id: Int16, _ body: (inout Self) -> Void) {
        header(id, .structure)
        structure(body)
    }

    /// The header of a list; as many structs follow as ``append(listCount:)`` says.
    package mutating func openList(_ id: Int16) { header(id, .list) }

    package mutating func append(listCount: Int) { Encoding.appendStructListHeader(count: listCount, to: &out) }

    package mutating func field(_ id: Int16, bool: Bool) {
        Encoding.appendField(id, after: last, bool: bool, to: &out)
        last = id
    }

    package mutating func field(_ id: Int16, i32: Int32) {
        header(id, .i32)
        Encoding.append(i32: i32, to: &out)
    }

    package mutating func field(_ id: Int16, i64: Int64) {
        header(id, .i64)
        Encoding.append(i64: i64, to: &out)
    }

    /// The same bits with a sign.
    package mutating func field(_ id: Int16, bits: UInt64) { field(id, i64: Int64(bitPattern: bits)) }

    package mutating func field(_ id: Int16, double: Double) {
        header(id, .double)
        Encoding.append(double: double, to: &out)
    }

    package mutating func field(_ id: Int16, text: String) {
        header(id, .binary)
        var text = text
        text.withUTF8 { Encoding.append(binary: UnsafeRawBufferPointer($0), to: &out) }
    }

    package mutating func field(_ id: Int16, binary: [UInt8]) {
        header(id, .binary)
        binary.withUnsafeBytes { Encoding.append(binary: $0, to: &out) }
    }

    private mutating func header(_ id: Int16, _ type: ThriftFieldType) {
        Encoding.appendFieldHeader(id, after: last, type, to: &out)
        last = id
    }
}
