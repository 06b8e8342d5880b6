// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// What was said in one span, where the client records it: to a model and by it, to a tool and by it.
package enum Conversation {
    /// One thing that was said.
    package struct Turn: Hashable, Sendable {
        /// As the client calls it, such as `user`, `assistant`, `tool`, `system`.
        package var role: String
        package var kind: Kind
        /// The words, or JSON of arguments and of what is no text; at most ``textBytesMax`` bytes.
        package var text: String
        package var toolName: String?
        /// The id that joins a call and its result.
        package var callID: String?
        /// Whether ``text`` is not whole: cut when it was stored, or here.
        package var isTruncated = false

        package init(
            role: String,
            kind: Kind,
            text: String,
            toolName: String? = nil,
            callID: String? = nil
        ) {
            self.role = role
            self.kind = kind
            self.toolName = toolName
            self.callID = callID
            self.text = text
            guard text.utf8.count > textBytesMax else { return }
            self.text = String(UTF8Text.prefix(text, byteCountMax: textBytesMax))
            isTruncated = true
        }
    }

    package enum Kind: String, Sendable, CaseIterable {
        case text, toolCall, toolResult, system, reasoning
    }

    /// Bytes of one turn's text that are kept.
    package static let textBytesMax = 65_536
    /// Turns of one span that are kept, the first ones.
    package static let turnsMax = 2000

    /// The turns of span `row`, in the order in which they were said; none where the client does not record them. `span` is what
    /// is known of it already, which saves reading it again.
    ///
    /// The first of these that says anything is taken, so that nothing is told twice: the convention's messages, in attributes
    /// or in an event; pydantic-ai's; Langfuse's input and output; OpenInference's messages; OpenLLMetry's prompts; lists of
    /// the convention's older events, and these events themselves; Vercel's AI SDK; Claude Code's texts; what a tool was given and gave back; any
    /// other input and output.
    package static func read(_ batch: SpanBatch, _ row: Int, of span: AgentSpan? = nil) -> [Turn] {
        let record = Record(batch, row, span)
        var reader = TurnReader()
        for source in sources {
            source(record, &reader)
            if !reader.turns.isEmpty { break }
        }
        guard record["worktrace.content.truncated"] == true else { return reader.turns }
        return reader.turns.map { turn in
            var turn = turn
            turn.isTruncated = turn.isTruncated || ContentCut.isCut(turn.text)
            return turn
        }
    }

    private static let sources: [@Sendable (Record, inout TurnReader) -> Void] = [
        { convention($0.attributes, &$1) },
        { record, reader in
            for event in record.events where event.name == "gen_ai.client.inference.operation.details" {
                convention(event.attributes, &reader)
            }
        },
        { $1.read($0["pydantic_ai.all_messages"], role: "user") },
        { $1.read($0["all_messages_events"], role: "user") },
        { record, reader in
            guard record["langfuse.observation.type"] != "tool" else { return }
            reader.read(record["langfuse.observation.input"], role: "user")
            reader.read(record["langfuse.observation.output"], role: "assistant")
        },
        { record, reader in
            reader.read(record.list(below: "llm.input_messages."), role: "user")
            reader.read(record.list(below: "llm.output_messages."), role: "assistant")
        },
        { record, reader in
            reader.read(record.list(below: "gen_ai.prompt."), role: "user")
            reader.read(record.list(below: "gen_ai.completion."), role: "assistant")
        },
        { $1.read($0["events"], role: "user") },
        { record, reader in
            for event in record.events where event.name.hasPrefix("gen_ai.") {
                let name = Attribute("event.name", .string(event.name))
                reader.read(.map(event.attributes + [name]), role: "user", onlyMessages: true)
            }
        },
        { record, reader in
            reader.read(record["ai.prompt.messages"] ?? record["ai.prompt"], role: "user")
            reader.read(record["ai.response.text"], role: "assistant")
            reader.read(calls: record["ai.response.toolCalls"], role: "assistant")
        },
        { record, reader in
            guard record.span.name.hasPrefix("claude_code."), record.agentSpan.kind != .tool else { return }
            for key in ["new_context", "user_prompt"] where reader.turns.isEmpty && record[key] != "<REDACTED>" {
                reader.read(record[key], role: "user")
            }
            reader.read(record["response.model_output"], role: "assistant")
        },
        tool,
        { record, reader in
            for (input, output) in [
                ("input.value", "output.value"), ("traceloop.entity.input", "traceloop.entity.output"),
                ("genkit:input", "genkit:output"),
            ] where reader.turns.isEmpty {
                reader.read(record[input], role: "user")
                reader.read(record[output], role: "assistant")
            }
        },
    ]

    /// `gen_ai.system_instructions`, `gen_ai.input.messages` and `gen_ai.output.messages`.
    private static func convention(_ attributes: [Attribute], _ reader: inout TurnReader) {
        let (input, output) = (attributes["gen_ai.input.messages"], attributes["gen_ai.output.messages"])
        reader.read(attributes["gen_ai.system_instructions"], role: "system")
        reader.read(input, role: "user")
        reader.read(output, role: "assistant")
    }

    /// What a tool was given and gave back.
    private static func tool(_ record: Record, _ reader: inout TurnReader) {
        let span = record.agentSpan
        guard span.kind == .tool else { return }
        func first(_ field: Mapping.Field) -> AttributeValue? {
            Mapping.table.lazy.filter { $0.field == field && (!$0.isOwn || $0.dialect == span.dialect) }
                .compactMap { record[$0.key] }.first
        }
        if let arguments = first(.toolArguments) {
            reader.add("assistant", .toolCall, TurnReader.words(arguments), span.tool?.name, span.tool?.callID)
        }
        if let result = first(.toolResult) {
            reader.add("tool", .toolResult, TurnReader.words(result), span.tool?.name, span.tool?.callID)
        }
    }

    /// The attributes and events of one span.
    private struct Record {
        let attributes: [Attribute]
        let events: [Span.Event]
        let span: Span

        private let known: AgentSpan?

        init(_ batch: SpanBatch, _ row: Int, _ known: AgentSpan?) {
            self.known = known
            span = batch.span(at: row)
            attributes = span.attributes
            events = span.events
        }

        var agentSpan: AgentSpan { known ?? AgentSpan.read(SpanBatch(spans: [span]))[0] }

        subscript(key: String) -> AttributeValue? { attributes[key] }

        /// The list whose parts are attributes such as `llm.input_messages.0.message.role`: the part of each key that is in
        /// front of its number, and a `message.` behind it, are left out.
        func list(below prefix: String) -> AttributeValue? {
            let paths = attributes.lazy.filter { $0.key.hasPrefix(prefix) }.map {
                ($0.key.dropFirst(prefix.count).split(separator: ".").map(String.init), $0.value)
            }
            let tree = FlatTree(Array(paths))
            return tree.isEmpty ? nil : tree.value
        }
    }
}
