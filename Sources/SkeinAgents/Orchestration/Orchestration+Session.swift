// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension Orchestration {
    /// One run of one agent.
    package struct Session: Sendable {
        /// WorkTrace's own, else `<traceId>:<spanId>`.
        package var sessionID: String
        /// The session above in the tree; after a handoff the one that passed control.
        package var parentSessionID: String?
        package var traceID: TraceID
        package var spanID: SpanID
        package var agentName: String
        package var agentID: String?
        package var agentVersion: String?
        package var serviceName: String
        package var sessionKey: String?
        package var taskID: String?
        package var taskPriority: String?
        package var linkMode = LinkMode.join
        /// Whether the parent did not wait for it.
        package var isBackground = false
        package var state = State.ended
        /// A `stepOutcome` of WorkTrace; `nil` while running.
        package var outcome: String?
        package var startUnixNanos: UInt64
        package var durationNanos: UInt64
        /// Its own, without its children, as all counts here.
        package var spanCount = 0
        /// The spans below its own that are not hidden.
        package var stepCount = 0
        package var errorCount = 0
        package var llmCallCount = 0
        package var toolCallCount = 0
        /// Of them those that count as errors, also those that are not listed.
        package var toolErrorCount = 0
        /// The greatest number of direct activities in flight at one instant.
        package var fanOut = 0
        package var usage = AgentSpan.Usage()
        /// Sum exactly to ``durationNanos``.
        package var timeClasses = TimeClasses()
        /// Nanoseconds in wait steps, whatever they wait for, as far as they lie within the session; those that overlap
        /// count once.
        package var waitNanos: UInt64 = 0

        /// Whether its steps are there; of one that was reduced by a policy only what started another session is, and the figures
        /// are those that it says of itself.
        package var areStepsKept = true

        /// Whether it counts as an error. An outcome that nobody knows counts as `partial`, which is none.
        package var hasFailed: Bool {
            outcome.map { ["failure", "timeout", "rejected", "blocked", "abandoned"].contains($0) } ?? false
        }

        /// `startUnixNanos + durationNanos`, at most `UInt64.max`.
        package var endUnixNanos: UInt64 {
            let (end, overflow) = startUnixNanos.addingReportingOverflow(durationNanos)
            return overflow ? .max : end
        }
    }

    /// How a session hangs together with the one that started it.
    package enum LinkMode: String, Sendable {
        /// As a child in its trace.
        case join
        /// In a trace of its own, by a span link.
        case link
    }

    /// For what a session spends an instant. In order of precedence.
    package enum TimeClass: String, Sendable, CaseIterable {
        case humanWait, messageWait, llm, tool, childAgent, handoffGap, returnGap, retry, own

        var index: Int {
            switch self {
            case .humanWait: 0
            case .messageWait: 1
            case .llm: 2
            case .tool: 3
            case .childAgent: 4
            case .handoffGap: 5
            case .returnGap: 6
            case .retry: 7
            case .own: 8
            }
        }
    }

    /// Nanoseconds for each time class.
    package struct TimeClasses: Hashable, Sendable {
        private var nanos = [UInt64](repeating: 0, count: TimeClass.allCases.count)

        package init() {}

        package subscript(timeClass: TimeClass) -> UInt64 {
            get { nanos[timeClass.index] }
            set { nanos[timeClass.index] = newValue }
        }

        package var totalNanos: UInt64 { nanos.reduce(0, &+) }
    }
}
