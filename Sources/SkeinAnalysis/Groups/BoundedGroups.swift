// SPDX-License-Identifier: Apache-2.0

/// What is known of each of some keys, of no more than a limit: those that come later are counted together.
struct BoundedGroups<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// Most keys that are told apart.
    let limit: Int
    private(set) var values: [Key: Value] = [:]
    /// What is known of all other keys together; `nil` when there are none.
    private(set) var others: Value?

    init(limit: Int) { self.limit = limit }

    /// Changes what is known of `key`, which begins with `first`.
    mutating func update(_ key: Key, first: @autoclosure () -> Value, _ change: (inout Value) -> Void) {
        if let index = values.index(forKey: key) {
            change(&values.values[index])
        } else if values.count < limit {
            var value = first()
            change(&value)
            values[key] = value
        } else {
            var value = others ?? first()
            change(&value)
            others = value
        }
    }

    /// Adds what `other` knows; `add` puts two values together, the first of which begins with `first`.
    mutating func merge(_ other: Self, first: @autoclosure () -> Value, _ add: (inout Value, Value) -> Void) {
        for (key, value) in other.values { update(key, first: first()) { add(&$0, value) } }
        guard let theirs = other.others else { return }
        var mine = others ?? first()
        add(&mine, theirs)
        others = mine
    }
}
