// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Sessions of an orchestration")
struct OrchestrationSessionTests {
    @Test("A named agent opens a session; what stands below it belongs to it")
    func namedAgent() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.model(10...20, below: planner)
        let call = work.tool("ask", 30...90, below: planner)
        let researcher = work.agent("researcher", 40...80, below: call)
        let request = work.add(nil, "GET", 50...60, below: researcher)
        work.model(51...59, below: request)
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.agentName) == ["planner", "researcher"])
        #expect(orchestration.sessions.map(\.spanCount) == [3, 3])
        #expect(orchestration.sessions.map(\.llmCallCount) == [1, 1])
        #expect(orchestration.sessions.map(\.toolCallCount) == [1, 0])
        #expect(orchestration.session("researcher")?.parentSessionID == orchestration.session("planner")?.sessionID)
        #expect(orchestration.rootSessionID == "\(TraceID(high: 0, low: 1)):\(planner)")
        #expect(orchestration.broken == [])
    }

    @Test("An agent's span directly in one of the same agent is the same session, below a tool it is another")
    func nestedAgent() {
        var work = AgentSpans()
        let outer = work.agent("solver", 0...100)
        let inner = work.agent("solver", 5...95, below: outer)
        let call = work.tool("solve", 10...90, below: inner)
        work.agent("solver", 20...80, below: call)
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.spanCount) == [3, 1])
        #expect(orchestration.sessions[0].spanID == outer)
    }

    @Test("A wrapper without an agent's name opens no session and belongs to the root session")
    func wrapper() {
        var work = AgentSpans()
        let workflow = work.add(.agent, "Agent workflow", 0...100)
        work.agent("triage", 10...90, below: workflow)
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.agentName) == ["triage"])
        #expect(orchestration.sessions[0].spanCount == 2)
        #expect(orchestration.durationNanos == AgentSpans.nanos(80))
        #expect(orchestration.broken == [])
    }

    @Test("A trace without agents is one session, named after the service of its root")
    func noAgent() {
        var work = AgentSpans()
        let root = work.add(nil, "POST /answer", 0...100, service: "shop")
        work.model(10...50, below: root)
        work.tool("add", 60...70, below: root)
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.agentName) == ["shop"])
        #expect(orchestration.sessions[0].spanCount == 3)
        #expect(orchestration.sessions[0].spanID == root)
        #expect(orchestration.broken == [])
    }

    @Test("The spans of a sub-agent without own span are one session, from the earliest start to the latest end")
    func subAgent() throws {
        var work = AgentSpans()
        let main = work.agent("claude-code", 0...1000)
        let call = work.tool("Agent", 100...120, below: main)
        for times in [130...200, 110...150, 300...900] {
            work.model(times, below: call, tokens: 1) { $0.subAgent = .init(name: "general-purpose", id: "a1") }
        }
        let orchestration = work.orchestration
        let session = try #require(orchestration.session("general-purpose"))
        #expect(session.agentID == "a1")
        #expect(session.startUnixNanos == AgentSpans.epoch + AgentSpans.nanos(110))
        #expect(session.durationNanos == AgentSpans.nanos(790))
        #expect(session.spanID == SpanID(4))
        #expect(session.llmCallCount == 3)
        #expect(session.isBackground)
        #expect(session.parentSessionID == orchestration.rootSessionID)
        #expect(orchestration.toolCalls[0].childSessionIDs == [session.sessionID])
        #expect(orchestration.broken == [])
    }

    @Test("WorkTrace's sessions keep their ids; a step opens none, whatever its kind")
    func workTrace() {
        var work = AgentSpans()
        let lead = work.session("ses_1", agent: "lead", 0...100) { $0.taskPriority = "high" }
        let spawn = work.step("st_1", of: "ses_1", .agent, "agent:coder", 10...90, below: lead) {
            $0.agent.name = "lead"
        }
        work.session("ses_2", agent: "coder", 20...80, below: spawn, parentSession: "ses_1", parentStep: "st_1")
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.sessionID) == ["ses_1", "ses_2"])
        #expect(orchestration.sessions.map(\.spanCount) == [2, 1])
        #expect(orchestration.taskPriority == "high")
        #expect(orchestration.sessionKey == "ses_1")
        #expect(orchestration.edges.map(\.spanID) == [spawn])
        #expect(orchestration.edges.map(\.handoffGapNanos) == [AgentSpans.nanos(10)])
        #expect(orchestration.sessions[0].timeClasses[.handoffGap] == AgentSpans.nanos(10))
        #expect(orchestration.sessions[0].timeClasses[.returnGap] == AgentSpans.nanos(10))
        #expect(orchestration.sessions[0].timeClasses[.childAgent] == AgentSpans.nanos(60))
        #expect(orchestration.broken == [])
    }

    @Test("A session of WorkTrace in another trace hangs below the parent it names")
    func workTraceLink() {
        var work = AgentSpans()
        let lead = work.session("ses_1", agent: "lead", 0...100)
        work.step("st_1", of: "ses_1", .agent, "agent:night", 10...12, below: lead)
        work.session("ses_2", agent: "night", 20...400, trace: 2, parentSession: "ses_1", parentStep: "st_1") {
            $0.work?.isLinked = true
        }
        let orchestration = work.orchestration
        #expect(orchestration.session("night")?.parentSessionID == "ses_1")
        #expect(orchestration.session("night")?.linkMode == .link)
        #expect(orchestration.session("night")?.isBackground == true)
        #expect(orchestration.edges.map(\.kind) == [.background])
        #expect(orchestration.edges.map(\.inferredBy) == [nil])
        #expect(orchestration.durationNanos == AgentSpans.nanos(100))
        #expect(orchestration.broken == [])
    }

    @Test("What a link joins to a step that was not kept hangs below the session whose step it was")
    func linkToReduced() {
        var work = AgentSpans()
        let reduced = { (span: inout AgentSpan) in span.totals = SessionTotals() }
        work.agent("alone", 0...100, trace: 1, reduced)
        work.agent("after alone", 20...60, trace: 2) { $0.link(SpanID(99), trace: 1) }
        let lead = work.agent("lead", 0...100, trace: 3, reduced)
        work.agent("helper", 10...50, below: lead, trace: 3, reduced)
        work.agent("of helper", 20...60, trace: 4) { $0.link(SpanID(99), trace: 3) }
        work.agent("of lead", 55...60, trace: 5) { $0.link(SpanID(98), trace: 3) }
        work.agent("of none", 55...60, trace: 6) { $0.link(SpanID(98), trace: 7) }
        work.agent("told", 55...60, trace: 8) { $0.link(SpanID(98), trace: 3, "message") }
        let orchestration = work.orchestration
        func parent(_ agent: String) -> String? {
            let parent = orchestration.session(agent)?.parentSessionID
            return orchestration.sessions.first { $0.sessionID == parent }?.agentName
        }
        #expect(parent("after alone") == "alone")
        #expect(parent("of helper") == "helper")
        #expect(parent("of lead") == "lead")
        #expect(parent("of none") == nil)
        #expect(orchestration.edge(to: "after alone")?.inferredBy == nil)
        #expect(orchestration.edge(to: "of helper")?.inferredBy == 4)
        #expect(orchestration.edge(to: "of helper")?.linkMode == .link)
        #expect(orchestration.edge(to: "of lead")?.inferredBy == 4)
        #expect(orchestration.edges.count == 4)
        #expect(orchestration.broken == [])
    }

    @Test("An open session is running and has no outcome; its time goes on until now")
    func open() {
        var work = AgentSpans()
        let lead = work.session("ses_1", agent: "lead", 0...10) {
            $0.isOpen = true
            $0.work?.state = "running"
        }
        work.tool("grep", 5...8, below: lead) { $0.isOpen = true }
        let orchestration = Orchestration(work.spans, nowUnixNanos: AgentSpans.epoch + AgentSpans.nanos(50))
        #expect(orchestration.state == .running)
        #expect(orchestration.sessions[0].outcome == nil)
        #expect(orchestration.durationNanos == AgentSpans.nanos(50))
        #expect(orchestration.toolCalls.map(\.outcome) == [nil])
        #expect(orchestration.toolCalls.map(\.durationNanos) == [AgentSpans.nanos(45)])
        #expect(orchestration.broken == [])
    }

    @Test("A failed tool does not fail its session; a failed agent does")
    func outcome() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.tool("add", 10...20, below: planner) { $0.fail() }
        let call = work.tool("ask", 30...90, below: planner)
        work.agent("researcher", 40...80, below: call) { $0.fail() }
        let orchestration = work.orchestration
        #expect(orchestration.sessions.map(\.outcome) == ["success", "failure"])
        #expect(orchestration.sessions.map(\.errorCount) == [1, 1])
        #expect(orchestration.errorCount == 2)
    }

    @Test("Fan-out counts what a session starts itself, at one instant")
    func fanOut() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        let node = work.add(.node, "tools", 10...50, below: planner)
        work.tool("a", 11...49, below: node)
        work.tool("b", 11...49, below: node)
        let ask = work.tool("ask", 20...60, below: planner)
        work.agent("researcher", 25...55, below: ask)
        work.agent("writer", 50...70, below: planner)
        work.tool("c", 70...80, below: planner)
        #expect(work.orchestration.session("planner")?.fanOut == 2)
        #expect(work.orchestration.session("researcher")?.fanOut == 0)
    }

    @Test("A session in the background counts for as long as it runs, its call no longer than that")
    func backgroundFanOut() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        for (number, start) in [10, 20, 30].enumerated() {
            let call = work.tool("Agent", start...start + 5, below: planner)
            work.agent("worker\(number)", start + 1...60 + number, below: call)
        }
        work.tool("read", 40...45, below: planner)
        #expect(work.orchestration.session("planner")?.fanOut == 4)
        #expect(work.orchestration.sessions.filter(\.isBackground).count == 3)
    }

    @Test("The first class that applies counts at each instant, and all sum to the duration")
    func timeClasses() {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        work.model(5...20, below: planner)
        let search = work.tool("search", 15...40, below: planner)
        work.add(.human, "approve", 30...35, below: search)
        work.add(.wait, "lock", 33...45, below: planner) { $0.wait = .init(kind: "lock") }
        let ask = work.tool("ask", 50...80, below: planner)
        work.agent("researcher", 55...70, below: ask)
        let times = work.orchestration.sessions[0].timeClasses
        #expect(times[.humanWait] == AgentSpans.nanos(5))
        #expect(times[.messageWait] == AgentSpans.nanos(10))
        #expect(times[.llm] == AgentSpans.nanos(15))
        #expect(times[.tool] == AgentSpans.nanos(10))
        #expect(times[.handoffGap] == AgentSpans.nanos(5))
        #expect(times[.childAgent] == AgentSpans.nanos(15))
        #expect(times[.returnGap] == AgentSpans.nanos(10))
        #expect(times[.own] == AgentSpans.nanos(30))
        #expect(work.orchestration.broken == [])
    }
}
