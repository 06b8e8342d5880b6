// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Decides at the start of a session whether it is kept (`agents.md` §4.2).
package protocol SessionSampling: Sendable {
    /// Called once for a session, again only when its start is replayed. The same session always gets the same answer.
    func decide(_ start: SessionStart) -> SessionVerdict
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
}

/// What was decided.
package struct SessionVerdict: Hashable, Sendable {
    package var isSampled: Bool
    /// `nil` without a policy.
    package var reason: String?
    /// How many sessions this one stands for.
    package var weight: Double
    /// `tracestate` for whoever comes after.
    package var traceState: String

    package init(isSampled: Bool = true, reason: String? = nil, weight: Double = 1, traceState: String = "") {
        self.isSampled = isSampled
        self.reason = reason
        self.weight = weight
        self.traceState = traceState
    }
}

/// Without a policy every session is kept, so that a server just started loses nothing.
package struct EverySession: SessionSampling {
    package init() {}

    package func decide(_ start: SessionStart) -> SessionVerdict { SessionVerdict(traceState: start.traceState) }
}
