// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension Conversation {
    /// Which spans of a batch may record what was said, by their keys alone: of a hundred thousand spans often none does, and to
    /// take one apart costs microseconds.
    package struct Rows {
        private let batch: SpanBatch
        /// By ref of a key: 1 where what was said may stand there, 0 where not, -1 when not looked up.
        private var known: [Int8]

        package init(_ batch: SpanBatch) {
            self.batch = batch
            known = [Int8](repeating: -1, count: batch.dictionary.count)
        }

        /// Whether ``Conversation/read(_:_:of:)`` may find anything in span `row`.
        package mutating func mayTell(_ row: Int) -> Bool {
            // Few spans have events.
            if !batch.events.range(of: row).isEmpty { return true }
            for pair in batch.attributes.range(of: row) {
                let key = Int(batch.attributes.keyRefs[pair])
                if known[key] < 0 { known[key] = Conversation.isKey(batch.dictionary.string(UInt32(key))) ? 1 : 0 }
                if known[key] == 1 { return true }
            }
            return false
        }
    }

    private static func isKey(_ key: String) -> Bool {
        keys.contains(key) || prefixes.contains(where: key.hasPrefix)
    }

    private static let keys = Set(
        [
            "gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages", "pydantic_ai.all_messages",
            "all_messages_events", "langfuse.observation.input", "langfuse.observation.output", "events",
            "ai.prompt.messages", "ai.prompt", "ai.response.text", "ai.response.toolCalls", "new_context",
            "user_prompt", "response.model_output", "input.value", "output.value", "traceloop.entity.input",
            "traceloop.entity.output", "genkit:input", "genkit:output",
        ] + Mapping.table.filter { $0.field == .toolArguments || $0.field == .toolResult }.map(\.key)
    )

    private static let prefixes = [
        "llm.input_messages.", "llm.output_messages.", "gen_ai.prompt.", "gen_ai.completion.",
    ]
}
