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
}
