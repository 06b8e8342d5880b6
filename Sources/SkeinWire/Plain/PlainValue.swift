// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

extension Plain {
    /// The value that `text` is JSON of: numbers of 64 bits without a fraction are integers. `nil` for text that is not JSON,
    /// and for one that nests deeper than `EncodedValue.maxDepth`.
    package static func value(_ text: String) -> AttributeValue? {
        var text = text
        return text.withUTF8 { bytes in
            var out = ByteWriter(capacity: bytes.count)
            var isTooDeep = false
            var json = JSONReader(UnsafeRawBufferPointer(bytes))
            do throws(WireError) {
                try json.readPlainValue(into: &out, &isTooDeep)
                try json.finish()
            } catch {
                return nil
            }
            return isTooDeep ? nil : EncodedValue.decode(out.bytes)
        }
    }
}
