// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import Testing

/// What is counted of sessions of which some were left out, beside what is true of all of them.
@Suite struct WorkWeightTests {
    private static let sessionCount = 240

    /// The sessions of which `rate` is kept: each calls `grep` twice, which takes the longer the higher its number, and starts
    /// another from a call of `ask`.
    private static func run(keeping rate: Double) async throws -> WorkUnderTest {
        var policy = SessionPolicy()
        policy.defaultRate = rate
        policy.rescue = .none
        policy.rescue.outcome = true
        policy.holdNanos = 0
        let test = try WorkUnderTest(policy: policy)
        let start = test.clock.unixNanos / 1_000_000_000
        var lines: [String] = []
        for number in 0..<sessionCount {
            func step(_ id: String, _ tool: String, _ milliseconds: Int, _ outcome: String, _ more: String = "")
                -> String
            {
                #"{"op":"step.start","sessionId":"r\#(number)","stepId":"\#(id)","stepAction":"tool:\#(tool)""#
                    + #","startTime":"\#(start)000000000","endTime":"\#(Int(start) * 1000 + milliseconds)000000""#
                    + #","stepOutcome":"\#(outcome)"\#(more)}"#
            }
            lines += [
                #"{"op":"session.start","sessionId":"r\#(number)","agentName":"a"}"#,
                step("g1", "grep", number + 1, "success"),
                step("g2", "grep", 2 * number + 1, number % 4 == 0 ? "failure" : "success"),
                step("q", "ask", 5, "success", #","childSessionId":"r\#(number).c""#),
                #"{"op":"session.start","sessionId":"r\#(number).c","agentName":"b","parentSessionId":"r\#(number)","parentStepId":"q"}"#,
                #"{"op":"session.end","sessionId":"r\#(number).c","outcome":"\#(number % 20 == 7 ? "failure" : "success")"}"#,
                #"{"op":"session.end","sessionId":"r\#(number)","outcome":"success"}"#,
            ]
        }
        let answer = try await test.call("POST", "batch", lines.joined(separator: "\n"), type: "application/x-ndjson")
        #expect(answer["rejected"] == "0", "\(answer.json)")
        await test.work.decideHeld()
        return test
    }

    private static func tools(_ test: WorkUnderTest) async throws -> [String: [String: Any]] {
        let answer = try await test.call("GET", "tools", "")
        #expect(answer["inspected.traces"] == "\(sessionCount)" && answer["inspected.isCut"] == "0")
        var tools: [String: [String: Any]] = [:]
        for case let row as [String: Any] in answer.json["tools"] as? [Any] ?? [] {
            tools[row["toolName"] as? String ?? ""] = row
        }
        return tools
    }

    @Test func `Tools of sampled sessions count as those of all, and what is stored of all sessions counts once`()
        async throws
    {
        let test = try await Self.run(keeping: 0.5)
        let tools = try await Self.tools(test)
        // A call that started another session is in the skeleton.
        for name in ["callCount", "storedCallCount"] { #expect(tools["ask"]?[name] as? Int == Self.sessionCount) }
        let grep = try #require(tools["grep"])
        let stored = try #require(grep["storedCallCount"] as? Int)
        #expect((Self.sessionCount * 3 / 4...Self.sessionCount * 5 / 4).contains(stored))
        // What is true of all of them.
        let durations = (0..<Self.sessionCount).flatMap { [$0 + 1, 2 * $0 + 1] }.sorted()
        func percentile(_ percent: Int) -> Int { durations[(durations.count * percent + 99) / 100 - 1] }
        let truth = [
            "callCount": 2 * Self.sessionCount, "errorCount": Self.sessionCount / 4, "p50": percentile(50),
            "p90": percentile(90), "p95": percentile(95), "p99": percentile(99), "total": durations.reduce(0, +),
        ]
        let said = grep["durationNanos"] as? [String: Any]
        for (name, exact) in truth {
            let nanos = (said?[name] as? String).flatMap(Double.init)
            let estimate = try #require(grep[name] as? Double ?? nanos.map { $0 / 1_000_000 })
            #expect(abs(estimate / Double(exact) - 1) < 0.15, "\(name) is \(estimate) rather than \(exact)")
        }

        // By what the sessions themselves say, it is exact.
        var count = 0.0
        var byChance: (id: String, trace: String)?
        let list = try await test.call("GET", "sessions?agent=a&limit=1000", "")
        for case let session as [String: Any] in list.json["sessions"] as? [Any] ?? [] {
            let trace = session["trace"] as? [String: Any]
            guard trace?["samplingDecision"] as? String == "kept", let weight = trace?["weight"] as? Double else {
                continue
            }
            count += 2 * weight
            if weight == 2, let id = session["sessionId"] as? String, let traceID = trace?["traceId"] as? String {
                byChance = (id, traceID)
            }
        }
        #expect(grep["callCount"] as? Double == count)

        // What ends after the decision is stored whichever it was.
        let (id, trace) = try #require(byChance)
        let late = #"{"stepId":"late","stepAction":"tool:late","stepOutcome":"success"}"#
        #expect(try await test.post("sessions/\(id)/steps", late).status == 201)
        #expect(try await test.span(trace, step: "late").weight == 1)
        let spawn = try await test.span(trace, step: "q")
        #expect(spawn.weight == 1 && !spawn.traceState.contains("th:8"))
        #expect(try await test.span(trace, step: "g1").weight == 2)
    }
}
