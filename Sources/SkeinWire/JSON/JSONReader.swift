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

    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    private var depth = 0
    /// Whether the innermost object or array was opened and nothing of it read.
    private var isAtStart = false
    /// Holds the last string that had escapes.
    private var unescaped = ByteWriter(capacity: 64)

    /// A reader at the start of `bytes`.
    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// A reader of the value that another reader of `bytes` found at `offset`, which tells places of the whole text.
    init(_ bytes: UnsafeRawBufferPointer, from offset: Int) {
        self.bytes = bytes
        at = min(offset, bytes.count)
    }

    /// Bytes read so far.
    var offset: Int { at }

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
    package mutating func nextKey() throws(WireError) -> JSONKey? {
        if try endsOrSeparates(0x7d, "a comma or }") { return nil }
        guard try next() == 0x22 else { throw unexpected("a key in quotes") }
        let key = try readString()
        guard try next() == 0x3a else { throw unexpected("a colon") }
        at &+= 1
        return JSONKey(bytes: key)
    }

    /// The next key whose value is not `null`: in proto3 JSON a null member reads as an absent one.
    mutating func nextMember() throws(WireError) -> JSONKey? {
        while let key = try nextKey() {
            if try next() != UInt8(ascii: "n") { return key }
            try literal("null")
        }
        return nil
    }

    /// Whether the array has another element, which is read next.
    package mutating func nextElement() throws(WireError) -> Bool { try !endsOrSeparates(0x5d, "a comma or ]") }

    private mutating func endsOrSeparates(_ bracket: UInt8, _ expected: String) throws(WireError) -> Bool {
        let byte = try next()
        let wasAtStart = isAtStart
        isAtStart = false
        if byte == bracket {
            at &+= 1
            depth -= 1
            return true
        }
        if wasAtStart { return false }
        guard byte == 0x2c else { throw unexpected(expected) }
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
        let start = at &+ 1
        let end = JSONText.indexOfSpecial(bytes, from: start)
        if end < bytes.count, bytes[end] == 0x22 {
            at = end &+ 1
            return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        }
        return try readEscapedString(from: start, special: end)
    }

    /// A string's text, or a number or boolean as it is written; lent until the next read.
    mutating func readScalar() throws(WireError) -> UnsafeRawBufferPointer {
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

    /// A whole number, as a number or as a string of digits.
    package mutating func readInteger<T: FixedWidthInteger>(_ type: T.Type) throws(WireError) -> T {
        let start = try startOfNumber()
        let token = try numberToken()
        if let value = T(decimal: token) { return value }
        // proto3 JSON also takes 1.0 and 1e3, as long as they are whole.
        if isNumber(token), let value = Double(String(decoding: token, as: UTF8.self)).flatMap({ T(exactly: $0) }) {
            return value
        }
        at = start
        throw unexpected("a whole number from \(T.min) to \(T.max)")
    }

    /// A number, or one of the strings `"NaN"`, `"Infinity"`, `"-Infinity"`, or a number in quotes.
    package mutating func readDouble() throws(WireError) -> Double {
        let start = try startOfNumber()
        let token = try numberToken()
        if isNumber(token), let value = Double(String(decoding: token, as: UTF8.self)) { return value }
        switch JSONKey(bytes: token) {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        default:
            at = start
            throw unexpected("a number")
        }
    }

    /// A number, or one in quotes, as an integer where it is one of 64 bits.
    mutating func readNumber() throws(WireError) -> JSONNumber {
        let start = try startOfNumber()
        let token = try numberToken()
        if let integer = Int64(decimal: token) { return .integer(integer) }
        if isNumber(token), let value = Double(String(decoding: token, as: UTF8.self)) { return .double(value) }
        at = start
        throw unexpected("a number")
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

    private mutating func startOfNumber() throws(WireError) -> Int {
        switch try next() {
        case 0x22, 0x2d, 0x30...0x39: return at
        default: throw unexpected("a number")
        }
    }

    /// The characters of a number, or of a string, without its quotes.
    private mutating func numberToken() throws(WireError) -> UnsafeRawBufferPointer {
        if bytes[at] == 0x22 { return try readString() }
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case 0x30...0x39, 0x2b, 0x2d, 0x2e, 0x45, 0x65: at &+= 1
            default: return UnsafeRawBufferPointer(rebasing: bytes[start..<at])
            }
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<at])
    }

    /// Whether the characters follow RFC 8259 §6; what `Double` reads beside it (hexadecimal, "nan") does not.
    private func isNumber(_ token: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        func digits() -> Int {
            let start = at
            while at < token.count, 0x30...0x39 ~= token[at] { at += 1 }
            return at - start
        }
        if at < token.count, token[at] == 0x2d { at += 1 }
        let leadsWithZero = at < token.count && token[at] == 0x30
        let whole = digits()
        guard whole == 1 || whole > 1 && !leadsWithZero else { return false }
        if at < token.count, token[at] == 0x2e {
            at += 1
            guard digits() > 0 else { return false }
        }
        if at < token.count, token[at] | 0x20 == 0x65 {
            at += 1
            if at < token.count, token[at] == 0x2b || token[at] == 0x2d { at += 1 }
            guard digits() > 0 else { return false }
        }
        return at == token.count
    }

    /// The next byte that is no blank, not consumed.
    private mutating func next() throws(WireError) -> UInt8 {
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

    /// Reads on where a string's first escape, or its first error, stands.
    @inline(never)
    private mutating func readEscapedString(
        from start: Int,
        special: Int
    ) throws(WireError) -> UnsafeRawBufferPointer {
        unescaped.removeAll()
        var copied = start
        var special = special
        while true {
            at = special
            guard special < bytes.count else { throw error(.malformed, "the text ends inside a string") }
            unescaped.append(UnsafeRawBufferPointer(rebasing: bytes[copied..<special]))
            if bytes[special] == 0x22 {
                at = special &+ 1
                return unescaped.bytes
            }
            guard bytes[special] == 0x5c else { throw unexpected("no control character in a string") }
            try readEscape()
            copied = at
            special = JSONText.indexOfSpecial(bytes, from: at)
        }
    }

    /// Appends what the escape at `at` stands for and passes over it. Half a surrogate pair is U+FFFD.
    private mutating func readEscape() throws(WireError) {
        guard at &+ 1 < bytes.count else { throw error(.malformed, "the text ends inside a string") }
        let sign = bytes[at &+ 1]
        switch sign {
        case 0x22, 0x5c, 0x2f: unescaped.append(sign)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0c)
        case UInt8(ascii: "n"): unescaped.append(0x0a)
        case UInt8(ascii: "r"): unescaped.append(0x0d)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            guard var code = codeUnit(at: at) else { throw unexpected("four hexadecimal digits after \\u") }
            at &+= 6
            if 0xd800..<0xdc00 ~= code, let low = codeUnit(at: at), 0xdc00..<0xe000 ~= low {
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
                at &+= 6
            }
            unescaped.append(utf8: String(Unicode.Scalar(code).map(Character.init) ?? "\u{fffd}"))
            return
        default: throw unexpected("an escape of RFC 8259")
        }
        at &+= 2
    }

    /// The UTF-16 unit that `\uXXXX` at `offset` stands for.
    private func codeUnit(at offset: Int) -> UInt32? {
        guard bytes.count - offset >= 6, bytes[offset] == 0x5c, bytes[offset + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var code: UInt32 = 0
        for digit in offset + 2..<offset + 6 {
            guard let value = Hex.value(of: bytes[digit]) else { return nil }
            code = code << 4 | UInt32(value)
        }
        return code
    }

    /// The error that something else stands here.
    @inline(never)
    func unexpected(_ expected: String) -> WireError {
        let found =
            switch at < bytes.count ? bytes[at] : 0 {
            case 0x7b: "an object"
            case 0x5b: "an array"
            case 0x22: "a string"
            case 0x2d, 0x30...0x39: "a number"
            case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
            case UInt8(ascii: "n"): "null"
            case let byte where byte > 0x20 && byte < 0x7f: "'\(Character(Unicode.Scalar(byte)))'"
            case let byte: at < bytes.count ? "byte \(byte)" : "the end"
            }
        return error(.malformed, "found \(found) where \(expected) is expected")
    }

    /// An error of the caller's, about the value that was read last.
    func malformed(_ message: String) -> WireError { error(.malformed, message) }

    /// An error of the caller's, about what was read at ``offset``.
    func malformed(_ message: String, at offset: Int) -> WireError { error(.malformed, message, at: offset) }

    private func error(_ code: WireError.Code, _ message: String, at offset: Int? = nil) -> WireError {
        let at = offset ?? at
        var line = 1
        var column = 1
        for byte in bytes[..<min(at, bytes.count)] {
            column += 1
            if byte == 0x0a {
                line += 1
                column = 1
            }
        }
        return WireError(code, message, at: at, place: .init(line: line, column: column))
    }
}

/// A number as it was written.
enum JSONNumber {
    case integer(Int64)
    case double(Double)

    /// The nearest integer, at most that of 64 bits.
    var rounded: Int64 {
        switch self {
        case .integer(let value): value
        case .double(let value): Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
        }
    }

    var double: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        }
    }
}

/// The key of a member, or other text, to be matched in a `switch` against literals.
package struct JSONKey {
    var bytes: UnsafeRawBufferPointer

    package static func ~= (name: StaticString, key: JSONKey) -> Bool {
        key.bytes.count == name.utf8CodeUnitCount
            && key.bytes.unsafelyEqual(
                from: 0,
                UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            )
    }

    /// The key as text; bytes that are not UTF-8 are repaired.
    package var text: String { UTF8Text.repaired(bytes) }
}

extension FixedWidthInteger {
    /// The number that `digits`, with an optional minus sign before, stand for; `nil` for anything else or out of range.
    fileprivate init?(decimal digits: UnsafeRawBufferPointer) {
        var value: Self = 0
        let isNegative = digits.first == 0x2d
        guard digits.count > (isNegative ? 1 : 0) else { return nil }
        for byte in digits.dropFirst(isNegative ? 1 : 0) {
            guard 0x30...0x39 ~= byte else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Self(truncatingIfNeeded: byte &- 0x30)
            let (sum, carry) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = sum
        }
        self = value
    }
}
