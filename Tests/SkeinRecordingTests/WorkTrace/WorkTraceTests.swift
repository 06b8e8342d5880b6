// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import Synchronization
import Testing
import Tracing

@testable import SkeinRecording

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
            await session.step("tool:x", context: ["long": .string(long)]) { step in
                step.toolCall(id: "c", result: "secret", server: "fs")
                step.context(Dictionary(uniqueKeysWithValues: (0..<70).map { ("k\($0)", "v") }))
            }
        }
        let step = try #require(exporter.spans.first { $0.name == "execute_tool x" })
        #expect(value("gen_ai.tool.call.id", of: step) == "c")
        #expect(value("worktrace.tool.server", of: step) == "fs")
        #expect(value("gen_ai.tool.call.result", of: step) == nil)
        #expect(value("worktrace.content.result.bytes", of: step) == 6)
        #expect(value("worktrace.content.dropped", of: step) == true)
        #expect(value("worktrace.context.long", of: step) == .string(String(repeating: "ü", count: 2048)))
        #expect(value("worktrace.context_truncated", of: step) == true)
        let keys = step.state.attributes.attributes.filter { $0.key.hasPrefix("worktrace.context.") }
        #expect(keys.count == 64)
    }

    @Test(arguments: [false, true])
    func `what conventions only propose is written where that is asked for`(isAsked: Bool) async throws {
        let tracer = SkeinTracer(processors: [exporter])
        let work = WorkTrace(agent: .init(id: "a"), tracer: tracer, writesDraftConventions: isAsked)
        await work.withSession(parent: .none) { session in
            await session.step("handoff:coder", kind: .handoff) { _ in }
            session.spawn(agent: "reviewer").finish()
        }
        func transfer(_ name: String) -> [AttributeValue?] {
            let span = exporter.spans.first { $0.name == name }
            return ["mode", "target.name"].map { key in span.flatMap { value("gen_ai.transfer.\(key)", of: $0) } }
        }
        #expect(transfer("handoff:coder") == (isAsked ? ["pass_control", "coder"] : [nil, nil]))
        #expect(transfer("invoke_agent reviewer") == (isAsked ? ["return_to_caller", "reviewer"] : [nil, nil]))
    }

    @Test func `content has a size`() async throws {
        let tracer = SkeinTracer(processors: [exporter])
        let work = WorkTrace(agent: .init(id: "a"), tracer: tracer, recordsContent: true, contentByteCountMax: 5)
        await work.withSession(parent: .none) { session in
            await session.step("llm:m") { $0.messages(input: "ask", output: "äöü", system: nil) }
            session.summary("done")
        }
        let step = try #require(exporter.spans.first { $0.name == "chat m" })
        #expect(value("gen_ai.input.messages", of: step) == "ask")
        #expect(value("gen_ai.output.messages", of: step) == "äö")
        #expect(value("worktrace.content.output.bytes", of: step) == 6)
        #expect(value("worktrace.content.truncated", of: step) == true)
        let session = try #require(exporter.spans.first { $0.name == "invoke_agent a" })
        #expect(value("worktrace.session.summary", of: session) == "done")
    }

    @Test func `ids are those that every recorder of the session computes`() async throws {
        let work = work
        await work.withSession(id: "ses_lead", parent: .none) { session in
            await session.step("tool:grep", id: "st_1") { _ in }
            let spawn = session.spawn(agent: "reviewer", id: "st_2")
            let meta = WorkTrace.Parent.mcpMeta(spawn.mcpMeta)
            await work.withSession(parent: meta) { child in
                #expect(child.id == spawn.sessionID && child.parentID == "ses_lead" && child.rootID == "ses_lead")
            }
            // Of headers, which may pass through others, nobody takes the id of a session.
            await work.withSession(parent: .headers(spawn.httpHeaders)) { child in
                #expect(child.id != spawn.sessionID && child.parentID == "ses_lead")
            }
            spawn.finish()
        }
        let spans = exporter.spans
        // As `printf 'wt:t:ses_lead' | sha256sum` and `printf 'wt:s:ses_lead/st_1' | sha256sum` say.
        let lead = try #require(
            spans.first { value("worktrace.session.id", of: $0) == "ses_lead" && $0.parentSpanID == .zero }
        )
        #expect(lead.spanContext.traceID.description == "b86dc1cfd587fd671da6c41b0740d869")
        #expect(lead.spanContext.spanID.description == "8d1f53dfd9b2cf04")
        let step = try #require(spans.first { $0.name == "execute_tool grep" })
        #expect(step.spanContext.spanID.description == "aacdae68199b4186")
        #expect(step.parentSpanID == lead.spanContext.spanID)
        let children = spans.filter { value("worktrace.session.parent_step_id", of: $0) == "st_2" }
        #expect(children.count == 2)
        #expect(children.allSatisfy { $0.parentSpanID == WorkIDs.span(ofSession: "ses_lead", step: "st_2") })
        #expect(children.contains { value("worktrace.session.id", of: $0) == "ses_c882f0a898b68d38b97b" })
    }

    @Test func `a parent of which only ids are known has the span that everybody computes`() async throws {
        let variables = ["WORKTRACE_PARENT_SESSION_ID": "lead", "WORKTRACE_PARENT_STEP_ID": "st_9", "TRACESTATE": ""]
        await work.withSession(parent: .fromEnvironment(variables)) { _ in }
        await work.withSession(id: "own", parent: .link(.fromEnvironment(variables))) { _ in }
        let (joined, linked) = (try #require(exporter.spans.first), try #require(exporter.spans.last))
        #expect(joined.spanContext.traceID == WorkIDs.trace(ofRootSession: "lead"))
        #expect(joined.parentSpanID == WorkIDs.span(ofSession: "lead", step: "st_9"))
        #expect(linked.spanContext.traceID == WorkIDs.trace(ofRootSession: "own") && linked.parentSpanID == .zero)
        #expect(linked.state.links.map(\.spanContext.spanID) == [joined.parentSpanID])
        #expect(value("worktrace.session.link_mode", of: linked) == "link")
    }

    @Test func `title, budget, tokens, waits and how a session ended are told as by the API`() async throws {
        struct Late: Error {}
        let budget = WorkTrace.Budget(usd: 2.5, tokens: 400_000, seconds: .nan)
        await work.withSession(priority: .init(word: "p1"), title: "Fix it", budget: budget, parent: .none) { session in
            await session.step("llm:m", context: ["n": 1]) { step in
                step.usage(inputTokens: 9, cacheReadTokens: 4, cacheWriteTokens: 3, reasoningTokens: 2)
                step.usage(outputTokens: -1)
                step.model(provider: "p", finishReasons: ["stop"], timeToFirstChunk: .milliseconds(250))
            }
            await session.step("wait:session", kind: .wait("session", id: "ses_9")) { _ in }
            try? await session.step("tool:slow") { step in
                step.outcome(.timeout)
                throw Late()
            }
            session.outcome(.partial)
        }
        let spans = exporter.spans
        func told(_ name: String) -> [String: AttributeValue] {
            let attributes = spans.first { $0.name == name }?.state.attributes.attributes ?? []
            return Dictionary(attributes.map { ($0.key, $0.value) }) { first, _ in first }
        }
        let session = told("invoke_agent coder")
        #expect(session["worktrace.session.title"] == "Fix it" && session["worktrace.task.priority"] == "high")
        #expect(session["worktrace.budget.usd"] == 2.5 && session["worktrace.budget.tokens"] == 400_000.0)
        #expect(session["worktrace.budget.seconds"] == nil && session["worktrace.session.outcome"] == "partial")
        let model = told("chat m")
        #expect(model["gen_ai.usage.cache_read.input_tokens"] == 4)
        #expect(model["gen_ai.usage.cache_creation.input_tokens"] == 3)
        #expect(model["gen_ai.usage.reasoning.output_tokens"] == 2)
        #expect(model["gen_ai.usage.output_tokens"] == nil && model["worktrace.context.n"] == 1)
        #expect(model["gen_ai.response.time_to_first_chunk"] == 0.25)
        let wait = told("wait:session")
        #expect(wait["worktrace.wait.kind"] == "session" && wait["worktrace.wait.id"] == "ses_9")
        let slow = told("execute_tool slow")
        #expect(slow["worktrace.step.outcome"] == "timeout")
    }

    @Test func `a receiver links to the step that sent a message`() async throws {
        await work.withSession(id: "chat", parent: .none) { session in
            let metadata = await session.step("message:send", id: "a") { _ in session.message(to: "group", id: "m") }
            await session.step("message:read") { step in
                step.received(message: "m", metadata)
                step.received(message: "n", [:])
            }
        }
        let link = try #require(exporter.spans.first { $0.name == "message:read" }?.state.links.first)
        #expect(link.spanContext.spanID == WorkIDs.span(ofSession: "chat", step: "a"))
        #expect(link.attributes.attributes.first { $0.key == "messaging.message.id" }?.value == "m")
    }

    @Test func `a live exporter is told of starts and ends, and of a session that says it is alive`() async {
        let told = Mutex<[String]>([])
        struct Watching: SpanExporter {
            var typeName: String { "watching" }
            let tell: @Sendable (FinishedSpan) -> Void
            func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
                spans.forEach(tell)
                return .done
            }
        }
        let watching = Watching { span in
            told.withLock { $0.append("\(span.name) \(span.state.endUnixNanos == nil ? "goes on" : "ended")") }
        }
        let live = LiveSpanProcessor(watching, configuration: BatchConfiguration()) { _ in }
        let tracer = SkeinTracer(processors: [live])
        await WorkTrace(agent: .init(id: "a"), tracer: tracer).withSession(parent: .none) { session in
            await tracer.forceFlush(timeout: .seconds(10))
            session.heartbeat()
            await tracer.forceFlush(timeout: .seconds(10))
            await session.step("tool:x") { _ in }
        }
        await tracer.shutdown()
        let (session, step) = ("invoke_agent a", "execute_tool x")
        #expect(told.withLock { $0.prefix(2) } == ["\(session) goes on", "\(session) goes on"])
        #expect(told.withLock { $0.suffix(2) } == ["\(step) ended", "\(session) ended"])
    }

    @Test func `a tracer of others gives its own ids, and is told the same`() async throws {
        let foreign = ForeignTracer(own: SkeinTracer(processors: [exporter]))
        let work = WorkTrace(agent: .init(id: "a"), tracer: foreign)
        await work.withSession(id: "s", labels: ["team": "infra"], parent: .none) { session in
            await session.step("tool:x", id: "st") { _ in }
        }
        let step = try #require(exporter.spans.first { $0.name == "execute_tool x" })
        #expect(step.spanContext.spanID != WorkIDs.span(ofSession: "s", step: "st"))
        #expect(value("worktrace.step.id", of: step) == "st" && value("session.id", of: step) == "s")
        #expect(exporter.spans.contains { value("worktrace.label.team", of: $0) == "infra" })
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

/// A tracer that nobody knows to be ours.
private struct ForeignTracer: Tracer {
    let own: SkeinTracer

    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> SkeinSpan {
        own.startSpan(
            operationName,
            context: context(),
            ofKind: kind,
            at: instant(),
            function: function,
            file: fileID,
            line: line
        )
    }

    func activeSpan(identifiedBy context: ServiceContext) -> SkeinSpan? { own.activeSpan(identifiedBy: context) }
    func forceFlush() {}

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier { own.extract(carrier, into: &context, using: extractor) }

    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier { own.inject(context, into: &carrier, using: injector) }
}
