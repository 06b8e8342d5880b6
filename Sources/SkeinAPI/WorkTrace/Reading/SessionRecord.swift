// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

/// A session as it is listed: what its agent said of it, and what its spans sum up to.
struct SessionRecord {
    let session: Orchestration.Session
    /// Of the forest that it is part of; itself where it has no parent.
    let rootSessionID: String
    /// What only WorkTrace knows; `nil` for a session that is read out of spans.
    let work: AgentSpan.Work?
    /// As WorkTrace was told it, `nil` for none; of others what their session is called.
    let agentName: String?
    /// Spans below the session's own.
    let stepCount: Int
    /// How many steps began in each of ``SessionActivity/bucketCount`` equal parts of the session's time; empty where that is not told.
    var activity: [UInt32] = []
    /// What the agent was told first, or the beginning of it; `nil` where that is not recorded or not told.
    var firstMessage: String?
    /// How often its user spoke; `nil` where that is not recorded or not told.
    var turnCount: Int?
    /// Different agents of it and of what it started; `nil` where that is not told.
    var agentCount: Int?
    /// What the session's own span says, or what stands for it.
    private let facts: Facts

    private struct Facts {
        var title: String?
        var flags: UInt32 = 1
        var weight = 1.0
        var samplingReason: String?
        var samplingDecision: String?
        /// 0 to 1.
        var samplingRate: Double?
        /// By their names without the prefix.
        var labels: [Attribute] = []
        var budget: [Attribute] = []

        init(_ span: Span?) {
            guard let span else { return }
            func text(_ key: String) -> String? {
                if case .string(let text) = span.attributes[key] { text } else { nil }
            }
            title = text("worktrace.session.title")
            flags = span.flags
            weight = span.weight
            if case .double(let said) = span.attributes["worktrace.sampling.weight"] { weight = said }
            samplingReason = text("worktrace.sampling.reason")
            samplingDecision = text("worktrace.sampling.decision")
            if case .double(let said) = span.attributes["worktrace.sampling.rate"] { samplingRate = said }
            for attribute in span.attributes where attribute.key.hasPrefix(Self.labelPrefix) {
                labels.append(Attribute(String(attribute.key.dropFirst(Self.labelPrefix.count)), attribute.value))
            }
            for name in ["usd", "tokens", "seconds"] {
                if let value = span.attributes["worktrace.budget.\(name)"] { budget.append(Attribute(name, value)) }
            }
        }

        private static let labelPrefix = "worktrace.label."

        var byteCount: Int {
            [title, samplingReason, samplingDecision].reduce(0) { $0 + ($1?.utf8.count ?? 0) }
                + (labels + budget).reduce(0) { $0 + 64 + $1.key.utf8.count + WorkFields.canonical($1.value).count }
        }
    }

    init(
        _ session: Orchestration.Session,
        of orchestration: Orchestration,
        in trace: WorkForest.Trace?
    ) {
        self.session = session
        let row = trace?.row(of: session.spanID)
        let own = row.flatMap { trace?.spans[$0].work }
        work = own?.sessionID == session.sessionID ? own : nil
        agentName = work == nil ? session.agentName : row.flatMap { trace?.spans[$0].agent.name }
        facts = Facts(row.flatMap { trace?.batch.span(at: $0) })
        rootSessionID = work?.rootSessionID ?? orchestration.rootSessionID ?? session.sessionID
        stepCount = session.stepCount
    }

    /// `worktrace`, or `spans` where other instrumentation tells of the session.
    var source: String { work == nil ? "spans" : "worktrace" }

    /// What the session is about, in words.
    var title: String? { facts.title }

    /// The session that started it.
    var parentSessionID: String? { work?.parentSessionID ?? session.parentSessionID }

    /// Bytes of memory that it takes, about.
    var byteCount: Int { 1536 + facts.byteCount + activity.count * 4 + (firstMessage?.utf8.count ?? 0) }

    /// The moment and the text by which lists are in order.
    var place: (startUnixNanos: UInt64, sessionID: String) { (session.startUnixNanos, session.sessionID) }

    /// Writes the members of the record, `steps` and other members behind them.
    func write(to json: inout JSONWriter) {
        json.member("sessionId", session.sessionID)
        json.member("source", source)
        json.member("sessionKey", session.sessionKey)
        json.member("taskId", session.taskID)
        json.member("title", title)
        if let firstMessage { json.member("firstMessage", firstMessage) }
        json.member("agentId", session.agentID)
        json.member("agentName", agentName)
        json.member("agentVersion", session.agentVersion)
        json.member("serviceName", session.serviceName)
        json.member("parentSessionId", parentSessionID)
        json.member("parentStepId", work?.parentStepID)
        json.member("rootSessionId", rootSessionID)
        json.member("threadId", work?.threadID)
        json.member("taskPriority", session.taskPriority)
        json.member("linkMode", session.linkMode.rawValue)
        json.member("background", session.isBackground)
        json.member("startTime", RFC3339.format(session.startUnixNanos))
        json.member("endTime", session.outcome == nil ? nil : RFC3339.format(session.endUnixNanos))
        json.member("state", session.state.rawValue)
        json.member("outcome", session.outcome)
        writeBudget(to: &json)
        json.object("labels") { json in
            for label in facts.labels {
                json.key(text: label.key)
                json.plain(label.value)
            }
        }
        json.object("trace") { json in
            json.member("traceId", session.traceID)
            json.member("spanId", session.spanID)
            // Only WorkTrace says so by a flag; what others sent was sampled, and may have been reduced since.
            json.member(
                "sampled",
                work == nil ? facts.samplingDecision != "reduced" : facts.flags & 1 == 1
            )
            json.member("samplingReason", facts.samplingReason)
            json.member("samplingDecision", facts.samplingDecision)
            json.key("samplingRate")
            if let rate = facts.samplingRate { json.double(rate) } else { json.null() }
            json.member("weight", facts.weight)
        }
        if !activity.isEmpty {
            json.array("activity") { json in
                for count in activity { json.int(Int64(count)) }
            }
        }
        if let agentCount {
            json.member("agents", agentCount)
            json.key("turns")
            if let turnCount { json.int(Int64(turnCount)) } else { json.null() }
        }
        json.object("totals") { json in session.writeTotals(to: &json) }
    }

    private func writeBudget(to json: inout JSONWriter) {
        json.key("budget")
        guard !facts.budget.isEmpty else { return json.null() }
        json.object { json in
            for part in facts.budget {
                json.key(text: part.key)
                json.plain(part.value)
            }
        }
    }
}
