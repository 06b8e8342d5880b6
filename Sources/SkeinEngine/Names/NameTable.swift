// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Distinct names as they are found, as long as they are not too many to be kept.
struct NameSet: Sendable {
    /// How much is kept.
    struct Limits: Sendable {
        var count: Int
        var byteCount: Int

        /// Of one block or head part.
        static let part = Limits(count: 10_000, byteCount: 2 << 20)
        /// Of all together.
        static let all = Limits(count: 50_000, byteCount: 10 << 20)
    }

    private(set) var names: [NameKey: NameFacts] = [:]
    /// Whether there were too many: nothing is kept then.
    private(set) var isOverfull = false
    private(set) var byteCount = 0
    private let limits: Limits

    init(_ limits: Limits) { self.limits = limits }

    /// Adds a name. Returns whether it, or a type of its values, is new.
    @discardableResult
    mutating func add(_ key: NameKey, _ facts: NameFacts) -> Bool {
        guard !isOverfull else { return false }
        if let place = names.index(forKey: key) {
            let before = names.values[place].types
            names.values[place].add(facts)
            return names.values[place].types != before
        }
        byteCount += key.byteCount
        names[key] = facts
        if names.count > limits.count || byteCount > limits.byteCount {
            isOverfull = true
            names = [:]
            byteCount = 0
        }
        return true
    }
}

/// Names in order.
struct NameTable: Sendable {
    private(set) var keys: [NameKey] = []
    private(set) var facts: [NameFacts] = []

    init() {}

    /// The names of a set; `nil` when they were too many.
    init?(_ set: NameSet) {
        guard !set.isOverfull else { return nil }
        let sorted = set.names.sorted { $0.key < $1.key }
        keys = sorted.map(\.key)
        facts = sorted.map(\.value)
    }

    var byteCount: Int { keys.reduce(64) { $0 + $1.byteCount } }

    func facts(of key: NameKey) -> NameFacts? {
        let place = keys.firstPlace { $0 >= key }
        return place < keys.count && keys[place] == key ? facts[place] : nil
    }

    /// Where the names of an owner lie that start with `prefix`.
    func range(owner: String, prefix: String) -> Range<Int> {
        let first = NameKey(owner: owner, prefix)
        let start = keys.firstPlace { $0 >= first }
        let end = keys.firstPlace(from: start) {
            !$0.owner.isExactly(owner) || !$0.name.utf8.starts(with: prefix.utf8)
        }
        return start..<end
    }

    /// Both together; this one as it is when the other has nothing new but counts, which are then not added.
    func joined(with other: NameTable) -> NameTable {
        let isSame = zip(other.keys, other.facts).allSatisfy { key, facts in
            self.facts(of: key).map { $0.types & facts.types == facts.types } ?? false
        }
        if isSame { return self }
        var joined = NameTable()
        var (mine, theirs) = (0, 0)
        while mine < keys.count || theirs < other.keys.count {
            if theirs == other.keys.count || (mine < keys.count && keys[mine] < other.keys[theirs]) {
                joined.keys.append(keys[mine])
                joined.facts.append(facts[mine])
                mine += 1
            } else {
                var sum = NameFacts(types: other.facts[theirs].types)
                if mine < keys.count, keys[mine] == other.keys[theirs] {
                    sum.add(facts[mine])
                    mine += 1
                }
                joined.keys.append(other.keys[theirs])
                joined.facts.append(sum)
                theirs += 1
            }
        }
        return joined
    }
}

extension Array {
    /// The first index from which on `isBehind` holds.
    fileprivate func firstPlace(from start: Int = 0, _ isBehind: (Element) -> Bool) -> Int {
        var low = start
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
