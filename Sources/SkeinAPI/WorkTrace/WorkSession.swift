// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// One run of one agent, as the ledger knows it: open, or ended a while ago.
struct WorkSession: Sendable {
    let id: String
    /// What its start said. Empty as long as only others spoke of it.
    var fields = WorkFields()
    var startDigest: WorkDigest?
    var endDigest: WorkDigest?
    /// What its end said.
    var end = WorkFields()
    var place: Place
    var startUnixNanos: UInt64
    /// `nil` as long as it is open.
    var endUnixNanos: UInt64?
    /// When it was last heard of.
    var lastUnixNanos: UInt64
    /// Nothing was heard of it for the idle time-out; what comes next undoes it.
    var isAbandoned = false
    /// Whether the span of the session is stored.
    var isStored = false
    var verdict = SessionVerdict()
    /// Why somebody asked to keep all of it, empty for no reason given; `nil` when nobody did.
    var pinnedFor: String?
    /// What is left to tell of its steps when they are not kept, as its span says it.
    var summary: [Attribute]?
    var totals = WorkTotals()
    /// Events of the session itself, such as messages sent between steps.
    var events: [AttributeValue] = []
    /// Steps that have not ended.
    var openCount = 0
    /// Of them, those that wait for somebody.
    var waitingCount = 0
    /// Bytes of its record in the journal, for the limit.
    var byteCount = 0

    /// Where a session hangs in its trace.
    struct Place: Hashable, Sendable {
        var traceID: TraceID
        var spanID: SpanID
        /// `.zero` for the root of a trace.
        var parentSpanID = SpanID.zero
        /// The parent lives in another process: it came as a `traceparent`.
        var isParentRemote = false
        /// What started it, where that is in another trace.
        var origin: SpanLink?
        var parentSessionID: String?
        var parentStepID: String?
        var rootSessionID: String
        /// That its parent or its `baggage` says.
        var taskID: String?
        var taskPriority: String?
        var linkMode = "join"
        /// As they came.
        var traceState = ""
        var baggage = ""
        /// How its start came: `api`, `batch` or `mcp`.
        var source = "api"
    }

    struct SpanLink: Hashable, Sendable {
        var traceID: TraceID
        var spanID: SpanID
    }

    var isStarted: Bool { startDigest != nil }
    var isEnded: Bool { endUnixNanos != nil }
    /// `nil` while it runs.
    var outcome: String? { isEnded ? end.text("outcome") ?? WorkOutcome.abandoned : nil }
    var agentName: String? { fields.text("agentName") ?? fields.text("agentId") }
    var threadID: String? { fields.text("threadId") }
    var taskID: String? { fields.text("taskId") ?? place.taskID }

    /// Until when it lasts, in nanoseconds since 1970: an abandoned one until it was last heard of, one that goes on until `now`.
    func lastsUntil(_ now: UInt64) -> UInt64 {
        endUnixNanos ?? (isAbandoned ? max(startUnixNanos, lastUnixNanos) : now)
    }

    /// `running`, `waiting`, `ended` or `abandoned`.
    var state: String {
        if isEnded { return isAbandoned ? "abandoned" : "ended" }
        if isAbandoned { return "abandoned" }
        return waitingCount > 0 ? "waiting" : "running"
    }

    /// `agents.md` §5.4 "Session key": the thread that the session says, else the session.
    var sessionKey: String { threadID ?? id }

    // MARK: Carriers

    /// The context of one of its spans, as `traceparent`.
    func traceParent(_ span: SpanID) -> String {
        TraceContextPropagator.header(
            SpanContext(traceID: place.traceID, spanID: span, flags: verdict.isSampled ? .sampled : [])
        )
    }

    /// `baggage` for whoever comes after: what came, and who sends it, where it is a step with that.
    func baggage(step: String? = nil) -> String {
        var baggage = Baggage()
        baggage.add(header: place.baggage)
        baggage["worktrace.session.id"] = id
        baggage["worktrace.root.session.id"] = place.rootSessionID
        baggage["worktrace.step.id"] = step
        baggage["worktrace.child.session.id"] = nil
        baggage["worktrace.task.id"] = taskID
        baggage["worktrace.task.priority"] = place.taskPriority
        return baggage.header
    }
}

/// Sums over the steps of a session that have ended.
struct WorkTotals: Hashable, Sendable {
    var steps = 0
    var llmCalls = 0
    var toolCalls = 0
    var toolErrors = 0
    var inputTokens: UInt64 = 0
    var outputTokens: UInt64 = 0
    /// `nil` as long as no step says what it cost.
    var usd: Double?
    var waitNanos: UInt64 = 0

    mutating func add(_ step: WorkStep) {
        steps &+= 1
        switch step.kind {
        case "llm": llmCalls &+= 1
        case "tool":
            toolCalls &+= 1
            if let outcome = step.outcome, WorkOutcome.isFailed(outcome) { toolErrors &+= 1 }
        default: break
        }
        let usage = step.fields.fields("usage")
        inputTokens &+= usage.nanos("inputTokens") ?? 0
        outputTokens &+= usage.nanos("outputTokens") ?? 0
        if let cost = usage.number("usd") { usd = (usd ?? 0) + cost }
        if step.isWaiting, let end = step.endUnixNanos {
            waitNanos &+= end - min(end, step.startUnixNanos)
        }
    }

    /// Takes out what ``add(_:)`` counted of a step as it was.
    mutating func remove(_ step: WorkStep) {
        var own = WorkTotals()
        own.add(step)
        steps -= min(steps, own.steps)
        llmCalls -= min(llmCalls, own.llmCalls)
        toolCalls -= min(toolCalls, own.toolCalls)
        toolErrors -= min(toolErrors, own.toolErrors)
        inputTokens -= min(inputTokens, own.inputTokens)
        outputTokens -= min(outputTokens, own.outputTokens)
        waitNanos -= min(waitNanos, own.waitNanos)
        if let cost = own.usd, let all = usd { usd = max(0, all - cost) }
    }
}

extension Baggage {
    /// The members of a header.
    init(header: String) {
        self.init()
        add(header: header)
    }
}
