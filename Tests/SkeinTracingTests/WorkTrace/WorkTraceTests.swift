// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Testing
import Tracing

@testable import SkeinTracing

@Suite struct WorkTraceTests {
    private struct Broken: Error {}

    private let exporter = InMemoryExporter()
    private var work: WorkTrace {
        WorkTrace(agent: .init(id: "coder-2", name: "coder"), tracer: SkeinTracer(processors: [exporter]))
    }

    private func value(_ key: String, of span: FinishedSpan) -> AttributeValue? {
        span.state.attributes.attributes.first { $0.key == key }?.value
    }

    @Test func `steps of async let hang below the step that is open`() async throws {
        await work.withSession(id: "s", parent: .none) { session in
            await session.step("plan") { plan in
                async let one: Void = session.step("tool:a") { #expect($0.id != plan.id) }
                async let two: Void = session.step("tool:b") { _ in }
                _ = await (one, two)
            }
        }
        let spans = exporter.spans
        let plan = try #require(spans.first { $0.name == "plan coder" })
        for name in ["execute_tool a", "execute_tool b"] {
            #expect(spans.first { $0.name == name }?.parentSpanID == plan.spanContext.spanID)
        }
        #expect(spans.allSatisfy { value("worktrace.session.id", of: $0) == "s" })
    }

    @Test func `a step that throws is a failure with its type, one that is cancelled is no error`() async throws {
        await work.withSession(parent: .none) { session in
            try? await session.step("tool:x") { _ in throw Broken() }
            try? await session.step("tool:y") { _ in throw CancellationError() }
        }
        let spans = exporter.spans
        let failed = try #require(spans.first { $0.name == "execute_tool x" })
        #expect(value("worktrace.step.outcome", of: failed) == "failure")
        #expect(value("error.type", of: failed) != nil)
        let cancelled = try #require(spans.first { $0.name == "execute_tool y" })
        #expect(value("worktrace.step.outcome", of: cancelled) == "cancelled")
        #expect(value("error.type", of: cancelled) == nil)
    }

    @Test(arguments: [(WorkTrace.Priority.low, "normal"), (.high, "high")])
    func `a child raises the priority and never lowers it`(own: WorkTrace.Priority, effective: String) async {
        let work = work
        await work.withSession(priority: .normal, id: "lead", parent: .none) { session in
            let spawn = session.spawn(agent: "reviewer")
            await work.withSession(priority: own, parent: .fromEnvironment(spawn.environment)) { child in
                #expect(child.id == spawn.sessionID)
                #expect(child.parentID == "lead" && child.rootID == "lead")
                #expect(child.priority?.rawValue == effective)
            }
            // The environment is still there for a second session, which is another one.
            await work.withSession(parent: .fromEnvironment(spawn.environment)) { #expect($0.id != spawn.sessionID) }
            #expect(spawn.environment.keys.allSatisfy { $0 == $0.uppercased() })
            spawn.finish()
            spawn.finish(outcome: .failure)
        }
        let spawned = exporter.spans.filter { $0.name == "invoke_agent reviewer" }
        #expect(spawned.map { value("worktrace.step.outcome", of: $0) } == ["success"])
    }

    @Test func `content is recorded only where the client says so, contexts are bounded`() async throws {
        await work.withSession(parent: .none) { session in
            let long = String(repeating: "ü", count: 3000)
            await session.step("tool:x", context: ["long": .string(long)]) { $0.toolCall(id: "c", result: "secret") }
        }
        let step = try #require(exporter.spans.first { $0.name == "execute_tool x" })
        #expect(value("gen_ai.tool.call.id", of: step) == "c")
        #expect(value("gen_ai.tool.call.result", of: step) == nil)
        #expect(value("worktrace.context.long", of: step) == .string(String(repeating: "ü", count: 2048)))
        #expect(value("worktrace.context_truncated", of: step) == true)
    }

    @Test func `nothing is asked of a tracer that makes no spans`() async {
        let work = WorkTrace(agent: .init(id: "a"), tracer: NoOpTracer())
        let value = await work.withSession(id: "not an id!", parent: .headers(["traceparent": "nonsense"])) { session in
            #expect(session.id.hasPrefix("ses_"))
            session.message(to: "group", id: "m")
            return await session.step("wait:human") { _ in 7 }
        }
        #expect(value == 7)
    }
}
