// SPDX-License-Identifier: Apache-2.0

/// A few values by key: when there are more than it may hold, the one used longest ago goes.
struct RecentlyUsed<Key: Hashable, Value> {
    private let countMax: Int
    /// Used last, last. Few, so a list is as good as a table.
    private var entries: [(key: Key, value: Value)] = []

    /// Holds at most `countMax` values.
    init(countMax: Int) { self.countMax = countMax }

    var count: Int { entries.count }

    /// The value of `key`, which counts as a use.
    mutating func value(of key: Key) -> Value? {
        guard let index = entries.lastIndex(where: { $0.key == key }) else { return nil }
        let entry = entries.remove(at: index)
        entries.append(entry)
        return entry.value
    }

    /// Gives a value out, for ``keep(_:of:)`` to take back.
    mutating func take(_ key: Key) -> Value? {
        entries.lastIndex { $0.key == key }.map { entries.remove(at: $0).value }
    }

    /// Gives out the value used longest ago, and forgets it.
    mutating func removeOldest() -> Value? { entries.isEmpty ? nil : entries.removeFirst().value }

    /// Forgets all values.
    mutating func removeAll() { entries.removeAll() }

    /// Keeps a value, in the place of one that its key had. Returns the one that goes for it.
    @discardableResult
    mutating func keep(_ value: Value, of key: Key) -> Value? {
        let same = entries.firstIndex { $0.key == key }.map { entries.remove(at: $0).value }
        let oldest = same ?? (entries.count >= countMax ? entries.removeFirst().value : nil)
        entries.append((key, value))
        return oldest
    }
}
