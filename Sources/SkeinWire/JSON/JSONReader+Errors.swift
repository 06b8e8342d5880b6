// SPDX-License-Identifier: Apache-2.0

/// Errors, which say what was found and what was expected, with line and column.
extension JSONReader {
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

    func error(_ code: WireError.Code, _ message: String, at offset: Int? = nil) -> WireError {
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
