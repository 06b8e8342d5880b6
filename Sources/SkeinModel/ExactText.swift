// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Text that equals only what has the same bytes, where `String` takes canonically equivalent texts for one: a composed é
/// and a decomposed one name two services.
///
/// As a wrapper of a property it makes that part of its owner's equality; as a value it is a key of dictionaries.
@propertyWrapper
public struct ExactText: Hashable, Sendable {
    public var wrappedValue: String

    /// The text of a property.
    public init(wrappedValue: String) { self.wrappedValue = wrappedValue }

    /// A text.
    package init(_ text: String) { wrappedValue = text }

    /// The text.
    package var text: String { wrappedValue }

    public static func == (a: ExactText, b: ExactText) -> Bool { a.wrappedValue.isExactly(b.wrappedValue) }

    public func hash(into hasher: inout Hasher) {
        var text = wrappedValue
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // What follows must not be taken for more of it.
        hasher.combine(0xff as UInt8)
    }
}

extension String {
    /// Whether both have the same bytes.
    package func isExactly(_ other: String) -> Bool {
        let (mine, theirs) = (utf8, other.utf8)
        guard mine.count == theirs.count else { return false }
        let isEqual = mine.withContiguousStorageIfAvailable { mine in
            theirs.withContiguousStorageIfAvailable { theirs in
                UnsafeRawBufferPointer(mine).unsafelyEqual(from: 0, UnsafeRawBufferPointer(theirs))
            }
        }
        // Not every string on a Mac is contiguous.
        return (isEqual ?? nil) ?? mine.elementsEqual(theirs)
    }
}
