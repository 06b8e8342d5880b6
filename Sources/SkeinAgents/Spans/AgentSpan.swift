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
    /// Nanoseconds since 1970-01-01 UTC.
    package var startUnixNanos: UInt64
    /// Nanoseconds; of an open span what has passed so far.
    package var durationNanos: UInt64
    /// How many spans it stands for, 1 at least: what was sampled counts by it.
    package var weight = 1.0
    package var spanKind = Span.Kind.unspecified
    /// The vocabulary by which ``kind`` was found; `nil` where there is none.
    package var dialect: Dialect?
    /// `nil` for a span that does no agent's work by itself, such as an HTTP request.
    package var kind: Kind?
    /// Whether the span says that its parent lives in another process (OTLP `flags`, bits 0x100 and 0x200).
    package var isParentRemote = false
    /// Whether the span has not ended yet. Only WorkTrace reports such.
    package var isOpen = false
    /// Whether ``usage`` sums up other spans, as `gen_ai.aggregated_usage.*` does, so that it is never added to theirs.
    package var isUsageSummed = false
    /// Set where another span of the same process tells the same story, such as a span of our own `do-trace` tool, and of the
    /// some hundred spans that Codex has of its inside.
    package var isHidden = false
    /// Whether the span came when its session had been reduced to ``totals`` already, which do not have it.
    package var isLate = false

    package private(set) var statusCode = Span.Status.Code.unset

    /// All that is no plain number, shared by the copies of a span: who goes over a hundred thousand of them copies one reference
    /// instead of fifty.
    private var words: Words
    /// What of ``words`` is there, so that memory is not fetched to find nothing.
    private var has: Has = []

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
        self.startUnixNanos = startUnixNanos
        self.durationNanos = durationNanos
        words = Words(Words.Fields(name: name, serviceName: serviceName))
    }

    /// `startUnixNanos + durationNanos`, at most `UInt64.max`.
    package var endUnixNanos: UInt64 {
        let (end, overflow) = startUnixNanos.addingReportingOverflow(durationNanos)
        return overflow ? .max : end
    }
}

extension AgentSpan {
    package var name: String {
        get { words.fields.name }
        set { own.name = newValue }
    }
    package var serviceName: String {
        get { words.fields.serviceName }
        set { own.serviceName = newValue }
    }
    /// `service.instance.id`.
    package var serviceInstance: String? {
        get { words.fields.serviceInstance }
        set { own.serviceInstance = newValue }
    }
    package var scopeName: String {
        get { words.fields.scopeName }
        set { own.scopeName = newValue }
    }
    package var status: Span.Status {
        get { Span.Status(statusCode, message: words.fields.statusMessage) }
        set {
            statusCode = newValue.code
            own.statusMessage = newValue.message
        }
    }
    package var links: [Link] {
        get { has.contains(.links) ? words.fields.links : [] }
        set {
            has.set(.links, !newValue.isEmpty)
            own.links = newValue
        }
    }
    /// Of `.agent` the agent that runs, of any other span the agent for which it works, where it says so.
    package var agent: Agent {
        get { words.fields.agent }
        set { own.agent = newValue }
    }
    /// Groups work that belongs together, such as a conversation or a task's thread; never a trace id.
    package var sessionKey: String? {
        get { words.fields.sessionKey }
        set { own.sessionKey = newValue }
    }
    package var model: Model? {
        get { words.fields.model?.value }
        set { own.model = newValue.map(Boxed.init) }
    }
    package var usage: Usage? {
        get { words.fields.usage }
        set { own.usage = newValue }
    }
    package var tool: Tool? {
        get { has.contains(.tool) ? words.fields.tool?.value : nil }
        set {
            has.set(.tool, newValue != nil)
            own.tool = newValue.map(Boxed.init)
        }
    }
    /// `error.type`.
    package var errorType: String? {
        get { has.contains(.errorType) ? words.fields.errorType : nil }
        set {
            has.set(.errorType, newValue != nil)
            own.errorType = newValue
        }
    }
    /// 1 for the first attempt; `nil` where nothing is said.
    package var attempt: Int? {
        get { words.fields.attempt }
        set { own.attempt = newValue }
    }
    /// What WorkTrace knows of the span; `nil` for a span of anyone else.
    package var work: Work? {
        get { has.contains(.work) ? words.fields.work?.value : nil }
        set {
            has.set(.work, newValue != nil)
            own.work = newValue.map(Boxed.init)
        }
    }

    /// Of `.agent` and of WorkTrace's own spans the task that the work is for, and its priority, where they say so.
    package var taskID: String? {
        get { rareWords?.taskID }
        set { if newValue != taskID { rare.taskID = newValue } }
    }
    package var taskPriority: String? {
        get { rareWords?.taskPriority }
        set { if newValue != taskPriority { rare.taskPriority = newValue } }
    }
    /// Where the client says that the span is one of many of one agent that has no span of its own (Claude Code's
    /// sub-agents): the agent's id, and its name.
    package var subAgent: Agent? {
        get { rareWords?.subAgent }
        set { if newValue != subAgent { rare.subAgent = newValue } }
    }
    package var handoff: Handoff? {
        get { rareWords?.handoff }
        set { if newValue != handoff { rare.handoff = newValue } }
    }
    package var wait: Wait? {
        get { rareWords?.wait }
        set { if newValue != wait { rare.wait = newValue } }
    }
    /// The node of a workflow graph that the span enters.
    package var node: Node? {
        get { rareWords?.node }
        set { if newValue != node { rare.node = newValue } }
    }
    /// Edges that the client knows by design, whether they ran or not.
    package var design: [DesignEdge] {
        get { rareWords?.design ?? [] }
        set { if newValue != design { rare.design = newValue } }
    }
    /// Nodes that the client knows by design; those of ``design`` may be among them.
    package var designNodes: [String] {
        get { rareWords?.designNodes ?? [] }
        set { if newValue != designNodes { rare.designNodes = newValue } }
    }

    /// When messages were sent, by their ids: a step may last longer than it takes to send one.
    package var messageTimes: [String: UInt64] {
        get { rareWords?.messageTimes ?? [:] }
        set { if newValue != messageTimes { rare.messageTimes = newValue } }
    }

    /// Of a session's own span, when its steps are not kept.
    package var totals: SessionTotals? {
        get { rareWords?.totals }
        set { if newValue != totals { rare.totals = newValue } }
    }

    /// Whether WorkTrace knows anything of the span. Cheaper than to ask for ``work``.
    package var isWork: Bool { has.contains(.work) }

    private var own: Words.Fields {
        get { words.fields }
        _modify {
            if !isKnownUniquelyReferenced(&words) { words = Words(words.fields) }
            yield &words.fields
        }
    }

    private var rareWords: Words.Rare? { has.contains(.rare) ? words.fields.rare?.value : nil }

    private var rare: Words.Rare {
        get { rareWords ?? Words.Rare() }
        set {
            has.insert(.rare)
            own.rare = Boxed(newValue)
        }
    }

    private struct Has: OptionSet {
        let rawValue: UInt8

        static let links = Has(rawValue: 1)
        static let tool = Has(rawValue: 2)
        static let work = Has(rawValue: 4)
        static let errorType = Has(rawValue: 8)
        static let rare = Has(rawValue: 16)

        mutating func set(_ part: Has, _ isThere: Bool) {
            if isThere { insert(part) } else { remove(part) }
        }
    }

    /// What few spans have, or what takes much room.
    private final class Boxed<Value: Sendable>: Sendable {
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    /// Changed only by a span that holds it alone.
    private final class Words: @unchecked Sendable {
        @exclusivity(unchecked) var fields: Fields

        init(_ fields: Fields) { self.fields = fields }

        struct Fields {
            var name: String
            var serviceName: String
            var serviceInstance: String?
            var scopeName = ""
            var statusMessage = ""
            var links: [Link] = []
            var agent = Agent()
            var sessionKey: String?
            var errorType: String?
            var attempt: Int?
            var usage: Usage?
            var model: Boxed<Model>?
            var tool: Boxed<Tool>?
            var rare: Boxed<Rare>?
            var work: Boxed<Work>?
        }

        struct Rare: Sendable {
            var taskID: String?
            var taskPriority: String?
            var subAgent: Agent?
            var handoff: Handoff?
            var wait: Wait?
            var node: Node?
            var design: [DesignEdge] = []
            var designNodes: [String] = []
            var messageTimes: [String: UInt64] = [:]
            var totals: SessionTotals?
        }
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
        /// `messaging.message.id`; empty where none is said.
        package var messageID: String
        package init(traceID: TraceID, spanID: SpanID, relation: String = "", messageID: String = "") {
            self.messageID = messageID
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
