// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension Orchestration {
    /// How one session came out of another.
    package struct Edge: Sendable {
        package var fromSessionID: String
        package var toSessionID: String
        package var kind: Kind
        package var linkMode = LinkMode.join
        /// The caller's step: the nearest tool, handoff or spawn span above the child, else the child's own parent.
        package var spanID: SpanID
        /// The trace of ``spanID``.
        package var traceID: TraceID
        /// Set when the step is a tool call.
        package var toolName: String?
        package var isProcessBoundary = false
        /// The number of the rule that joined the two; `nil` for a stored parent or link.
        package var inferredBy: Int?
        /// Of the step, or when a message was sent, where its sender says so.
        package var startUnixNanos: UInt64
        package var durationNanos: UInt64
        /// From there to the child's start.
        package var handoffGapNanos: UInt64
        /// Of a delegation as much as lies within the step, else the child's whole duration.
        package var childNanos: UInt64
        /// From the child's end to the step's; `nil` where nobody waits.
        package var returnGapNanos: UInt64?

        package enum Kind: String, Sendable, CaseIterable {
            /// The caller waits and goes on.
            case delegate
            /// Control passes.
            case handoff
            /// Nobody waits.
            case background
            /// Caused by a chat message; both sides live on.
            case message
        }
    }
}
