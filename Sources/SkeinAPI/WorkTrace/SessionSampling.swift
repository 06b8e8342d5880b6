// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
import SkeinPropagation

/// Decides which sessions are kept with all of their steps (`agents.md` §4.2).
package protocol SessionSampling: Sendable {
    /// Called when a session starts. `root` is what is known of the session at the top; `nil` for one that is itself at the top,
    /// or whose top was never seen here.
    func decide(_ start: SessionStart, under root: RootSession?) -> SessionVerdict

    /// Nanoseconds between the end of the last session below a root and the decision about all of them.
    var holdNanos: UInt64 { get }

    /// What becomes of a root session that was held, with all that it started.
    func judge(_ forest: SessionForest) -> SessionJudgement

    /// Counts steps of which nothing but totals is kept.
    func noteLeftOut(stepCount: Int)
}

extension SessionSampling {
    package func noteLeftOut(stepCount: Int) {}
}

/// What is known when a session starts.
package struct SessionStart: Hashable, Sendable {
    package var sessionID: String
    package var rootSessionID: String
    package var traceID: TraceID
    package var taskID: String?
    /// `critical`, `high`, `normal`, `low` or `background`.
    package var taskPriority: String?
    package var agentID: String?
    package var agentName: String?
    package var labels: [Attribute]
    /// `tracestate` as it came, empty for none.
    package var traceState: String
    /// How it came: `api`, `batch` or `mcp`.
    package var source = "api"
    /// How many sessions are known to be above it.
    package var depth = 0
}

/// The session at the top of one that starts.
package struct RootSession: Sendable {
    package var start: SessionStart
    package var verdict: SessionVerdict
}

/// What was decided about a session.
package struct SessionVerdict: Hashable, Sendable {
    /// What whoever comes after is told: at the start by chance alone, afterwards what became of it.
    package var isSampled: Bool
    /// Why; `nil` without a policy.
    package var reason: String?
    /// Of the policy; `nil` where no rule matched, or without a policy.
    package var rule: String?
    /// The share of such sessions that is kept by chance, 0 to 1; `nil` without a policy.
    package var rate: Double?
    /// How many steps one of its steps stands for. The session itself stands for itself alone, since all are kept.
    package var weight: Double
    /// `tracestate` for whoever comes after.
    package var traceState: String
    package var phase: Phase
    /// Only what came after its priority was raised is there of what its root session did.
    package var isPartial = false

    /// What becomes of its steps.
    package enum Phase: String, Sendable {
        /// They are stored.
        case kept
        /// They wait until it is known how all of it ends.
        case held
        /// Of them only totals are kept.
        case reduced
    }

    package init(
        isSampled: Bool = true,
        reason: String? = nil,
        rule: String? = nil,
        rate: Double? = nil,
        weight: Double = 1,
        traceState: String = "",
        phase: Phase = .kept
    ) {
        self.isSampled = isSampled
        self.reason = reason
        self.rule = rule
        self.rate = rate
        self.weight = weight
        self.traceState = traceState
        self.phase = phase
    }
}

/// What was decided about a root session with all that it started.
package struct SessionJudgement: Hashable, Sendable {
    package var isKept: Bool
    package var reason: String
    package var weight: Double
    /// Whether nothing but the rate decided.
    package var isByChance: Bool

    package init(isKept: Bool, reason: String, weight: Double = 1, isByChance: Bool = false) {
        self.isKept = isKept
        self.reason = reason
        self.weight = weight
        self.isByChance = isByChance
    }
}

/// Without a policy every session is kept, so that a server just started loses nothing.
package struct EverySession: SessionSampling {
    package init() {}

    package var holdNanos: UInt64 { 0 }

    package func decide(_ start: SessionStart, under root: RootSession?) -> SessionVerdict {
        // All are kept: a threshold of none, unless who came before had one.
        let before = TraceState(header: start.traceState)?.samplingThreshold
        return SessionVerdict(
            traceState: SessionRandomness.traceState(start.traceState, of: start.rootSessionID, threshold: before ?? 0)
        )
    }

    package func judge(_ forest: SessionForest) -> SessionJudgement { SessionJudgement(isKept: true, reason: "kept") }
}

/// By what all stages that sample decide alike about a root session: 56 bits of the hash of its id, in place of those of the trace.
enum SessionRandomness {
    /// 0 to 2^56 - 1.
    static func value(of rootSessionID: String) -> UInt64 {
        SHA256.digest(rootSessionID.utf8).prefix(7).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// `text` with the randomness of the root session, and with a threshold below 2^56 where one is given; without one what it
    /// says of a threshold stays.
    static func traceState(_ text: String, of rootSessionID: String, threshold: UInt64? = nil) -> String {
        var state = TraceState(header: text) ?? TraceState()
        state.setSampling(threshold: threshold ?? state.samplingThreshold, randomness: value(of: rootSessionID))
        return state.header()
    }
}
