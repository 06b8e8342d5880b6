// SPDX-License-Identifier: Apache-2.0

/// Values by their keys, of which the oldest goes when there are too many.
struct Recent<Key: Hashable, Value> {
    private let countMax: Int
    private var values: [Key: (value: Value, number: UInt64)] = [:]
    private var nextNumber: UInt64 = 0

    init(countMax: Int) { self.countMax = max(countMax, 1) }

    func contains(_ key: Key) -> Bool { values[key] != nil }

    /// Puts a value in, and gives back the one that made room for it.
    mutating func insert(_ value: Value, for key: Key) -> Value? {
        let replaced = values.removeValue(forKey: key)?.value
        var evicted: Value?
        if values.count >= countMax, let oldest = values.min(by: { $0.value.number < $1.value.number }) {
            evicted = values.removeValue(forKey: oldest.key)?.value
        }
        values[key] = (value, nextNumber)
        nextNumber &+= 1
        return replaced ?? evicted
    }

    /// Changes the value of a key, if there is one.
    mutating func update<Result>(_ key: Key, _ change: (inout Value) -> Result?) -> Result? {
        guard var entry = values[key] else { return nil }
        defer { values[key] = entry }
        return change(&entry.value)
    }

    mutating func remove(_ key: Key) -> Value? { values.removeValue(forKey: key)?.value }

    /// Takes out what has such a key, the oldest first.
    mutating func removeAll(where isMeant: (Key) -> Bool) -> [Value] {
        let meant = values.filter { isMeant($0.key) }
        for key in meant.keys { values[key] = nil }
        return meant.values.sorted { $0.number < $1.number }.map(\.value)
    }

    mutating func removeAll() -> [Value] {
        defer { values = [:] }
        return values.values.sorted { $0.number < $1.number }.map(\.value)
    }
}
