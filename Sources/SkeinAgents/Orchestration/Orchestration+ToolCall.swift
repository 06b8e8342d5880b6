// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension Orchestration {
    /// One decision of a model to call a tool, however many spans report it.
    package struct ToolCall: Sendable {
        package var traceID: TraceID
        /// Of the outermost layer.
        package var spanID: SpanID
        package var sessionID: String
        /// The agent of that session.
        package var agentName: String
        package var toolName: String
        package var server: String?
        package var callID: String?
        /// `nil` while open.
        package var outcome: String?
        package var errorType: String?
        /// 1 for the first.
        package var attempt = 1
        /// The span id of the attempt before.
        package var retryOf: SpanID?
        package var startUnixNanos: UInt64
        package var durationNanos: UInt64
        package var resultBytes: UInt64?
        package var argumentsHash: UInt64?
        package var childSessionIDs: [String] = []
        package var isOnCriticalPath = false
        /// How many calls it stands for among many orchestrations: the weight of its outermost span.
        package var weight = 1.0
        /// Outermost first, at least one.
        package var layers: [Layer]

        /// Whether it counts as an error: not success, cancellation, and what WorkTrace takes for partial.
        package var isError: Bool { Self.isError(outcome) }

        static func isError(_ outcome: String?) -> Bool {
            outcome.map(["failure", "timeout", "rejected", "blocked"].contains) ?? false
        }

        /// `startUnixNanos + durationNanos`, at most `UInt64.max`.
        package var endUnixNanos: UInt64 {
            let (end, overflow) = startUnixNanos.addingReportingOverflow(durationNanos)
            return overflow ? .max : end
        }

        /// What one party reports of the call.
        package struct Layer: Sendable {
            package var layer: AgentSpan.ToolLayer
            package var spanID: SpanID
            package var serviceName: String
            package var durationNanos: UInt64
            /// Outside the next inner layer. Those of all layers sum to the call's duration.
            package var selfNanos: UInt64
            /// How many it stands for: the weight of its span.
            package var weight = 1.0
        }
    }
}
