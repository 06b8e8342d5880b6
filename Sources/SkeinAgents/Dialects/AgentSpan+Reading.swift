// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension AgentSpan {
    /// What each span of a batch says of agents' work, in the order of its rows.
    ///
    /// ``Mapping/table`` and ``NameRule/table`` say what is read from what. The spans of one trace should be in one batch: a
    /// compiled graph of LangGraph is found by the nodes below it.
    package static func read(_ batch: SpanBatch) -> [AgentSpan] {
        var reader = SpanReader(batch)
        var spans: [AgentSpan] = []
        spans.reserveCapacity(batch.count)
        for row in 0..<batch.count { spans.append(reader.read(row)) }
        CompiledGraphs.mark(&spans, nodes: reader.graphNodes)
        return spans
    }

    /// Whether it is a call of a tool, in one of its layers.
    package var isToolCall: Bool { kind == .tool && tool != nil && !isHidden }

    /// Whether it is a call of a model.
    package var isModelCall: Bool { kind == .llm && !isHidden }

    /// Whether `skein mcp-proxy` wrote it.
    package var isOfProxy: Bool { scopeName == Self.proxyScopeName }

    static let proxyScopeName = "skein-mcp-proxy"
}
