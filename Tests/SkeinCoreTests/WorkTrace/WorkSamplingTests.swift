// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import Synchronization
import Testing

/// Sessions that are kept or reduced by the priority of their task (`agents.md` §4.2).
@Suite struct WorkSamplingTests {
    private static func policy(
        _ rules: [SessionPolicy.Rule] = [],
        defaultRate: Double = 0,
        holdSeconds: UInt64 = 10
    ) -> SessionPolicy {
        var policy = SessionPolicy()
        policy.rules = rules
        policy.defaultRate = defaultRate
        policy.rescue = .none
        policy.rescue.outcome = true
        policy.holdNanos = holdSeconds * 1_000_000_000
        return policy
    }

    private static func rule(_ priority: String, _ rate: Double) -> SessionPolicy.Rule {
        var match = SessionPolicy.Match()
        match.priorities = [priority]
        return .init(name: priority, match: match, rate: rate)
    }

    /// A session with a model call, a tool call and a child that fails or not.
    private static func run(_ test: WorkUnderTest, _ id: String, priority: String = "low", child: String = "success")
        async throws -> String?
    {
        let start = try await test.post(
            "sessions",
            #"{"sessionId":"\#(id)","agentName":"lead","taskPriority":"\#(priority)"}"#
        )
        _ = try await test.post(
            "sessions/\(id)/steps",
            #"{"stepId":"m","stepAction":"llm:m","stepOutcome":"success","usage":{"inputTokens":10,"outputTokens":2,"usd":0.25}}"#
        )
        _ = try await test.post(
            "sessions/\(id)/steps",
            #"{"stepId":"t","stepAction":"tool:grep","stepOutcome":"failure","error":{"type":"x"}}"#
        )
        _ = try await test.post(
            "sessions/\(id)/spawn",
            #"{"stepId":"sp","childAgentId":"below","childSessionId":"\#(id).c"}"#
        )
        _ = try await test.post("sessions", #"{"sessionId":"\#(id).c","agentName":"below","parentSessionId":"\#(id)"}"#)
        _ = try await test.post(
            "sessions/\(id).c/steps",
            #"{"stepAction":"tool:read","stepOutcome":"success"}"#
        )
        _ = try await test.post("sessions/\(id).c/end", #"{"outcome":"\#(child)"}"#)
        _ = try await test.patch("sessions/\(id)/steps/sp", #"{"stepOutcome":"success"}"#)
        _ = try await test.post("sessions/\(id)/end", #"{"outcome":"success"}"#)
        return start["traceId"]
    }

    @Test func `A session that is left out keeps its totals, and the step that started another`() async throws {
        let test = try WorkUnderTest(policy: Self.policy())
        let trace = try await Self.run(test, "s")
        #expect(try await test.spans(trace).isEmpty)
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        let spans = try await test.spans(trace)
        #expect(spans.compactMap { $0.attributes["worktrace.step.id"] } == [.string("sp")])
        let root = try #require(
            spans.first {
                $0.attributes["worktrace.session.id"] == "s" && $0.attributes["worktrace.session.state"] != nil
            }
        )
        #expect(root.attributes["worktrace.sampling.decision"] == "reduced")
        #expect(root.attributes["worktrace.totals.steps"] == .int(3))
        #expect(root.attributes["worktrace.totals.usd"] == .double(0.25))
        #expect(root.flags & 1 == 0 && root.weight == 1)
        let detail = try await test.call("GET", "sessions/s", "")
        #expect(detail["trace.sampled"] == "0")
        #expect(detail["trace.samplingReason"] == "default rate keeps 0 %")
        #expect(detail["totals.llmCalls"] == "1" && detail["totals.toolCalls"] == "1")
        #expect(detail["totals.toolErrors"] == "1" && detail["totals.errors"] == "1")
        #expect(detail["totals.inputTokens"] == "10" && detail["totals.usd"] == "0.25")
        let whole = try await test.call("GET", "orchestrations/s", "")
        #expect(whole["usage.usd"] == "0.25")
        #expect(
            try await test.post("sessions", #"{"sessionId":"s","agentName":"lead","taskPriority":"low"}"#).status == 200
        )
        #expect(try await test.post("sessions/s/keep").status == 409)
    }

    @Test func `A step that comes when its session was reduced adds to the totals`() async throws {
        let test = try WorkUnderTest(policy: Self.policy())
        _ = try await Self.run(test, "s")
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        _ = try await test.post(
            "sessions/s/steps",
            #"{"stepId":"l","stepAction":"llm:m","stepOutcome":"success","usage":{"inputTokens":5,"usd":0.5}}"#
        )
        let detail = try await test.call("GET", "sessions/s", "")
        #expect(detail["totals.steps"] == "4" && detail["totals.llmCalls"] == "2")
        #expect(detail["totals.toolCalls"] == "1" && detail["totals.errors"] == "1")
        #expect(detail["totals.inputTokens"] == "15" && detail["totals.usd"] == "0.75")
        let whole = try await test.call("GET", "orchestrations/s", "")
        #expect(whole["usage.usd"] == "0.75" && whole["usage.inputTokens"] == "15")
    }

    @Test func `A session that starts late by itself was not called late`() async throws {
        for (spawn, kept) in [(false, 0), (true, 1)] {
            var policy = Self.policy()
            policy.rescue.handoffGapNanos = 30_000_000_000
            let test = try WorkUnderTest(policy: policy)
            let start = try await test.post("sessions", #"{"sessionId":"s","agentName":"lead"}"#)
            if spawn {
                _ = try await test.post(
                    "sessions/s/spawn",
                    #"{"stepId":"sp","childAgentId":"c","childSessionId":"c"}"#
                )
            }
            let step = #"{"stepId":"t","stepAction":"tool:x","stepOutcome":"success"}"#
            _ = try await test.post("sessions/s/steps", step)
            test.clock.turn(seconds: 400)
            _ = try await test.post("sessions", #"{"sessionId":"c","agentName":"c","parentSessionId":"s"}"#)
            test.clock.turn(seconds: 1)
            for id in ["c", "s"] { _ = try await test.post("sessions/\(id)/end", #"{"outcome":"success"}"#) }
            test.clock.turn(seconds: 11)
            await test.work.decideHeld()
            let steps = try await test.spans(start["traceId"]).compactMap { $0.attributes["worktrace.step.id"] }
            #expect(steps.count { $0 == "t" } == kept)
        }
    }

    @Test func `What goes on is seen before it is decided about`() async throws {
        let test = try WorkUnderTest(policy: Self.policy())
        _ = try await Self.run(test, "s")
        let detail = try await test.call("GET", "sessions/s", "")
        #expect(detail["steps.0.stepId"] != nil)
        #expect(detail["trace.samplingDecision"] == "held")
    }

    @Test func `A failure below keeps all of it, to the last step, and it stands for itself alone`() async throws {
        let test = try WorkUnderTest(policy: Self.policy())
        let trace = try await Self.run(test, "s", child: "failure")
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        let spans = try await test.spans(trace)
        #expect(spans.count == 6)
        #expect(spans.allSatisfy { $0.weight == 1 && $0.flags & 1 == 1 })
        let root = try #require(spans.first { $0.parentSpanID == .zero })
        #expect(root.attributes["worktrace.sampling.reason"] == "below ended with failure")
        #expect(root.attributes["worktrace.totals.steps"] == nil)
    }

    @Test func `A child may raise the priority of the whole, and never lowers it`() async throws {
        let test = try WorkUnderTest(policy: Self.policy([Self.rule("critical", 1), Self.rule("low", 0)]))
        _ = try await test.post("sessions", #"{"sessionId":"s","taskPriority":"low"}"#)
        let child = try await test.post(
            "sessions",
            #"{"sessionId":"c","parentSessionId":"s","taskPriority":"critical"}"#
        )
        #expect(child["sampled"] == "1")
        let other = try await test.post("sessions", #"{"sessionId":"d","parentSessionId":"c","taskPriority":"low"}"#)
        #expect(other["sampled"] == "1")
        _ = try await test.post("sessions/s/steps", #"{"stepId":"t","stepAction":"tool:x","stepOutcome":"success"}"#)
        for id in ["d", "c", "s"] { _ = try await test.post("sessions/\(id)/end", #"{"outcome":"success"}"#) }
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        #expect(try await test.spans(child["traceId"]).count == 4)
    }

    @Test func `Somebody may ask to keep it`() async throws {
        let test = try WorkUnderTest(policy: Self.policy())
        let trace = try await Self.run(test, "s")
        #expect(try await test.post("sessions/s/keep", #"{"reason":"for the demo"}"#).status == 200)
        #expect(try await test.post("sessions/nobody/keep").status == 404)
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        let root = try #require(try await test.spans(trace).first { $0.parentSpanID == .zero })
        #expect(root.attributes["worktrace.sampling.reason"] == "somebody asked to keep it: for the demo")
    }

    @Test func `What is held survives a stop, and is decided about after it`() async throws {
        let first = try WorkUnderTest(policy: Self.policy())
        let trace = try await Self.run(first, "s")
        let next = try first.restarted(policy: Self.policy())
        next.clock.turn(seconds: 11)
        await next.work.decideHeld()
        #expect(try await next.spans(trace).count == 3)
        #expect(try await next.call("GET", "sessions/s", "")["totals.llmCalls"] == "1")
    }

    @Test func `Without room to wait for its end it is kept`() async throws {
        var limits = WorkLimits()
        limits.openStepCountMax = 8
        let test = try WorkUnderTest(limits: limits, policy: Self.policy())
        let start = try await test.post("sessions", #"{"sessionId":"s"}"#)
        for step in 0..<20 {
            let answer = try await test.post(
                "sessions/s/steps",
                #"{"stepId":"\#(step)","stepAction":"tool:x","stepOutcome":"success"}"#
            )
            #expect(answer.status == 201)
        }
        #expect(try await test.spans(start["traceId"]).count == 20)
    }

    @Test func `A store that takes nothing makes nobody wait, and is given all of it when it does`() async throws {
        var limits = WorkLimits()
        limits.openStepCountMax = 8
        let test = try WorkUnderTest(limits: limits, policy: Self.policy())
        test.door.refusal.withLock { $0 = Refusal(.busy, "not now") }
        let start = try await test.post("sessions", #"{"sessionId":"s"}"#)
        test.clock.turn(seconds: 1)
        _ = try await test.post("sessions", #"{"sessionId":"other"}"#)
        for step in 0..<6 {
            let answer = try await test.post(
                "sessions/s/steps",
                #"{"stepId":"\#(step)","stepAction":"tool:x","stepOutcome":"success"}"#
            )
            #expect([201, 202].contains(answer.status))
        }
        test.door.refusal.withLock { $0 = nil }
        await test.work.storeWhatWaits()
        #expect(try await test.spans(start["traceId"]).count == 6)
        // What began later is still waited for.
        let other = try await test.call("GET", "sessions/other", "")
        #expect(other["trace.samplingDecision"] == "held")
    }

    @Test func `Totals survive a stop while the store takes nothing`() async throws {
        let first = try WorkUnderTest(policy: Self.policy())
        let trace = try await Self.run(first, "s")
        first.clock.turn(seconds: 11)
        first.door.refusal.withLock { $0 = Refusal(.busy, "not now") }
        await first.work.decideHeld()
        let next = try first.restarted(policy: Self.policy())
        await next.work.storeWhatWaits()
        let root = try #require(try await next.spans(trace).first { $0.parentSpanID == .zero })
        #expect(root.attributes["worktrace.totals.steps"] == .int(3))
        #expect(root.attributes["worktrace.totals.usd"] == .double(0.25))
    }

    @Test func `What somebody says of a step is a reason to keep all of it`() async throws {
        var policy = Self.policy()
        policy.rescue.feedback = true
        let test = try WorkUnderTest(policy: policy)
        let start = try await test.post("sessions", #"{"sessionId":"s","agentName":"lead"}"#)
        let bad = #"[{"name":"feedback","attributes":{"score":-1}}]"#
        _ = try await test.post(
            "sessions/s/steps",
            #"{"stepAction":"tool:x","stepOutcome":"success","events":\#(bad)}"#
        )
        _ = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        #expect(try await test.spans(start["traceId"]).count == 2)
    }

    @Test func `What comes below a session that was left out is kept in part when it fails`() async throws {
        let test = try WorkUnderTest(policy: Self.policy())
        let trace = try await Self.run(test, "s")
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        _ = try await test.post("sessions", #"{"sessionId":"late","agentName":"late","parentSessionId":"s"}"#)
        _ = try await test.post("sessions/late/end", #"{"outcome":"failure"}"#)
        test.clock.turn(seconds: 11)
        await test.work.decideHeld()
        let late = try #require(
            try await test.spans(trace).first { $0.attributes["worktrace.session.id"] == "late" }
        )
        #expect(late.attributes["worktrace.sampling.partial"] == true)
        #expect(late.attributes["worktrace.sampling.decision"] == "kept")
    }

    @Test func `Every stage that samples is told of the same randomness`() async throws {
        let test = try WorkUnderTest(policy: Self.policy(defaultRate: 0.5))
        let start = try await test.post("sessions", #"{"sessionId":"s"}"#)
        let state = try #require(start["tracestate"])
        #expect(state.hasPrefix("ot=th:8;rv:"))
        let child = try await test.post("sessions", #"{"sessionId":"c","parentSessionId":"s","linkMode":"link"}"#)
        #expect(child["tracestate"] == state && child["sampled"] == start["sampled"])
        #expect(start["traceparent"]?.suffix(2) == (start["sampled"] == "1" ? "01" : "00"))
    }

    @Test func `Shares are kept as the rates say, whole, and totals stay exact`() async throws {
        let rates = ["critical": 1.0, "high": 1, "normal": 0.5, "low": 0.1, "background": 0.02]
        let test = try WorkUnderTest(policy: Self.policy(rates.map { Self.rule($0.key, $0.value) }, holdSeconds: 0))
        var lines: [String] = []
        let names = ["critical", "high", "normal", "low", "background"]
        let count = 1_000
        for number in 0..<count {
            let outcome = number % 50 == 7 ? "failure" : "success"
            lines += [
                #"{"op":"session.start","sessionId":"r\#(number)","agentName":"a","taskPriority":"\#(names[number % 5])"}"#,
                #"{"op":"session.start","sessionId":"r\#(number).c","agentName":"b","parentSessionId":"r\#(number)"}"#,
                #"{"op":"step.start","sessionId":"r\#(number).c","stepAction":"llm:m","stepOutcome":"success","usage":{"inputTokens":\#(number),"usd":0.01}}"#,
                #"{"op":"session.end","sessionId":"r\#(number).c","outcome":"\#(outcome)"}"#,
                #"{"op":"session.end","sessionId":"r\#(number)","outcome":"success"}"#,
            ]
        }
        let answer = try await test.call("POST", "batch", lines.joined(separator: "\n"), type: "application/x-ndjson")
        #expect(answer["rejected"] == "0")
        await test.work.decideHeld()
        var kept: [String: Int] = [:]
        var (tokens, cents) = (0, 0.0)
        var cursor: String?
        var seen = 0
        repeat {
            let page = try await test.call("GET", "sessions?limit=1000" + (cursor.map { "&cursor=\($0)" } ?? ""), "")
            for case let session as [String: Any] in page.json["sessions"] as? [Any] ?? [] {
                let (totals, trace) = (session["totals"] as? [String: Any], session["trace"] as? [String: Any])
                tokens += totals?["inputTokens"] as? Int ?? 0
                cents += totals?["usd"] as? Double ?? 0
                seen += 1
                guard trace?["sampled"] as? Bool == true, let id = session["sessionId"] as? String else { continue }
                kept[id] = 1
            }
            cursor = page["next"]
        } while cursor != nil
        #expect(seen == 2 * count)
        #expect(tokens == count * (count - 1) / 2)
        #expect((cents * 100).rounded() == Double(count))
        var shares: [String: Int] = [:]
        for number in 0..<count {
            #expect(kept["r\(number)"] == kept["r\(number).c"], "r\(number) is whole or not there")
            if number % 50 == 7 {
                #expect(kept["r\(number)"] == 1, "what failed is kept")
            } else if kept["r\(number)"] == 1 {
                shares[names[number % 5], default: 0] += 1
            }
        }
        // Bounds of 99.9 % for 200 and 180 tries (failures are all of normal priority).
        #expect(shares["critical"] == 200 && shares["high"] == 200)
        #expect((68...112).contains(shares["normal"] ?? 0))
        #expect((7...36).contains(shares["low"] ?? 0))
        #expect((0...13).contains(shares["background"] ?? 0))
    }

    @Test(arguments: [
        ("{}", "lacks session_sampling"),
        ("{session_sampling: {rules: [{rate: 2}]}}", "rate is 2: it has to be 0.0 to 1.0"),
        ("{session_sampling: {rules: [{match: {priority: hgih}, rate: 1}]}}", "did you mean high?"),
        ("{session_sampling: {rules: [{match: {priority: low}}]}}", "lacks rate"),
        ("{session_sampling: {rules: [{rate: 1}, {match: {priority: low}, rate: 1}]}}", "is never reached"),
        ("{session_sampling: {hold: 2 days}}", "hold is 2 days"),
        ("{session_sampling: {rescue: {loops: 1}}}", "loops is 1: it has to be 3 to"),
        ("{session_sampling: {rescu: off}}", "did you mean rescue?"),
    ])
    func `A policy that says nothing sensible is refused with its line`(text: String, problem: String) {
        #expect {
            try SessionPolicy(FlowText.node(text))
        } throws: { error in
            (error as? ConfigurationNode.Failure)?.message.contains(problem) == true
        }
    }

    @Test func `A policy is read as it is written`() throws {
        let text = """
            {session_sampling: {hold: 5m, default_rate: 0.25, rules: [
              {name: urgent, match: {priority: [critical, high]}, rate: 1},
              {match: {agent: crawler-*, labels: {team: infra}, depth_max: 0}, rate: 0.1, max_per_minute: 60}],
             rescue: {duration_quantile: off, human_wait: 10m, outcome: false}}}
            """
        let policy = try SessionPolicy(FlowText.node(text))
        #expect(policy.holdNanos == 300_000_000_000 && policy.defaultRate == 0.25)
        #expect(policy.rules.map(\.name) == ["urgent", "rule-2"] && policy.rules[1].perMinuteMax == 60)
        #expect(policy.rescue.durationQuantile == nil && policy.rescue.humanWaitNanos == 600_000_000_000)
        #expect(!policy.rescue.outcome && policy.rescue.loopCountMin == 3)
        var facts = SessionPolicy.Facts()
        facts.agentName = "crawler-7"
        facts.labels = [("team", "infra")]
        #expect(policy.rule(for: facts)?.name == "rule-2")
        facts.depth = 1
        #expect(policy.rule(for: facts) == nil)
    }
}
