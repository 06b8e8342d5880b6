// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// What rules of retention take out of blocks that are younger than the longest of the rules' ages.
///
/// A block is looked at once for each age that it passes, and again while traces in it wait for other blocks; what was looked
/// at is not remembered over a restart, since a second look finds nothing.
final class Thinning: Sendable {
    private let rules: [RetentionRule]
    private let defaultAgeNanos: UInt64?
    private let pins: PinFile
    /// Every age at which something may go, ascending.
    private let ages: [UInt64]
    /// A look at a block.
    private struct Look {
        /// How many ages the block had passed.
        var passed: Int
        /// When to look again although it has passed no other; `nil` when nothing in it waits.
        var nextUnixNanos: UInt64?

        func isDue(_ passed: Int, _ now: UInt64) -> Bool {
            passed != self.passed || nextUnixNanos.map { now >= $0 } ?? false
        }
    }

    /// How long what waits for other blocks waits at least.
    private static let waitNanos: UInt64 = 10_000_000_000

    /// The last look at each block, by its segments.
    private let looked = Mutex<[BlockID: Look]>([:])

    init(rules: [RetentionRule], defaultAgeNanos: UInt64?, pins: PinFile) {
        self.pins = pins
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

    /// The age at which the first spans go; `nil` when none do.
    var shortestAgeNanos: UInt64? { ages.first }

    /// Looks at every block again: something in it may have been unpinned.
    func forgetLooks() { looked.withLock { $0 = [:] } }

    /// What is to be taken out of a block now; `nil` for nothing.
    ///
    /// A trace goes from all its blocks or from none: when the last of them has passed the age. Blocks are written anew one by
    /// one, so the spans for whose sake it goes are the last to go; what is left would not be known by the rule any more.
    func cut(
        _ block: StoredBlock,
        in snapshot: Contents.Snapshot,
        nowUnixNanos now: UInt64
    ) throws(StoreError) -> BlockMerge.Cut? {
        func hasPassed(_ age: UInt64?) -> Bool {
            age.map { Self.hasPassed($0, since: block.footer.receivedMax, now) } ?? false
        }
        let passed = ages.count { hasPassed($0) }
        var key = block.id
        key.generation = 0
        guard passed > 0, looked.withLock({ $0[key] }).map({ $0.isDue(passed, now) }) ?? true else { return nil }
        var decided: Set<TraceID> = []
        var dropped: Set<TraceID> = []
        var nextLook: UInt64?
        var others = snapshot
        others.blocks.removeAll { $0 === block }
        func decide(_ ids: Set<TraceID>, _ rule: RetentionRule?, _ age: UInt64) throws(StoreError) {
            var matching = rule.map { MatchingTraces($0.predicate, range: .all, in: others) }
            for id in ids where !pins.isPinned(id) {
                if let wait = try wait(for: id, age, &matching, others, now) {
                    nextLook = min(nextLook ?? .max, wait)
                } else {
                    dropped.insert(id)
                }
            }
        }
        for rule in rules {
            var matching = MatchingTraces(rule.predicate, range: .all, in: snapshot)
            let found = try matching.traces(of: block, elsewhereToo: true, Cancellation()).subtracting(decided)
            if let age = rule.ageNanos, hasPassed(age) { try decide(found, rule, age) }
            decided.formUnion(found)
        }
        if let defaultAgeNanos, hasPassed(defaultAgeNanos) {
            for group in block.footer.groups.indices {
                let ids = Set(try block.block.traces(inGroup: group).ids)
                try decide(ids.subtracting(decided), nil, defaultAgeNanos)
            }
        }
        // What is to be taken out may fail to be; then it is tried again, and else a last look finds nothing.
        guard dropped.isEmpty else { return BlockMerge.Cut(dropped: dropped) }
        note(Look(passed: passed, nextUnixNanos: nextLook), of: key, in: snapshot)
        return nil
    }

    /// When to look again at a trace that may not go from a block yet; `nil` when it may. `others` is all but the block, in
    /// which `matching` looks for what the rule speaks of.
    private func wait(
        for id: TraceID,
        _ age: UInt64,
        _ matching: inout MatchingTraces?,
        _ others: Contents.Snapshot,
        _ now: UInt64
    ) throws(StoreError) -> UInt64? {
        guard others.mayHold(id) else { return nil }
        let rest = try StoredTrace(id, in: others)
        if rest.isEmpty { return nil }
        guard rest.headPieces.isEmpty else { return now &+ max(Self.waitNanos, age / 8) }
        let last = rest.receivedUnixNanos
        guard Self.hasPassed(age, since: last, now) else { return max(last &+ age &+ 1, now &+ Self.waitNanos) }
        // All of it may go. Without a rule there is nothing that what is left could be known by.
        if matching == nil { return nil }
        return try matching?.matches(id, Cancellation()) ?? true ? nil : now &+ Self.waitNanos
    }

    private static func hasPassed(_ age: UInt64, since received: UInt64, _ now: UInt64) -> Bool {
        // A clock that was set back makes nothing old.
        now > received && now - received > age
    }

    private func note(_ look: Look, of key: BlockID, in snapshot: Contents.Snapshot) {
        looked.withLock { looked in
            looked[key] = look
            // What was merged or removed is forgotten.
            if looked.count > 2 * snapshot.blocks.count + 64 {
                let segments = Set(
                    snapshot.blocks.map { BlockID(firstSegment: $0.id.firstSegment, lastSegment: $0.id.lastSegment) }
                )
                looked = looked.filter { segments.contains($0.key) }
            }
        }
    }
}
