// SPDX-License-Identifier: Apache-2.0

/// What steps say of calls of models and tools.
extension WorkTrace.Step {
    /// What the model used; counts below zero are left out. `cost` is in US dollars. Input includes what a cache gave and what was
    /// written to it, output includes reasoning.
    public func usage(
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        cacheReadTokens: Int? = nil,
        cacheWriteTokens: Int? = nil,
        reasoningTokens: Int? = nil,
        cost: Double? = nil
    ) {
        count("gen_ai.usage.input_tokens", inputTokens)
        count("gen_ai.usage.output_tokens", outputTokens)
        count("gen_ai.usage.cache_read.input_tokens", cacheReadTokens)
        count("gen_ai.usage.cache_creation.input_tokens", cacheWriteTokens)
        count("gen_ai.usage.reasoning.output_tokens", reasoningTokens)
        if let cost, cost.isFinite, cost >= 0 { span["worktrace.cost.usd"] = .double(cost) }
    }

    private func count(_ key: String, _ number: Int?) {
        if let number, number >= 0 { span[key] = .int(Int64(number)) }
    }

    /// Which model answered, and how.
    public func model(
        _ requested: String? = nil,
        provider: String? = nil,
        answeredBy: String? = nil,
        responseID: String? = nil,
        finishReasons: [String] = [],
        timeToFirstChunk: Duration? = nil,
        isStreaming: Bool? = nil
    ) {
        text("gen_ai.request.model", requested)
        text("gen_ai.provider.name", provider)
        text("gen_ai.response.model", answeredBy)
        text("gen_ai.response.id", responseID)
        if !finishReasons.isEmpty { span["gen_ai.response.finish_reasons"] = .strings(finishReasons) }
        if let timeToFirstChunk {
            span["gen_ai.response.time_to_first_chunk"] = .double(timeToFirstChunk / .seconds(1))
        }
        if let isStreaming { span["gen_ai.request.stream"] = .bool(isStreaming) }
    }

    /// What the model was told and what it said, as text or as the JSON of the GenAI conventions: content.
    public func messages(input: String? = nil, output: String? = nil, system: String? = nil) {
        session.work.set(input, "gen_ai.input.messages", "input", on: span)
        session.work.set(output, "gen_ai.output.messages", "output", on: span)
        session.work.set(system, "gen_ai.system_instructions", "system", on: span)
    }

    /// Which call of a tool it is; `arguments` and `result` are content. `server` is the MCP server that has the tool.
    public func toolCall(
        id: String? = nil,
        arguments: String? = nil,
        result: String? = nil,
        server: String? = nil,
        type: String? = nil
    ) {
        text("gen_ai.tool.call.id", id)
        text("worktrace.tool.server", server)
        text("gen_ai.tool.type", type)
        if let result { span["worktrace.tool.result_bytes"] = .int(Int64(result.utf8.count)) }
        session.work.set(arguments, "gen_ai.tool.call.arguments", "arguments", on: span)
        session.work.set(result, "gen_ai.tool.call.result", "result", on: span)
    }

    private func text(_ key: String, _ text: String?) {
        if let text { span[key] = .string(WorkText.cut(text, to: WorkText.valueByteCountMax)) }
    }
}
