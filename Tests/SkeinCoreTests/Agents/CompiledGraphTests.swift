// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite struct CompiledGraphTests {
    /// A span below a node of LangGraph, as OpenInference reports it.
    static func span(_ name: String, _ id: UInt64, below parent: UInt64, node: String?, kind: String = "CHAIN")
        -> ClientSpan
    {
        var span = ClientSpan(name, ["openinference.span.kind": .string(kind)])
        (span.id, span.parent) = (id, parent)
        if let node {
            span.attributes.append(
                Attribute("metadata", .string("{\"thread_id\":\"t\",\"langgraph_node\":\"\(node)\"}"))
            )
        }
        return span
    }

    @Test func `the span above nodes is an agent, and only a node's own span enters it`() {
        let spans = [
            Self.span("improver", 1, below: 0, node: nil),
            Self.span("plan", 2, below: 1, node: "plan"),
            Self.span("RunnableSequence", 3, below: 2, node: "plan"),
            Self.span("plan", 4, below: 3, node: "plan"),
            Self.span("agent", 5, below: 1, node: "agent", kind: "AGENT"),
            Self.span("GenericFakeChatModel", 6, below: 5, node: "agent", kind: "LLM"),
        ].read
        #expect(spans.map(\.kind) == [.agent, .node, .workflow, .workflow, .node, .llm])
        #expect(spans[0].agent.name == "improver" && spans[1].node == AgentSpan.Node(id: "plan"))
        #expect(spans.map { $0.node?.id } == [nil, "plan", nil, nil, "agent", nil])
    }

    @Test func `a graph inside a node is an agent, too`() {
        let spans = [
            Self.span("outer", 1, below: 0, node: nil),
            Self.span("research", 2, below: 1, node: "research"),
            Self.span("search", 3, below: 2, node: "search"),
        ].read
        #expect(spans.map(\.kind) == [.agent, .agent, .node])
        #expect(spans[1].agent.name == "research" && spans[1].node?.id == "research")
    }

    @Test func `a span that is its own parent is no graph`() {
        let spans = [Self.span("plan", 2, below: 2, node: "plan"), Self.span("act", 3, below: 9, node: "act")].read
        #expect(spans.map(\.kind) == [.workflow, .workflow])
    }

    @Test func `what a graph was designed with is read`() {
        let span = ClientSpan(
            "invoke_agent g",
            [
                "gen_ai.operation.name": "invoke_agent", "gen_ai.workflow.nodes": ["plan", "act"],
                "gen_ai.workflow.edges": "[\"plan -> act\",\"odd\"]",
            ]
        ).read
        #expect(span.designNodes == ["plan", "act"] && span.design == [AgentSpan.DesignEdge(from: "plan", to: "act")])
    }
}
