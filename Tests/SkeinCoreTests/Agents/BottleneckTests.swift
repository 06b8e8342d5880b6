// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import Testing

@Suite("Bottlenecks of an orchestration")
struct BottleneckTests {
    @Test("A handoff that waits for a process says so, greatest first")
    func handoff() throws {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...10_100)
        let spawn = work.tool("spawn", 0...10_000, below: planner)
        work.agent("reviewer", 7000...9950, below: spawn, service: "reviewer") { $0.isParentRemote = true }
        let bottlenecks = work.orchestration.bottlenecks()
        let first = try #require(bottlenecks.first)
        #expect(first.text == "handoff planner → reviewer: 7.0 s of 10.1 s (69 %) waiting for process start")
        #expect(first.timeClass == .handoffGap)
        #expect(first.durationNanos == AgentSpans.nanos(7000))
        #expect(abs(first.share - 0.693) < 0.001)
        #expect(first.sessionID == work.orchestration.session("reviewer")?.sessionID)
        #expect(bottlenecks.map(\.durationNanos) == bottlenecks.map(\.durationNanos).sorted(by: >))
    }

    @Test("In a chain of handoffs each gap is that of who passed control, and is told as such")
    func chain() throws {
        var work = AgentSpans()
        let workflow = work.add(.workflow, "Agent workflow", 0...60_000)
        let names = ["triage", "billing", "refund", "closer"]
        for (place, name) in names.enumerated() {
            let start = place * 10_000 + place * place * 1_000
            let agent = work.agent(name, start...(start + 8_000), below: workflow)
            guard place + 1 < names.count else { continue }
            work.add(.handoff, "handoff to \(names[place + 1])", (start + 7_999)...(start + 8_000), below: agent) {
                $0.handoff = .init(from: name, to: names[place + 1])
            }
        }
        let orchestration = work.orchestration
        let gaps = orchestration.criticalPath.filter { $0.timeClass == .handoffGap && $0.durationNanos > 1_000_000_000 }
        #expect(gaps.map(\.agentName) == ["triage", "billing", "refund"])
        let texts = orchestration.bottlenecks().filter { $0.timeClass == .handoffGap }.map(\.text)
        let told = ["handoff refund → closer", "handoff billing → refund", "handoff triage → billing"]
        #expect(texts.map { $0.prefix { $0 != ":" } } == told.map { $0[...] })
        #expect(orchestration.broken == [])
    }

    @Test("A tool says its share, its calls, and which could run in parallel")
    func tool() {
        var work = AgentSpans()
        let agent = work.agent("researcher", 0...10_000)
        work.tool("web.search", 0...1000, below: agent)
        work.tool("web.search", 1000...2000, below: agent)
        work.tool("web.search", 2000...3000, below: agent)
        work.model(3000...9000, below: agent)
        work.tool("web.search", 9000...10_000, below: agent)
        let texts = work.orchestration.bottlenecks().map(\.text)
        #expect(
            texts == [
                "models of researcher are 60 % of the time (1 call)",
                "`web.search` is 40 % of the session (4 calls, p95 1.0 s); 3 could run in parallel",
            ]
        )
    }

    @Test("Time without any span is told between the turns")
    func silence() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...30_000)
        work.model(0...1000, below: agent)
        work.model(26_000...30_000, below: agent)
        #expect(work.orchestration.bottlenecks().first?.text == "25.0 s between turn 1 and 2 of a has no span")
    }

    @Test("Waits, retries and calls with the same arguments are told")
    func repeats() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...10_000)
        for start in [0, 1000, 2000, 3000] {
            work.tool("grep", start...start + 1000, below: agent, arguments: 1) { if start < 1000 { $0.fail() } }
        }
        work.add(.human, "approve", 4000...10_000, below: agent)
        let texts = work.orchestration.bottlenecks().map(\.text)
        #expect(
            texts == [
                "a waits for a person: 6.0 s of 10.0 s (60 %)",
                "`grep` is 40 % of the session (4 calls, p95 1.0 s); 4 could run in parallel",
                "`grep`: same arguments sent 4 times in 4.0 s",
                "`grep` tried 2 times until it worked: 1.0 s of 10.0 s (10 %) before the last",
            ]
        )
        #expect(work.orchestration.bottlenecks(limit: 1).count == 1)
    }

    @Test("What would be said again is said once, with its agent, and long names are cut")
    func merged() {
        var work = AgentSpans()
        let lead = work.agent("lead", 0...30_000)
        for (number, name) in ["coder", "coder", String(repeating: "n", count: 5_000)].enumerated() {
            let agent = work.agent(name, number * 10_000...number * 10_000 + 10_000, below: lead)
            for start in [0, 4000] {
                let at = number * 10_000 + start
                work.tool("build", at...at + 1000, below: agent) { $0.fail() }
                work.tool("build", at + 1000...at + 2000, below: agent)
            }
        }
        let found = work.orchestration.bottlenecks()
        let texts = found.map(\.text)
        #expect(Set(texts).count == texts.count)
        #expect(
            texts.contains(
                "`build` of coder tried 8 times for 4 calls until each worked: 4.0 s of 30.0 s (13 %) before the last of each"
            )
        )
        #expect(texts.filter { $0.hasSuffix("of coder has no span (4 times)") }.count == 1)
        #expect(texts.allSatisfy { $0.count < 400 } && texts.contains { $0.contains("nnn… (of 5000 bytes)") })
    }

    @Test("Random forests have bottlenecks within bounds", arguments: 0..<100)
    func random(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        for bottleneck in Orchestration(RandomAgents.spans(&random)).bottlenecks() {
            #expect(bottleneck.share > 0 && bottleneck.share <= 1)
        }
    }
}
