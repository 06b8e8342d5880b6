// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The first names of a list, found among any number of them that come in any order: what lies behind the last one that is
/// wanted is passed over as soon as that is known. Memory is that of twice as many names as are wanted.
struct LeastNames {
    private let prefix: [UInt8]
    private let limit: Int
    private var names: [NameKey: NameFacts] = [:]
    /// The last name that may still be wanted; `nil` for any.
    private var last: NameKey?
    private(set) var isCut = false

    /// The first `limit` names that start with `prefix`.
    init(prefix: String, limit: Int) {
        self.prefix = Array(prefix.utf8)
        self.limit = limit
    }

    mutating func add(_ name: UnsafeRawBufferPointer, tag: UInt8 = 0, _ facts: NameFacts) {
        guard name.starts(with: prefix) else { return }
        if let last, last.name.utf8.lexicographicallyPrecedes(name) {
            isCut = true
            return
        }
        names[NameKey(String(decoding: name, as: UTF8.self), tag: tag), default: NameFacts()].add(facts)
        if names.count > 2 * limit + 64 { cut() }
    }

    private mutating func cut() {
        let sorted = names.sorted { $0.key < $1.key }
        guard sorted.count > limit else { return }
        isCut = true
        names = Dictionary(sorted.prefix(limit).map { ($0.key, $0.value) }) { first, _ in first }
        last = limit > 0 ? sorted[limit - 1].key : NameKey("")
    }

    /// The names in order.
    consuming func finish() -> (names: [(key: NameKey, facts: NameFacts)], isCut: Bool) {
        cut()
        return (names.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, isCut)
    }
}
