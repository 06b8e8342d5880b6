// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Reads the spans of one batch, row by row.
struct SpanReader {
    /// By row: the node of a LangGraph that the span's metadata names, which spans below a node name, too.
    private(set) var graphNodes: [Int: String] = [:]

    let batch: SpanBatch
    var values: RowValues
    let keys: MarkerNumbers
    /// By field: the rows of the table, with the numbers of their keys.
    let rows: [[(key: Int, mapping: Int)]]
    /// By row of the table: whether it is for spans of all kinds and dialects.
    let isForAll = Mapping.table.map { !$0.isOwn && $0.kinds.isEmpty }
    var names: [NameFacts?]
    var services: [Service?]
    var scopes: [Scope?]
    /// The dialects whose own span the present one is.
    var own = DialectSet()

    struct Service {
        var name: String
        var instance: String?
        var isCodex: Bool
    }

    struct Scope {
        var name: String
        var own = DialectSet()
        var isWorkTrace = false
        /// Whether a library of the Model Context Protocol writes it.
        var isMCP = false
        var isProxy = false
    }

    init(_ batch: SpanBatch) {
        self.batch = batch
        let values = RowValues(batch)
        rows = Mapping.rowsByField.map { $0.map { (values.number(of: Mapping.table[$0].key), $0) } }
        keys = MarkerNumbers(values)
        self.values = values
        names = Array(repeating: nil, count: batch.dictionary.count)
        services = Array(repeating: nil, count: batch.resources.count)
        scopes = Array(repeating: nil, count: batch.scopes.count)
    }

    /// What span `row` says.
    mutating func read(_ row: Int) -> AgentSpan {
        let service = service(Int(batch.resourceRows[row]))
        let scope = scope(Int(batch.scopeRows[row]))
        let name = name(batch.nameRefs[row])
        var span = AgentSpan(
            traceID: batch.traceIDs[row],
            spanID: batch.spanIDs[row],
            parentSpanID: batch.parentSpanIDs[row],
            name: name.text,
            startUnixNanos: batch.startUnixNanos[row],
            durationNanos: batch.durationNanos[row],
            serviceName: service.name
        )
        span.isParentRemote = SpanBatch.value(batch.flags, row, default: 0) & 0x300 == 0x300
        span.weight = SpanBatch.value(batch.weights, row, default: 1)
        span.spanKind = Span.Kind(stored: batch.kinds[row])
        let code = Span.Status.Code(rawValue: batch.statusCodes[row]) ?? .unset
        let message = SpanBatch.value(batch.statusMessageRefs, row, default: 0)
        span.status = Span.Status(code, message: message == 0 ? "" : batch.dictionary.string(message))
        span.serviceInstance = service.instance
        span.scopeName = scope.name
        span.links = links(row)

        let hasAttributes = values.open(row)
        own = scope.own
        if service.isCodex || name.text.hasPrefix("codex.") { own.insert(.codex) }
        if name.text.hasPrefix("claude_code.") { own.insert(.claudeCode) }
        guard hasAttributes || !name.matches.isEmpty || own.contains(.codex) else { return span }
        if keys.logfire.contains(where: values.has) { own.insert(.logfire) }
        if values.has(keys.traceloopKind) { own.insert(.openLLMetry) }

        span.work = work(scope, &span)
        readKind(&span, name)
        readAgent(&span, name)
        span.sessionKey = sessionKey(span)
        if span.kind == .agent || span.work != nil {
            span.taskID = text(.workTask, span)
            span.taskPriority = text(.workPriority, span)
        }
        if span.work?.isSession ?? true { span.totals = totals(span) }
        if span.work != nil { span.messageTimes = messageTimes(row) }
        span.isLate = text(.workLate, span) == "true"
        span.errorType = text(.errorType, span)
        span.attempt = number(.attempt, span).flatMap { Int(exactly: $0.count) }
        readFlow(&span, name, row)
        if span.kind != nil {
            span.model = model(span)
            readUsage(&span)
        }
        if span.kind == .tool { span.tool = tool(span, name, scope) }
        if text(.workSelf, span) == "true" || span.tool.map({ Self.isOwn($0.name) }) ?? false { span.isHidden = true }
        if span.kind == nil, span.dialect == .codex { span.isHidden = true }
        return span
    }

    /// Whether a tool is `do-trace`, or an action of it, by its own name or as clients spell it: `mcp__skein__do-trace`,
    /// `skein_do-trace-log-step`.
    private static func isOwn(_ name: String) -> Bool {
        guard let range = name.firstRange(of: "do-trace") else { return false }
        let (before, after) = (name[..<range.lowerBound].last, name[range.upperBound...].first)
        return (before.map { "_./:".contains($0) } ?? true) && (after.map { $0 == "-" } ?? true)
    }

    // MARK: Kind

    private mutating func readKind(_ span: inout AgentSpan, _ name: NameFacts) {
        if let work = span.work, work.isSession { (span.kind, span.dialect) = (.agent, .workTrace) }
        for row in rows[Mapping.Field.kind.rawValue]
        where span.kind == nil && values.has(row.key) && reads(row.mapping, span) {
            guard case .kind(let words) = Mapping.table[row.mapping].reading, let text = values.text(row.key),
                let kind = words.first(where: { $0.matches(text) })?.kind
            else { continue }
            (span.kind, span.dialect) = (kind, Mapping.table[row.mapping].dialect)
        }
        // What Codex does within a call knows its id, too.
        if span.kind == .tool, span.dialect == .codex, text(.toolName, span) == nil { span.kind = nil }
        if span.kind == nil, span.work != nil { (span.kind, span.dialect) = (.custom, .workTrace) }
        if span.kind == nil, !readKindOfName(&span, name) { readKindOfPresence(&span) }
        if let dialect = span.dialect { own.insert(dialect) }
        // A handoff is a tool to the model, and a span of one to OpenInference.
        if span.kind == .tool, !keys.toolNames.contains(where: values.has), says(.kind(.handoff), name) {
            span.kind = .handoff
        }
        if span.kind == .tool || span.kind == .agent, text(.handoffMode, span) == "pass_control" {
            span.kind = .handoff
        }
    }

    /// Takes the kind that the span's name says; whether it says any, be it that there is none.
    private mutating func readKindOfName(_ span: inout AgentSpan, _ name: NameFacts) -> Bool {
        for match in name.matches {
            let rule = NameRule.table[match.rule]
            guard rule.says != .nothing, !rule.isOwn || own.contains(rule.dialect) else { continue }
            span.dialect = rule.dialect
            if case .kind(let kind) = rule.says { span.kind = kind }
            // Claude Code waits for its configuration, too, which is no wait for anyone.
            if name.text == "claude_code.tool.blocked_on_user", values.text(keys.source)?.hasPrefix("user") == true {
                span.kind = .human
            }
            return true
        }
        return false
    }

    /// Takes the kind that some attribute of the convention implies.
    private mutating func readKindOfPresence(_ span: inout AgentSpan) {
        if keys.impliesTool.contains(where: values.has) {
            (span.kind, span.dialect) = (.tool, .genAI)
        } else if keys.impliesModel.contains(where: values.has) {
            (span.kind, span.dialect) = (.llm, .genAI)
        }
    }

    /// Whether the span or record that was read last is one of an agent, be it that it does no work. Any service may have
    /// Logfire's templates for its messages.
    func isClaimed(_ span: AgentSpan) -> Bool {
        span.dialect != nil || own.contains(.claudeCode) || own.contains(.codex)
            || rows[Mapping.Field.kind.rawValue].contains {
                values.has($0.key) && Mapping.table[$0.mapping].key != "logfire.msg_template"
            }
    }

    private func says(_ says: NameRule.Says, _ name: NameFacts) -> Bool {
        name.matches.contains { NameRule.table[$0.rule].says == says }
    }

    // MARK: Agents and flow

    private mutating func readAgent(_ span: inout AgentSpan, _ name: NameFacts) {
        // WorkTrace says the name by itself, and calls a span by the agent's id where there is none.
        span.agent.name = text(.agentName, span) ?? (span.isWork ? nil : part(.agentName, span, name))
        span.agent.id = text(.agentID, span)
        span.agent.version = text(.agentVersion, span)
        if span.agent.name == nil, span.kind == .agent {
            switch span.dialect {
            case .langfuse: span.agent.name = span.name
            case .codex: span.agent.name = span.serviceName
            default: if own.contains(.claudeCode) { span.agent.name = span.serviceName }
            }
        }
        if let id = text(.subAgentID, span) {
            span.subAgent = AgentSpan.Agent(name: text(.subAgentName, span), id: id)
        }
    }

    private mutating func readFlow(_ span: inout AgentSpan, _ name: NameFacts, _ row: Int) {
        if span.kind == .handoff {
            var handoff = AgentSpan.Handoff(
                from: text(.handoffFrom, span).flatMap { $0[...].known },
                to: text(.handoffTo, span).flatMap { $0[...].known }
            )
            for text in [name.text, values.text(keys.logfireMessage) ?? ""] {
                guard let part = NameFacts(text).part(for: .handoffTo) else { continue }
                let named = AgentSpan.handoff(part)
                handoff = AgentSpan.Handoff(from: handoff.from ?? named.from, to: handoff.to ?? named.to)
            }
            handoff.from = handoff.from ?? span.agent.name
            span.handoff = handoff
        }
        if let kind = text(.waitKind, span) ?? Self.waitKind(ofAction: span)
            ?? (span.kind == .human || asksPerson(span) ? "human" : nil)
        {
            span.wait = AgentSpan.Wait(kind: kind, id: text(.waitID, span))
        }
        if let id = text(.nodeID, span) {
            span.node = AgentSpan.Node(id: id, parentID: text(.nodeParentID, span))
            span.kind = .node
        }
        if let node = graphNode() { graphNodes[row] = node }
        span.designNodes = first(.designNodes, span) { $0.texts } ?? []
        span.design = (first(.designEdges, span) { $0.texts } ?? []).compactMap { edge in
            guard let arrow = edge[...].firstRange(ofText: " -> ") else { return nil }
            return AgentSpan.DesignEdge(from: String(edge[..<arrow.lowerBound]), to: String(edge[arrow.upperBound...]))
        }
    }

    /// What a step such as `wait:human` waits for, where nothing else says so.
    private static func waitKind(ofAction span: AgentSpan) -> String? {
        guard span.kind == .wait, let action = span.work?.stepAction, action.hasPrefix("wait:") else { return nil }
        let target = String(action.dropFirst("wait:".count))
        return ["human", "session", "message", "lock", "rate_limit", "tool"].contains(target) ? target : nil
    }

    /// The node of a LangGraph in which the span is.
    private mutating func graphNode() -> String? {
        for key in keys.langGraphNodes {
            if let node = values.text(key) { return node }
        }
        return values.member("langgraph_node", of: keys.metadata)?.scalarText
    }

    // MARK: Models and tools

    private mutating func model(_ span: AgentSpan) -> AgentSpan.Model? {
        var model = AgentSpan.Model()
        model.provider = text(.provider, span)
        model.requested = text(.requestedModel, span)
        model.answered = text(.answeredModel, span)
        model.responseID = text(.responseID, span)
        model.finishReasons = first(.finishReasons, span) { $0.texts } ?? []
        model.firstChunkNanos = number(.firstChunk, span)?.count
        return model == AgentSpan.Model() ? nil : model
    }

    private mutating func tool(_ span: AgentSpan, _ name: NameFacts, _ scope: Scope) -> AgentSpan.Tool {
        let action = span.work?.stepAction.flatMap { $0.hasPrefix("tool:") ? String($0.dropFirst(5)) : nil }
        let toolName = text(.toolName, span) ?? part(.toolName, span, name) ?? action ?? span.name
        var tool = AgentSpan.Tool(name: toolName, layer: layer(span, scope))
        tool.callID = text(.toolCallID, span)
        tool.server = text(.toolServer, span)
        tool.requestID = text(.requestID, span)
        tool.argumentsHash =
            text(.argumentsHash, span).map(ArgumentsHash.told) ?? first(.toolArguments, span) { ArgumentsHash.of($0) }
        tool.resultBytes = number(.resultBytes, span)?.count ?? first(.toolResult, span) { JSONValue.byteCount($0) }
        return tool
    }

    private func layer(_ span: AgentSpan, _ scope: Scope) -> AgentSpan.ToolLayer {
        if scope.isProxy { return .proxy }
        if span.spanKind == .server { return .server }
        if span.name.hasPrefix("MCP send ") { return .transport }
        if span.name == "mcp.tools.call", own.contains(.codex) { return .client }
        return scope.isMCP || values.has(keys.mcpMethod) || span.dialect == .mcp ? .client : .agent
    }

    /// Whether a server of MCP asks the person at its client.
    private mutating func asksPerson(_ span: AgentSpan) -> Bool {
        span.kind == .protocolCall && values.text(keys.mcpMethod) == "elicitation/create"
    }
}
