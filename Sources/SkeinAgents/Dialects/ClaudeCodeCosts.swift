// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What Claude Code's calls of models cost, which it says in log records alone.
///
/// A record `api_request` belongs to the call whose response has its `request_id`; without one to the call that the record names
/// as its span, else to the first call of the same model with the same tokens that has no cost yet.
package enum ClaudeCodeCosts {
    /// Whether there are calls whose cost may stand in log records.
    package static func areWanted(by spans: [AgentSpan]) -> Bool { spans.indices.contains { isWanting(spans[$0]) } }

    /// Adds what the records of the spans' trace say, rows as `LogBatch` has them, in the order of their time.
    package static func add(_ records: SpanBatch, to spans: inout [AgentSpan]) {
        guard areWanted(by: spans) else { return }
        var wanting = spans.indices.filter { isWanting(spans[$0]) }
        for row in 0..<records.count {
            guard let request = Request(records, row) else { continue }
            let place =
                wanting.firstIndex { request.isNamed(by: spans[$0]) }
                ?? wanting.firstIndex { request.spanID == spans[$0].spanID }
                ?? wanting.firstIndex { request.id == nil && request.equals(spans[$0]) }
            guard let place else { continue }
            var usage = spans[wanting[place]].usage ?? request.usage
            usage.usd = request.usd
            spans[wanting[place]].usage = usage
            wanting.remove(at: place)
        }
    }

    private static func isWanting(_ span: AgentSpan) -> Bool {
        span.dialect == .claudeCode && span.kind == .llm && span.usage?.usd == nil
    }

    /// One call, as a record tells it.
    private struct Request {
        let id: String?
        let spanID: SpanID
        let model: String?
        let usage: AgentSpan.Usage
        let usd: Double

        /// `nil` for any other record.
        init?(_ records: SpanBatch, _ row: Int) {
            let scope = records.dictionary.string(records.scopes.nameRefs[Int(records.scopeRows[row])])
            var name = records.dictionary.string(records.nameRefs[row])
            var values: [String: AttributeValue] = [:]
            for pair in records.attributes.range(of: row) {
                let key = records.dictionary.string(records.attributes.keyRefs[pair])
                if values[key] == nil { values[key] = records.dictionary.value(records.attributes.valueRefs[pair]) }
            }
            if name.isEmpty { name = values["event.name"]?.scalarText ?? "" }
            guard
                name == "claude_code.api_request"
                    || name == "api_request" && scope.hasPrefix("com.anthropic.claude_code"),
                let usd = values["cost_usd"]?.amount
            else { return nil }
            self.usd = usd
            id = values["request_id"]?.scalarText
            spanID = records.parentSpanIDs[row]
            model = values["model"]?.scalarText
            var usage = AgentSpan.Usage()
            usage.outputTokens = values["output_tokens"]?.count ?? 0
            usage.cacheReadTokens = values["cache_read_tokens"]?.count ?? 0
            usage.cacheWriteTokens = values["cache_creation_tokens"]?.count ?? 0
            // Claude Code leaves those of the cache out.
            usage.inputTokens = (values["input_tokens"]?.count ?? 0).saturatingSum(usage.cacheReadTokens)
                .saturatingSum(usage.cacheWriteTokens)
            self.usage = usage
        }

        func isNamed(by span: AgentSpan) -> Bool { id != nil && id == span.model?.responseID }

        func equals(_ span: AgentSpan) -> Bool {
            guard let usage = span.usage, let model else { return false }
            return (model == span.model?.requested || model == span.model?.answered)
                && usage.inputTokens == self.usage.inputTokens && usage.outputTokens == self.usage.outputTokens
        }
    }
}
