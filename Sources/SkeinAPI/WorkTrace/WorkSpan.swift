// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Sessions and steps as spans (`agents.md` §1.3): what is stored, queried and exported like all others.
enum WorkSpan {
    static let scope = InstrumentationScope(name: "worktrace")
    /// OTLP `flags`: whether the parent is remote is known, and it is.
    private static let remoteParent: UInt32 = 0x300
    private static let localParent: UInt32 = 0x100

    /// Where a link of a step leads; `nil` where nobody knows.
    typealias Resolve = (_ session: String, _ step: String) -> WorkSession.SpanLink?
    /// What a message was sent by; `nil` where nobody knows.
    typealias Sender = (_ message: String) -> WorkSession.SpanLink?

    /// The span of a session; of one that goes on, as it is at `now`.
    static func span(of session: WorkSession, at now: UInt64) -> Span {
        let place = session.place
        var span = Span(
            traceID: place.traceID,
            spanID: place.spanID,
            parentSpanID: place.parentSpanID,
            name: session.agentName.map { "invoke_agent \($0)" } ?? "invoke_agent",
            kind: .internal,
            startUnixNanos: session.startUnixNanos,
            durationNanos: duration(session.startUnixNanos, session.lastsUntil(now))
        )
        fill(&span, session, flags: place.isParentRemote ? remoteParent : 0)
        var attributes = sessionAttributes(session, isRoot: true)
        if let rate = session.verdict.rate {
            // Those of all sessions are stored.
            standAlone(&span, place)
            attributes += samplingAttributes(session.verdict, rate)
            attributes += session.summary ?? []
        }
        attributes.append(Attribute("gen_ai.operation.name", "invoke_agent"))
        attributes.append(Attribute("worktrace.session.state", .string(session.state)))
        if let outcome = session.outcome {
            attributes.append(Attribute("worktrace.session.outcome", .string(outcome)))
            apply(outcome, session.end.fields("error"), to: &span, &attributes)
        } else if !session.isAbandoned {
            attributes.append(Attribute("worktrace.open", true))
        }
        let end = session.end
        if let summary = end["summary"] { attributes.append(Attribute("worktrace.session.summary", summary)) }
        appendContentMarks(end, "summary", "worktrace.content.summary", to: &attributes)
        for fields in [session.fields, end] { appendContentFlags(fields, to: &attributes) }
        attributes += WorkContext.attributes(
            WorkContext.merged(session.fields.map("context"), end.map("context")).context,
            isTruncated: session.fields.flag("contextTruncated")
        )
        span.attributes = attributes
        span.events = session.events.map(event)
        if let origin = place.origin { span.links = [link(origin, relation: "spawned_by")] }
        return span
    }

    /// The span of a step; of one that goes on, as it is at `now`, of one that an abandoned session left open, as it was last.
    static func span(
        of step: WorkStep,
        in session: WorkSession,
        at now: UInt64,
        writesDrafts: Bool = false,
        resolve: Resolve,
        sender: Sender
    ) -> Span {
        let fields = step.fields
        let isLeft = !step.isEnded && !session.isEnded && session.isAbandoned
        let parent = fields.text("parentStepId").map { WorkID.span(ofSession: session.id, step: $0) }
        var span = Span(
            traceID: session.place.traceID,
            spanID: WorkID.span(ofSession: session.id, step: step.id),
            parentSpanID: parent ?? session.place.spanID,
            name: name(of: step, in: session),
            kind: step.kind == "agent" ? .client : .internal,
            startUnixNanos: step.startUnixNanos,
            durationNanos: duration(
                step.startUnixNanos,
                step.endUnixNanos ?? (isLeft ? session.lastsUntil(now) : now)
            )
        )
        fill(&span, session, flags: localParent)
        if fields.flag(standsAlone) { standAlone(&span, session.place) }
        var attributes = sessionAttributes(session, isRoot: false)
        attributes += stepAttributes(step, in: session)
        if fields.flag(isLate) { attributes.append(Attribute("worktrace.sampling.late", true)) }
        if writesDrafts { attributes += transferAttributes(step) }
        if let outcome = isLeft ? WorkOutcome.abandoned : step.outcome {
            attributes.append(Attribute("worktrace.step.outcome", .string(outcome)))
            if step.isEnded { apply(outcome, fields.fields("error"), to: &span, &attributes) }
        }
        if !step.isEnded, !isLeft { attributes.append(Attribute("worktrace.open", true)) }
        attributes += WorkContext.attributes(fields.map("stepContext"), isTruncated: fields.flag("contextTruncated"))
        span.attributes = attributes
        span.events = fields.list("events").map(event)
        span.links = links(of: step, resolve: resolve, sender: sender)
        return span
    }

    // MARK: Pieces

    private static func samplingAttributes(_ verdict: SessionVerdict, _ rate: Double) -> [Attribute] {
        var attributes = [
            Attribute("worktrace.sampling.decision", .string(verdict.phase.rawValue)),
            Attribute("worktrace.sampling.rate", .double(rate)),
            Attribute("worktrace.sampling.weight", .double(verdict.phase == .kept ? verdict.weight : 1)),
        ]
        if let reason = verdict.reason { attributes.append(Attribute("worktrace.sampling.reason", .string(reason))) }
        if verdict.isPartial { attributes.append(Attribute("worktrace.sampling.partial", true)) }
        return attributes
    }

    private static func fill(_ span: inout Span, _ session: WorkSession, flags: UInt32) {
        let service = session.agentName ?? "worktrace"
        var resource = [Attribute("service.name", .string(service))]
        if let version = session.fields["agentVersion"] { resource.append(Attribute("service.version", version)) }
        span.resource = Resource(attributes: resource)
        span.scope = scope
        span.flags = flags | (session.verdict.isSampled ? 1 : 0)
        span.traceState = session.verdict.traceState
        span.weight = session.verdict.phase == .kept ? session.verdict.weight : 1
    }

    /// The field of a step whose span is stored whatever becomes of its session, so that it stands for no other.
    static let standsAlone = "standsAlone"

    /// The field of a step that ended when its session had been summed up without it.
    static let isLate = "isLate"

    private static func standAlone(_ span: inout Span, _ place: WorkSession.Place) {
        span.weight = 1
        span.traceState = SessionRandomness.traceState(span.traceState, of: place.rootSessionID, threshold: 0)
    }

    private static func duration(_ start: UInt64, _ end: UInt64) -> UInt64 { end > start ? end - start : 0 }

    private static func name(of step: WorkStep, in session: WorkSession) -> String {
        let (fields, action) = (step.fields, step.action)
        let target = WorkKind.target(ofAction: action)
        switch step.kind {
        case "llm":
            return (fields.fields("llm").text("model") ?? target).map { "chat \($0)" } ?? "chat"
        case "tool":
            return (fields.fields("tool").text("name") ?? target).map { "execute_tool \($0)" } ?? "execute_tool"
        case "agent":
            let child = fields.text("childAgentName") ?? fields.text("childAgentId") ?? target
            return child.map { "invoke_agent \($0)" } ?? "invoke_agent"
        case "plan": return (session.agentName ?? target).map { "plan \($0)" } ?? "plan"
        default: return action
        }
    }

    private static let operations = [
        "llm": "chat", "tool": "execute_tool", "agent": "invoke_agent", "plan": "plan", "retrieval": "retrieval",
        "handoff": "execute_tool",
    ]

    /// What every span of a session carries.
    private static func sessionAttributes(_ session: WorkSession, isRoot: Bool) -> [Attribute] {
        let (fields, place) = (session.fields, session.place)
        var attributes = [
            Attribute("worktrace.session.id", .string(session.id)),
            Attribute("session.id", .string(session.id)),
            Attribute("worktrace.session.root_id", .string(place.rootSessionID)),
            Attribute("gen_ai.conversation.id", .string(session.sessionKey)),
        ]
        func add(_ key: String, _ text: String?) {
            if let text { attributes.append(Attribute(key, .string(text))) }
        }
        add("worktrace.session.parent_id", place.parentSessionID)
        add("worktrace.task.id", session.taskID)
        add("worktrace.task.priority", place.taskPriority)
        add("gen_ai.agent.id", fields.text("agentId"))
        add("gen_ai.agent.name", fields.text("agentName"))
        guard isRoot else { return attributes }
        add("gen_ai.agent.version", fields.text("agentVersion"))
        add("gen_ai.agent.description", fields.text("agentDescription"))
        add("worktrace.session.title", fields.text("title"))
        add("worktrace.session.thread_id", session.threadID)
        add("worktrace.session.parent_step_id", place.parentStepID)
        attributes.append(Attribute("worktrace.session.link_mode", .string(place.linkMode)))
        // By it a repetition is told from a conflict when the ledger has forgotten the session.
        add("worktrace.session.digest", session.startDigest?.description)
        for label in fields.map("labels") { attributes.append(Attribute("worktrace.label.\(label.key)", label.value)) }
        for budget in fields.map("budget") {
            attributes.append(Attribute("worktrace.budget.\(budget.key)", budget.value))
        }
        return attributes
    }

    private static func stepAttributes(_ step: WorkStep, in session: WorkSession) -> [Attribute] {
        let fields = step.fields
        var attributes = [
            Attribute("worktrace.step.id", .string(step.id)),
            Attribute("worktrace.step.kind", .string(step.kind)),
            Attribute("worktrace.step.action", .string(step.action)),
        ]
        func add(_ key: String, _ value: AttributeValue?) {
            if let value { attributes.append(Attribute(key, value)) }
        }
        add("worktrace.step.parent_id", fields["parentStepId"])
        add("worktrace.step.attempt", fields["attempt"])
        add("worktrace.step.retry_of", fields["retryOf"])
        add("gen_ai.operation.name", operations[step.kind].map { .string($0) })
        add("worktrace.child.session_id", fields["childSessionId"])
        add("worktrace.child.agent_id", fields["childAgentId"])
        add("worktrace.child.task", fields["task"])
        let tool = fields.fields("tool")
        let named: AttributeValue? =
            step.kind == "tool" ? WorkKind.target(ofAction: step.action).map { .string($0) } : nil
        add("gen_ai.tool.name", tool["name"] ?? named)
        add("gen_ai.tool.call.id", tool["callId"])
        add("gen_ai.tool.type", tool["type"])
        add("gen_ai.tool.description", tool["description"])
        add("worktrace.tool.server", tool["server"])
        add("worktrace.tool.result_bytes", tool["resultBytes"])
        add("gen_ai.tool.call.arguments", tool["arguments"])
        add("gen_ai.tool.call.result", tool["result"])
        let model = fields.fields("llm")
        add("gen_ai.provider.name", model["provider"])
        add("gen_ai.request.model", model["model"])
        add("gen_ai.response.model", model["responseModel"])
        add("gen_ai.response.id", model["responseId"])
        add("gen_ai.response.finish_reasons", model["finishReasons"])
        add("gen_ai.response.time_to_first_chunk", model["timeToFirstChunk"])
        add("gen_ai.request.stream", model["stream"])
        add("gen_ai.input.messages", model["input"])
        add("gen_ai.output.messages", model["output"])
        add("gen_ai.system_instructions", model["system"])
        let usage = fields.fields("usage")
        add("gen_ai.usage.input_tokens", usage["inputTokens"])
        add("gen_ai.usage.output_tokens", usage["outputTokens"])
        add("gen_ai.usage.cache_read.input_tokens", usage["cacheReadTokens"])
        add("gen_ai.usage.cache_creation.input_tokens", usage["cacheWriteTokens"])
        add("gen_ai.usage.reasoning.output_tokens", usage["reasoningTokens"])
        add("worktrace.cost.usd", usage.number("usd").map { .double($0) })
        let wait = fields.fields("waitsOn")
        add("worktrace.wait.kind", wait["kind"])
        add("worktrace.wait.id", wait["id"])
        for name in ["arguments", "result"] {
            appendContentMarks(tool, name, "worktrace.content.\(name)", to: &attributes)
        }
        for name in ["input", "output", "system"] {
            appendContentMarks(model, name, "worktrace.content.\(name)", to: &attributes)
        }
        appendContentFlags(fields, to: &attributes)
        for case .map(let event) in fields.list("events") { appendContentFlags(WorkFields(event), to: &attributes) }
        return deduplicated(attributes)
    }

    /// To whom control passes, and whether it comes back (semantic-conventions-genai, draft).
    private static func transferAttributes(_ step: WorkStep) -> [Attribute] {
        let mode: String
        switch (step.kind, step.fields.text("linkMode")) {
        case ("handoff", _): mode = "pass_control"
        case ("agent", let linkMode) where linkMode != "link": mode = "return_to_caller"
        default: return []
        }
        let target =
            step.fields.text("childAgentName") ?? step.fields.text("childAgentId")
            ?? WorkKind.target(ofAction: step.action)
        var attributes = [Attribute("gen_ai.transfer.mode", .string(mode))]
        if let target { attributes.append(Attribute("gen_ai.transfer.target.name", .string(target))) }
        return attributes
    }

    /// Length and hash of content, and whether it is there whole.
    private static func appendContentMarks(
        _ fields: WorkFields,
        _ name: String,
        _ key: String,
        to attributes: inout [Attribute]
    ) {
        guard let hash = fields[name + "Hash"] else { return }
        if let bytes = fields[name + "Bytes"] { attributes.append(Attribute(key + ".bytes", bytes)) }
        attributes.append(Attribute(key + ".hash", hash))
        appendContentFlags(fields, to: &attributes)
    }

    private static func appendContentFlags(_ fields: WorkFields, to attributes: inout [Attribute]) {
        for (name, key) in [("contentDropped", "dropped"), ("contentTruncated", "truncated")]
        where fields.flag(name) && attributes["worktrace.content.\(key)"] == nil {
            attributes.append(Attribute("worktrace.content.\(key)", true))
        }
    }

    private static func deduplicated(_ attributes: [Attribute]) -> [Attribute] {
        var seen: Set<String> = []
        return attributes.filter { seen.insert($0.key).inserted }
    }

    /// Status and `error.type` of an outcome.
    private static func apply(
        _ outcome: String,
        _ error: WorkFields,
        to span: inout Span,
        _ attributes: inout [Attribute]
    ) {
        let type = error.text("type")
        if WorkOutcome.isFailed(outcome) {
            span.status = Span.Status(.error, message: error.text("message") ?? "")
            attributes.append(Attribute("error.type", .string(type ?? outcome)))
        } else if outcome == "success" {
            span.status = Span.Status(.ok)
        } else if let type {
            // Of a cancellation only the system's own has one: whoever was told to stop did not fail.
            attributes.append(Attribute("error.type", .string(type)))
        }
    }

    private static func event(_ value: AttributeValue) -> Span.Event {
        guard case .map(let pairs) = value else { return Span.Event(timeUnixNanos: 0, name: "") }
        let fields = WorkFields(pairs)
        let id = fields["id"].map { [Attribute("worktrace.event.id", $0)] } ?? []
        return Span.Event(
            timeUnixNanos: fields.nanos("time") ?? 0,
            name: fields.text("name") ?? "",
            attributes: fields.map("attributes") + id
        )
    }

    private static func links(of step: WorkStep, resolve: Resolve, sender: Sender) -> [Span.Link] {
        var links: [Span.Link] = []
        for value in step.fields.list("links") {
            guard case .map(let pairs) = value else { continue }
            let fields = WorkFields(pairs)
            var target: WorkSession.SpanLink?
            if let session = fields.text("sessionId") { target = resolve(session, fields.text("stepId") ?? "") }
            if let trace = fields.text("traceId").flatMap({ TraceID(hex: $0) }),
                let span = fields.text("spanId").flatMap({ SpanID(hex: $0) })
            {
                target = WorkSession.SpanLink(traceID: trace, spanID: span)
            }
            guard let target else { continue }
            var link = link(target, relation: relation(fields.text("relation")))
            // A span's id does not tell of what step it is.
            for (key, name) in [(linkedSession, "sessionId"), (linkedStep, "stepId")] {
                if let id = fields.text(name) { link.attributes.append(Attribute(key, .string(id))) }
            }
            links.append(link)
        }
        for message in step.fields.texts("messageIds") {
            guard let target = sender(message) else { continue }
            var link = link(target, relation: "message")
            link.attributes.append(Attribute("messaging.message.id", .string(message)))
            links.append(link)
        }
        return links
    }

    /// Of a link the session and the step that it leads to, as they were named.
    static let linkedSession = "worktrace.link.session_id"
    static let linkedStep = "worktrace.link.step_id"

    /// `causedBy` as `caused_by`.
    private static func relation(_ word: String?) -> String {
        var out = ""
        for scalar in (word ?? "caused_by").unicodeScalars {
            if (0x41...0x5a).contains(scalar.value) {
                if !out.isEmpty { out += "_" }
                out += String(scalar).lowercased()
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func link(_ target: WorkSession.SpanLink, relation: String) -> Span.Link {
        Span.Link(
            traceID: target.traceID,
            spanID: target.spanID,
            attributes: [Attribute("worktrace.link.relation", .string(relation))]
        )
    }
}
