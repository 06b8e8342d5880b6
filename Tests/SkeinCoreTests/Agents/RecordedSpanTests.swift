// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAgents
import SkeinModel
import SkeinWire
import Testing

private let recordings = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Integration/agents/recorded").standardizedFileURL

/// Spans that real client libraries sent, recorded below `Tests/Integration/agents`.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: recordings.path)))
struct RecordedSpanTests {
    /// What the spans of one recording say, each as `kind name`, sorted and each once.
    static func lines(_ name: String, _ line: (AgentSpan) -> String?) throws -> [String] {
        Set(try spans(name).compactMap(line)).sorted()
    }

    static func spans(_ name: String) throws -> [AgentSpan] { AgentSpan.read(try batch(name)) }

    static func batch(_ name: String) throws -> SpanBatch {
        let text = try String(contentsOf: recordings.appending(path: name + ".jsonl"), encoding: .utf8)
        var requests: [SkeinModel.Span] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            var decoder = OTLP.JSONDecoder()
            let batch = try Array(line).withUnsafeBytes { try decoder.decode($0, receivedUnixNanos: 0) }.batch
            requests += batch.spans
        }
        return SpanBatch(spans: requests)
    }

    static func work(_ span: AgentSpan) -> String? {
        switch span.kind {
        case .agent: "agent \(span.agent.name ?? "-")"
        case .tool: "tool \(span.tool.map { "\($0.name) \($0.layer)" } ?? "-")"
        case .handoff: "handoff \(span.handoff?.from ?? "-") \(span.handoff?.to ?? "-")"
        case .llm: "llm \(span.usage.map { "\($0.inputTokens)+\($0.outputTokens) \($0.cacheReadTokens)" } ?? "-")"
        case .node: "node \(span.node?.id ?? "-")"
        default: nil
        }
    }

    @Test(
        arguments: [
            ("openai-openinference", "coder", "agent -"), ("openai-logfire", "coder", nil),
            ("openai-openllmetry", "-", nil),
        ] as [(String, String, String?)]
    )
    func `three instrumentations of the OpenAI Agents SDK tell one story`(name: String, to: String, wrapper: String?)
        throws
    {
        let lines = try Self.lines(name, Self.work)
        let expected = [
            "agent coder", "agent helper", "agent triage", "handoff triage \(to)", "llm 100+20 40", "llm 110+21 40",
            "tool ask_helper agent", "tool run_tests agent",
        ]
        #expect(lines == (expected + [wrapper].compactMap { $0 }).sorted())
    }

    @Test func `the MCP SDK's spans are layers of its calls`() throws {
        let lines = try Self.lines("mcp-stdio-2026-07-28", Self.work)
        let tools = ["add", "fail", "slow"]
        #expect(
            lines
                == (tools.flatMap { tool in ["agent", "server", "transport"].map { "tool \(tool) \($0)" } } + [
                    "agent host"
                ]).sorted()
        )
    }

    @Test func `pydantic-ai's agents sum up their calls`() throws {
        let spans = try Self.spans("pydantic-delegate")
        let agents = spans.filter { $0.kind == .agent }
        #expect(Set(agents.compactMap(\.agent.name)).isSuperset(of: ["lead", "researcher", "reviewer"]))
        #expect(agents.allSatisfy { $0.isUsageSummed })
        #expect(spans.filter(\.isModelCall).allSatisfy { $0.usage != nil && !$0.isUsageSummed && $0.agent.name != nil })
        #expect(spans.filter(\.isToolCall).allSatisfy { $0.tool?.callID != nil && $0.tool?.argumentsHash != nil })
    }

    @Test func `smolagents' runs are agents with usage of their own`() throws {
        let spans = try Self.spans("smolagents")
        #expect(Set(spans.filter { $0.kind == .agent }.compactMap(\.agent.name)) == ["manager", "researcher"])
        #expect(spans.filter { $0.kind == .agent }.allSatisfy { $0.usage?.inputTokens == 20 && !$0.isUsageSummed })
        #expect(
            spans.filter(\.isToolCall).compactMap(\.tool?.name).sorted() == ["final_answer", "final_answer", "lookup"]
        )
    }

    @Test func `a compiled graph of LangGraph enters its nodes`() throws {
        let spans = try Self.spans("langgraph")
        #expect(spans.filter { $0.kind == .agent }.compactMap(\.agent.name) == ["improver"])
        let nodes = spans.compactMap(\.node?.id)
        #expect(nodes.count == 9 && Set(nodes) == ["act", "check", "plan"])
        #expect(Set(spans.compactMap(\.sessionKey)) == ["task-17"])
    }

    @Test func `Langfuse's observations are read`() throws {
        let spans = try Self.spans("langfuse")
        #expect(spans.filter { $0.kind == .agent }.map(\.agent.name) == ["librarian"])
        #expect(spans.filter(\.isToolCall).map(\.tool?.name) == ["search", "search"])
        #expect(spans.filter(\.isModelCall).compactMap(\.usage?.inputTokens) == [120, 150])
        #expect(Set(spans.compactMap(\.sessionKey)) == ["task-17"])
    }
}
