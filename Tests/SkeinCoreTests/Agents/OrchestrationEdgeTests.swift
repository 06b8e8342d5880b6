// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Edges of an orchestration")
struct OrchestrationEdgeTests {
    @Test("A delegation's gaps and its child fill the step")
    func delegate() throws {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        let call = work.tool("ask", 10...90, below: planner)
        let request = work.add(nil, "POST", 12...88, below: call)
        work.agent("researcher", 20...70, below: request, service: "other") { $0.isParentRemote = true }
        let edge = try #require(work.orchestration.edges.first)
        #expect(edge.kind == .delegate)
        #expect(edge.spanID == call)
        #expect(edge.toolName == "ask")
        #expect(edge.isProcessBoundary)
        #expect(edge.handoffGapNanos == AgentSpans.nanos(10))
        #expect(edge.childNanos == AgentSpans.nanos(50))
        #expect(edge.returnGapNanos == AgentSpans.nanos(20))
        #expect(work.orchestration.broken == [])
    }

    @Test("A child that outlives its step runs in the background and keeps its time")
    func background() throws {
        var work = AgentSpans()
        let planner = work.agent("planner", 0...100)
        let call = work.tool("start", 10...12, below: planner)
        work.agent("watcher", 11...500, below: call)
        let orchestration = work.orchestration
        #expect(orchestration.edges.map(\.kind) == [.background])
        #expect(orchestration.session("watcher")?.durationNanos == AgentSpans.nanos(489))
        #expect(orchestration.session("planner")?.timeClasses[.childAgent] == 0)
        #expect(orchestration.durationNanos == AgentSpans.nanos(100))
        #expect(orchestration.criticalPath.allSatisfy { $0.agentName == "planner" })
        #expect(orchestration.broken == [])
    }

    @Test("A child that a later span awaits is no background")
    func awaited() {
        var work = AgentSpans()
        let lead = work.session("a", agent: "lead", 0...100)
        let spawn = work.step("s1", of: "a", .agent, "agent:coder", 10...12, below: lead)
        work.session("b", agent: "coder", 11...80, below: spawn, parentSession: "a", parentStep: "s1")
        work.step("s2", of: "a", .wait, "wait", 20...85, below: lead) { $0.wait = .init(kind: "session", id: "b") }
        let orchestration = work.orchestration
        #expect(orchestration.edges.map(\.kind) == [.delegate])
        #expect(orchestration.session("coder")?.isBackground == false)
        #expect(orchestration.criticalPath.contains { $0.agentName == "coder" })
        #expect(orchestration.broken == [])
    }

    @Test("A handoff passes control to the next session of that name")
    func handoff() throws {
        var work = AgentSpans()
        let workflow = work.add(.workflow, "Agent workflow", 0...300)
        let triage = work.agent("triage", 0...100, below: workflow)
        let step = work.add(.handoff, "handoff to coder", 90...91, below: triage) {
            $0.handoff = .init(from: "triage", to: "coder")
        }
        work.agent("tester", 95...99, below: workflow)
        work.agent("coder", 120...290, below: workflow)
        let orchestration = work.orchestration
        let edge = try #require(orchestration.edge(to: "coder"))
        #expect(edge.kind == .handoff)
        #expect(edge.spanID == step)
        #expect(edge.handoffGapNanos == AgentSpans.nanos(30))
        #expect(edge.returnGapNanos == nil)
        #expect(edge.inferredBy == nil)
        #expect(orchestration.session("coder")?.parentSessionID == orchestration.session("triage")?.sessionID)
        #expect(orchestration.session("coder")?.isBackground == false)
        #expect(orchestration.durationNanos == AgentSpans.nanos(290))
        #expect(orchestration.criticalPath.map(\.agentName).contains("coder"))
        #expect(orchestration.broken == [])
    }

    @Test("A handoff to an unknown target passes control to the next session that starts")
    func unknownTarget() {
        var work = AgentSpans()
        let workflow = work.add(.workflow, "workflow", 0...300)
        let triage = work.agent("triage", 0...100, below: workflow)
        work.add(.handoff, "triage → unknown.handoff", 90...91, below: triage) { $0.handoff = .init(from: "triage") }
        work.agent("coder", 120...200, below: workflow)
        work.agent("tester", 210...290, below: workflow)
        let orchestration = work.orchestration
        #expect(orchestration.edges.map(\.kind) == [.handoff])
        #expect(orchestration.edges.first?.toSessionID == orchestration.session("coder")?.sessionID)
        #expect(orchestration.session("tester")?.parentSessionID == nil)
    }

    @Test("Who called the one that passed control waits for the one that got it")
    func handoffBelowCaller() {
        var work = AgentSpans()
        let swarm = work.agent("swarm", 0...100)
        let alice = work.agent("alice", 10...50, below: swarm)
        work.add(.handoff, "handoff to bob", 45...50, below: alice) { $0.handoff = .init(to: "bob") }
        work.agent("bob", 55...90, below: swarm)
        let orchestration = work.orchestration
        #expect(orchestration.session("bob")?.parentSessionID == orchestration.session("alice")?.sessionID)
        #expect(orchestration.session("swarm")?.timeClasses[.childAgent] == AgentSpans.nanos(75))
        #expect(orchestration.criticalPath.contains { $0.agentName == "bob" })
        #expect(orchestration.broken == [])
    }

    @Test("A message joins two sessions without making one the parent")
    func message() {
        var work = AgentSpans()
        let coder = work.session("a", agent: "coder", 0...100)
        let post = work.step("s1", of: "a", .message, "send_message", 10...11, below: coder)
        let reviewer = work.session("b", agent: "reviewer", 50...200, trace: 2)
        work.step("s2", of: "b", .llm, "llm", 60...70, below: reviewer, trace: 2) { $0.link(post, "message") }
        let orchestration = work.orchestration
        #expect(orchestration.edges.map(\.kind) == [.message])
        #expect(orchestration.edges.first?.fromSessionID == "a")
        #expect(orchestration.edges.first?.spanID == post)
        #expect(orchestration.session("reviewer")?.parentSessionID == nil)
        #expect(orchestration.durationNanos == AgentSpans.nanos(100))
    }

    @Test("A message has the time at which it was sent, where the sender says so")
    func messageTime() throws {
        var work = AgentSpans()
        let coder = work.session("a", agent: "coder", 0...100)
        let long = work.step("s1", of: "a", .tool, "edit", 10...90, below: coder) {
            $0.messageTimes = ["m": AgentSpans.epoch + AgentSpans.nanos(55)]
        }
        let reviewer = work.session("b", agent: "reviewer", 50...200, trace: 2)
        work.step("s2", of: "b", .llm, "llm", 60...70, below: reviewer, trace: 2) {
            $0.links.append(.init(traceID: TraceID(high: 0, low: 1), spanID: long, relation: "message", messageID: "m"))
        }
        let edge = try #require(work.orchestration.edges.first)
        #expect(edge.startUnixNanos == AgentSpans.epoch + AgentSpans.nanos(55))
        #expect(edge.handoffGapNanos == AgentSpans.nanos(5))
    }

    @Test("Rule 1 joins layers of one call by the model's id of it, and never rewrites an id")
    func ruleOne() throws {
        var work = AgentSpans()
        let claude = work.agent("claude-code", 0...100)
        work.tool("mcp__demo__add", 10...50, below: claude, call: "toolu_1")
        let proxy = work.tool("add", 12...48, trace: 2, layer: .proxy, call: "toolu_1", service: "mcp-proxy")
        work.agent("adder", 20...40, below: proxy, trace: 2, service: "mcp-server")
        let orchestration = work.orchestration
        #expect(orchestration.toolCalls.map(\.toolName) == ["add"])
        #expect(orchestration.toolCalls.first?.layers.map(\.layer) == [.agent, .proxy])
        #expect(orchestration.session("adder")?.parentSessionID == orchestration.rootSessionID)
        #expect(orchestration.session("adder")?.traceID == TraceID(high: 0, low: 2))
        #expect(orchestration.broken == [])
    }

    @Test("Rule 2 joins by the request's id, the server and time; a request of another server stays alone")
    func ruleTwo() {
        var work = AgentSpans()
        let host = work.agent("host", 0...100)
        work.tool("add", 10...50, below: host, layer: .client, request: "3") { $0.tool?.server = "demo" }
        work.tool("add", 20...40, trace: 2, layer: .server, request: "3", service: "demo")
        work.tool("add", 20...40, trace: 3, layer: .server, request: "3", service: "other")
        work.tool("add", 40...60, trace: 4, layer: .server, request: "3", service: "demo")
        #expect(work.orchestration.toolCalls.map(\.layers.count) == [2, 1, 1])
    }

    @Test("An agent beside its caller stands below the tool call that is named after it and holds its time")
    func agentAsTool() {
        var work = AgentSpans()
        let workflow = work.add(.workflow, "Agent Workflow", 0...100)
        let lead = work.agent("lead", 0...100, below: workflow)
        let call = work.tool("ask_helper", 10...50, below: lead)
        work.agent("Helper", 12...48, below: workflow)
        work.agent("helper", 60...70, below: workflow)
        let orchestration = work.orchestration
        #expect(orchestration.edges.map(\.spanID) == [call])
        #expect(orchestration.edges.map(\.kind) == [.delegate])
        #expect(orchestration.edges.map(\.inferredBy) == [3])
        #expect(orchestration.toolCalls.first?.childSessionIDs == [orchestration.session("Helper")?.sessionID ?? ""])
        #expect(orchestration.session("helper")?.parentSessionID == nil)
        #expect(orchestration.broken == [])
    }

    @Test("Rule 3 joins an agent to the step that was open and names it")
    func ruleThree() {
        var work = AgentSpans()
        let lead = work.session("a", agent: "lead", 0...100)
        let spawn = work.step("s1", of: "a", .agent, "agent:reviewer", 10...60, below: lead)
        work.agent("reviewer", 20...50, trace: 2)
        work.agent("reviewer", 70...80, trace: 3)
        let orchestration = work.orchestration
        #expect(orchestration.edges.map(\.inferredBy) == [3])
        #expect(orchestration.edges.map(\.spanID) == [spawn])
        #expect(orchestration.sessions.map(\.parentSessionID) == [nil, "a", nil])
        #expect(orchestration.broken == [])
    }
}
