// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

extension TraceID {
    /// Reads base64 of 8 or 16 bytes, which is how protocol buffers' JSON writes an id; `nil` for anything else.
    init?(base64 text: String) {
        var bytes = ByteWriter(capacity: 32)
        var text = text
        let isBase64 = text.withUTF8 { Base64.decode(UnsafeRawBufferPointer($0), to: &bytes) }
        guard isBase64, bytes.count == 8 || bytes.count == 16 else { return nil }
        let words = stride(from: 0, to: bytes.count, by: 8).map { bytes.bytes.unsafelyLoad($0, as: UInt64.self) }
        self.init(
            high: words.count == 2 ? UInt64(bigEndian: words[0]) : 0,
            low: UInt64(bigEndian: words[words.count - 1])
        )
    }
}
