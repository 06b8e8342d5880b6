// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// How many different actions the steps of an agent had within a day of UTC. Tables, loops and comparisons have a row for each:
/// what tells one call from the next belongs into `stepContext`.
struct StepActions: Sendable {
    /// More are too many (`agents.md` §1.2).
    static let countMax = 500
    /// Agents that are looked at in a day.
    static let agentCountMax = 256
    private static let dayNanos: UInt64 = 86_400_000_000_000

    private var day: UInt64 = 0
    private var actions: [String: Set<UInt64>] = [:]

    /// Notes an action at a Unix time in nanoseconds; `true` for the first one of the day that is too many, once for each of the
    /// first ``agentCountMax`` agents of that day.
    mutating func note(_ action: String, of agent: String, at now: UInt64) -> Bool {
        if now / Self.dayNanos != day { (day, actions) = (now / Self.dayNanos, [:]) }
        guard actions[agent] != nil || actions.count < Self.agentCountMax else { return false }
        var action = action
        let hash = action.withUTF8 { Hash.of(UnsafeRawBufferPointer($0), seed: Hash.processSeed) }
        let count = actions[agent]?.count ?? 0
        guard count <= Self.countMax else { return false }
        actions[agent, default: []].insert(hash)
        return count == Self.countMax && actions[agent]?.count == Self.countMax + 1
    }
}
