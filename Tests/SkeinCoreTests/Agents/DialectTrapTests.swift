// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite struct DialectTrapTests {
    @Test func `what a task is and how urgent, an agent of any dialect may say`() {
        let agent = ClientSpan(
            "invoke_agent lead",
            [
                "gen_ai.operation.name": "invoke_agent", "worktrace.task.id": "task-17",
                "worktrace.task.priority": "low",
            ]
        ).read
        #expect(agent.kind == .agent && agent.work == nil)
        #expect(agent.taskID == "task-17" && agent.taskPriority == "low")
    }

    // MARK: The Model Context Protocol

    @Test func `one call of a tool is seen in five layers`() {
        let spans = [
            ClientSpan("execute_tool add", ["gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add"]),
            ClientSpan("tools/call add", ["mcp.method.name": "tools/call", "jsonrpc.request.id": 2]).with(
                \.kind,
                .client
            ),
            ClientSpan("MCP send tools/call add", ["mcp.method.name": "tools/call", "jsonrpc.request.id": "2"])
                .with(\.kind, .client),
            ClientSpan("tools/call add", ["mcp.method.name": "tools/call", "gen_ai.tool.name": "add"])
                .with(\.kind, .client).with(\.scope, "skein-mcp-proxy"),
            ClientSpan(
                "tools/call add",
                ["mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add"]
            ).with(\.kind, .server),
        ].read
        #expect(spans.allSatisfy { $0.isToolCall && $0.tool?.name == "add" })
        #expect(spans.map(\.tool?.layer) == [.agent, .client, .transport, .proxy, .server])
        #expect(spans[1].tool?.requestID == "2" && spans[2].tool?.requestID == "2")
    }

    @Test(arguments: [
        ("MCP send server/discover", "server/discover"), ("notifications/cancelled", "notifications/cancelled"),
        ("subscriptions/listen", "subscriptions/listen"), ("tools/list", "tools/list"), ("initialize", "initialize"),
    ])
    func `only calls of tools are calls`(name: String, method: String) {
        let span = ClientSpan(name, ["mcp.method.name": .string(method)]).with(\.kind, .server).read
        #expect(span.kind == .protocolCall && span.tool == nil && !span.isToolCall)
    }

    @Test func `who is asked by a server is waited for`() {
        let span = ClientSpan("elicitation/create", ["mcp.method.name": "elicitation/create"]).with(\.kind, .client)
            .read
        #expect(span.kind == .protocolCall && span.wait?.kind == "human")
        #expect(ClientSpan("sampling/createMessage", ["mcp.method.name": "sampling/createMessage"]).read.wait == nil)
    }

    @Test func `a name alone says that a tool is called`() {
        #expect(ClientSpan("MCP send tools/call read file").read.tool?.name == "read file")
        #expect(ClientSpan("tools/call ").read.kind == nil)
        #expect(ClientSpan("GET /tools/call add").read.kind == nil)
    }

    @Test func `an old MCP instrumentation is a client`() {
        let span = ClientSpan("add.tool", ["traceloop.span.kind": "tool", "traceloop.entity.name": "add"])
            .with(\.scope, "opentelemetry.instrumentation.mcp").read
        #expect(span.tool?.layer == .client && span.tool?.name == "add")
    }

    // MARK: Claude Code

    @Test func `Claude Code's spans are its agent's work`() throws {
        let spans = [
            ClientSpan("claude_code.interaction", ["gen_ai.operation.name": "invoke_agent", "session.id": "s"]),
            ClientSpan(
                "claude_code.llm_request",
                [
                    "gen_ai.request.model": "claude-5", "input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 80,
                    "cache_creation_tokens": 7, "ttft_ms": 250, "gen_ai.response.id": "req_1",
                    "stop_reason": "end_turn",
                ]
            ),
            ClientSpan(
                "claude_code.tool",
                [
                    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "mcp__fs__read",
                    "gen_ai.tool.call.id": "toolu_1", "anthropic.mcp.server.name": "fs",
                ]
            ),
            ClientSpan("claude_code.tool.execution", ["success": true]),
        ].map { $0.with(\.service, "claude-code") }.read
        #expect(spans.map(\.kind) == [.agent, .llm, .tool, nil])
        #expect(spans[0].agent.name == "claude-code" && spans[0].sessionKey == "s")
        let usage = try #require(spans[1].usage)
        #expect(usage.inputTokens == 97 && usage.cacheReadTokens == 80 && usage.cacheWriteTokens == 7)
        #expect(spans[1].model?.firstChunkNanos == 250_000_000 && spans[1].model?.finishReasons == ["end_turn"])
        #expect(spans[2].tool?.server == "fs" && spans[2].tool?.callID == "toolu_1")
    }

    @Test(arguments: [
        ("user", true), ("user_permanent", true), ("user_reject", true), ("config", false), ("hook", false),
    ])
    func `waiting for a user is a wait only when a user decides`(source: String, isWait: Bool) {
        let span = ClientSpan("claude_code.tool.blocked_on_user", ["decision": "accept", "source": .string(source)])
            .read
        #expect(span.kind == (isWait ? .human : nil))
        #expect(span.wait == (isWait ? AgentSpan.Wait(kind: "human") : nil))
    }

    @Test func `a sub-agent of Claude Code is named by the last part of its source`() {
        let span = ClientSpan(
            "claude_code.llm_request",
            ["agent_id": "a1", "query_source_safe": "agent.builtin.general-purpose"]
        ).read
        #expect(span.subAgent == AgentSpan.Agent(name: "general-purpose", id: "a1"))
        #expect(ClientSpan("claude_code.llm_request", ["query_source_safe": "repl_main_thread"]).read.subAgent == nil)
        // Anyone else may have an `agent_id`.
        #expect(ClientSpan("GET /", ["agent_id": "a1", "input_tokens": 4]).read.subAgent == nil)
    }

    // MARK: Codex

    @Test func `Codex's inside is noise around its turns`() {
        let spans = [
            ClientSpan("submission_dispatch", ["thread.id": "th"]),
            ClientSpan(
                "session_task.turn",
                [
                    "thread.id": "th", "gen_ai.conversation.id": "turn-1", "model": "gpt-5-codex",
                    "codex.turn.token_usage.input_tokens": 100, "codex.turn.token_usage.cached_input_tokens": 40,
                    "codex.turn.token_usage.output_tokens": 9,
                ]
            ),
            ClientSpan("handle_responses", ["gen_ai.usage.input_tokens": 100]),
            ClientSpan("model_client.stream_responses_websocket"),
            ClientSpan("exec_command", ["tool_name": "shell", "call_id": "c1", "thread.id": "th"]),
            // It waits for the call, and is none.
            ClientSpan("handle_tool_call", ["thread.id": 5]),
            ClientSpan("mcp.tools.call", ["tool.name": "add", "tool.call_id": "c2", "mcp.server.name": "demo"]),
        ].map { $0.with(\.service, "codex_exec") }.read
        #expect(spans.map(\.kind) == [nil, .agent, nil, .llm, .tool, nil, .tool])
        #expect(spans.map(\.isHidden) == [true, false, true, false, false, true, false])
        // The thread of the operating system.
        #expect(spans[5].sessionKey == nil)
        #expect(spans[6].tool?.callID == "c2" && spans[6].tool?.server == "demo" && spans[6].tool?.layer == .client)
        #expect(spans[1].agent.name == "codex_exec" && spans[1].sessionKey == "th")
        #expect(spans[1].usage?.inputTokens == 100 && spans[1].usage?.cacheReadTokens == 40)
        #expect(spans[4].tool?.name == "shell" && spans[4].tool?.callID == "c1")
        #expect(ClientSpan("session_task.turn").with(\.service, "shop").read.kind == nil)
    }

    // MARK: Handoffs

    @Test(arguments: [
        ("handoff to coder", ["openinference.span.kind": "TOOL", "input.value": "triage", "output.value": "coder"]),
        ("Handoff: triage → coder", [:]),
        ("Handoff: {from_agent} → {to_agent}", ["logfire.msg": "Handoff: triage → coder"]),
        (
            "Handoff: {from_agent} → {to_agent}",
            ["logfire.msg_template": "Handoff: {from_agent} → {to_agent}", "from_agent": "triage", "to_agent": "coder"]
        ),
        ("triage → coder.handoff", ["traceloop.span.kind": "handoff"]),
        (
            "execute_tool transfer_to_coder",
            [
                "gen_ai.operation.name": "execute_tool", "gen_ai.transfer.mode": "pass_control",
                "gen_ai.transfer.target.name": "coder", "gen_ai.agent.name": "triage",
                "gen_ai.tool.name": "transfer_to_coder",
            ]
        ),
    ])
    func `control is handed over`(name: String, attributes: [String: String]) {
        let span = ClientSpan(name, attributes.mapValues { .string($0) }).read
        #expect(span.kind == .handoff && span.handoff == AgentSpan.Handoff(from: "triage", to: "coder"))
        #expect(!span.isToolCall)
    }

    @Test func `a client may not know to whom it hands over`() {
        let span = ClientSpan(
            "triage → unknown.handoff",
            ["gen_ai.operation.name": "handoff", "gen_ai.handoff.from_agent": "triage"]
        ).read
        #expect(span.handoff == AgentSpan.Handoff(from: "triage", to: nil))
    }

    @Test func `an agent called as a tool hands nothing over`() {
        let span = ClientSpan(
            "execute_tool ask",
            [
                "gen_ai.operation.name": "execute_tool", "gen_ai.transfer.mode": "return_to_caller",
                "gen_ai.transfer.target.name": "coder",
            ]
        ).read
        #expect(span.kind == .tool && span.handoff == nil && span.tool?.name == "ask")
    }

    @Test func `a tool that is named like a handoff is one`() {
        let span = ClientSpan("handoff to human", ["openinference.span.kind": "TOOL", "tool.name": "handoff to human"])
            .read
        #expect(span.kind == .tool)
    }

    // MARK: Agents and their wrappers

    @Test func `a wrapper names no agent`() {
        let wrappers = [
            ClientSpan("Agent workflow", ["openinference.span.kind": "AGENT"]),
            ClientSpan("Step 1", ["openinference.span.kind": "CHAIN"]),
            ClientSpan(
                "OpenAI Agents trace: {name}",
                ["name": "x", "logfire.msg_template": "OpenAI Agents trace: {name}"]
            ),
            ClientSpan("Agent Workflow", ["traceloop.span.kind": "workflow"]),
            ClientSpan("Turn {turn} for agent x", ["sdk_span_type": "turn", "logfire.msg": "Turn 1 for agent x"]),
            ClientSpan("running 2 tools", ["tools": ["a", "b"], "logfire.msg": "running 2 tools"]),
            ClientSpan("running tools", ["tools": ["a", "b"], "logfire.msg": "running 2 tools"]),
            ClientSpan("running tool", ["tools": ["a"], "logfire.msg": "running 1 tool"]),
        ].read
        for span in wrappers {
            #expect(span.kind != .agent || span.agent.name == nil, "\(span.name)")
            #expect(!span.isToolCall && !span.isModelCall, "\(span.name)")
        }
    }

    @Test func `each dialect names its agents`() {
        let spans = [
            ClientSpan("Agent run: {name!r}", ["logfire.msg_template": "Agent run: {name!r}", "name": "a"]),
            ClientSpan(
                "Agent run: {name!r}",
                ["logfire.msg_template": "Agent run: {name!r}", "logfire.msg": "Agent run: 'a'"]
            ),
            ClientSpan("agent run", ["agent_name": "a", "model_name": "test", "logfire.msg": "a run"]),
            ClientSpan("invoke_agent a", ["gen_ai.operation.name": "invoke_agent"]),
            ClientSpan("a.agent", ["traceloop.span.kind": "agent"]),
            ClientSpan("a.run", ["openinference.span.kind": "AGENT"]),
            ClientSpan("x", ["openinference.span.kind": "AGENT", "graph.node.id": "a"]),
            ClientSpan("a", ["langfuse.observation.type": "agent"]),
        ].read
        #expect(spans.map(\.kind) == Array(repeating: .agent, count: spans.count))
        #expect(spans.map(\.agent.name) == Array(repeating: "a", count: spans.count))
    }

    @Test func `pydantic-ai's older spans of tools are calls`() {
        let span = ClientSpan(
            "running tool",
            [
                "gen_ai.tool.name": "grep", "gen_ai.tool.call.id": "c", "tool_arguments": "{}", "tool_response": "ok",
                "pydantic_ai.tool.retry.attempt": 2,
            ]
        ).with(\.scope, "pydantic-ai").read
        #expect(span.tool?.name == "grep" && span.tool?.resultBytes == 2 && span.attempt == 2)
    }

    @Test func `a plain span with an agent's baggage does no agent's work`() {
        let span = ClientSpan("GET /", ["gen_ai.agent.name": "lead", "gen_ai.conversation.id": "c", "session.id": "s"])
        #expect(span.read.kind == nil && span.read.agent.name == "lead")
        #expect(span.read.sessionKey == "s")
    }

    @Test func `Vercel's inner span is the call of the model`() {
        let attributes: [String: AttributeValue] = ["ai.usage.inputTokens": 10, "ai.usage.outputTokens": 2]
        let outer = ClientSpan("ai.generateText", attributes.merging(["ai.operationId": "ai.generateText"]) { $1 }).read
        #expect(outer.kind == .workflow && !outer.isModelCall)
        let inner = ClientSpan(
            "ai.generateText.doGenerate",
            attributes.merging(["ai.operationId": "ai.generateText.doGenerate", "gen_ai.system": "openai.chat"]) { $1 }
        ).read
        #expect(inner.isModelCall && inner.usage?.inputTokens == 10 && inner.dialect == .vercel)
    }

    // MARK: WorkTrace

    @Test func `WorkTrace's own spans tell their session and step`() throws {
        let session = ClientSpan(
            "invoke_agent coder",
            [
                "worktrace.session.id": "ses_7", "worktrace.session.parent_id": "ses_2",
                "gen_ai.operation.name": "invoke_agent",
                "worktrace.session.state": "running", "worktrace.session.link_mode": "link",
                "gen_ai.agent.name": "coder",
                "worktrace.task.priority": "high", "gen_ai.conversation.id": "grp",
            ]
        ).with(\.scope, "worktrace").read
        let work = try #require(session.work)
        #expect(session.kind == .agent && session.isOpen && work.isSession && work.isLinked && work.threadID == "grp")
        let step = ClientSpan(
            "deploy",
            [
                "worktrace.session.id": "ses_7", "worktrace.step.id": "st_1", "worktrace.step.action": "deploy",
                "worktrace.step.kind": "custom", "worktrace.step.outcome": "success",
                "worktrace.step.parent_id": "st_0",
            ]
        ).with(\.scope, "worktrace").read
        #expect(step.kind == .custom && !step.isOpen && step.work?.parentStepID == "st_0")
        let guest = ClientSpan("GET /", ["worktrace.session.id": "ses_7"]).read
        #expect(guest.work == nil && guest.kind == nil && guest.sessionKey == "ses_7")
    }

    @Test func `our own tool is hidden`() {
        let tool: [String: AttributeValue] = ["gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "do-trace"]
        #expect(ClientSpan("execute_tool do-trace", tool).read.isHidden)
        for name in ["mcp__skein__do-trace", "skein_do-trace-log-step", "do-trace-get-session", "skein.do-trace"] {
            #expect(ClientSpan("execute_tool", tool.merging(["gen_ai.tool.name": .string(name)]) { $1 }).read.isHidden)
        }
        for name in ["undo-trace", "do-traces", "do-trac"] {
            #expect(!ClientSpan("execute_tool", tool.merging(["gen_ai.tool.name": .string(name)]) { $1 }).read.isHidden)
        }
        let marked = tool.merging(["worktrace.self": true, "gen_ai.tool.name": "x"]) { $1 }
        #expect(ClientSpan("tools/call x", marked).read.isHidden && !ClientSpan("x", marked).read.isToolCall)
    }

    // MARK: Hostile input

    @Test func `values of the wrong type are passed over`() {
        let odd: [AttributeValue] = [
            .null, .array([]), .map([]), .bytes([1]), "", .double(.nan), .double(-1), .int(.min),
        ]
        for value in odd {
            for mapping in Mapping.table {
                var span = ClientSpan("tools/call x", [mapping.key: value])
                span.attributes.append(Attribute("gen_ai.operation.name", "chat"))
                #expect(span.read.name == "tools/call x")
            }
        }
        let span = ClientSpan(
            "chat",
            ["gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": -5, "gen_ai.usage.output_tokens": 1e300]
        ).read
        #expect(span.usage == nil)
    }

    @Test func `every span of a batch is read, in its order`() {
        let spans = (0..<500).map {
            ClientSpan("execute_tool t\($0)", ["gen_ai.operation.name": "execute_tool"]).with(\.id, $0 + 1)
        }
        let read = spans.read
        #expect(read.map(\.tool?.name) == (0..<500).map { "t\($0)" })
        #expect(AgentSpan.read(SpanBatch()).isEmpty)
    }
}
