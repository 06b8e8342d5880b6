// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinPipeline
import Testing

@Suite struct ContentFilterTests {
    private static let dropping = ContentFilter(isKept: false, byteCountMax: 1 << 10)
    private static let keeping = ContentFilter(isKept: true, byteCountMax: 1 << 10)

    private static func dropped(_ span: ClientSpan, _ events: [SkeinModel.Span.Event] = []) -> SkeinModel.Span {
        var span = span.span
        span.events = events
        return dropping.filtered(SpanBatch(spans: [span])).batch.span(at: 0)
    }

    /// A span that holds content under the key of a row.
    private static func span(_ key: ContentKey, isAgent: Bool) -> ClientSpan {
        var span = ClientSpan("GET /cart")
        let name = key.form == .list ? key.key + ".0.content" : key.key
        let text: AttributeValue = key.form == .members ? "{\"instructions\":\"secret\",\"top_p\":1}" : "secret"
        span.attributes = [Attribute(name, text), Attribute("user.id", "u1")]
        guard isAgent else { return span }
        switch (key.holder, key.dialect) {
        case (.own, .claudeCode): span.name = "claude_code.tool"
        case (.own, .codex): span.service = "codex_exec"
        case (.own, _):
            span.attributes += [
                Attribute("logfire.span_type", "span"), Attribute("gen_ai.operation.name", "invoke_agent"),
            ]
        default: span.attributes.append(Attribute("gen_ai.operation.name", "chat"))
        }
        return span
    }

    @Test(arguments: ContentKey.table.indices)
    func `every row of the table is dropped, of agents' spans alone where anyone may use the key`(row: Int) {
        let key = ContentKey.table[row]
        let name = key.form == .list ? key.key + ".0.content" : key.key
        let agent = Self.dropped(Self.span(key, isAgent: true))
        #expect(agent.attributes[name] == (key.form == .members ? "{\"top_p\":1}" : nil), "\(name)")
        #expect(agent.attributes["user.id"] == "u1" && agent.attributes["worktrace.content.dropped"] == true)
        let service = Self.dropped(Self.span(key, isAgent: false))
        #expect((service.attributes["worktrace.content.dropped"] == true) == (key.holder == .any))
        if key.holder != .any { #expect(service == Self.span(key, isAgent: false).span) }
    }

    @Test func `no row stands twice, and all that conversations and hashes are read of is content`() {
        #expect(Set(ContentKey.table.map { "\($0.key) \($0.form) \($0.dialect)" }).count == ContentKey.table.count)
        let keys = Set(ContentKey.table.map(\.key))
        for mapping in Mapping.table {
            guard case .content = mapping.reading else { continue }
            #expect(keys.contains(mapping.key), "\(mapping.key)")
        }
        // What says who works, what it cost and how it went is none; names of handoffs stay although they come as content.
        for mapping in Mapping.table where keys.contains(mapping.key) {
            guard case .content = mapping.reading else {
                #expect(mapping.field == .handoffFrom || mapping.field == .handoffTo, "\(mapping.key)")
                continue
            }
        }
    }

    @Test func `a batch without content goes on as it is, and names of prompts are none`() {
        let span = ClientSpan("POST /v1", ["gen_ai.prompt.name": "greet", "input.value": "7", "http.route": "/v1"])
        let filtered = Self.dropping.filtered(SpanBatch(spans: [span.span]))
        #expect(filtered.changedCount == 0 && filtered.batch.span(at: 0) == span.span)
    }

    @Test func `messages that come as events lose their words and keep who spoke`() {
        func event(_ name: String, _ attributes: [Attribute]) -> SkeinModel.Span.Event {
            SkeinModel.Span.Event(timeUnixNanos: 1, name: name, attributes: attributes)
        }
        let said = [Attribute("role", "user"), Attribute("content", "secret"), Attribute("anything", "secret")]
        let message: AttributeValue = [.map([Attribute("role", "assistant"), Attribute("content", "secret")])]
        let span = Self.dropped(
            ClientSpan("chat", ["gen_ai.operation.name": "chat"]),
            [
                event("gen_ai.user.message", said), event("retry", said),
                event("gen_ai.client.inference.operation.details", [Attribute("gen_ai.output.messages", message)]),
                event("gen_ai.content.prompt", [Attribute("gen_ai.prompt", "secret")]),
            ]
        )
        #expect(span.events.map(\.attributes) == [[Attribute("role", "user")], said, [], []])
        #expect(span.attributes["worktrace.content.dropped"] == true)
        let tool = Self.dropped(
            ClientSpan("claude_code.tool"),
            [event("tool.output", [Attribute("bash_output", "secret")])]
        )
        #expect(tool.events[0].attributes.isEmpty)
        #expect(Self.dropped(ClientSpan("make"), [event("tool.output", said)]).events[0].attributes == said)
    }

    @Test(arguments: [
        "langfuse", "langgraph", "openai-logfire", "openai-openinference", "openai-openllmetry", "pydantic-delegate",
        "smolagents", "spawn", "mcp-stdio-2025-11-25",
    ])
    func `what is read of real agents is the same without content`(name: String) throws {
        let batch = try RecordedSpanTests.batch(name)
        let filtered = Self.dropping.filtered(batch).batch
        #expect(AgentSpan.read(filtered).map { "\($0)" } == AgentSpan.read(batch).map { "\($0)" })
        let spans = AgentSpan.read(batch)
        #expect(spans.indices.allSatisfy { spans[$0].kind == .handoff || Conversation.read(filtered, $0).isEmpty })
    }

    @Test func `equal calls are still known by their hash, and the length of a result stays`() {
        func call(_ arguments: String) -> ClientSpan {
            ClientSpan(
                "execute_tool grep",
                [
                    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": .string(arguments),
                    "gen_ai.tool.call.result": "three",
                ]
            )
        }
        let calls = [call("{\"a\":1,\"b\":2}"), call("{\"b\":2,\"a\":1}"), call("{\"a\":2}")]
        let spans = AgentSpan.read(Self.dropping.filtered(SpanBatch(spans: calls.map(\.span))).batch)
        #expect(spans.map(\.tool?.argumentsHash) == calls.read.map(\.tool?.argumentsHash))
        #expect(spans[0].tool?.argumentsHash == spans[1].tool?.argumentsHash)
        #expect(spans[0].tool?.argumentsHash != spans[2].tool?.argumentsHash)
        #expect(spans[0].tool?.resultBytes == 5)
    }

    @Test func `content that is kept is cut to its size between characters, and messages stay messages`() {
        let long = String(repeating: "é", count: 4000)
        let messages = "[{\"role\":\"user\",\"content\":\"\(long)\"},{\"role\":\"assistant\",\"content\":\"Done.\"}]"
        let many = (0..<200).map { "{\"role\":\"user\",\"content\":\"turn \($0)\"}" }.joined(separator: ",")
        let spans = [
            ClientSpan("chat", ["gen_ai.operation.name": "chat", "gen_ai.input.messages": .string(messages)]),
            ClientSpan("chat", ["gen_ai.operation.name": "chat", "gen_ai.input.messages": .string("[\(many)]")]),
            ClientSpan("chat", ["gen_ai.operation.name": "chat", "gen_ai.output.messages": .string(long)]),
            ClientSpan("GET /", ["input.value": .string(long)]),
        ]
        let filtered = Self.keeping.filtered(SpanBatch(spans: spans.map(\.span)))
        let batch = filtered.batch
        #expect(filtered.changedCount == 3 && batch.span(at: 3) == spans[3].span)
        #expect(Conversation.read(batch, 0).map(\.isTruncated) == [true, false])
        for row in 0..<3 {
            let attributes = batch.span(at: row).attributes
            #expect(attributes["worktrace.content.truncated"] == true)
            guard
                case .string(let text)? = attributes.first(where: {
                    $0.key.hasPrefix("gen_ai.i") || $0.key.hasPrefix("gen_ai.out")
                })?.value
            else {
                Issue.record("no content")
                continue
            }
            #expect(text.utf8.count <= 1 << 10 && text.utf8.count > 256)
        }
        let turns = Conversation.read(batch, 0)
        #expect(turns.map(\.role) == ["user", "assistant"] && turns[1].text == "Done.")
        #expect(turns[0].text.hasPrefix("éé") && turns[0].text.hasSuffix("… [cut: 8000 bytes]"))
        #expect(Conversation.read(batch, 1).last?.text == "turn 199")
        #expect(Conversation.read(batch, 2)[0].text.hasSuffix("… [cut: 8000 bytes]"))
    }

    @Test func `log records of agents lose their words, those of services nothing`() {
        func record(_ name: String, _ attributes: [Attribute], body: AttributeValue, scope: String = "") -> LogRecord {
            var record = LogRecord(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3), timeUnixNanos: 9, body: body)
            record.eventName = name
            record.attributes = attributes
            record.scope.name = scope
            return record
        }
        let message: AttributeValue = .map([Attribute("role", "user"), Attribute("content", "secret")])
        let claude = "com.anthropic.claude_code.events"
        let records = [
            record("gen_ai.user.message", [], body: message),
            record("", [Attribute("event.name", "gen_ai.choice")], body: message),
            record(
                "",
                [Attribute("prompt", "secret"), Attribute("cost_usd", 0.5)],
                body: "claude_code.user_prompt",
                scope: claude
            ),
            record("", [Attribute("prompt", "<REDACTED>")], body: "claude_code.user_prompt", scope: claude),
            record("checkout", [Attribute("prompt", "cash or card"), Attribute("input", "x")], body: "paid"),
        ]
        let batch = LogBatch(records: records)
        let kept = LogBatch(stored: Self.dropping.filtered(batch.rows, of: .logRecords).batch).records
        #expect(kept[0].body == .null && kept[1].body == .null)
        #expect(kept[2].attributes["prompt"] == nil && kept[2].attributes["cost_usd"] == 0.5)
        #expect(kept[2].body == "claude_code.user_prompt")
        #expect(kept[3] == records[3] && kept[4] == records[4])
        #expect(kept[..<3].allSatisfy { $0.attributes["worktrace.content.dropped"] == true })
    }

    @Test func `rules come first, so that what is kept is without secrets`() throws {
        let scrubber = Scrubber(try ScrubRules(parsing: "mask: *.arguments; detect: tokens"), telemetry: Telemetry()) {
            _ in ""
        }
        let token = "ghp_" + String(repeating: "a1B2", count: 9)
        let span = ClientSpan(
            "execute_tool sh",
            [
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "secret",
                "gen_ai.tool.call.result": .string(token + String(repeating: " and so on", count: 10_000)),
            ]
        )
        let stage = ContentStage(WorkContent(isKept: true), of: .spans, telemetry: Telemetry())
        let source = IntakeSource(protocolName: "otlp-http")
        let kept = try stage.process(scrubber.scrubbed(SpanBatch(spans: [span.span])), from: source).span(at: 0)
        #expect(kept.attributes["gen_ai.tool.call.arguments"] == "[redacted]")
        guard case .string(let result)? = kept.attributes["gen_ai.tool.call.result"] else {
            Issue.record("no result")
            return
        }
        #expect(result.hasPrefix("[redacted token] and so on") && result.utf8.count == 64 << 10)
        #expect(
            kept.attributes["worktrace.content.arguments.hash"]
                == .string(Hex.string(try #require(ArgumentsHashTests.hash("[redacted]"))))
        )
    }
}
