// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// A cursor over one JSON text (RFC 8259), front to back, without building anything.
///
///     try reader.openObject()
///     while let key = try reader.nextKey() {
///         switch key {
///         case "name": name = try reader.readString()
///         default: try reader.skipValue()
///         }
///     }
///
/// After ``nextKey()`` or ``nextElement()`` exactly one value must be read or skipped. Numbers are read exactly. Text
/// is lent, not copied; it may be malformed UTF-8, which is the caller's to repair. Nesting is bounded and costs no
/// stack here. Errors say what was found and what was expected, with line and column.
package struct JSONReader: ~Copyable {
    /// How deep objects and arrays may nest: 32 levels of OTLP values and the messages around them fit.
    static let depthMax = 256

    package enum Kind: String {
        case object = "an object"
        case array = "an array"
        case string = "a string"
        case number = "a number"
        case bool = "a boolean"
        case null = "null"
    }

    let bytes: UnsafeRawBufferPointer
    /// Where it reads on.
    var at = 0
    private var depth = 0
    /// Whether the innermost object or array was opened and nothing of it read.
    private var isAtStart = false
    /// Holds the last string that had escapes.
    var unescaped = ByteWriter(capacity: 64)

    /// A reader at the start of `bytes`.
    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// A reader of the value that another reader of `bytes` found at `offset`, which tells places of the whole text.
    init(_ bytes: UnsafeRawBufferPointer, from offset: Int) {
        self.bytes = bytes
        at = min(offset, bytes.count)
    }

    /// Bytes read so far.
    package var offset: Int { at }

    // MARK: Objects and arrays

    /// Enters an object.
    package mutating func openObject() throws(WireError) { try open(0x7b, .object) }

    /// Enters an array.
    package mutating func openArray() throws(WireError) { try open(0x5b, .array) }

    private mutating func open(_ bracket: UInt8, _ kind: Kind) throws(WireError) {
        guard try next() == bracket else { throw unexpected(kind.rawValue) }
        try descend()
        at &+= 1
        isAtStart = true
    }

    private mutating func descend() throws(WireError) {
        guard depth < Self.depthMax else {
            throw error(.tooDeep, "objects and arrays nest deeper than \(Self.depthMax)")
        }
        depth += 1
    }

    /// The next key of the object, lent until the next read; `nil` after its end.
    package mutating func nextKey() throws(WireError) -> JSONKey? { try readKey() }

    @inline(__always)
    private mutating func readKey() throws(WireError) -> JSONKey? {
        if try endsOrSeparates(0x7d, "a comma or }") { return nil }
        guard try next() == 0x22 else { throw unexpected("a key in quotes") }
        let key = try readQuoted()
        guard try next() == 0x3a else { throw unexpected("a colon") }
        at &+= 1
        return JSONKey(bytes: key)
    }

    /// The next key whose value is not `null`: in proto3 JSON a null member reads as an absent one.
    mutating func nextMember() throws(WireError) -> JSONKey? {
        while let key = try readKey() {
            if try next() != UInt8(ascii: "n") { return key }
            try literal("null")
        }
        return nil
    }

    /// Whether the array has another element, which is read next.
    package mutating func nextElement() throws(WireError) -> Bool { try !endsOrSeparates(0x5d, "a comma or ]") }

    @inline(__always)
    private mutating func endsOrSeparates(_ bracket: UInt8, _ expected: StaticString) throws(WireError) -> Bool {
        let byte = try next()
        let wasAtStart = isAtStart
        isAtStart = false
        if byte == bracket {
            at &+= 1
            depth -= 1
            return true
        }
        if wasAtStart { return false }
        guard byte == 0x2c else { throw unexpected("\(expected)") }
        at &+= 1
        guard try next() != bracket else { throw unexpected("a value after the comma") }
        return false
    }

    /// Checks that nothing but blanks follows.
    package mutating func finish() throws(WireError) {
        skipBlanks()
        if at < bytes.count { throw unexpected("the end") }
    }

    // MARK: Values

    /// What the next value is.
    package mutating func peek() throws(WireError) -> Kind {
        switch try next() {
        case 0x7b: return .object
        case 0x5b: return .array
        case 0x22: return .string
        case 0x2d, 0x30...0x39: return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw unexpected("a value")
        }
    }

    /// A string's text, lent until the next read.
    package mutating func readString() throws(WireError) -> UnsafeRawBufferPointer {
        guard try next() == 0x22 else { throw unexpected("a string") }
        return try readQuoted()
    }

    /// The text of the string whose opening quote is next.
    @inline(__always)
    private mutating func readQuoted() throws(WireError) -> UnsafeRawBufferPointer {
        let start = at &+ 1
        let end = JSONText.indexOfSpecial(bytes, from: start)
        // A quote was found at `start - 1`, so there are bytes.
        if end < bytes.count, bytes.unsafelyLoad(end, as: UInt8.self) == 0x22 {
            at = end &+ 1
            return UnsafeRawBufferPointer(start: bytes.baseAddress.unsafelyUnwrapped + start, count: end &- start)
        }
        return try readEscapedString(from: start, special: end)
    }

    /// A string's text, or a number or boolean as it is written; lent until the next read.
    mutating func readScalar() throws(WireError) -> UnsafeRawBufferPointer {
        if try next() == 0x22 { return try readQuoted() }
        let kind = try peek()
        let start = at
        switch kind {
        case .string: return try readString()
        case .number, .bool:
            try skipValue()
            return UnsafeRawBufferPointer(rebasing: bytes[start..<at])
        case .object, .array, .null: throw unexpected("a string")
        }
    }

    /// `true` or `false`.
    package mutating func readBool() throws(WireError) -> Bool {
        switch try next() {
        case UInt8(ascii: "t"):
            try literal("true")
            return true
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        default: throw unexpected("true or false")
        }
    }

    /// The text of the next value, whatever it is, as it stands.
    package mutating func readRaw() throws(WireError) -> UnsafeRawBufferPointer {
        _ = try next()
        let start = at
        try skipValue()
        return UnsafeRawBufferPointer(rebasing: bytes[start..<at])
    }

    /// Whether `text`, which was lent, is a part of the text that is read, and so stays after the next read.
    func isPart(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, let start = text.baseAddress else { return true }
        return start >= base && start < base + bytes.count
    }

    /// Passes over the next value, whatever it is.
    package mutating func skipValue() throws(WireError) {
        // Which bracket each open level has; the levels outside this value are not ours to close.
        var arrays: [Bool] = []
        repeat {
            if let isArray = arrays.last {
                let ended = isArray ? try !nextElement() : try nextKey() == nil
                if ended {
                    arrays.removeLast()
                    continue
                }
            }
            switch try peek() {
            case .object:
                try openObject()
                arrays.append(false)
            case .array:
                try openArray()
                arrays.append(true)
            case .string: _ = try readString()
            case .number:
                let start = at
                guard isNumber(try numberToken()) else {
                    at = start
                    throw unexpected("a number")
                }
            case .bool: _ = try readBool()
            case .null: try literal("null")
            }
        } while !arrays.isEmpty
    }

    // MARK: Pieces

    /// The next byte that is no blank, not consumed.
    @inline(__always)
    mutating func next() throws(WireError) -> UInt8 {
        // Exporters write no blanks, or single ones.
        if at < bytes.count {
            let byte = bytes.unsafelyLoad(at, as: UInt8.self)
            if byte > 0x20 { return byte }
        }
        return try nextBehindBlanks()
    }

    @inline(never)
    private mutating func nextBehindBlanks() throws(WireError) -> UInt8 {
        skipBlanks()
        guard at < bytes.count else { throw error(.malformed, "the text ends inside a value") }
        return bytes[at]
    }

    private mutating func skipBlanks() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0a, 0x0d: at &+= 1
            default: return
            }
        }
    }

    private mutating func literal(_ word: StaticString) throws(WireError) {
        let length = word.utf8CodeUnitCount
        let expected = UnsafeRawBufferPointer(start: word.utf8Start, count: length)
        guard bytes.count - at >= length, bytes.unsafelyEqual(from: at, expected) else {
            throw unexpected("a value")
        }
        at &+= length
    }
}
