// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// What rules of retention take out of blocks that are younger than the longest of the rules' ages.
///
/// A block is looked at once for each age that it passes; what was looked at is not remembered over a restart, since a
/// second look finds nothing.
final class Thinning: Sendable {
    private let rules: [RetentionRule]
    private let defaultAgeNanos: UInt64?
    /// Every age at which something may go, ascending.
    private let ages: [UInt64]
    /// How many ages a block had passed when it was looked at last, by its segments.
    private let looked = Mutex<[BlockID: Int]>([:])

    init(rules: [RetentionRule], defaultAgeNanos: UInt64?) {
        self.rules = rules
        self.defaultAgeNanos = defaultAgeNanos
        ages = Set(rules.compactMap(\.ageNanos) + [defaultAgeNanos].compactMap(\.self)).sorted()
    }

    /// The age at which nothing of a block is left; `nil` when some of it is kept for ever.
    var longestAgeNanos: UInt64? {
        guard let defaultAgeNanos else { return nil }
        var longest = defaultAgeNanos
        for rule in rules {
            guard let age = rule.ageNanos else { return nil }
            longest = max(longest, age)
        }
        return longest
    }

    /// What is to be taken out of a block now; `nil` for nothing.
    func cut(
        _ block: StoredBlock,
        in snapshot: Contents.Snapshot,
        nowUnixNanos now: UInt64
    ) throws(StoreError) -> BlockMerge.Cut? {
        let received = block.footer.receivedMax
        func hasPassed(_ age: UInt64?) -> Bool { age.map { now > received && now - received > $0 } ?? false }
        let passed = ages.count { hasPassed($0) }
        var key = block.id
        key.generation = 0
        guard passed > 0, looked.withLock({ $0[key] }) != passed else { return nil }
        var decided: Set<TraceID> = []
        var dropped: Set<TraceID> = []
        for rule in rules {
            var matching = MatchingTraces(rule.predicate, range: .all, in: snapshot)
            let found = try matching.traces(of: block, elsewhereToo: true, Cancellation())
            if hasPassed(rule.ageNanos) { dropped.formUnion(found.subtracting(decided)) }
            decided.formUnion(found)
        }
        if hasPassed(defaultAgeNanos) {
            for group in block.footer.groups.indices {
                dropped.formUnion(try block.block.traces(inGroup: group).ids.filter { !decided.contains($0) })
            }
        }
        // What is to be taken out may fail to be; then it is tried again, and else a last look finds nothing.
        guard dropped.isEmpty else { return BlockMerge.Cut(dropped: dropped) }
        looked.withLock { looked in
            looked[key] = passed
            // What was merged or removed is forgotten.
            if looked.count > 2 * snapshot.blocks.count + 64 {
                let segments = Set(
                    snapshot.blocks.map { BlockID(firstSegment: $0.id.firstSegment, lastSegment: $0.id.lastSegment) }
                )
                looked = looked.filter { segments.contains($0.key) }
            }
        }
        return nil
    }
}
