// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What many spans of a batch share, read once.
extension SpanReader {
    mutating func service(_ row: Int) -> Service {
        if let known = services[row] { return known }
        let name = batch.dictionary.string(batch.resources.serviceNameRefs[row])
        var service = Service(name: name, instance: nil, isCodex: name.lowercased().hasPrefix("codex"))
        for pair in batch.resources.attributes.range(of: row)
        where batch.dictionary.string(batch.resources.attributes.keyRefs[pair]) == "service.instance.id" {
            service.instance = batch.dictionary.value(batch.resources.attributes.valueRefs[pair]).scalarText
        }
        services[row] = service
        return service
    }

    mutating func scope(_ row: Int) -> Scope {
        if let known = scopes[row] { return known }
        let name = batch.dictionary.string(batch.scopes.nameRefs[row])
        var scope = Scope(name: name)
        if name.hasPrefix("com.anthropic.claude_code") { scope.own.insert(.claudeCode) }
        if name.hasPrefix("codex") { scope.own.insert(.codex) }
        if name.hasPrefix("logfire") || name.hasPrefix("pydantic-ai") { scope.own.insert(.logfire) }
        scope.isWorkTrace = name == "worktrace"
        scope.isProxy = name == AgentSpan.proxyScopeName
        scope.isMCP = name.lowercased().split(whereSeparator: { ".-_/@".contains($0) }).contains("mcp")
        scopes[row] = scope
        return scope
    }

    mutating func name(_ ref: SpanBatch.Ref) -> NameFacts {
        if let known = names[Int(ref)] { return known }
        let facts = NameFacts(batch.dictionary.string(ref))
        names[Int(ref)] = facts
        return facts
    }

    func links(_ row: Int) -> [AgentSpan.Link] {
        batch.links.range(of: row).map { link in
            var (relation, messageID) = ("", "")
            for pair in batch.links.attributes.range(of: link) {
                let key = batch.dictionary.string(batch.links.attributes.keyRefs[pair])
                guard key == "worktrace.link.relation" || key == "messaging.message.id" else { continue }
                let text = batch.dictionary.value(batch.links.attributes.valueRefs[pair]).scalarText ?? ""
                if key == "messaging.message.id" { messageID = text } else { relation = text }
            }
            return AgentSpan.Link(
                traceID: batch.links.traceIDs[link],
                spanID: batch.links.spanIDs[link],
                relation: relation,
                messageID: messageID
            )
        }
    }

    /// When the span sent messages (`agents.md` §3.4), by their ids; of more than 1,000 events the first.
    func messageTimes(_ row: Int) -> [String: UInt64] {
        var times: [String: UInt64] = [:]
        for event in batch.events.range(of: row).prefix(1_000)
        where batch.dictionary.string(batch.events.nameRefs[event]) == "worktrace.message" {
            for pair in batch.events.attributes.range(of: event)
            where batch.dictionary.string(batch.events.attributes.keyRefs[pair]) == "message.id" {
                let id = batch.dictionary.value(batch.events.attributes.valueRefs[pair]).scalarText ?? ""
                if times[id] == nil { times[id] = batch.events.timeUnixNanos[event] }
            }
        }
        return times
    }

    /// What WorkTrace says of its own span, and whether that is open. A span of someone else that belongs to a session is no
    /// step of it: it has neither the scope nor a step's id.
    mutating func work(_ scope: Scope, _ span: inout AgentSpan) -> AgentSpan.Work? {
        guard let session = text(.workSession, span) else { return nil }
        let step = text(.workStep, span)
        let state = text(.workState, span)
        guard scope.isWorkTrace || step != nil || state != nil else { return nil }
        var work = AgentSpan.Work(sessionID: session)
        work.stepID = step ?? ""
        work.state = state
        work.parentSessionID = text(.workParentSession, span)
        work.rootSessionID = text(.workRootSession, span)
        work.parentStepID = text(.workParentStep, span)
        work.stepKind = text(.workStepKind, span)
        work.stepAction = text(.workAction, span)
        work.outcome = text(.workOutcome, span)
        // Without a thread the conversation is the session.
        work.threadID = text(.workThread, span).flatMap { $0 == session ? nil : $0 }
        work.retryOf = text(.workRetryOf, span)
        work.isLinked = text(.workLinkMode, span) == "link"
        let openWords = work.isSession ? ["running", "waiting"] : ["running", "needs_input", "retrying"]
        span.isOpen = (work.isSession ? state : work.outcome).map(openWords.contains) ?? false
        return work
    }

    /// What a session sums up of itself; `nil` when it leaves that to its steps.
    mutating func totals(_ span: AgentSpan) -> SessionTotals? {
        guard let steps = number(.totalSteps, span)?.count else { return nil }
        func count(_ field: Mapping.Field) -> UInt64 { number(field, span)?.count ?? 0 }
        var totals = SessionTotals()
        totals.stepCount = Int(clamping: steps)
        totals.errorCount = Int(clamping: count(.totalErrors))
        totals.llmCallCount = Int(clamping: count(.totalModelCalls))
        totals.toolCallCount = Int(clamping: count(.totalToolCalls))
        totals.toolErrorCount = Int(clamping: count(.totalToolErrors))
        totals.waitNanos = count(.totalWait)
        totals.usage.inputTokens = count(.totalInputTokens)
        totals.usage.outputTokens = count(.totalOutputTokens)
        totals.usage.cacheReadTokens = count(.totalCacheReadTokens)
        totals.usage.cacheWriteTokens = count(.totalCacheWriteTokens)
        totals.usage.reasoningTokens = count(.totalReasoningTokens)
        totals.usage.usd = first(.totalUSD, span) { $0.amount }
        totals.timeClasses = SessionTotals.timeClasses(first(.totalTimes, span) { $0.texts } ?? [])
        return totals
    }
}

/// Some dialects.
struct DialectSet {
    private var bits: UInt32 = 0

    mutating func insert(_ dialect: AgentSpan.Dialect) { bits |= 1 << dialect.index }

    func contains(_ dialect: AgentSpan.Dialect) -> Bool { bits >> dialect.index & 1 == 1 }
}

extension AgentSpan.Dialect {
    fileprivate var index: UInt32 {
        switch self {
        case .workTrace: 0
        case .langfuse: 1
        case .openInference: 2
        case .genAI: 3
        case .openLLMetry: 4
        case .logfire: 5
        case .genkit: 6
        case .vercel: 7
        case .mcp: 8
        case .claudeCode: 9
        case .codex: 10
        case .names: 11
        }
    }
}

/// What ``NameRule/table`` says of one name.
struct NameFacts {
    var text: String
    /// The rules that match, in their order, and what stands for their `*`.
    var matches: [(rule: Int, part: Substring)] = []

    init(_ text: String) {
        self.text = text
        for (index, rule) in NameRule.table.enumerated() {
            if let part = rule.part(of: text) { matches.append((index, part)) }
        }
    }

    /// The part of the first rule for `field`.
    func part(for field: Mapping.Field) -> Substring? {
        matches.first { NameRule.table[$0.rule].field == field }?.part
    }
}

/// The numbers of the keys that are looked for by themselves.
struct MarkerNumbers {
    let logfireMessage: Int
    let traceloopKind: Int
    let source: Int
    let metadata: Int
    let mcpMethod: Int
    let logfire: [Int]
    let langGraphNodes: [Int]
    let toolNames: [Int]
    let impliesTool: [Int]
    let impliesModel: [Int]

    init(_ values: RowValues) {
        func numbers(_ keys: [String]) -> [Int] { keys.map(values.number) }
        logfireMessage = values.number(of: Marker.logfireMessage)
        traceloopKind = values.number(of: "traceloop.span.kind")
        source = values.number(of: Marker.source)
        metadata = values.number(of: "metadata")
        mcpMethod = values.number(of: "mcp.method.name")
        logfire = numbers([Marker.logfireMessage, Marker.logfireSpanType, "logfire.msg_template", "sdk_span_type"])
        langGraphNodes = numbers(Marker.langGraphNodes)
        toolNames = numbers(["gen_ai.tool.name", "tool.name"])
        impliesTool = numbers(["gen_ai.tool.name", "gen_ai.tool.call.id"])
        impliesModel = numbers([
            "gen_ai.request.model", "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.request.model",
        ])
    }
}
