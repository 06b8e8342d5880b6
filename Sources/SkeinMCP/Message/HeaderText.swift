// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// Values of the headers that mirror a message (MCP 2026-07-28, "Streamable HTTP", value encoding).
package enum HeaderText {
    private static let prefix = "=?base64?"
    private static let suffix = "?="

    /// What a header such as `Mcp-Name` stands for; `nil` for the sentinel of Base64 with something else in it.
    package static func decode(_ value: String) -> String? {
        guard value.hasPrefix(prefix), value.hasSuffix(suffix),
            value.utf8.count >= prefix.utf8.count + suffix.utf8.count
        else { return value }
        var payload = String(value.dropFirst(prefix.count).dropLast(suffix.count))
        var bytes = ByteWriter(capacity: payload.utf8.count)
        guard payload.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0), to: &bytes) }), UTF8Text.isValid(bytes.bytes)
        else { return nil }
        return UTF8Text.repaired(bytes.bytes)
    }
}
