// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import SkeinCommand

@Suite struct OrchestrationDrawingTests {
    private static let plain = Terminal(width: 90, isWindow: false, hasColor: false, hasUnicode: true)

    /// Sessions as (id, parent, agent, milliseconds after the start, milliseconds).
    private static func answer(
        _ sessions: [(id: String, parent: String?, agent: String, start: Int, length: Int)],
        outcome: String = "success"
    ) throws -> OrchestrationAnswer {
        let usage = #"{"inputTokens":1200,"outputTokens":30,"usd":0.5}"#
        let rows = sessions.map { session in
            let parent = session.parent.map { "\"\($0)\"" } ?? "null"
            return """
                {"sessionId":"\(session.id)","parentSessionId":\(parent),"agentName":\(quoted(session.agent)),"state":"ended",
                "outcome":"\(outcome)","background":false,"startTimeUnixNano":"\(1_000_000_000_000_000_000 + session.start * 1_000_000)",
                "durationNanos":"\(session.length * 1_000_000)","errorCount":0,"llmCallCount":1,"toolCallCount":2,"usage":\(usage),
                "timeClasses":{"llm":"\(session.length * 600_000)","own":"\(session.length * 400_000)"}}
                """
        }
        let text = """
            {"traceId":"0af7651916cd43dd8448eb211c80319c","rootSessionId":"a","taskId":null,"taskPriority":"high","state":"ended",
            "startTimeUnixNano":"1000000000000000000","durationNanos":"100000000","errorCount":1,"truncated":false,
            "sessionCount":\(sessions.count),"toolCallCount":2,"sessions":[\(rows.joined(separator: ","))],
            "edges":[{"fromSessionId":"a","toSessionId":"b","kind":"delegate","handoffGapNanos":"5000000","returnGapNanos":null}],
            "toolCalls":[{"sessionId":"a","toolName":"grep","outcome":"failure","attempt":1,"durationNanos":"3000000","childSessionIds":[]},
            {"sessionId":"a","toolName":"grep","outcome":"success","attempt":2,"durationNanos":"1000000","childSessionIds":[]}],
            "criticalPath":[{"agentName":"lead","class":"llm","durationNanos":"40000000"},
            {"agentName":"lead","class":"own","durationNanos":"10000000"},{"agentName":"helper","class":"llm","durationNanos":"50000000"}],
            "usage":\(usage)}
            """
        return try JSONDecoder().decode(OrchestrationAnswer.self, from: Data(text.utf8))
    }

    private static func quoted(_ text: String) -> String {
        String(decoding: (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8), as: UTF8.self)
    }

    private static func lines(_ answer: OrchestrationAnswer, limit: Int = 20) -> [String] {
        var drawing = OrchestrationDrawing(answer, asked: "b", on: plain, limit: limit)
        drawing.bottlenecks = ["models of lead are 40 % of the time (1 call)"]
        return drawing.lines()
    }

    @Test func `A session hangs below the one that started it, and its bar says when it ran`() throws {
        let lines = Self.lines(try Self.answer([("a", nil, "lead", 0, 100), ("b", "a", "helper", 50, 50)]))
        #expect(lines[0] == "lead  success  a  priority high")
        #expect(lines[1].contains("100ms  2 sessions  2 model calls  4 tool calls  1.2k tokens in, 30 out  $0.50"))
        #expect(lines[3].hasPrefix("lead "))
        #expect(lines[4].hasPrefix("╰─ ● helper"))
        let (whole, half) = (lines[3].split(separator: " ").last, lines[4].split(separator: " ").last)
        #expect(abs((whole?.count ?? 0) - 2 * (half?.count ?? 0)) <= 2)
        #expect(lines.contains("lead 50ms → helper 50ms"))
        #expect(lines.contains { $0.hasPrefix("grep") && $0.contains("2       1        1") })
        #expect(lines.contains { $0.hasPrefix("lead    helper  delegate") && $0.contains("5ms") && $0.hasSuffix("–") })
        #expect(lines.contains("1. models of lead are 40 % of the time (1 call)"))
    }

    @Test(arguments: [60, 90, 200])
    func `No line is wider than the window`(width: Int) throws {
        let answer = try Self.answer([
            ("a", nil, String(repeating: "lead ", count: 60), 0, 100),
            ("b", "a", String(repeating: "x", count: 300), 50, 50),
        ])
        let terminal = Terminal(width: width, hasColor: false, hasUnicode: true)
        var drawing = OrchestrationDrawing(answer, asked: "b", on: terminal, limit: 20)
        drawing.bottlenecks = [String(repeating: "long words and ", count: 30) + String(repeating: "y", count: 500)]
        #expect(drawing.lines().filter { TerminalText.width($0) > width } == [])
    }

    @Test func `Times of all sessions add up`() throws {
        let lines = Self.lines(try Self.answer([("a", nil, "lead", 0, 100)]))
        #expect(lines.contains { $0.hasPrefix("model") && $0.contains("60ms") && $0.contains("60%") })
        #expect(lines.contains { $0.hasPrefix("unaccounted") && $0.contains("40ms") && $0.contains("40%") })
    }

    @Test func `Circles, missing parents and hostile names are drawn all the same`() throws {
        let answer = try Self.answer([
            ("a", nil, "lead\u{1b}[31m\n", 0, 100), ("b", "c", "x", 0, 1), ("c", "b", "y", 0, 1),
            ("d", "nobody", "z", 9, 0),
            ("a", nil, "twin", 0, 1),
        ])
        let lines = Self.lines(answer)
        #expect(lines.allSatisfy { !$0.contains("\u{1b}") && !$0.contains("\n") })
        for agent in ["x", "y", "z", "twin"] { #expect(lines.contains { $0.contains(agent) }) }
    }

    @Test func `What is too much is counted`() throws {
        let sessions = (0..<30).map { ("s\($0)", String?.none, "agent \($0)", $0, 10) }
        let lines = Self.lines(try Self.answer(sessions), limit: 5)
        #expect(lines.contains("⋯ 25 more sessions; --limit 0 shows all."))
        #expect(Self.lines(try Self.answer(sessions), limit: 0).count { $0.hasPrefix("agent ") } == 30)
    }

    @Test(
        arguments: [
            (870, "870"), (1_234, "1.23k"), (18_950, "18.9k"), (3_400_000, "3.4M"), (UInt64.max, "18446744073G"),
        ] as [(UInt64, String)]
    )
    func `Tokens are short`(count: UInt64, text: String) { #expect(AgentFigures.tokens(count) == text) }

    @Test(
        arguments: [
            (nil, "–"), (0, "$0"), (0.00001, "<$0.0001"), (0.0042, "$0.0042"), (0.1, "$0.10"), (12.345, "$12.35"),
            (-1, "–"),
            (.infinity, "–"),
        ] as [(Double?, String)]
    )
    func `Money is short`(usd: Double?, text: String) { #expect(AgentFigures.dollars(usd) == text) }
}
