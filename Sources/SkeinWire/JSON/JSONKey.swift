// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The key of a member, or other text, to be matched in a `switch` against literals.
package struct JSONKey {
    var bytes: UnsafeRawBufferPointer

    @inline(__always)
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
