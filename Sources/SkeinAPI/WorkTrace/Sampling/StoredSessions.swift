// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import SkeinPipeline
import SkeinStore

/// The sessions of a stored trace in which agents run, as far as it matters whether they are kept.
struct StoredSessions {
    /// By start, all that an agent opens.
    let sessions: [Orchestration.Session]
    /// The one at the top.
    let root: Orchestration.Session
    let traceID: TraceID
    /// Whether it stays as it is: somebody decided about its sessions before, WorkTrace tells of them, which has a policy of its
    /// own, Claude Code leaves its costs to log records, without which totals would be wrong, an agent has no span of its own to
    /// bear them, or spans of agents share an id.
    let isLeftAlone: Bool
    /// Whether a span is missing above work of agents, most likely that of an agent which goes on, here or in another process.
    var isUnfinished: Bool {
        var seen: Set<SpanID> = []
        return rows.contains { row in
            guard spans[row].kind != nil else { return false }
            var row = row
            while seen.insert(batch.spanIDs[row]).inserted {
                let parent = batch.parentSpanIDs[row]
                guard parent.isValid else { return false }
                guard let above = rowOfSpan[parent] else { return true }
                row = above
            }
            return false
        }
    }

    /// 56 bits by which all stages decide alike, all traces of a conversation, and a trace with those that its steps started by links.
    let randomness: UInt64
    /// Whether the trace says the randomness in its `tracestate`.
    let isRandomnessTold: Bool
    let endUnixNanos: UInt64
    private let orchestration: Orchestration
    private let batch: SpanBatch
    /// Its rows in the batch.
    private let rows: Range<Int>
    private let spans: ArraySlice<AgentSpan>
    /// The sessions' own spans.
    private let own: [SpanID: Span]
    /// Of several rows that share an id the first.
    private let rowOfSpan: [SpanID: Int]

    /// The trace in `rows` of `batch`, which say `spans`; `nil` for one in which no agent runs.
    init?(_ batch: SpanBatch, _ rows: Range<Int>, _ spans: ArraySlice<AgentSpan>, _ prices: ModelPrices) {
        guard let traceID = spans.first?.traceID else { return nil }
        var priced = Array(spans)
        let lacksCosts = ClaudeCodeCosts.areWanted(by: priced)
        prices.fill(&priced)
        let orchestration = Orchestration(priced, around: traceID, nowUnixNanos: nil, listMax: .max)
        let rowOfSpan = Dictionary(rows.map { (batch.spanIDs[$0], $0) }, uniquingKeysWith: { first, _ in first })
        let sessions = orchestration.sessions.filter { session in
            rowOfSpan[session.spanID].map { spans[$0].kind == .agent } ?? false
        }
        guard let root = sessions.first(where: { $0.sessionID == orchestration.rootSessionID }) ?? sessions.first,
            let row = rowOfSpan[root.spanID]
        else { return nil }
        self.sessions = sessions
        self.root = root
        self.orchestration = orchestration
        self.batch = batch
        self.rows = rows
        self.spans = spans
        own = Dictionary(
            sessions.compactMap { session in rowOfSpan[session.spanID].map { (session.spanID, batch.span(at: $0)) } },
            uniquingKeysWith: { first, _ in first }
        )
        self.rowOfSpan = rowOfSpan
        // Whoever ends after it was received has a clock that is not to be followed.
        endUnixNanos = min(spans.reduce(0) { max($0, $1.endUnixNanos) }, max(batch.receivedUnixNanos, 1))
        self.traceID = traceID
        let agents = rows.filter { spans[$0].kind != nil }
        isLeftAlone =
            lacksCosts || sessions.count < orchestration.sessions.count || agents.contains { spans[$0].isWork }
            || Set(agents.map { batch.spanIDs[$0] }).count < agents.count
            || own.values.contains { $0.attributes["worktrace.sampling.decision"] != nil }
        let told = batch.dictionary.withBytes(SpanBatch.value(batch.traceStateRefs, row, default: 0)) {
            SamplingThreshold.randomness(ofTraceState: $0)
        }
        isRandomnessTold = told != nil
        let cause = own[root.spanID]?.links.first(where: Self.isCause)
        randomness =
            told
            ?? cause.flatMap { link in
                Array(link.traceState.utf8).withUnsafeBytes { SamplingThreshold.randomness(ofTraceState: $0) }
            }
            ?? SessionRandomness.value(of: root.sessionKey ?? "\(cause?.traceID ?? traceID)")
    }

    /// Whether a link says what started the session.
    private static func isCause(_ link: Span.Link) -> Bool {
        !link.attributes.contains { attribute in
            attribute.key == "worktrace.link.relation"
                && (attribute.value == .string("message") || attribute.value == .string("retry_of"))
        }
    }

    /// What rules look at.
    func facts(of session: Orchestration.Session) -> SessionPolicy.Facts {
        var facts = SessionPolicy.Facts()
        facts.priority = session.taskPriority
        facts.agentName = session.agentName
        facts.agentID = session.agentID
        facts.taskID = session.taskID
        facts.source = "spans"
        let prefix = "worktrace.label."
        facts.labels = (own[session.spanID]?.attributes ?? []).filter { $0.key.hasPrefix(prefix) }
            .map { (String($0.key.dropFirst(prefix.count)), $0.value.labelText) }
        return facts
    }

    /// What is judged.
    func forest(rate: Double, rule: String?) -> SessionForest {
        SessionForest(
            rootSessionID: root.sessionID,
            rate: rate,
            rule: rule,
            sessions: sessions.map { session in
                let own = own[session.spanID]
                let type = own?.attributes["worktrace.label.task.type"] ?? own?.attributes["worktrace.label.type"]
                return SessionForest.Member(
                    sessionID: session.sessionID,
                    agent: session.agentName,
                    taskType: type?.labelText ?? "",
                    outcome: session.outcome ?? WorkOutcome.abandoned,
                    durationNanos: session.durationNanos,
                    usd: session.usage.usd,
                    budgetUSD: Self.dollars(own?.attributes["worktrace.budget.usd"]),
                    pinnedFor: nil,
                    hasBadFeedback: own.map(Self.hasBadFeedback) ?? false
                )
            },
            orchestration: orchestration
        )
    }

    /// What becomes of single spans. Whatever is judged there stay the spans of sessions, those that started another session and
    /// those above them, and what is no agent's work; of a trace that is kept for a reason nothing stands for others.
    func skeleton(_ judgement: SessionJudgement, rate: Double) -> LateSkeleton {
        var skeleton = LateSkeleton()
        if judgement.isByChance {
            var staying: Set<SpanID> = []
            for session in orchestration.sessions { climb(from: session.spanID, &staying) }
            for edge in orchestration.edges where edge.traceID == root.traceID { climb(from: edge.spanID, &staying) }
            addOthers(to: &staying)
            for row in rows where spans[row].kind != nil && spans[row].links.contains(where: { $0.traceID == traceID })
            {
                // Who waits for what another started, or takes it up.
                climb(from: batch.spanIDs[row], &staying)
            }
            if judgement.isKept {
                skeleton.alone = staying
            } else {
                skeleton.leaving = Set(rowOfSpan.keys).subtracting(staying)
            }
        }
        for session in sessions {
            var attributes = [
                Attribute("worktrace.sampling.decision", .string(judgement.isKept ? "kept" : "reduced")),
                Attribute("worktrace.sampling.rate", .double(rate)),
                Attribute("worktrace.sampling.weight", .double(judgement.weight)),
                Attribute("worktrace.sampling.reason", .string(judgement.reason)),
            ]
            if !judgement.isKept {
                attributes += SessionTotals(session).attributes
                if let key = session.sessionKey, own[session.spanID].map({ said($0) != key }) ?? false {
                    attributes.append(Attribute("session.id", .string(key)))
                }
            }
            skeleton.attributes[session.spanID] = attributes
        }
        return skeleton
    }

    /// The conversation that a session's own span names.
    private func said(_ span: Span) -> String? { rowOfSpan[span.spanID].flatMap { spans[$0].sessionKey } }

    private func climb(from span: SpanID, _ found: inout Set<SpanID>) {
        var next = span
        while let row = rowOfSpan[next], found.insert(next).inserted { next = batch.parentSpanIDs[row] }
    }

    /// Adds the spans that are no agent's work, and stand below no session.
    private func addOthers(to found: inout Set<SpanID>) {
        let own = Set(sessions.map(\.spanID))
        /// Whether a span stands below a session, as far as it is known.
        var isBelow: [SpanID: Bool] = [:]
        for row in rows where spans[row].kind == nil {
            var path: [SpanID] = []
            var next = batch.spanIDs[row]
            while !own.contains(next), isBelow[next] == nil, let row = rowOfSpan[next] {
                isBelow[next] = false
                path.append(next)
                next = batch.parentSpanIDs[row]
            }
            let answer = own.contains(next) || isBelow[next] ?? false
            for span in path { isBelow[span] = answer }
            if !answer { climb(from: batch.spanIDs[row], &found) }
        }
    }

    private static func hasBadFeedback(_ span: Span) -> Bool {
        span.events.contains { event in
            WorkSession.isBadFeedback(
                .map([Attribute("name", .string(event.name)), Attribute("attributes", .map(event.attributes))])
            )
        }
    }

    private static func dollars(_ value: AttributeValue?) -> Double? {
        switch value {
        case .double(let dollars): dollars
        case .int(let dollars): Double(dollars)
        default: nil
        }
    }
}
