// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension Orchestration {
    /// A time in which nothing but one span was waited for.
    package struct PathSegment: Sendable {
        package var sessionID: String
        package var traceID: TraceID
        package var spanID: SpanID
        package var agentName: String
        /// Of the span.
        package var name: String
        package var timeClass: TimeClass
        /// The tool whose call of that session the span is or runs in.
        package var toolName: String?
        /// The outermost span of that call.
        package var toolSpanID: SpanID?
        package var startUnixNanos: UInt64
        package var durationNanos: UInt64
        /// How much earlier the whole would end if this took half the time.
        package var savedIfHalvedNanos: UInt64
    }

    /// One operation that was tried again.
    package struct Retry: Sendable {
        package var sessionID: String
        package var kind: Kind
        /// The tool or the model.
        package var name: String
        /// Of the attempts, in order.
        package var spanIDs: [SpanID]
        package var succeeded: Bool
        /// From the first attempt's start to the last one's.
        package var wastedNanos: UInt64

        package var attempts: Int { spanIDs.count }

        package enum Kind: String, Sendable {
            case tool, llm
        }
    }

    /// Work that repeats itself.
    package struct Loop: Sendable {
        package var sessionID: String
        package var kind: Kind
        /// Tools, or nodes of the workflow.
        package var pattern: [String]
        /// How often the pattern ran.
        package var count: Int
        /// In order.
        package var spanIDs: [SpanID]
        package var startUnixNanos: UInt64
        package var durationNanos: UInt64

        package enum Kind: String, Sendable {
            /// The same tool with the same arguments, three times in a row or more.
            case identical
            /// Two to four calls, three times in a row or more.
            case sequence
            /// Nodes of a workflow that were entered again.
            case graph
        }
    }

    /// Who works with whom.
    package struct Graph: Sendable {
        /// By id.
        package var nodes: [Node] = []
        /// By ends and kind.
        package var edges: [Edge] = []

        package struct Node: Sendable {
            /// `<kind>:<name>`.
            package var id: String
            package var kind: Kind
            package var name: String
            /// 0 for what is known by design and never ran.
            package var count = 0
            package var errorCount = 0
            package var durationNanos: UInt64 = 0

            package enum Kind: String, Sendable {
                case agent, node, tool
            }
        }

        package struct Edge: Sendable {
            package var from: String
            package var to: String
            package var kind: Kind
            package var count = 0
            package var errorCount = 0

            package enum Kind: String, Sendable {
                case delegate, handoff, background, message
                /// Agent to tool.
                case calls
                /// Node to node.
                case next
            }
        }
    }
}
