// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Writes fields of the Protocol Buffers wire format. Fields that have their default value are left out, as proto3 asks.
extension ByteWriter {
    /// A varint field (`int32`, `int64`, `uint32`, `bool`, enums).
    package mutating func appendField(_ number: UInt64, varint value: UInt64) {
        if value == 0 { return }
        appendVarint(number << 3)
        appendVarint(value)
    }

    /// A `double` field.
    package mutating func appendField(_ number: UInt64, double value: Double) {
        appendField(number, fixed64: value.bitPattern)
    }

    /// A `fixed64` field.
    package mutating func appendField(_ number: UInt64, fixed64 value: UInt64) {
        if value == 0 { return }
        appendVarint(number << 3 | 1)
        appendLittleEndian(value)
    }

    /// A `fixed32` field.
    package mutating func appendField(_ number: UInt64, fixed32 value: UInt32) {
        if value == 0 { return }
        appendVarint(number << 3 | 5)
        appendLittleEndian(value)
    }

    /// A `bytes` or `string` field.
    package mutating func appendField(_ number: UInt64, bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty { return }
        appendVarint(number << 3 | 2)
        appendVarint(UInt64(bytes.count))
        append(bytes)
    }

    /// A `string` field.
    package mutating func appendField(_ number: UInt64, text: String) {
        var text = text
        text.withUTF8 { appendField(number, bytes: UnsafeRawBufferPointer($0)) }
    }

    /// A field that is a message, written even when it is empty.
    @inline(__always)
    package mutating func appendMessage(_ number: UInt64, _ body: (inout ByteWriter) -> Void) {
        let start = openMessage(number)
        body(&self)
        closeMessage(from: start)
    }

    /// Begins a field that is a message and returns where its body begins, for ``closeMessage(from:)``. The length stands
    /// before a body whose size is not known yet: one byte is left for it, and the body moves when it needs more, which
    /// is cheaper than to size all first.
    package mutating func openMessage(_ number: UInt64) -> Int {
        appendVarint(number << 3 | 2)
        append(0)
        return count
    }

    /// Ends the message whose body began at `start`.
    package mutating func closeMessage(from start: Int) {
        let length = count - start
        if length < 0x80 {
            overwrite(UInt8(truncatingIfNeeded: length), at: start - 1)
        } else {
            moveTail(from: start, by: ByteWriter.varintLength(UInt64(length)) - 1)
            overwriteVarint(UInt64(length), at: start - 1)
        }
    }

    /// A field that is a large message, written even when it is empty. As many bytes are left for its length as one of
    /// `byteCount` bytes needs: only where the guess is wrong does the body move.
    @inline(__always)
    package mutating func appendMessage(
        _ number: UInt64,
        expecting byteCount: Int,
        _ body: (inout ByteWriter) -> Void
    ) {
        let gap = ByteWriter.varintLength(UInt64(max(0, byteCount)))
        appendVarint(number << 3 | 2)
        for _ in 0..<gap { append(0) }
        let start = count
        body(&self)
        let length = UInt64(count - start)
        let needed = ByteWriter.varintLength(length)
        if needed != gap { moveTail(from: start, by: needed - gap) }
        overwriteVarint(length, at: start - gap)
    }
}
