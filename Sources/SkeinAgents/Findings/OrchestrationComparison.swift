// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Two orchestrations side by side, aligned by what their steps are (`agents.md` §5.3.8).
///
/// A step is a session or a logical tool call; its signature is the names of the agents above it and its own, so that
/// ids, times and arguments do not matter. The n-th step of a signature on one side stands beside the n-th on the other.
package struct OrchestrationComparison: Sendable {
    /// In order of the first orchestration; steps of the second alone stand behind the one that came before them.
    package private(set) var steps: [AlignedStep] = []
    /// The first place at which the two go different ways; `nil` where they take the same steps.
    package private(set) var firstDivergence: Divergence?
    /// By signature.
    package private(set) var sessions: [Difference] = []
    /// By tool.
    package private(set) var tools: [Difference] = []
    /// For each class that either spends time for, summed over all sessions.
    package private(set) var timeClasses: [Difference] = []
    package private(set) var durationNanos: Pair<UInt64>
    package private(set) var errorCount: Pair<Int>
    package private(set) var usage: Pair<AgentSpan.Usage>

    /// What the one side and the other have.
    package struct Pair<Value: Sendable>: Sendable {
        package var first: Value
        package var second: Value
    }

    package struct Step: Sendable {
        package var signature: String
        package var sessionID: String
        package var traceID: TraceID
        package var spanID: SpanID
        package var startUnixNanos: UInt64
        package var durationNanos: UInt64
        package var outcome: String?
    }

    /// One or both sides are there.
    package struct AlignedStep: Sendable {
        package var first: Step?
        package var second: Step?
    }

    /// Where the steps in order of time differ first.
    package struct Divergence: Sendable {
        /// How many steps both have in common before.
        package var index: Int
        /// `nil` where that side has ended.
        package var first: Step?
        package var second: Step?
    }

    /// How often something runs, and how long in sum.
    package struct Difference: Sendable {
        package var name: String
        package var count: Pair<Int>
        package var durationNanos: Pair<UInt64>
        package var errorCount: Pair<Int>
        /// US dollars; only sessions have some.
        package var usd: Pair<Double?>
    }

    package init(_ first: Orchestration, _ second: Orchestration) {
        durationNanos = Pair(first: first.durationNanos, second: second.durationNanos)
        errorCount = Pair(first: first.errorCount, second: second.errorCount)
        usage = Pair(first: first.usage, second: second.usage)
        let (one, other) = (Self.steps(of: first), Self.steps(of: second))
        let same = zip(one, other).prefix { $0.signature == $1.signature }.count
        if same < max(one.count, other.count) {
            firstDivergence = Divergence(
                index: same,
                first: same < one.count ? one[same] : nil,
                second: same < other.count ? other[same] : nil
            )
        }
        align(one, other)
        compareSessions(first, second)
        compareTools(first, second)
        compareTimes(first, second)
    }

    // MARK: Steps

    private static func steps(of orchestration: Orchestration) -> [Step] {
        let signatures = orchestration.signatures
        var steps = orchestration.sessions.map { session in
            Step(
                signature: signatures[session.sessionID] ?? session.agentName,
                sessionID: session.sessionID,
                traceID: session.traceID,
                spanID: session.spanID,
                startUnixNanos: session.startUnixNanos,
                durationNanos: session.durationNanos,
                outcome: session.outcome
            )
        }
        steps += orchestration.toolCalls.map { call in
            Step(
                signature: (signatures[call.sessionID] ?? call.agentName) + " › `\(call.toolName)`",
                sessionID: call.sessionID,
                traceID: call.traceID,
                spanID: call.spanID,
                startUnixNanos: call.startUnixNanos,
                durationNanos: call.durationNanos,
                outcome: call.outcome
            )
        }
        return steps.sorted { ($0.startUnixNanos, $0.signature) < ($1.startUnixNanos, $1.signature) }
    }

    private mutating func align(_ one: [Step], _ other: [Step]) {
        var places: [String: [Int]] = [:]
        for (place, step) in one.enumerated().reversed() { places[step.signature, default: []].append(place) }
        var partner = [Step?](repeating: nil, count: one.count)
        // Steps of the second alone, by the place of the first that they follow; 0 is before all.
        var alone = [[Step]](repeating: [], count: one.count + 1)
        var last = 0
        for step in other {
            if let place = places[step.signature]?.popLast() {
                partner[place] = step
                last = place + 1
            } else {
                alone[last].append(step)
            }
        }
        steps = alone[0].map { AlignedStep(second: $0) }
        for (place, step) in one.enumerated() {
            steps.append(AlignedStep(first: step, second: partner[place]))
            steps += alone[place + 1].map { AlignedStep(second: $0) }
        }
    }

    // MARK: Sums

    private struct Sum {
        var count = 0
        var nanos: UInt64 = 0
        var errors = 0
        var usage = UsageSum()
    }

    private static func differences(_ one: [String: Sum], _ other: [String: Sum]) -> [Difference] {
        Set(one.keys).union(other.keys).sorted().map { name in
            let (a, b) = (one[name] ?? Sum(), other[name] ?? Sum())
            return Difference(
                name: name,
                count: Pair(first: a.count, second: b.count),
                durationNanos: Pair(first: a.nanos, second: b.nanos),
                errorCount: Pair(first: a.errors, second: b.errors),
                usd: Pair(first: a.usage.total.usd, second: b.usage.total.usd)
            )
        }
    }

    private mutating func compareSessions(_ first: Orchestration, _ second: Orchestration) {
        func sums(_ orchestration: Orchestration) -> [String: Sum] {
            let signatures = orchestration.signatures
            var sums: [String: Sum] = [:]
            for session in orchestration.sessions {
                let name = signatures[session.sessionID] ?? session.agentName
                sums[name, default: Sum()].count += 1
                sums[name]?.nanos.addClamped(session.durationNanos)
                sums[name]?.errors += session.hasFailed ? 1 : 0
                sums[name]?.usage.add(session.usage)
            }
            return sums
        }
        sessions = Self.differences(sums(first), sums(second))
    }

    private mutating func compareTools(_ first: Orchestration, _ second: Orchestration) {
        func sums(_ orchestration: Orchestration) -> [String: Sum] {
            var sums: [String: Sum] = [:]
            for call in orchestration.toolCalls {
                sums[call.toolName, default: Sum()].count += 1
                sums[call.toolName]?.nanos.addClamped(call.durationNanos)
                sums[call.toolName]?.errors += call.isError ? 1 : 0
            }
            return sums
        }
        tools = Self.differences(sums(first), sums(second))
    }

    private mutating func compareTimes(_ first: Orchestration, _ second: Orchestration) {
        func sums(_ orchestration: Orchestration) -> [String: Sum] {
            var sums: [String: Sum] = [:]
            for session in orchestration.sessions {
                for timeClass in Orchestration.TimeClass.allCases where session.timeClasses[timeClass] > 0 {
                    sums[timeClass.rawValue, default: Sum()].count += 1
                    sums[timeClass.rawValue]?.nanos.addClamped(session.timeClasses[timeClass])
                }
            }
            return sums
        }
        let found = Self.differences(sums(first), sums(second))
        timeClasses = Orchestration.TimeClass.allCases.compactMap { timeClass in
            found.first { $0.name == timeClass.rawValue }
        }
    }
}

extension Orchestration {
    /// For each session the names of the agents above it and its own. Deep chains show their last names only.
    fileprivate var signatures: [String: String] {
        let byID = sessionsByID
        var signatures: [String: String] = [:]
        for session in sessions {
            var names = [session.agentName]
            var parent = session.parentSessionID
            while names.count < 8, let above = parent.flatMap({ byID[$0] }) {
                names.append(above.agentName)
                parent = above.parentSessionID
            }
            signatures[session.sessionID] = names.reversed().joined(separator: " › ")
        }
        return signatures
    }

    /// The listed sessions by id.
    package var sessionsByID: [String: Session] {
        Dictionary(sessions.map { ($0.sessionID, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
