// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// How often each of some names came, of no more than ``limit``; those that come later are not counted one by one.
struct NameCounts: Sendable {
    static let limit = 50
    private var groups = BoundedGroups<ExactText, Double>(limit: limit)

    mutating func add(_ name: String, weight: Double) { groups.update(ExactText(name), first: 0) { $0 += weight } }

    mutating func add(_ other: NameCounts) { groups.merge(other.groups, first: 0) { $0 += $1 } }

    /// Most frequent first, ties by name; those that were not told apart are left out.
    var sorted: [NameCount] {
        groups.values.map { NameCount(name: $0.key.text, count: $0.value) }.sorted { a, b in
            a.count != b.count ? a.count > b.count : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
        }
    }
}

/// A name and how often it came, each time by the weight of its span.
package struct NameCount: Hashable, Sendable {
    @ExactText package var name: String
    package var count: Double
}
