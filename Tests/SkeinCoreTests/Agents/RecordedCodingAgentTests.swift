// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAgents
import SkeinModel
import Testing

private let recordings = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Integration/agents/recorded").standardizedFileURL

/// What Claude Code and Codex sent, recorded below `Tests/Integration/agents`.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: recordings.path)))
struct RecordedCodingAgentTests {
    private func orchestration(_ name: String) throws -> Orchestration {
        let spans = try RecordedSpanTests.spans(name)
        return Orchestration(spans, around: spans[0].traceID, nowUnixNanos: .max)
    }

    @Test func `Claude Code's call through the proxy is one row with the layers of both traces`() throws {
        let work = try orchestration("claude-code")
        #expect(work.sessions.map(\.agentName) == ["claude-code"])
        #expect(work.sessions[0].sessionKey == "f575a38a-6543-43c5-95c4-0ea4f45a912b")
        #expect(work.toolCalls.map(\.toolName) == ["add"] && work.toolCalls[0].callID == "toolu_376")
        #expect(work.toolCalls[0].layers.map(\.layer) == [.agent, .proxy, .server])
        #expect(work.usage.inputTokens == 270 && work.usage.outputTokens == 40 && work.usage.cacheReadTokens == 60)
        #expect(work.sessions[0].llmCallCount == 2)
    }

    @Test func `Codex's turn has its conversation, its calls and their tools, and the path goes through them`() throws {
        let work = try orchestration("codex")
        #expect(work.sessions.map(\.agentName) == ["codex_exec"])
        #expect(work.sessions[0].sessionKey == "01a21c8d-74d3-7bb3-adf5-8fa313ab1a7f")
        #expect(work.toolCalls.map(\.toolName) == ["exec_command"] && work.toolCalls[0].callID == "call_3")
        #expect(work.toolCalls[0].isOnCriticalPath)
        #expect(work.usage.inputTokens == 200 && work.usage.outputTokens == 40 && work.usage.reasoningTokens == 8)
        #expect(work.sessions[0].llmCallCount == 2 && work.sessions[0].stepCount == 3)
        #expect(work.criticalPath.map(\.timeClass) == [.own, .llm, .own, .tool, .own, .llm, .own])
    }
}
