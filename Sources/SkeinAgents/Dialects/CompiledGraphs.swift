// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The graphs of LangGraph, of which no span says that it is one.
///
/// Every span below a node names the node in its metadata. The node's own span is the one that has its name and whose parent
/// is not in that node; the span above it is the compiled graph, which works as an agent.
enum CompiledGraphs {
    private struct Place: Hashable {
        var traceID: TraceID
        var spanID: SpanID
    }

    /// Marks nodes and graphs among the spans of one batch; `nodes` tells by row in which node a span says that it is.
    static func mark(_ spans: inout [AgentSpan], nodes: [Int: String]) {
        guard !nodes.isEmpty else { return }
        var rows: [Place: Int] = [:]
        rows.reserveCapacity(spans.count)
        for (row, span) in spans.enumerated() { rows[Place(traceID: span.traceID, spanID: span.spanID)] = row }
        for (row, node) in nodes.sorted(by: { $0.key < $1.key }) {
            guard spans[row].name == node || spans[row].name == node + ".task" else { continue }
            let parent = rows[Place(traceID: spans[row].traceID, spanID: spans[row].parentSpanID)]
            guard let parent, parent != row, nodes[parent] != node else { continue }
            markNode(&spans[row], node)
            markGraph(&spans[parent])
        }
    }

    private static func markNode(_ span: inout AgentSpan, _ node: String) {
        switch span.kind {
        case nil, .workflow, .custom, .node: span.kind = .node
        // OpenInference takes whatever has "agent" in its name for one.
        case .agent where span.agent.name == nil: span.kind = .node
        default: break
        }
        if span.node == nil { span.node = AgentSpan.Node(id: node) }
    }

    private static func markGraph(_ span: inout AgentSpan) {
        guard [.workflow, .node, .custom, .agent].contains(span.kind) else { return }
        span.kind = .agent
        guard span.agent.name == nil else { return }
        let suffix = ".workflow"
        span.agent.name = span.name.hasSuffix(suffix) ? String(span.name.dropLast(suffix.count)) : span.name
    }
}
