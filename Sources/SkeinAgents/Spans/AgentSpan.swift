// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What one span says about the work of agents, whatever dialect its instrumentation speaks.
///
/// Spans that say nothing of agents have one, too, with ``kind`` `nil`: they are part of the tree, and a session holds them.
/// Times are as stored; nothing is repaired here.
package struct AgentSpan: Sendable {
    package var traceID: TraceID
    package var spanID: SpanID
    /// `.zero` for a root.
    package var parentSpanID: SpanID
    /// Whether the span says that its parent lives in another process (OTLP `flags`, bits 0x100 and 0x200).
    package var isParentRemote = false
    package var links: [Link] = []
    package var name: String
    package var spanKind = Span.Kind.unspecified
    package var status = Span.Status()
    /// Nanoseconds since 1970-01-01 UTC.
    package var startUnixNanos: UInt64
    /// Nanoseconds; of an open span what has passed so far.
    package var durationNanos: UInt64
    /// Whether the span has not ended yet. Only WorkTrace reports such.
    package var isOpen = false
    package var serviceName: String
    /// `service.instance.id`.
    package var serviceInstance: String?
    package var scopeName = ""
    /// How many spans it stands for, 1 at least: what was sampled counts by it.
    package var weight = 1.0

    /// The vocabulary by which ``kind`` was found; `nil` where there is none.
    package var dialect: Dialect?
    /// `nil` for a span that does no agent's work by itself, such as an HTTP request.
    package var kind: Kind?
    /// Of `.agent` the agent that runs, of any other span the agent for which it works, where it says so.
    package var agent = Agent()
    /// Groups work that belongs together, such as a conversation or a task's thread; never a trace id.
    package var sessionKey: String?
    /// Of `.agent` and of WorkTrace's own spans the task that the work is for, and its priority, where they say so.
    package var taskID: String?
    package var taskPriority: String?
    /// Where the client says that the span is one of many of one agent that has no span of its own (Claude Code's
    /// sub-agents): the agent's id, and its name.
    package var subAgent: Agent?
    package var model: Model?
    package var usage: Usage?
    /// Whether ``usage`` sums up other spans, as `gen_ai.aggregated_usage.*` does, so that it is never added to theirs.
    package var isUsageSummed = false
    package var tool: Tool?
    package var handoff: Handoff?
    package var wait: Wait?
    /// The node of a workflow graph that the span enters.
    package var node: Node?
    /// Edges that the client knows by design, whether they ran or not.
    package var design: [DesignEdge] = []
    /// Nodes that the client knows by design; those of ``design`` may be among them.
    package var designNodes: [String] = []
    /// `error.type`.
    package var errorType: String?
    /// 1 for the first attempt; `nil` where nothing is said.
    package var attempt: Int?
    /// What WorkTrace knows of the span; `nil` for a span of anyone else.
    package var work: Work?
    /// Of a session's own span, when its steps are not kept.
    package var totals: SessionTotals?
    /// Set where another span of the same process tells the same story, such as a span of our own `do-trace` tool, and of the
    /// some hundred spans that Codex has of its inside.
    package var isHidden = false

    /// A span with what every span has.
    package init(
        traceID: TraceID,
        spanID: SpanID,
        parentSpanID: SpanID = .zero,
        name: String,
        startUnixNanos: UInt64,
        durationNanos: UInt64,
        serviceName: String
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.parentSpanID = parentSpanID
        self.name = name
        self.startUnixNanos = startUnixNanos
        self.durationNanos = durationNanos
        self.serviceName = serviceName
    }

    /// `startUnixNanos + durationNanos`, at most `UInt64.max`.
    package var endUnixNanos: UInt64 {
        let (end, overflow) = startUnixNanos.addingReportingOverflow(durationNanos)
        return overflow ? .max : end
    }
}

extension AgentSpan {
    /// Whose words a span uses. In the order in which they are asked for a kind.
    package enum Dialect: String, Sendable, CaseIterable {
        case workTrace = "worktrace"
        case langfuse
        case openInference = "openinference"
        case genAI = "gen_ai"
        case openLLMetry = "traceloop"
        case logfire
        case genkit
        /// Vercel's AI SDK.
        case vercel
        case mcp
        case claudeCode = "claude_code"
        case codex
        case names
    }

    /// What an agent does in a span.
    package enum Kind: String, Sendable, CaseIterable {
        case agent, llm, tool, plan, handoff, wait, human, message, retrieval, memory, guardrail, eval, embedding
        /// A workflow or one of its nodes; it runs agents and tools and is none.
        case workflow, node
        /// A call of the Model Context Protocol that is no tool call: `initialize`, `tools/list`, notifications, streams.
        case protocolCall = "protocol"
        case custom
    }

    package struct Agent: Hashable, Sendable {
        package var name: String?
        package var id: String?
        package var version: String?

        package init(name: String? = nil, id: String? = nil, version: String? = nil) {
            self.name = name
            self.id = id
            self.version = version
        }
    }

    package struct Model: Hashable, Sendable {
        package var provider: String?
        /// As asked for.
        package var requested: String?
        /// As answered.
        package var answered: String?
        /// `gen_ai.response.id`: two spans with the same one may be one call seen twice.
        package var responseID: String?
        package var finishReasons: [String] = []
        /// Nanoseconds until the first piece of a streamed answer.
        package var firstChunkNanos: UInt64?

        package init() {}
    }

    /// Tokens and money of model calls. ``inputTokens`` includes cache reads and writes.
    package struct Usage: Hashable, Sendable {
        package var inputTokens: UInt64 = 0
        package var outputTokens: UInt64 = 0
        package var cacheReadTokens: UInt64 = 0
        package var cacheWriteTokens: UInt64 = 0
        package var reasoningTokens: UInt64 = 0
        /// US dollars; `nil` when not known.
        package var usd: Double?

        package init() {}
    }

    /// One layer of a tool call.
    package struct Tool: Hashable, Sendable {
        package var name: String
        package var layer: ToolLayer
        /// `gen_ai.tool.call.id`.
        package var callID: String?
        /// The MCP server's name.
        package var server: String?
        /// `jsonrpc.request.id` as text.
        package var requestID: String?
        /// A hash of the arguments, with the members of objects in order; `nil` where they are not recorded.
        package var argumentsHash: UInt64?
        package var resultBytes: UInt64?

        package init(name: String, layer: ToolLayer) {
            self.name = name
            self.layer = layer
        }
    }

    /// Who reports a tool call, outermost first.
    package enum ToolLayer: String, Sendable, CaseIterable {
        /// The agent's framework.
        case agent
        /// An MCP client library.
        case client
        /// The SDK's own `MCP send …`.
        case transport
        /// `skein mcp-proxy`.
        case proxy
        /// The tool's server.
        case server
    }

    /// Control that goes to another agent.
    package struct Handoff: Hashable, Sendable {
        package var from: String?
        /// `nil` when the client does not know it.
        package var to: String?
        package init(from: String? = nil, to: String? = nil) {
            self.from = from
            self.to = to
        }
    }

    package struct Wait: Hashable, Sendable {
        /// `human`, `session`, `message`, `lock`, `rate_limit` or `tool`; what else a client says is kept.
        package var kind: String
        package var id: String?
        package init(kind: String, id: String? = nil) {
            self.kind = kind
            self.id = id
        }
    }

    package struct Node: Hashable, Sendable {
        package var id: String
        package var parentID: String?
        package init(id: String, parentID: String? = nil) {
            self.id = id
            self.parentID = parentID
        }
    }

    package struct DesignEdge: Hashable, Sendable {
        package var from: String
        package var to: String
        package init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    package struct Link: Hashable, Sendable {
        package var traceID: TraceID
        package var spanID: SpanID
        /// `worktrace.link.relation`; empty where none is said.
        package var relation: String
        package init(traceID: TraceID, spanID: SpanID, relation: String = "") {
            self.traceID = traceID
            self.spanID = spanID
            self.relation = relation
        }
    }

    /// The attributes below `worktrace.`.
    package struct Work: Hashable, Sendable {
        package var sessionID: String
        package var parentSessionID: String?
        package var parentStepID: String?
        package var rootSessionID: String?
        /// Empty for the session's own span.
        package var stepID = ""
        package var stepKind: String?
        package var stepAction: String?
        package var outcome: String?
        package var threadID: String?
        package var retryOf: String?
        package var isLinked = false
        /// `running`, `waiting`, `ended` or `abandoned`; of the session's own span.
        package var state: String?

        package init(sessionID: String) { self.sessionID = sessionID }

        /// Whether this is the session's own span.
        package var isSession: Bool { stepID.isEmpty }
    }
}
