// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A name in the order of its list: a service, an operation of a service, or an attribute key.
struct NameKey: Hashable, Comparable, Sendable {
    /// The service of an operation; empty for all else.
    @ExactText var owner: String
    @ExactText var name: String
    /// The kind of an operation, the place of a key's scope.
    var tag: UInt8

    init(owner: String = "", _ name: String, tag: UInt8 = 0) {
        self.owner = owner
        self.name = name
        self.tag = tag
    }

    static func < (a: NameKey, b: NameKey) -> Bool {
        if !a.owner.isExactly(b.owner) { return a.owner.precedes(b.owner) }
        return a.name.isExactly(b.name) ? a.tag < b.tag : a.name.precedes(b.name)
    }

    /// Memory that a key takes beside its bytes, roughly.
    private static let fixedByteCount = 96

    /// Memory held, roughly.
    var byteCount: Int { Self.fixedByteCount + owner.utf8.count + name.utf8.count }
}

/// What is known of a name.
struct NameFacts: Hashable, Sendable {
    /// Stored copies of spans that have it; of keys of events and links, those of events and links.
    var count = 0
    /// Of keys, a bit for each ``ValueType`` in the order of its cases; bit 7 for `null`.
    var types: UInt8 = 0

    mutating func add(_ other: NameFacts) {
        // More than there are, where a crafted block says so.
        count &+= other.count
        types |= other.types
    }
}

/// One of the three lists of names.
enum NameListKind: Int, CaseIterable, Sendable {
    case services, operations, keys
}
