// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension ByteDictionary {
    /// The entry of these bytes; `nil` when there is none. Looks at every entry.
    func ref(of text: String) -> UInt32? {
        var text = text
        return text.withUTF8 { wanted in
            let wanted = UnsafeRawBufferPointer(wanted)
            return (0..<UInt32(count)).first { ref in
                withBytes(ref) { $0.count == wanted.count && $0.elementsEqual(wanted) }
            }
        }
    }
}
