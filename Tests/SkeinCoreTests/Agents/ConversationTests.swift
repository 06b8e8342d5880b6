// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite struct ConversationTests {
    typealias Turn = Conversation.Turn

    static func turns(_ attributes: [String: AttributeValue], _ events: [SkeinModel.Span.Event] = []) -> [Turn] {
        var span = ClientSpan("x", attributes).span
        span.events = events
        return turns(of: span)
    }

    static func turns(of span: SkeinModel.Span) -> [Turn] {
        let batch = SpanBatch(spans: [span])
        let turns = Conversation.read(batch, 0)
        var rows = Conversation.Rows(batch)
        #expect(turns.isEmpty || rows.mayTell(0), "by its keys \(span.attributes.map(\.key)) the span tells nothing")
        return turns
    }

    static let said = [
        Turn(role: "system", kind: .system, text: "Be brief."), Turn(role: "user", kind: .text, text: "2+2?"),
        Turn(role: "assistant", kind: .toolCall, text: "{\"a\":2}", toolName: "add", callID: "c1"),
        Turn(role: "tool", kind: .toolResult, text: "4", callID: "c1"),
        Turn(role: "assistant", kind: .text, text: "Four."),
    ]

    @Test func `the convention's messages are read`() {
        let turns = Self.turns([
            "gen_ai.system_instructions": "[{\"type\":\"text\",\"content\":\"Be brief.\"}]",
            "gen_ai.input.messages":
                """
            [{"role":"user","parts":[{"type":"text","content":"2+2?"}]},
             {"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"add","arguments":{"a":2}}]},
             {"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":4}]}]
            """,
            "gen_ai.output.messages":
                "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Four.\"}]}]",
        ])
        #expect(turns == Self.said)
    }

    @Test func `structured messages, and those of an event, read alike`() {
        let part: AttributeValue = .map([Attribute("type", "reasoning"), Attribute("content", "hm")])
        let message: AttributeValue = [.map([Attribute("role", "assistant"), Attribute("parts", [part])])]
        let expected = [Turn(role: "assistant", kind: .reasoning, text: "hm")]
        #expect(Self.turns(["gen_ai.output.messages": message]) == expected)
        let event = SkeinModel.Span.Event(
            timeUnixNanos: 1,
            name: "gen_ai.client.inference.operation.details",
            attributes: [Attribute("gen_ai.output.messages", message)]
        )
        #expect(Self.turns([:], [event]) == expected)
    }

    @Test func `older events of messages are read in their order`() {
        func event(_ name: String, _ attributes: [String: AttributeValue]) -> SkeinModel.Span.Event {
            SkeinModel.Span.Event(
                timeUnixNanos: 1,
                name: name,
                attributes: attributes.map { Attribute($0.key, $0.value) }
            )
        }
        let turns = Self.turns(
            [:],
            [
                event("gen_ai.system.message", ["content": "Be brief."]),
                event("gen_ai.user.message", ["content": "2+2?"]),
                event(
                    "gen_ai.assistant.message",
                    [
                        "tool_calls":
                            "[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":2}\"}}]"
                    ]
                ),
                event("gen_ai.tool.message", ["content": "4", "id": "c1"]),
                event("gen_ai.choice", ["index": 0, "message": "{\"role\":\"assistant\",\"content\":\"Four.\"}"]),
            ]
        )
        #expect(turns == Self.said)
    }

    @Test func `Logfire's list of events is read`() {
        let turns = Self.turns([
            "events":
                """
            [{"event.name":"gen_ai.system.message","content":"Be brief."},
             {"event.name":"gen_ai.user.message","content":"2+2?","role":"user"},
             {"event.name":"gen_ai.assistant.message","role":"assistant",
              "tool_calls":[{"id":"c1","function":{"name":"add","arguments":"{\\"a\\":2}"}}]},
             {"event.name":"gen_ai.tool.message","role":"tool","id":"c1","content":"4"},
             {"event.name":"gen_ai.choice","message":{"role":"assistant","content":"Four."}}]
            """
        ])
        #expect(turns == Self.said)
    }

    @Test func `OpenInference's attributes are put together`() {
        let prefix = "llm.input_messages."
        let turns = Self.turns([
            prefix + "0.message.role": "system", prefix + "0.message.content": "Be brief.",
            prefix + "1.message.role": "user", prefix + "1.message.contents.0.message_content.type": "text",
            prefix + "1.message.contents.0.message_content.text": "2+2?", prefix + "2.message.role": "assistant",
            prefix + "2.message.tool_calls.0.tool_call.id": "c1",
            prefix + "2.message.tool_calls.0.tool_call.function.name": "add",
            prefix + "2.message.tool_calls.0.tool_call.function.arguments": "{\"a\":2}",
            prefix + "3.message.role": "tool", prefix + "3.message.tool_call_id": "c1",
            prefix + "3.message.content": "4",
            "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "Four.",
            "input.value": "unused",
        ])
        #expect(turns == Self.said)
    }

    @Test func `OpenLLMetry's prompts are put together, the tenth behind the second`() {
        var attributes: [String: AttributeValue] = [:]
        for number in 0..<12 {
            attributes["gen_ai.prompt.\(number).role"] = "user"
            attributes["gen_ai.prompt.\(number).content"] = .string("\(number)")
        }
        attributes["gen_ai.completion.0.role"] = "assistant"
        attributes["gen_ai.completion.0.tool_calls.0.name"] = "add"
        attributes["gen_ai.completion.0.tool_calls.0.id"] = "c1"
        attributes["gen_ai.completion.0.tool_calls.0.arguments"] = "{}"
        let turns = Self.turns(attributes)
        #expect(turns.dropLast().map(\.text) == (0..<12).map { "\($0)" })
        #expect(turns.last == Turn(role: "assistant", kind: .toolCall, text: "{}", toolName: "add", callID: "c1"))
    }

    @Test func `Langfuse's input and output are read`() {
        let turns = Self.turns([
            "langfuse.observation.type": "generation",
            "langfuse.observation.input":
                "{\"messages\":[{\"role\":\"user\",\"content\":\"{\\\"not\\\":\\\"parsed\\\"}\"}]}",
            "langfuse.observation.output": "Four.",
        ])
        #expect(
            turns == [
                Turn(role: "user", kind: .text, text: "{\"not\":\"parsed\"}"),
                Turn(role: "assistant", kind: .text, text: "Four."),
            ]
        )
    }

    @Test func `a tool is given something and gives something back`() {
        let turns = Self.turns([
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add", "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": .map([Attribute("a", 2)]), "gen_ai.tool.call.result": "4",
        ])
        #expect(
            turns == [
                Turn(role: "assistant", kind: .toolCall, text: "{\"a\":2}", toolName: "add", callID: "c1"),
                Turn(role: "tool", kind: .toolResult, text: "4", toolName: "add", callID: "c1"),
            ]
        )
    }

    @Test func `items of the Responses interface are read`() {
        let turns = Self.turns([
            "input.value":
                """
            [{"role":"user","content":[{"type":"input_text","text":"2+2?"}]},
             {"type":"function_call","id":"fc_1","call_id":"c1","name":"add","arguments":"{}"},
             {"type":"function_call_output","call_id":"c1","output":"4"}]
            """
        ])
        #expect(turns.map(\.kind) == [.text, .toolCall, .toolResult])
        #expect(turns.map(\.callID) == [nil, "c1", "c1"])
    }

    @Test func `nothing recorded is nothing said`() {
        #expect(Self.turns(["gen_ai.operation.name": "chat"]).isEmpty)
        #expect(Self.turns(["gen_ai.input.messages": "[]"]).isEmpty)
    }

    @Test func `long words are cut between characters, and so are endless lists`() throws {
        let long = String(repeating: "é", count: Conversation.textBytesMax)
        let turn = try #require(Self.turns(["input.value": .string("x" + long)]).first)
        #expect(turn.isTruncated && turn.text.utf8.count == Conversation.textBytesMax - 1)
        let list = "[" + (0..<5000).map { "\"\($0)\"" }.joined(separator: ",") + "]"
        #expect(Self.turns(["input.value": .string(list)]).count == Conversation.turnsMax)
        let deep = String(repeating: "{\"message\":", count: 200) + "1" + String(repeating: "}", count: 200)
        _ = Self.turns(["input.value": .string(deep)])
    }

    @Test func `Claude Code's texts are read where it sends them`() {
        func turns(_ name: String, _ attributes: [String: AttributeValue]) -> [Turn] {
            Self.turns(of: ClientSpan(name, attributes).span)
        }
        let call: [String: AttributeValue] = ["new_context": "Fix it.", "response.model_output": "Done."]
        #expect(
            turns("claude_code.llm_request", call) == [
                Turn(role: "user", kind: .text, text: "Fix it."), Turn(role: "assistant", kind: .text, text: "Done."),
            ]
        )
        #expect(turns("claude_code.interaction", ["user_prompt": "Fix it."]).map(\.text) == ["Fix it."])
        #expect(turns("claude_code.interaction", ["user_prompt": "<REDACTED>"]).isEmpty)
        #expect(turns("llm_request", call).isEmpty)
    }
}
