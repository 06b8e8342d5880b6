// SPDX-License-Identifier: Apache-2.0

/// Numbers, which are read exactly.
extension JSONReader {
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

    // MARK: Pieces

    private mutating func startOfNumber() throws(WireError) -> Int {
        switch try next() {
        case 0x22, 0x2d, 0x30...0x39: return at
        default: throw unexpected("a number")
        }
    }

    /// The characters of a number, or of a string, without its quotes.
    mutating func numberToken() throws(WireError) -> UnsafeRawBufferPointer {
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
    func isNumber(_ token: UnsafeRawBufferPointer) -> Bool {
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
