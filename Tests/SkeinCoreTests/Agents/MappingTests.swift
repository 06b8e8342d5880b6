// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite struct MappingTests {
    /// A span of which the row `mapping` must be read: its example, and what makes it a span of the row's kind and dialect.
    static func span(_ mapping: Mapping) -> ClientSpan {
        var span = ClientSpan("span", [mapping.key: mapping.example])
        if mapping.isOwn {
            switch mapping.dialect {
            case .claudeCode: span.name = "claude_code.other"
            case .codex: span.service = "codex_exec"
            default: span.attributes.append(Attribute("logfire.span_type", "span"))
            }
        }
        if mapping.dialect == .workTrace {
            span.scope = "worktrace"
            if mapping.key != "worktrace.session.id" {
                span.attributes.append(Attribute("worktrace.session.id", "ses_1"))
            }
            if mapping.key.hasPrefix("worktrace.totals."), mapping.field != .totalSteps {
                span.attributes.append(Attribute("worktrace.totals.steps", 9))
            }
            if mapping.field == .kind { span.attributes.append(Attribute("worktrace.step.id", "st_1")) }
            if mapping.kinds == [.tool] { span.attributes.append(Attribute("worktrace.step.id", "st_1")) }
        }
        if mapping.field == .kind, mapping.dialect == .codex { span.attributes.append(Attribute("tool_name", "shell")) }
        if mapping.field != .kind { addKind(mapping, to: &span) }
        return span
    }

    private static func addKind(_ mapping: Mapping, to span: inout ClientSpan) {
        let needsModel: [Mapping.Field] = [
            .provider, .requestedModel, .answeredModel, .responseID, .finishReasons, .firstChunk, .inputTokens,
            .outputTokens, .cacheReadTokens, .cacheWriteTokens, .reasoningTokens, .totalTokens, .usd,
        ]
        let kind = mapping.kinds.first ?? (needsModel.contains(mapping.field) ? .llm : nil)
        let words: [AgentSpan.Kind: String] = [
            .agent: "invoke_agent", .llm: "chat", .tool: "execute_tool", .handoff: "handoff",
            .workflow: "invoke_workflow",
        ]
        if mapping.field == .handoffMode {
            span.attributes.append(Attribute("gen_ai.operation.name", "execute_tool"))
        } else if let word = kind.flatMap({ words[$0] }) {
            span.attributes.append(Attribute("gen_ai.operation.name", .string(word)))
        }
        if mapping.field == .subAgentName { span.attributes.append(Attribute("agent_id", "a1")) }
        if mapping.field == .waitID { span.attributes.append(Attribute("worktrace.wait.kind", "session")) }
        if mapping.field == .nodeParentID { span.attributes.append(Attribute("graph.node.id", "draft")) }
    }

    @Test(arguments: Mapping.table.indices)
    func `every row of the table is read`(row: Int) {
        let mapping = Mapping.table[row]
        let span = Self.span(mapping).read
        switch mapping.field {
        case .totalTokens: break  // Read in another light, see UsageReadingTests.
        case .toolArguments: #expect(span.tool?.argumentsHash != nil)
        default:
            #expect(
                span.text(mapping.field) == mapping.says,
                "\(mapping.key) \(mapping.member ?? "") of \(mapping.dialect)"
            )
        }
        if case .sum = mapping.reading, mapping.field == .inputTokens { #expect(span.isUsageSummed) }
    }

    @Test func `every field has a row`() {
        for field in Mapping.Field.allCases { #expect(Mapping.table.contains { $0.field == field }) }
    }

    @Test func `no row stands twice`() {
        let rows = Mapping.table.map {
            "\($0.field) \($0.key) \($0.member ?? "") \($0.isOwn ? $0.dialect.rawValue : "")"
        }
        #expect(Set(rows).count == rows.count)
    }

    @Test func `every word of every dialect is read as its kind`() {
        for mapping in Mapping.table where mapping.field == .kind {
            guard case .kind(let words) = mapping.reading else { continue }
            for word in words where !word.word.isEmpty {
                var span = Self.span(mapping)
                let text = word.isPrefix ? word.word + "x" : word.word
                span.attributes.removeAll { $0.key == mapping.key }
                span.attributes.append(Attribute(mapping.key, .string(text)))
                let read = span.read
                #expect(read.kind == word.kind, "\(mapping.key)=\(text)")
                if word.kind != nil { #expect(read.dialect == mapping.dialect) }
            }
        }
    }

    @Test(arguments: NameRule.table.indices)
    func `every rule for names is followed`(row: Int) {
        let rule = NameRule.table[row]
        var span = ClientSpan(rule.example)
        if rule.isOwn {
            switch rule.dialect {
            case .codex: span.service = "codex_exec"
            case .openInference: span.attributes = [Attribute("openinference.span.kind", "AGENT")]
            default: span.attributes = [Attribute("traceloop.span.kind", rule.kinds == [.tool] ? "tool" : "agent")]
            }
        } else if rule.says == .nothing {
            let word: AttributeValue = rule.kinds == [.tool] ? "execute_tool" : "invoke_agent"
            span.attributes = [Attribute("gen_ai.operation.name", word)]
        }
        let read = span.read
        switch rule.says {
        case .kind(let kind): #expect(read.kind == kind)
        case .none: #expect(read.kind == nil)
        case .nothing: break
        }
        if let field = rule.field { #expect(read.text(field) == rule.reads) }
    }

    @Test func `each is asked in its order`() {
        var attributes: [String: AttributeValue] = [
            "langfuse.observation.type": "agent", "openinference.span.kind": "LLM",
            "gen_ai.operation.name": "execute_tool",
            "traceloop.span.kind": "workflow", "sdk_span_type": "guardrail", "mcp.method.name": "tools/list",
        ]
        let order: [(String, AgentSpan.Kind)] = [
            ("langfuse.observation.type", .agent), ("openinference.span.kind", .llm), ("gen_ai.operation.name", .tool),
            ("traceloop.span.kind", .workflow), ("sdk_span_type", .guardrail), ("mcp.method.name", .protocolCall),
        ]
        for (key, kind) in order {
            #expect(ClientSpan("MCP send tools/call x", attributes).read.kind == kind)
            attributes[key] = nil
        }
        #expect(ClientSpan("MCP send tools/call x", attributes).read.kind == .tool)
        attributes["gen_ai.request.model"] = "gpt-5"
        #expect(ClientSpan("POST /v1/chat", attributes).read.kind == .llm)
    }

    @Test func `a session's key is taken from the first that has one`() {
        var attributes: [String: AttributeValue] = [
            "worktrace.session.id": "0", "langfuse.session.id": "1", "session.id": "2", "gen_ai.conversation.id": "3",
            "traceloop.association.properties.session_id": "4", "traceloop.association.properties.thread_id": "5",
            "metadata": "{\"a\":{\"thread_id\":\"no\"},\"thread_id\":\"6\"}", "group_id": "7", "agent_trace_id": "8",
            "mcp.session.id": "9", "logfire.msg": "x",
        ]
        let order = [
            "worktrace.session.id", "langfuse.session.id", "session.id", "gen_ai.conversation.id",
            "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id", "metadata",
            "group_id", "agent_trace_id",
        ]
        for (number, key) in order.enumerated() {
            #expect(ClientSpan("x", attributes).read.sessionKey == "\(number)")
            attributes[key] = nil
        }
        #expect(ClientSpan("x", attributes).read.sessionKey == nil)
    }

    @Test(arguments: [
        "00000000000000070000000000000009", "00000000-0000-0007-0000-000000000009",
    ])
    func `a trace's own id is no session's key`(id: String) {
        let span = ClientSpan("x", ["gen_ai.conversation.id": .string(id), "metadata": "{\"thread_id\":\"t\"}"])
        #expect(span.read.sessionKey == "t")
        #expect(ClientSpan("x", ["gen_ai.conversation.id": "00000000000000070000000000000008"]).read.sessionKey != nil)
    }

    @Test func `JSON text and structured values read alike`() {
        let structured = ClientSpan("x", ["metadata": .map([Attribute("thread_id", "t")])])
        #expect(structured.read.sessionKey == "t")
        let usage: AttributeValue = .map([Attribute("input", 120), Attribute("output", 7)])
        let span = ClientSpan(
            "x",
            ["langfuse.observation.type": "generation", "langfuse.observation.usage_details": usage]
        )
        #expect(span.read.usage?.inputTokens == 120)
        let list = ClientSpan("x", ["gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": "[\"stop\"]"])
        #expect(list.read.model?.finishReasons == ["stop"])
    }
}
