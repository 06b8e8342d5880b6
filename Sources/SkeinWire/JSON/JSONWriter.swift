// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel

/// Writes one JSON text (RFC 8259), front to back, into memory.
///
///     var json = JSONWriter()
///     json.object { json in
///         json.member("traceId", id)
///         json.array("services") { json in
///             for name in names { json.string(name) }
///         }
///     }
///
/// Commas, quotes and escapes are the writer's business; what it writes is always valid UTF-8, because text that is not
/// is repaired on the way. Calls that write a value stand where a value may stand: at the top, in an array, or after
/// ``key(_:)``; `member` is a key and its value in one call.
package struct JSONWriter: ~Copyable {
    private var out: ByteWriter
    /// Whether the next key or element stands behind another one.
    private var followsValue = false

    /// An empty writer with room for `capacity` bytes.
    package init(capacity: Int = 1024) { out = ByteWriter(capacity: capacity) }

    /// Bytes written so far.
    package var count: Int { out.count }
    /// What was written. Valid until the next write.
    package var bytes: UnsafeRawBufferPointer { out.bytes }
    /// A copy of what was written.
    package func array() -> [UInt8] { out.array() }
    /// What was written, without a copy.
    package consuming func finish() -> ByteWriter { out }
    /// What was written, as text.
    package var text: String { String(decoding: out.bytes, as: UTF8.self) }

    /// Forgets what was written and keeps the memory.
    package mutating func removeAll() {
        out.removeAll()
        followsValue = false
    }

    // MARK: Objects and arrays

    /// An object whose members `body` writes.
    @inlinable
    package mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        open(0x7b)
        try body(&self)
        close(0x7d)
    }

    /// An array whose elements `body` writes.
    @inlinable
    package mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
        open(0x5b)
        try body(&self)
        close(0x5d)
    }

    /// A member that is an object.
    @inlinable
    package mutating func object<E: Error>(
        _ name: StaticString,
        _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        key(name)
        try object(body)
    }

    /// A member that is an array.
    @inlinable
    package mutating func array<E: Error>(
        _ name: StaticString,
        _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        key(name)
        try array(body)
    }

    @usableFromInline
    mutating func open(_ bracket: UInt8) {
        comma()
        out.append(bracket)
        followsValue = false
    }

    @usableFromInline
    mutating func close(_ bracket: UInt8) {
        out.append(bracket)
        followsValue = true
    }

    // MARK: Keys

    /// The key of the member whose value is written next. `name` needs no escapes.
    package mutating func key(_ name: StaticString) {
        comma()
        let length = name.utf8CodeUnitCount
        out.write(atMost: length + 3) { target in
            target.storeBytes(of: 0x22, as: UInt8.self)
            target.advanced(by: 1).copyMemory(from: name.utf8Start, byteCount: length)
            target.storeBytes(of: 0x22, toByteOffset: length + 1, as: UInt8.self)
            target.storeBytes(of: 0x3a, toByteOffset: length + 2, as: UInt8.self)
            return length + 3
        }
        followsValue = false
    }

    /// The key of the member whose value is written next, from text that may need escapes.
    package mutating func key(text name: String) {
        string(name)
        out.append(0x3a)
        followsValue = false
    }

    /// The key of the member whose value is written next, from UTF-8 that may need escapes or repair.
    package mutating func key(utf8 name: UnsafeRawBufferPointer) {
        string(utf8: name)
        out.append(0x3a)
        followsValue = false
    }

    // MARK: Values

    /// `null`.
    package mutating func null() { literal("null") }

    /// `true` or `false`.
    package mutating func bool(_ value: Bool) { value ? literal("true") : literal("false") }

    /// A number without fraction. JavaScript reads those beyond 2⁵³ inexactly; see ``decimal(_:)``.
    @inlinable
    package mutating func int<T: FixedWidthInteger>(_ value: T) {
        number(UInt64(truncatingIfNeeded: value.magnitude), isNegative: value < 0, isQuoted: false)
    }

    /// A whole number as a string of decimal digits, as proto3 JSON writes 64-bit integers.
    @inlinable
    package mutating func decimal<T: FixedWidthInteger>(_ value: T) {
        number(UInt64(truncatingIfNeeded: value.magnitude), isNegative: value < 0, isQuoted: true)
    }

    /// The shortest number that reads back as `value`; `"NaN"`, `"Infinity"` and `"-Infinity"` are strings, as in
    /// proto3 JSON.
    package mutating func double(_ value: Double) {
        guard value.isFinite else {
            return string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
        comma()
        out.append(utf8: value.description)
        followsValue = true
    }

    /// A string.
    package mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { string(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// A string of UTF-8 bytes; malformed parts become U+FFFD.
    package mutating func string(utf8 bytes: UnsafeRawBufferPointer) {
        guard UTF8Text.isValid(bytes) else { return string(UTF8Text.repaired(bytes)) }
        comma()
        JSONText.append(bytes, to: &out)
        followsValue = true
    }

    /// A string of standard base64 with padding.
    package mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        comma()
        out.append(0x22)
        Base64.append(bytes, to: &out)
        out.append(0x22)
        followsValue = true
    }

    /// A string of 32 lower-case hexadecimal digits.
    package mutating func id(_ value: TraceID) {
        comma()
        out.write(atMost: 34) { target in
            target.storeBytes(of: 0x22, as: UInt8.self)
            Hex.store(value.high, at: target + 1)
            Hex.store(value.low, at: target + 17)
            target.storeBytes(of: 0x22, toByteOffset: 33, as: UInt8.self)
            return 34
        }
        followsValue = true
    }

    /// A string of 16 lower-case hexadecimal digits.
    package mutating func id(_ value: SpanID) {
        comma()
        out.write(atMost: 18) { target in
            target.storeBytes(of: 0x22, as: UInt8.self)
            Hex.store(value.rawValue, at: target + 1)
            target.storeBytes(of: 0x22, toByteOffset: 17, as: UInt8.self)
            return 18
        }
        followsValue = true
    }

    /// A trace id as standard base64 of its 16 bytes.
    package mutating func base64(_ value: TraceID) {
        withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) { base64($0) }
    }

    /// A span id as standard base64 of its 8 bytes.
    package mutating func base64(_ value: SpanID) {
        withUnsafeBytes(of: value.rawValue.bigEndian) { base64($0) }
    }

    /// A value that is JSON already, copied as it is.
    package mutating func raw(_ json: UnsafeRawBufferPointer) {
        comma()
        out.append(json)
        followsValue = true
    }

    // MARK: Pieces

    @inline(__always)
    private mutating func comma() {
        if followsValue { out.append(0x2c) }
    }

    private mutating func literal(_ word: StaticString) {
        comma()
        out.append(UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        followsValue = true
    }

    /// The one form of all integers, not generic: a generic one would not be specialised for other modules, and columns
    /// of 100,000 numbers were ten times slower.
    @usableFromInline
    mutating func number(_ magnitude: UInt64, isNegative: Bool, isQuoted: Bool) {
        let followsValue = followsValue
        // Twenty digits hold any magnitude; filled from the back, then moved to the front.
        out.write(atMost: 48) { target in
            var rest = magnitude
            var at = 48
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                at &-= 1
                target.storeBytes(of: UInt8(truncatingIfNeeded: digit) &+ 0x30, toByteOffset: at, as: UInt8.self)
                rest = quotient
            } while rest != 0
            var used = 0
            func put(_ byte: UInt8) {
                target.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
                used &+= 1
            }
            if followsValue { put(0x2c) }
            if isQuoted { put(0x22) }
            if isNegative { put(0x2d) }
            let length = 48 &- at
            target.advanced(by: used).copyMemory(from: target + at, byteCount: length)
            used &+= length
            if isQuoted { put(0x22) }
            return used
        }
        self.followsValue = true
    }
}
