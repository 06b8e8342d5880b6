// SPDX-License-Identifier: Apache-2.0

/// What a byte of a query may be.
enum QueryByte {
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
    /// Ends a name (TraceQL's lexer).
    static func isDelimiter(_ byte: UInt8) -> Bool { delimiters.contains(byte) }
    private static let delimiters = Set("{}()=~!<>&|^,".utf8)
    /// Signs of arithmetic that a name written without its scope seldom holds; `-` it often does.
    static func isArithmetic(_ byte: UInt8) -> Bool { arithmetic.contains(byte) }
    private static let arithmetic = Set("+*/%".utf8)
    /// Letters and `_`; every byte of a letter that is not ASCII.
    static func isWordStart(_ byte: UInt8) -> Bool {
        byte == 0x5f || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte >= 0x80
    }
    static func isWord(_ byte: UInt8) -> Bool { isWordStart(byte) || isDigit(byte) }
}
