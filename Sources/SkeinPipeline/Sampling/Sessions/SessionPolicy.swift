// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Which sessions of agents are kept with all of their steps (`agents.md` §4.2). Of the others a skeleton is: the session, what
/// it started, and exact totals.
///
/// What is decided about is a root session with all that it started. Of a root session without failure and other reasons to be
/// ``rescue``d the share ``Rule/rate`` is kept, chosen by its id.
package struct SessionPolicy: Hashable, Sendable {
    /// The first that matches says the rate.
    package var rules: [Rule] = []
    /// Of sessions that no rule matches, 0 to 1.
    package var defaultRate = 1.0
    /// What is kept whatever the rate says.
    package var rescue = Rescue()
    /// How long after the last of its sessions ended a root session is decided about, in nanoseconds.
    package var holdNanos: UInt64 = 600_000_000_000
    /// How long after their last span was received sessions that came as spans are decided about, in nanoseconds; `nil` to keep
    /// all of them.
    package var spansAfterNanos: UInt64?

    package init() {}

    package struct Rule: Hashable, Sendable {
        package var name: String
        package var match: Match
        /// 0 to 1.
        package var rate: Double
        /// Root sessions a minute that are kept by chance, at most; `nil` for any number.
        package var perMinuteMax: Int?

        package init(name: String, match: Match, rate: Double, perMinuteMax: Int? = nil) {
            self.name = name
            self.match = match
            self.rate = rate
            self.perMinuteMax = perMinuteMax
        }
    }

    /// What a rule is about; what is `nil` or empty is about all.
    package struct Match: Hashable, Sendable {
        /// `critical`, `high`, `normal`, `low` or `background`.
        package var priorities: Set<String> = []
        /// Name or id of the agent.
        package var agents: [Wildcard] = []
        package var tasks: [Wildcard] = []
        package var labels: [Label] = []
        /// How the session came: `api`, `mcp`, `batch` or `spans`.
        package var sources: Set<String> = []
        /// How many sessions are known to be above it.
        package var depthMin: Int?
        package var depthMax: Int?

        package init() {}

        package struct Label: Hashable, Sendable {
            package var key: String
            package var value: Wildcard

            package init(key: String, value: Wildcard) {
                self.key = key
                self.value = value
            }
        }
    }

    /// Reasons to keep a root session that the rate leaves out; `nil` and `false` for one that does not count.
    package struct Rescue: Hashable, Sendable {
        /// A session ended with another outcome than `success` and `skipped`.
        package var outcome = true
        /// A session cost more than its budget.
        package var overBudget = true
        /// A session cost more than this share of those of the same agent and task type.
        package var costQuantile: Double? = 0.99
        /// A session took longer than this share of those of the same agent and task type.
        package var durationQuantile: Double? = 0.95
        /// Times that the same calls came in a row.
        package var loopCountMin: Int? = 3
        /// Attempts of one operation.
        package var retryCountMin: Int? = 3
        /// A person said that the work was no good.
        package var feedback = true
        /// Nanoseconds of a session that were spent waiting for a person.
        package var humanWaitNanos: UInt64? = 300_000_000_000
        /// Nanoseconds between a call of another agent and its start.
        package var handoffGapNanos: UInt64? = 30_000_000_000
        /// Nanoseconds within which a call of an agent or a tool has not been seen.
        package var rarePathNanos: UInt64? = 86_400_000_000_000

        package init() {}
    }

    /// What rules look at.
    package struct Facts: Hashable, Sendable {
        package var priority: String?
        package var agentName: String?
        package var agentID: String?
        package var taskID: String?
        package var labels: [(key: String, value: String)] {
            get { labelPairs.map { ($0.key, $0.value) } }
            set { labelPairs = newValue.map { Pair(key: $0.key, value: $0.value) } }
        }
        package var source = "api"
        package var depth = 0
        private var labelPairs: [Pair] = []

        private struct Pair: Hashable, Sendable {
            var key: String
            var value: String
        }

        package init() {}
    }

    /// The rule for such a session; `nil` for none.
    package func rule(for facts: Facts) -> Rule? { rules.first { $0.match.includes(facts) } }
}

extension SessionPolicy.Match {
    /// Whether a session is one of those that the rule is about.
    package func includes(_ facts: SessionPolicy.Facts) -> Bool {
        func isOneOf(_ wanted: [Wildcard], _ texts: [String?]) -> Bool {
            wanted.isEmpty
                || texts.contains { text in text.map { text in wanted.contains { $0.matches(text[...]) } } ?? false }
        }
        // A session that says nothing of its priority is a normal one.
        guard priorities.isEmpty || priorities.contains(facts.priority ?? "normal") else { return false }
        guard isOneOf(agents, [facts.agentName, facts.agentID]), isOneOf(tasks, [facts.taskID]) else { return false }
        guard sources.isEmpty || sources.contains(facts.source) else { return false }
        guard facts.depth >= depthMin ?? 0, facts.depth <= depthMax ?? .max else { return false }
        return labels.allSatisfy { label in
            facts.labels.contains { $0.key == label.key && label.value.matches($0.value[...]) }
        }
    }

    /// Whether every session that `other` is about is one of those that this is about.
    package func covers(_ other: Self) -> Bool {
        func covers(_ mine: [Wildcard], _ theirs: [Wildcard]) -> Bool {
            guard !mine.isEmpty else { return true }
            return !theirs.isEmpty && theirs.allSatisfy { their in mine.contains { $0.covers(their) } }
        }
        func covers(_ mine: Set<String>, _ theirs: Set<String>) -> Bool {
            mine.isEmpty || !theirs.isEmpty && theirs.isSubset(of: mine)
        }
        return covers(priorities, other.priorities) && covers(agents, other.agents) && covers(tasks, other.tasks)
            && covers(sources, other.sources) && depthMin ?? 0 <= other.depthMin ?? 0
            && depthMax ?? .max >= other.depthMax ?? .max
            && labels.allSatisfy { label in
                other.labels.contains { $0.key == label.key && label.value.covers($0.value) }
            }
    }
}
