// SPDX-License-Identifier: Apache-2.0

/// Distinct byte strings in one arena. Entry `i` is `bytes[offsets[i]..<offsets[i + 1]]`; entry 0 is empty.
public struct ByteDictionary: Sendable, Hashable {
    /// `count + 1` ascending numbers, the first 0.
    @usableFromInline package var offsets: [UInt32] = [0, 0]
    @usableFromInline package var bytes: [UInt8] = []

    /// A dictionary that holds only the empty string, as entry 0.
    package init() {}

    /// A dictionary of the given parts, which must be consistent (ascending offsets, last = `bytes.count`).
    package init(offsets: [UInt32], bytes: [UInt8]) {
        self.offsets = offsets
        self.bytes = bytes
    }

    /// Number of entries, at least 1.
    @inlinable public var count: Int { offsets.count - 1 }

    /// Bytes of memory held.
    package var byteCount: Int { 4 * offsets.count + bytes.count }

    /// Lends the bytes of one entry. `ref` must be below ``count``.
    @inlinable
    public func withBytes<R>(_ ref: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let range = Int(offsets[Int(ref)])..<Int(offsets[Int(ref) + 1])
        return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// The entry as text; bytes that are not UTF-8 are repaired.
    package func string(_ ref: UInt32) -> String { withBytes(ref) { String(decoding: $0, as: UTF8.self) } }

    /// The entry as a value, see ``EncodedValue``.
    package func value(_ ref: UInt32) -> AttributeValue { withBytes(ref) { EncodedValue.decode($0) } }
}
