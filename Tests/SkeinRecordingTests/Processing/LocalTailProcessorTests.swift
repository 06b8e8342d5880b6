// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Synchronization
import Testing
import Tracing

@Suite struct LocalTailProcessorTests {
    private let clock = SteppedClock()
    private let exporter = InMemoryExporter()

    private struct Made {
        let tracer: SkeinTracer
        let tail: LocalTailProcessor
    }

    /// Has what is decided passed on as soon as a span has ended.
    private struct Prompt: SpanProcessor {
        let tail: LocalTailProcessor
        let wantsStart = true

        func onStart(_ span: SkeinSpan, parent: SpanContext?) { tail.onStart(span, parent: parent) }
        func onEnd(_ span: FinishedSpan) {
            tail.onEnd(span)
            tail.decideDue()
        }
        func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult { tail.forceFlush(by: deadline) }
        func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult { tail.shutdown(by: deadline) }
    }

    /// Has room for 512 spans, and exports them in a flush only.
    private final class Narrow: SpanProcessor {
        let counts = Mutex((waiting: 0, exported: 0, lost: 0))
        /// Whether it never exports any.
        let isStuck: Bool

        init(isStuck: Bool = false) { self.isStuck = isStuck }

        func onEnd(_ span: FinishedSpan) {
            counts.withLock { if $0.waiting < 512 { $0.waiting += 1 } else { $0.lost += 1 } }
        }
        func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult {
            counts.withLock { counts in
                if isStuck { return .timedOut(remaining: counts.waiting) }
                counts = (0, counts.exported + counts.waiting, counts.lost)
                return .done
            }
        }
        func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult { forceFlush(by: deadline) }
    }

    /// A tracer whose sampler drops all, unless another is named, and the processor behind it.
    private func make(
        _ rules: [LocalTailPolicy.Rule],
        head: any Sampler = AlwaysRecordSampler(root: AlwaysOffSampler()),
        spanCountMax: Int = 50_000,
        overflowProbability: Double = 0,
        next: (any SpanProcessor)? = nil,
        isPrompt: Bool = true,
        hasThread: Bool = false
    ) -> Made {
        let tail = LocalTailProcessor(
            policies: rules.map { LocalTailPolicy($0) },
            next: next ?? exporter,
            spanCountMax: spanCountMax,
            overflowProbability: overflowProbability,
            clock: clock,
            hasThread: hasThread
        )
        return Made(
            tracer: SkeinTracer(sampler: head, processors: [isPrompt ? Prompt(tail: tail) : tail], clock: clock),
            tail: tail
        )
    }

    /// Ends a trace of so many spans and a root that fails.
    private func endFailed(_ made: Made, childCount: Int = 0) {
        let root = made.tracer.startSpan(name: "root", context: .topLevel)
        for _ in 0..<childCount { made.tracer.startSpan(name: "child", context: root.context).end() }
        root.setStatus(SpanStatus(code: .error))
        root.end()
    }

    /// A trace that another process has begun, with this randomness.
    private func remote(_ randomness: UInt64 = 1, flags: String = "00", state: String = "") -> ServiceContext {
        struct Fields: Extractor {
            func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        }
        let id = TraceID(high: 1, low: randomness)
        var context = ServiceContext.topLevel
        SkeinTracer(processors: []).extract(
            ["traceparent": "00-\(id)-00f067aa0ba902b7-\(flags)", "tracestate": state],
            into: &context,
            using: Fields()
        )
        return context
    }

    private var names: [String] { exporter.spans.map(\.name) }
    private func reason(_ index: Int) -> AttributeValue? {
        exporter.spans[index].span.attributes["skein.sampling.reason"]
    }

    @Test func `an error anywhere keeps the whole trace, and the local root says so`() {
        let made = make([.errors])
        made.tracer.withSpan("root") { _ in
            made.tracer.withSpan("bad") { $0.setStatus(SpanStatus(code: .error)) }
            made.tracer.withSpan("good") { _ in }
            #expect(exporter.spans.isEmpty && made.tail.counts.waitingSpans == 2)
        }
        #expect(names == ["bad", "good", "root"] && exporter.spans.allSatisfy(\.isSampled))
        #expect(reason(2) == "errors" && reason(0) == nil)
        #expect(made.tail.counts.keptTraces == ["errors": 1] && made.tail.counts.keptSpans == ["errors": 3])
        #expect(made.tail.counts.waitingSpans == 0 && made.tail.counts.waitingTraces == 0)
    }

    @Test func `what no policy keeps is dropped and counted`() {
        let made = make([.errors])
        made.tracer.withSpan("root") { _ in made.tracer.withSpan("child") { _ in } }
        #expect(exporter.spans.isEmpty)
        #expect(made.tail.counts.droppedTraces == 1 && made.tail.counts.droppedSpans == [.policy: 2])
    }

    @Test func `a local root that took long keeps its trace, a child that did does not`() {
        let made = make([.latency(.seconds(1))])
        for seconds in [0.5, 1] {
            made.tracer.withSpan("root \(seconds)") { _ in clock.advance(seconds: seconds) }
        }
        #expect(names == ["root 1.0"])
        let child = made.tracer.startSpan(name: "child", context: remote())
        #expect(child.isRecording)
        clock.advance(seconds: 2)
        child.end()
        #expect(names == ["root 1.0", "child"])
    }

    @Test func `an attribute keeps a trace where its value is met`() {
        let made = make([.attribute("user.tier", .matches("gold*"))])
        for tier in ["gold+", "silver"] {
            made.tracer.withSpan(tier) { _ in made.tracer.withSpan("inner") { $0.setAttribute("user.tier", tier) } }
        }
        #expect(names == ["inner", "gold+"] && reason(1) == "attribute user.tier")
    }

    @Test func `of several policies the first gives the reason`() {
        let made = make([.probability(1), .errors])
        made.tracer.withSpan("root") { $0.setStatus(SpanStatus(code: .error)) }
        #expect(reason(0) == "probability")
    }

    @Test func `a share is kept by threshold, which the trace state says`() {
        let made = make([.probability(0.5)])
        for randomness in [1 << 55, 0] as [UInt64] {
            made.tracer.startSpan(name: "\(randomness)", context: remote(randomness, state: "a=1")).end()
        }
        #expect(names == ["\(1 << 55)"] && exporter.spans[0].span.traceState == "ot=th:8,a=1")
    }

    @Test func `a trace that is kept for what it is stands for itself`() {
        let made = make([.sampled, .errors], head: AlwaysRecordSampler(root: ProbabilitySampler(probability: 0.5)))
        for randomness in [0, 1 << 55] as [UInt64] {
            let span = made.tracer.startSpan(name: "failed", context: remote(randomness, state: "a=1"))
            #expect(span.spanContext?.traceState.samplingThreshold == (randomness == 0 ? nil : 1 << 55))
            span.setStatus(SpanStatus(code: .error))
            span.end()
        }
        #expect(exporter.spans.map(\.span.traceState) == ["a=1", "a=1"])
        #expect(reason(0) == "errors" && reason(1) == "sampled")
    }

    @Test func `what was sampled at the start and is kept for that keeps its threshold`() {
        let made = make([.errors, .sampled], head: AlwaysRecordSampler(root: ProbabilitySampler(probability: 0.5)))
        made.tracer.startSpan(name: "high", context: remote(1 << 55)).end()
        made.tracer.startSpan(name: "low", context: remote(0)).end()
        #expect(names == ["high"] && exporter.spans[0].span.traceState == "ot=th:8" && reason(0) == "sampled")
    }

    @Test func `where only sampled traces come an error does not change what they stand for, and a share raises it`() {
        let head = ParentBasedSampler(root: AlwaysOffSampler())
        let made = make([.errors, .probability(0.25)], head: head)
        let failed = made.tracer.startSpan(name: "failed", context: remote(1 << 55, flags: "01", state: "ot=th:8"))
        failed.setStatus(SpanStatus(code: .error))
        failed.end()
        let context = remote(3 << 54, flags: "01", state: "ot=th:8")
        made.tracer.startSpan(name: "share", context: context).end()
        #expect(exporter.spans.map(\.span.traceState) == ["ot=th:8", "ot=th:c"])
    }

    @Test func `a rate is only asked about what nothing else keeps`() {
        let made = make([.rateLimiting(tracesPerSecond: 1), .errors])
        made.tracer.withSpan("failed") { $0.setStatus(SpanStatus(code: .error)) }
        for name in ["a", "b"] { made.tracer.withSpan(name) { _ in } }
        clock.advance(seconds: 1)
        made.tracer.withSpan("c") { _ in }
        #expect(names == ["failed", "a", "c"] && reason(0) == "errors" && reason(1) == "rate_limiting")
    }

    @Test func `spans that come later follow the decision`() {
        let made = make([.errors])
        for hasFailed in [true, false] {
            let root = made.tracer.startSpan(name: "root", context: .topLevel)
            let late = made.tracer.startSpan(name: "late \(hasFailed)", context: root.context)
            if hasFailed { root.setStatus(SpanStatus(code: .error)) }
            root.end()
            late.end()
        }
        #expect(names == ["root", "late true"])
        #expect(made.tail.counts.lateKeptSpans == 1 && made.tail.counts.droppedSpans == [.policy: 1, .late: 1])
    }

    @Test func `of two local roots in one trace the last decides`() {
        let made = make([.errors])
        let roots = ["a", "b"].map { made.tracer.startSpan(name: $0, context: remote()) }
        roots[0].end()
        #expect(made.tail.counts.waitingSpans == 1)
        roots[1].setStatus(SpanStatus(code: .error))
        roots[1].end()
        #expect(names == ["a", "b"])
    }

    @Test func `a local root that starts in a trace that was dropped is decided anew`() {
        let made = make([.errors])
        made.tracer.startSpan(name: "a", context: remote()).end()
        let span = made.tracer.startSpan(name: "b", context: remote())
        span.setStatus(SpanStatus(code: .error))
        span.end()
        #expect(names == ["b"])
    }

    @Test func `the end of a local root from before the last decision does not bring the next`() {
        let made = make([.errors])
        let old = made.tracer.startSpan(name: "old", context: remote())
        made.tracer.startSpan(name: "child", context: old.context).end()
        clock.advance(seconds: 30)
        made.tail.decideDue()
        #expect(made.tail.counts.droppedTraces == 1)
        let new = made.tracer.startSpan(name: "new", context: remote())
        old.end()
        #expect(made.tail.counts.droppedTraces == 1 && made.tail.counts.waitingSpans == 1)
        new.setStatus(SpanStatus(code: .error))
        new.end()
        made.tail.decideDue()
        #expect(names == ["old", "new"])
    }

    @Test func `a trace that goes on is decided after the wait, and how long it goes on counts`() {
        let made = make([.latency(.seconds(20))])
        let root = made.tracer.startSpan(name: "root", context: .topLevel)
        made.tracer.startSpan(name: "child", context: root.context).end()
        clock.advance(seconds: 29)
        made.tail.decideDue()
        #expect(exporter.spans.isEmpty)
        clock.advance(seconds: 1)
        made.tail.decideDue()
        #expect(names == ["child"] && reason(0) == "latency")
        root.end()
        #expect(names == ["child", "root"])
    }

    @Test func `when it is full the oldest trace is decided, by the policies or by a share`() {
        let made = make([.errors], spanCountMax: 2, overflowProbability: 0.5)
        let roots = [0, 1 << 55, 1] as [UInt64]
        for randomness in roots {
            // The roots go on.
            let root = made.tracer.startSpan(name: "root", context: remote(randomness))
            let child = made.tracer.startSpan(name: "\(randomness)", context: root.context)
            if randomness == 1 { child.setStatus(SpanStatus(code: .error)) }
            child.end()
        }
        #expect(names.isEmpty && made.tail.counts.droppedSpans == [.full: 1])
        let root = made.tracer.startSpan(name: "root", context: remote(2))
        made.tracer.startSpan(name: "more", context: root.context).end()
        // Both are kept, and give no room until they are passed on.
        #expect(names == ["\(1 << 55)", "1"] && made.tail.counts.droppedSpans == [.full: 1, .behind: 1])
        made.tracer.startSpan(name: "more", context: root.context).end()
        #expect(made.tail.counts.waitingSpans == 1)
        #expect(reason(0) == "probability, early: full" && reason(1) == "errors, early: full")
        #expect(exporter.spans[0].span.traceState == "ot=th:8")
    }

    @Test func `a flush leaves what waits, the shutdown decides it`() {
        let made = make([.errors])
        let root = made.tracer.startSpan(name: "root", context: .topLevel)
        let child = made.tracer.startSpan(name: "child", context: root.context)
        child.setStatus(SpanStatus(code: .error))
        child.end()
        #expect(made.tail.forceFlush(by: .now) == .done && exporter.spans.isEmpty)
        #expect(made.tail.shutdown(by: .now) == .done)
        #expect(names == ["child"] && reason(0) == "errors, early: shutdown")
        root.end()
        #expect(names == ["child"] && made.tail.counts.droppedSpans == [.shutdown: 1])
        #expect(made.tail.shutdown(by: .now) == .done && made.tail.counts.waitingTraces == 0)
    }

    @Test func `whoever ends a span passes nothing on`() {
        let made = make([.errors], isPrompt: false)
        endFailed(made)
        #expect(exporter.spans.isEmpty && made.tail.counts.unpassedSpans == 1)
        made.tail.decideDue()
        #expect(names == ["root"] && made.tail.counts.unpassedSpans == 0)
    }

    @Test func `a wait longer than any clock runs is one without an end`() {
        let tail = LocalTailProcessor(policies: [], next: exporter, decisionWait: .seconds(Int64.max) * 2, clock: clock)
        #expect(tail.shutdown(by: .now) == .done)
    }

    @Test func `a flush passes on what is decided`() {
        let made = make([.errors], isPrompt: false)
        endFailed(made)
        #expect(made.tail.forceFlush(by: .now) == .done && names == ["root"])
    }

    @Test(arguments: [1, 1999]) func `more than the next processor has room for is lost nowhere`(childCount: Int) {
        let next = Narrow()
        let made = make([.errors], next: next, isPrompt: false)
        for _ in 0..<(2000 / (childCount + 1)) { endFailed(made, childCount: childCount) }
        #expect(made.tail.shutdown(by: .now) == .done)
        #expect(next.counts.withLock { $0 } == (0, 2000, 0))
    }

    @Test func `a large trace passes through the queue of a batching processor`() {
        let batching = BatchSpanProcessor(exporter)
        let made = make([.errors], next: batching, isPrompt: false, hasThread: true)
        endFailed(made, childCount: 9_999)
        #expect(made.tail.shutdown(by: .now + .seconds(60)) == .done)
        #expect(exporter.spans.count == 10_000 && batching.droppedCount == 0)
    }

    @Test func `what waits to be passed on counts within the bound`() {
        let made = make([.errors], spanCountMax: 2, isPrompt: false)
        for _ in 0..<3 { endFailed(made) }
        #expect(made.tail.counts.unpassedSpans == 2 && made.tail.counts.droppedSpans == [.behind: 1])
        #expect(made.tail.counts.waitingTraces == 0 && made.tail.counts.keptSpans == ["errors": 2])
        made.tail.decideDue()
        endFailed(made)
        made.tail.decideDue()
        #expect(exporter.spans.count == 3)
    }

    @Test func `what a stuck processor does not take in time waits, and is counted at the shutdown`() {
        let next = Narrow(isStuck: true)
        let made = make([.errors], next: next, isPrompt: false)
        endFailed(made, childCount: 999)
        #expect(!made.tail.decideDue() && made.tail.counts.unpassedSpans == 488)
        #expect(made.tail.shutdown(by: .now) == .timedOut(remaining: 1000))
        #expect(made.tail.counts.droppedSpans == [.unpassed: 488] && made.tail.counts.unpassedSpans == 0)
        #expect(next.counts.withLock { $0 } == (512, 0, 0))
    }

    @Test func `more traces than are remembered are each decided once`() {
        let made = make([.errors])
        for _ in 0..<40_000 { made.tracer.startSpan(name: "root", context: .topLevel).end() }
        #expect(made.tail.counts.droppedTraces == 40_000 && made.tail.counts.waitingTraces == 0)
        #expect(made.tail.counts.droppedSpans == [.policy: 40_000])
    }

    @Test func `spans of many tasks are each kept or dropped once`() async {
        let made = make([.probability(0.5)], spanCountMax: 100, overflowProbability: 0.5)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 {
                        let root = made.tracer.startSpan(name: "root", context: .topLevel)
                        for _ in 0..<3 { made.tracer.startSpan(name: "child", context: root.context).end() }
                        root.end()
                    }
                }
            }
        }
        let counts = made.tail.counts
        let kept = counts.keptSpans.values.reduce(counts.lateKeptSpans, +)
        #expect(exporter.spans.count == kept && counts.waitingSpans == 0)
        #expect(kept + counts.droppedSpans.values.reduce(0, +) == 16_000)
        #expect(Set(exporter.spans.map(\.spanContext.spanID)).count == kept)
    }

    @Test func `a processor that is let go ends its thread`() async {
        weak var tail: LocalTailProcessor?
        do {
            let made = make([.errors], hasThread: true)
            tail = made.tail
            made.tracer.withSpan("root") { _ in }
            _ = made.tail.shutdown(by: .now)
        }
        while tail != nil { await Task.yield() }
        #expect(tail == nil)
    }
}
