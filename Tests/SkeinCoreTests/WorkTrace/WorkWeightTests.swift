// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import Testing

/// What is counted of sessions of which some were left out, beside the same sessions with all of them kept.
@Suite struct WorkWeightTests {
    private static let sessionCount = 600

    /// The tools of the same sessions when `rate` of them is kept: each calls `grep` twice, which takes the longer the higher its
    /// number, and starts another from a call of `ask`.
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
        let truth = try await Self.tools(Self.run(keeping: 1))
        let test = try await Self.run(keeping: 0.25)
        let sampled = try await Self.tools(test)
        #expect(truth["grep"]?["callCount"] as? Int == 2 * Self.sessionCount)
        // A call that started another session is in the skeleton.
        for name in ["callCount", "storedCallCount"] {
            #expect(truth["ask"]?[name] as? Int == Self.sessionCount)
            #expect(sampled["ask"]?[name] as? Int == Self.sessionCount)
        }
        let stored = try #require(sampled["grep"]?["storedCallCount"] as? Int)
        #expect((200...600).contains(stored))
        func number(_ rows: [String: [String: Any]], _ name: String) throws -> Double {
            if let count = rows["grep"]?[name] as? Int { return Double(count) }
            let durations = try #require(rows["grep"]?["durationNanos"] as? [String: Any])
            return try #require((durations[name] as? String).flatMap(Double.init))
        }
        for name in ["callCount", "errorCount", "p50", "p90", "p95", "p99", "total"] {
            let (estimate, exact) = (try number(sampled, name), try number(truth, name))
            #expect(abs(estimate / exact - 1) < 0.15, "\(name) is \(estimate) rather than \(exact)")
        }
        // By what the sessions themselves say.
        var count = 0.0
        let list = try await test.call("GET", "sessions?agent=a&limit=1000", "")
        for case let session as [String: Any] in list.json["sessions"] as? [Any] ?? [] {
            let trace = session["trace"] as? [String: Any]
            if trace?["samplingDecision"] as? String == "kept" { count += 2 * (trace?["weight"] as? Double ?? 0) }
        }
        #expect(try number(sampled, "callCount") == count.rounded())
    }

    @Test func `A step that ends after its session was decided about stands for itself`() async throws {
        let test = try await Self.run(keeping: 0.25)
        let kept = try await test.call("GET", "sessions?agent=a&limit=1000", "")
        for case let session as [String: Any] in kept.json["sessions"] as? [Any] ?? [] {
            let trace = session["trace"] as? [String: Any]
            guard let id = session["sessionId"] as? String, trace?["weight"] as? Double == 4 else { continue }
            let late = #"{"stepId":"late","stepAction":"tool:late","stepOutcome":"success"}"#
            #expect(try await test.post("sessions/\(id)/steps", late).status == 201)
            let traceID = trace?["traceId"] as? String
            #expect(try await test.span(traceID, step: "late").weight == 1)
            let spawn = try await test.span(traceID, step: "q")
            #expect(spawn.weight == 1 && !spawn.traceState.contains("th:c"))
            #expect(try await test.span(traceID, step: "g1").weight == 4)
            return
        }
        Issue.record("no session was kept by chance")
    }
}
