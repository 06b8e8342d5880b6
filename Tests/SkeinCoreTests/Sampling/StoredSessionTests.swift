// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinAPI
@testable import SkeinEngine

/// Sessions that come as spans of any instrumentation, under the policy for sessions (`agents.md` §4.2).
@Suite struct StoredSessionTests {
    private static let rates: [(priority: String, rate: Double)] = [
        ("critical", 1), ("high", 1), ("normal", 0.5), ("low", 0.1), ("background", 0.02),
    ]

    private static func policy(_ change: (inout SessionPolicy) -> Void = { _ in }) -> SessionPolicy {
        var policy = SessionPolicy()
        policy.rules = rates.map { name, rate in
            var match = SessionPolicy.Match()
            match.priorities = [name]
            return .init(name: name, match: match, rate: rate)
        }
        policy.rescue = .none
        policy.rescue.outcome = true
        policy.spansAfterNanos = 1
        change(&policy)
        return policy
    }

    private static func bench(
        _ policy: SessionPolicy,
        others: (any LateSampler)? = nil,
        seed: UInt64 = 1
    ) async throws -> (bench: LateBench, telemetry: Telemetry) {
        let telemetry = Telemetry()
        let bench = try await LateBench(seed: seed) { configuration in
            let sampling = PrioritySampling(policy, clock: configuration.clock, telemetry: telemetry)
            guard let sampler = try? StoredSessionSampler(sampling, others: others, prices: ModelPriceBook()) else {
                return
            }
            configuration.lateSampling = LateSampling(hotWindow: .seconds(86_400), sampler: sampler)
        }
        return (bench, telemetry)
    }

    /// A request to a gateway, below it a run of `lead` with two calls of its model and one of a tool, and in the tool a run of
    /// `helper` with one call, and an HTTP request that a service answers.
    private static func trace(
        _ number: UInt64,
        priority: String? = nil,
        conversation: String? = nil,
        helper: Span.Status.Code = .unset,
        traceState: String = "",
        child: String? = nil
    ) -> [SkeinModel.Span] {
        let id = TraceID(high: number + 1, low: number &* 0x9e37_79b9_7f4a_7c15)
        let start = 1_700_000_000_000_000_000 + number * 1_000_000_000
        func span(_ number: UInt64, _ parent: UInt64, _ name: String, _ attributes: [Attribute], _ millis: UInt64)
            -> SkeinModel.Span
        {
            var span = Span(
                traceID: id,
                spanID: SpanID(number),
                parentSpanID: SpanID(parent),
                name: name,
                startUnixNanos: start + number * 1_000_000,
                durationNanos: millis * 1_000_000
            )
            span.attributes = attributes
            span.resource = Resource(attributes: [Attribute("service.name", .string("agents"))])
            span.traceState = traceState
            return span
        }
        func agent(_ name: String, _ priority: String?) -> [Attribute] {
            var attributes = [
                Attribute("gen_ai.operation.name", "invoke_agent"), Attribute("gen_ai.agent.name", .string(name)),
            ]
            if let priority { attributes.append(Attribute("worktrace.task.priority", .string(priority))) }
            if let conversation { attributes.append(Attribute("gen_ai.conversation.id", .string(conversation))) }
            return attributes
        }
        func chat(_ tokens: Int64) -> [Attribute] {
            [
                Attribute("gen_ai.operation.name", "chat"), Attribute("gen_ai.request.model", "m"),
                Attribute("gen_ai.usage.input_tokens", .int(tokens)), Attribute("gen_ai.usage.output_tokens", 7),
            ]
        }
        var spans = [
            span(1, 0, "POST /ask", [], 900),
            span(2, 1, "invoke_agent lead", agent("lead", priority), 800),
            span(3, 2, "chat m", chat(Int64(number % 100)), 100),
            span(
                4,
                2,
                "execute_tool ask",
                [Attribute("gen_ai.operation.name", "execute_tool"), Attribute("gen_ai.tool.name", "ask")],
                400
            ),
            span(5, 4, "invoke_agent helper", agent("helper", child), 300),
            span(6, 5, "chat m", chat(3), 100),
            span(7, 4, "GET /pages", [], 50),
            span(8, 2, "chat m", chat(11), 100),
            span(9, 1, "audit", [], 10),
        ]
        spans[4].status = .init(helper)
        return spans
    }

    private static func work(_ spans: [SkeinModel.Span]) -> Orchestration {
        Orchestration(AgentSpan.read(SpanBatch(spans: spans, receivedUnixNanos: 0)))
    }

    @Test func `shares are kept as the rates say, all that failed, and every total stays exact`() async throws {
        let (bench, telemetry) = try await Self.bench(Self.policy())
        let count: UInt64 = 1_000
        let sent = (0..<count).map { number in
            Self.trace(
                number,
                priority: Self.rates[Int(number % 5)].priority,
                helper: number % 50 == 3 ? .error : .ok
            )
        }
        for start in stride(from: 0, to: sent.count, by: 250) {
            try await bench.block(Array(sent[start..<start + 250].joined()))
        }
        bench.wait(hours: 25)
        await bench.store.thin()
        var kept = [Double](repeating: 0, count: 5)
        var chats = 0.0
        for (number, spans) in sent.enumerated() {
            let stored = try await bench.store.trace(spans[0].traceID)?.spans ?? []
            let (before, after) = (Self.work(spans), Self.work(stored))
            // Nothing is missing of what hangs together, and nothing of the sums.
            #expect(after.sessions.map(\.sessionID) == before.sessions.map(\.sessionID))
            #expect(after.sessions.map(\.usage) == before.sessions.map(\.usage))
            #expect(after.sessions.map(\.timeClasses) == before.sessions.map(\.timeClasses))
            #expect(after.sessions.map(\.llmCallCount) == before.sessions.map(\.llmCallCount))
            #expect(after.usage == before.usage)
            #expect(after.edges.map(\.spanID) == before.edges.map(\.spanID))
            let names = Set(stored.map(\.name))
            #expect(names.isSuperset(of: ["POST /ask", "invoke_agent lead", "execute_tool ask", "audit"]))
            let isWhole = stored.count == spans.count
            #expect(isWhole || stored.count == 5, "\(stored.map(\.name))")
            if number % 50 == 3 { #expect(isWhole) } else if isWhole { kept[number % 5] += 1 }
            // What would be there anyway stands for itself.
            #expect(
                stored.filter { !$0.name.hasPrefix("chat") && $0.name != "GET /pages" }.allSatisfy { $0.weight == 1 }
            )
            if number % 50 != 3, number % 5 == 2 {
                chats += stored.filter { $0.name == "chat m" }.reduce(0) { $0 + $1.weight }
            }
        }
        #expect(kept[0] == 200 && kept[1] == 200)
        // 99.9 % of what binomial counts are: 200 of a half, 180 of a tenth, 200 of a fiftieth.
        #expect((77...123).contains(kept[2]))
        #expect((6...32).contains(kept[3]))
        #expect((0...11).contains(kept[4]))
        #expect(abs(chats - 600) < 140)
        var text = PrometheusText()
        telemetry.write(to: &text)
        let reduced = Int(600 - 20 - kept[2] - kept[3] - kept[4])
        #expect(text.text.contains(#"skein_session_sampling_decisions_total{decision="reduced"} \#(reduced)"#))
        #expect(text.text.contains(#"skein_session_sampling_decisions_total{decision="rescued"} 20"#))
        #expect(text.text.contains("skein_session_sampling_left_out_steps_total \(reduced * 4)"))
    }

    @Test func `a session says what became of it, and reads as it did`() async throws {
        let (bench, _) = try await Self.bench(Self.policy { $0.defaultRate = 0 })
        let spans = Self.trace(1, priority: "unheard")
        try await bench.block(spans)
        bench.wait(hours: 25)
        await bench.store.thin()
        let stored = try await bench.store.trace(spans[0].traceID)?.spans ?? []
        let lead = try #require(stored.first { $0.name == "invoke_agent lead" })
        #expect(lead.attributes["worktrace.sampling.decision"] == "reduced")
        #expect(lead.attributes["worktrace.sampling.rate"] == .double(0))
        #expect(lead.attributes["worktrace.sampling.reason"] == "default rate keeps 0 %")
        #expect(lead.attributes["worktrace.totals.llm_calls"] == .int(2))
        #expect(stored[0].attributes["skein.sampling.reason"] == "session: default rate keeps 0 %")
        // A second look changes nothing, whatever the policy says then.
        bench.wait(hours: 25)
        try await bench.store.compact()
        await bench.store.thin()
        #expect(try await bench.store.trace(spans[0].traceID)?.spans == stored)
    }

    @Test func `traces of one conversation, and stages that know its randomness, choose alike`() async throws {
        let (bench, _) = try await Self.bench(Self.policy { $0.defaultRate = 0.5 })
        let talks = (0..<40).map { number in
            (0..<3).map { turn in
                Self.trace(UInt64(number * 3 + turn), priority: "normal", conversation: "talk-\(number)")
            }
        }
        let told = [
            Self.trace(900, priority: "low", traceState: "ot=rv:ffffffffffffff"),
            Self.trace(901, priority: "low", traceState: "ot=rv:00000000000001"),
        ]
        try await bench.block(Array((talks.joined() + told).joined()))
        bench.wait(hours: 25)
        await bench.store.thin()
        func stored(_ spans: [SkeinModel.Span]) async throws -> [SkeinModel.Span] {
            try await bench.store.trace(spans[0].traceID)?.spans ?? []
        }
        var counts: Set<Int> = []
        for talk in talks {
            let first = try await stored(talk[0]).count
            for turn in talk { #expect(try await stored(turn).count == first) }
            counts.insert(first)
        }
        #expect(counts == [5, 9])
        let kept = try await stored(told[0])
        #expect(kept.count == 9)
        #expect(kept[2].traceState == "ot=th:e666;rv:ffffffffffffff")
        #expect(abs(kept[2].weight - 10) < 0.01)
        #expect(kept[1].traceState == "ot=rv:ffffffffffffff")
        #expect(try await stored(told[1]).count == 5)
    }

    @Test func `a trace and those that its steps started by links choose alike`() async throws {
        let (bench, _) = try await Self.bench(Self.policy())
        func linked(_ number: UInt64, to other: SkeinModel.Span, _ traceState: String = "") -> [SkeinModel.Span] {
            var spans = Array(Self.trace(number, priority: "normal").dropFirst())
            spans[0].parentSpanID = .zero
            spans[0].links = [
                Span.Link(traceID: other.traceID, spanID: SpanID(4), traceState: traceState, flags: 1, attributes: [])
            ]
            return spans.filter { $0.parentSpanID != SpanID(1) }
        }
        let families = (0..<40).map { number in
            let lead = Self.trace(UInt64(number * 3), priority: "normal")
            return [lead] + (1..<3).map { linked(UInt64(number * 3 + $0), to: lead[0]) }
        }
        let told = ["ffffffffffffff", "00000000000001"].enumerated().map { number, randomness in
            linked(900 + UInt64(number), to: families[0][0][0], "ot=rv:\(randomness)")
        }
        try await bench.block(Array((families.joined() + told).joined()))
        bench.wait(hours: 25)
        await bench.store.thin()
        func isWhole(_ spans: [SkeinModel.Span]) async throws -> Bool {
            try await bench.store.trace(spans[0].traceID)?.spans.count == spans.count
        }
        var kept: [Bool] = []
        for family in families {
            let lead = try await isWhole(family[0])
            for trace in family { #expect(try await isWhole(trace) == lead) }
            kept.append(lead)
        }
        #expect(Set(kept) == [true, false])
        #expect(try await isWhole(told[0]))
        #expect(try await !isWhole(told[1]))
    }

    @Test func `a child raises the priority of all, and what is no session of an agent is left to others`() async throws
    {
        let policies = LatePolicies(
            try SamplingPolicySet([SamplingPolicy("nothing", .condition(.status(in: [.error])))]),
            telemetry: Telemetry()
        )
        let (bench, _) = try await Self.bench(Self.policy { $0.rules[4].rate = 0 }, others: policies)
        let raised = Self.trace(1, priority: "background", child: "critical")
        let plain = TraceSketch(77).id
        var web = TraceSketch(77)
        for _ in 0..<3 { web.add() }
        var decided = Self.trace(2, priority: "background")
        decided[1].attributes.append(Attribute("worktrace.sampling.decision", "kept"))
        try await bench.block(raised + web.spans + decided)
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await bench.store.trace(raised[0].traceID)?.spans.count == 9)
        #expect(try await bench.store.trace(decided[0].traceID)?.spans.count == 9)
        #expect(try await bench.store.trace(plain) == nil)
        let (alone, _) = try await Self.bench(Self.policy())
        try await alone.block(web.spans)
        alone.wait(hours: 25)
        await alone.store.thin()
        #expect(try await alone.store.trace(plain)?.spans.allSatisfy(\.attributes.isEmpty) ?? false)
    }

    @Test func `an agent that goes on is waited for, wherever it runs, and what comes too late weighs one`()
        async throws
    {
        let (bench, _) = try await Self.bench(Self.policy { $0.defaultRate = 0.5 })
        func stored(_ spans: [SkeinModel.Span]) async throws -> [SkeinModel.Span] {
            try await bench.store.trace(spans[0].traceID)?.spans ?? []
        }
        let early = Self.trace(1, priority: "normal", conversation: "talk-0")
        var called = Self.trace(2, priority: "normal", conversation: "talk-0")
        (called[0].parentSpanID, called[0].flags) = (SpanID(99), 0x301)
        let traces = (3..<13).map { Self.trace(UInt64($0), priority: "normal", conversation: "talk-\($0)") }
        try await bench.block(Array(early[2...]) + called + traces.flatMap { $0[..<8] })
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await stored(early).count == 7)
        #expect(try await stored(called).count == 9)
        var more: [SkeinModel.Span] = []
        for trace in traces {
            var agent = trace[4]
            (agent.spanID, agent.parentSpanID) = (SpanID(60), SpanID(2))
            more += [trace[8], agent]
        }
        try await bench.block(Array(early[..<2]) + more)
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect([5, 9].contains(try await stored(early).count))
        var counts: Set<Int> = []
        for trace in traces {
            let found = try await stored(trace)
            counts.insert(found.count)
            #expect(found.filter { $0.spanID == SpanID(60) || $0.spanID == SpanID(9) }.map(\.weight) == [1, 1])
        }
        #expect(counts == [6, 10])
    }

    @Test func `what cannot be summed up rightly stays whole, whoever else decides`() async throws {
        let nothing = LatePolicies(
            try SamplingPolicySet([SamplingPolicy("nothing", .condition(.status(in: [.error])))]),
            telemetry: Telemetry()
        )
        let (bench, _) = try await Self.bench(Self.policy { $0.defaultRate = 0 }, others: nothing)
        var shared = Self.trace(1, priority: "unheard")
        // The two sides of a call between agents.
        (shared[4].spanID, shared[4].kind, shared[3].kind) = (SpanID(4), .server, .client)
        shared[5].parentSpanID = SpanID(4)
        var claude = Self.trace(2, priority: "unheard")
        claude[2].name = "claude_code.llm_request"
        claude[2].attributes = [Attribute("model", "claude"), Attribute("input_tokens", 40)]
        var told = Self.trace(3, priority: "unheard")
        told[2].attributes.append(Attribute("session.id", "talk-9"))
        try await bench.block(shared + claude + told)
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await bench.store.trace(shared[0].traceID)?.spans.count == 9)
        #expect(try await bench.store.trace(claude[0].traceID)?.spans.count == 9)
        // A conversation that only steps named is named still.
        let reduced = try await bench.store.trace(told[0].traceID)?.spans ?? []
        #expect(reduced.count == 5)
        #expect(Self.work(reduced).sessions.map(\.sessionKey) == Self.work(told).sessions.map(\.sessionKey))
        #expect(Self.work(reduced).sessions.first?.sessionKey == "talk-9")
    }

    @Test func `a pinned session is not reduced, and one that is being reduced cannot be pinned`() async throws {
        let (bench, _) = try await Self.bench(Self.policy { $0.defaultRate = 0 })
        let (pinned, reduced) = (Self.trace(1, priority: "unheard"), Self.trace(2, priority: "unheard"))
        try await bench.block(pinned + reduced)
        _ = try bench.store.pins.pin(pinned[0].traceID, atUnixNanos: 1)
        bench.wait(hours: 25)
        // Decided, and not yet taken out of the block.
        #expect(try await bench.store.sampleLateOnce())
        #expect(throws: StoreError.self) { _ = try bench.store.pins.pin(reduced[0].traceID, atUnixNanos: 1) }
        await bench.store.thin()
        #expect(try await bench.store.trace(pinned[0].traceID)?.spans.count == 9)
        #expect(try await bench.store.trace(reduced[0].traceID)?.spans.count == 5)
        _ = try bench.store.pins.pin(reduced[0].traceID, atUnixNanos: 1)
    }

    @Test func `a rule keeps so many a minute, in whatever order they end`() {
        var minutes = RuleMinutes()
        let rule = SessionPolicy.Rule(name: "r", match: .init(), rate: 1, perMinuteMax: 5)
        var kept = [0, 0]
        for number in 0..<200 {
            let randomness = Hash.of(UInt64(number)) & (SamplingThreshold.end - 1)
            let rate = minutes.rate(of: rule, randomness, at: UInt64(number % 2) * 60_000_000_000)
            let threshold = SamplingThreshold.threshold(ofProbability: rate, precision: 4)
            if randomness >= threshold { kept[number % 2] += 1 }
        }
        #expect(kept[0] == 5)
        #expect(kept[1] == 5)
    }

    @Test(arguments: 0..<40)
    func `a stop on the way reduces a session wherever its spans lie`(operations: Int) async throws {
        var (bench, _) = try await Self.bench(Self.policy { $0.defaultRate = 0 }, seed: UInt64(operations))
        let spans = Self.trace(3, priority: "unheard")
        // One block holds nothing that stays, one all of it, one both.
        for part in [[2, 5], [0, 1, 3, 4], [6, 7, 8]] { try await bench.block(part.map { spans[$0] }) }
        bench.wait(hours: 25)
        bench.disk.stop(afterOperations: operations)
        await bench.store.thin()
        try await bench.reopen(on: operations % 2 == 0 ? bench.disk.crash() : bench.disk.kill())
        await bench.store.thin()
        let stored = try await bench.store.trace(spans[0].traceID)?.spans ?? []
        #expect(stored.map(\.spanID) == [0, 1, 3, 4, 8].map { spans[$0].spanID })
        #expect(Self.work(stored).usage == Self.work(spans).usage)
        #expect(!bench.disk.paths.contains("/data/late-sampling"))
        // What comes after it is there, and nothing is reduced twice.
        try await bench.block([spans[7]])
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await bench.store.trace(spans[0].traceID)?.spans.count == 6)
        #expect(await bench.store.status().problems.isEmpty)
    }
}
