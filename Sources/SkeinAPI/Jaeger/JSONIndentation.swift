// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// JSON for people: one member a line, four blanks a level, as Go's encoder indents.
enum JSONIndentation {
    /// `json` must be valid and without blanks between tokens, as `JSONWriter` writes it.
    static func indented(_ json: UnsafeRawBufferPointer) -> [UInt8] {
        var out = ByteWriter(capacity: json.count * 2)
        var depth = 0
        var isInString = false
        var at = 0
        func newline(_ out: inout ByteWriter) {
            out.append(0x0a)
            for _ in 0..<(4 * depth) { out.append(0x20) }
        }
        while at < json.count {
            let byte = json[at]
            at += 1
            if isInString {
                out.append(byte)
                if byte == UInt8(ascii: "\\"), at < json.count {
                    out.append(json[at])
                    at += 1
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                out.append(byte)
                if at < json.count, json[at] == byte + 2 {
                    out.append(json[at])
                    at += 1
                } else {
                    depth += 1
                    newline(&out)
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                newline(&out)
                out.append(byte)
            case UInt8(ascii: ","):
                out.append(byte)
                newline(&out)
            case UInt8(ascii: ":"):
                out.append(byte)
                out.append(0x20)
            default:
                isInString = byte == UInt8(ascii: "\"")
                out.append(byte)
            }
        }
        return out.array()
    }
}
