// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// The work of agents in one session forest: all sessions that a trace or a link joins.
///
/// What is true of the parts holds exactly, whatever the spans look like: each span belongs to one session, the time
/// classes of a session sum to its duration, the layers of a tool call to its duration, the critical path to
/// ``durationNanos``, and the usage of the sessions to ``usage``. The order of the spans does not matter. Parents may be
/// missing, come late, run in a circle or disagree about the time. The whole takes time of order n log n.
package struct Orchestration: Sendable {
    /// Of the root session; `.zero` without any span.
    package internal(set) var traceID = TraceID.zero
    /// `nil` without any span.
    package internal(set) var rootSessionID: String?
    package internal(set) var sessionKey: String?
    package internal(set) var taskID: String?
    package internal(set) var taskPriority: String?
    package internal(set) var state = State.ended
    /// Of the root session's start.
    package internal(set) var startUnixNanos: UInt64 = 0
    /// The foreground: to the end of the last session reached from the root by delegation or handoff.
    package internal(set) var durationNanos: UInt64 = 0
    /// Distinct spans.
    package internal(set) var spanCount = 0
    /// Spans with status error.
    package internal(set) var errorCount = 0
    /// All sessions, also those that are not listed.
    package internal(set) var sessionCount = 0
    /// All logical tool calls, also those that are not listed.
    package internal(set) var toolCallCount = 0
    /// Each model call once.
    package internal(set) var usage = AgentSpan.Usage()
    /// By start.
    package internal(set) var sessions: [Session] = []
    /// By the start of the child.
    package internal(set) var edges: [Edge] = []
    /// By start.
    package internal(set) var toolCalls: [ToolCall] = []
    /// In order of time, without gap or overlap.
    package internal(set) var criticalPath: [PathSegment] = []
    package internal(set) var retries: [Retry] = []
    package internal(set) var loops: [Loop] = []
    package internal(set) var graph = Graph()
    /// Whether more sessions or tool calls exist than are listed. The counts hold them all.
    package internal(set) var truncated = false
    /// Where each span belongs; a place in all sessions by start, which those that are not listed have, too.
    package internal(set) var sessionIndexBySpan: [SpanReference: Int] = [:]

    /// Drops ``sessionIndexBySpan``, for those who keep many orchestrations.
    package mutating func forgetSpans() { sessionIndexBySpan = [:] }

    /// How many sessions, edges and tool calls are listed where nothing else is asked for.
    package static let listMax = 10_000

    /// A span by its ids.
    package struct SpanReference: Hashable, Sendable {
        package var traceID: TraceID
        package var spanID: SpanID

        package init(traceID: TraceID, spanID: SpanID) {
            self.traceID = traceID
            self.spanID = spanID
        }
    }

    /// Whether a session, or the whole, is at work.
    package enum State: String, Sendable, CaseIterable {
        case running, waiting, ended, abandoned
    }
}
