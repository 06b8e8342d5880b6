// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@Suite struct TailSamplerTests {
    /// A sampler with what it passes on, by a clock that the test moves.
    final class Bench: Sendable {
        let clock = SimulatedClock()
        let telemetry = Telemetry()
        let budget: ByteBudget
        let sampler: TailSampler
        private let passed: Passed

        final class Passed: Sendable {
            let spans = Mutex<[Span]>([])
            let batchCount = Mutex(0)
            let refusals = Mutex<[Refusal.Reason]>([])
            let notes = Mutex<[String]>([])
        }

        init(
            _ rules: SamplingPolicy.Rule...,
            bytes: Int = 1 << 30,
            spill: (any SpanSpill)? = nil,
            settings change: (inout TailSamplingSettings) -> Void = { _ in }
        ) throws {
            var settings = TailSamplingSettings()
            settings.decisionWaitNanos = 10_000_000_000
            change(&settings)
            let passed = Passed()
            self.passed = passed
            budget = ByteBudget(limit: bytes)
            let policies = try SamplingPolicySet(
                rules.enumerated().map { SamplingPolicy("policy-\($0.offset)", $0.element) },
                countsBytes: settings.traceByteCountMax != nil
            )
            sampler = TailSampler(
                policies,
                settings,
                budget: budget,
                spill: spill,
                clock: clock,
                telemetry: telemetry,
                note: { note in passed.notes.withLock { $0.append(note) } }
            ) { batch throws(Refusal) in
                if let reason = passed.refusals.withLock({ $0.popLast() }) { throw Refusal(reason, "not now") }
                passed.spans.withLock { $0 += batch.spans }
                passed.batchCount.withLock { $0 += 1 }
            }
        }

        var spans: [Span] { passed.spans.withLock { $0 } }
        /// Memory held, but for decisions that are remembered.
        var waitingByteCount: Int { sampler.byteCount - sampler.cacheByteCount }
        var notes: [String] { passed.notes.withLock { $0 } }
        var batchCount: Int { passed.batchCount.withLock { $0 } }

        func refuseNext(_ reasons: Refusal.Reason...) { passed.refusals.withLock { $0 = reasons } }

        func take(_ spans: [Span]) async throws { try await sampler.take(SpanBatch(spans: spans)) }

        func wait(_ seconds: Double) async {
            clock.advance(by: .seconds(seconds))
            await sampler.tick()
        }

        var metrics: String {
            var text = PrometheusText()
            telemetry.write(to: &text)
            return text.text
        }
    }

    private static let errors = SamplingPolicy.Rule.condition(.status(in: [.error]))

    private func reason(_ span: Span) -> AttributeValue? { span.attributes["skein.sampling.reason"] }

    @Test func `a trace waits for its decision, and its spans come out together`() async throws {
        let bench = try Bench(Self.errors)
        var good = TraceSketch(1)
        var bad = TraceSketch(2)
        for _ in 0..<3 { good.add() }
        bad.add()
        bad.add(status: .error)
        try await bench.take([bad.spans[0], good.spans[0], good.spans[1]])
        await bench.wait(5)
        try await bench.take([good.spans[2], bad.spans[1]])
        await bench.wait(4.9)
        #expect(bench.spans.isEmpty)
        #expect(bench.sampler.waitingTraceCount == 2)
        await bench.wait(0.2)
        #expect(Set(bench.spans.map(\.spanID)) == Set(bad.spans.map(\.spanID)))
        #expect(bench.spans.allSatisfy { $0.traceID == bad.id && $0.weight == 1 })
        #expect(bench.sampler.waitingTraceCount == 0)
        #expect(bench.waitingByteCount == 0)
        #expect(bench.metrics.contains(#"skein_sampling_spans_total{policy="policy-0",decision="kept"} 2"#))
        #expect(bench.metrics.contains(#"skein_sampling_traces_total{policy="none",decision="dropped"} 1"#))
    }

    @Test func `the root says why the trace was kept`() async throws {
        let bench = try Bench(.always)
        var trace = TraceSketch()
        for _ in 0..<3 { trace.add() }
        try await bench.take([trace.spans[1], trace.spans[0], trace.spans[2]])
        await bench.wait(10)
        for span in bench.spans {
            #expect(reason(span) == (span.parentSpanID.isValid ? nil : "policy-0"))
        }
        // Where no root came, the earliest span says it.
        var rootless = TraceSketch(2)
        rootless.add()
        rootless.add(millis: 5...6)
        rootless.add(millis: 2...9)
        try await bench.take(Array(rootless.spans[1...]))
        await bench.wait(10)
        #expect(bench.spans.suffix(2).map(reason) == [nil, "policy-0"])
    }

    @Test func `the root may bring the decision forward`() async throws {
        let bench = try Bench(.always) { $0.decisionWaitAfterRootNanos = 1_000_000_000 }
        var trace = TraceSketch()
        for _ in 0..<2 { trace.add() }
        var other = TraceSketch(2)
        for _ in 0..<2 { other.add() }
        try await bench.take([trace.spans[1], other.spans[1]])
        await bench.wait(3)
        try await bench.take([trace.spans[0]])
        await bench.wait(0.9)
        #expect(bench.spans.isEmpty)
        await bench.wait(0.1)
        #expect(bench.spans.map(\.traceID) == [trace.id, trace.id])
        await bench.wait(6)
        #expect(bench.spans.count == 3)
    }

    @Test func `what is thinned by threshold is weighted and says so`() async throws {
        let bench = try Bench(.probabilistic(0.25))
        let lucky = "ot=rv:ffffffffffffff"
        var trace = TraceSketch()
        trace.add(traceState: lucky)
        trace.add(traceState: "ot=th:8;rv:ffffffffffffff,a=b")
        trace.add(traceState: "ot=th:f;rv:ffffffffffffff")
        var spans = trace.spans
        spans[1].weight = 2
        spans[2].weight = 16
        try await bench.take(spans)
        await bench.wait(10)
        let kept = bench.spans.sorted { $0.spanID < $1.spanID }
        #expect(kept.map(\.weight) == [4, 4, 16])
        #expect(
            kept.map(\.traceState) == [
                "ot=th:c;rv:ffffffffffffff", "ot=th:c;rv:ffffffffffffff,a=b", "ot=th:f;rv:ffffffffffffff",
            ]
        )
    }

    @Test func `late spans follow the decision, at the same weight`() async throws {
        let bench = try Bench(.and([SamplingPolicy("a", Self.errors), SamplingPolicy("b", .probabilistic(0.5))]))
        var bad = TraceSketch(1)
        bad.add(status: .error, traceState: "ot=rv:ffffffffffffff")
        bad.add(traceState: "ot=rv:ffffffffffffff")
        var good = TraceSketch(2)
        good.add()
        good.add(status: .error)
        try await bench.take([bad.spans[0], good.spans[0]])
        await bench.wait(10)
        #expect(bench.spans.count == 1)
        try await bench.take([bad.spans[1], good.spans[1]])
        #expect(bench.spans.map(\.spanID) == bad.spans.map(\.spanID))
        #expect(bench.spans.map(\.weight) == [2, 2])
        #expect(bench.spans[1].traceState == "ot=th:8;rv:ffffffffffffff")
        #expect(bench.sampler.waitingTraceCount == 0)
        #expect(bench.metrics.contains(#"skein_sampling_late_spans_total{decision="kept"} 1"#))
        #expect(bench.metrics.contains(#"skein_sampling_late_spans_total{decision="dropped"} 1"#))
    }

    @Test func `decisions are remembered as long as the caches allow`() async throws {
        let bench = try Bench(Self.errors) {
            $0.droppedCacheSize = 10
            $0.keptCacheSize = 0
        }
        for number in 1...30 as ClosedRange<UInt64> { try await bench.take(TraceSketch.one(number).spans) }
        try await bench.take(TraceSketch.one(31, status: .error).spans)
        await bench.wait(10)
        #expect(bench.spans.count == 1)
        for number in 1...30 as ClosedRange<UInt64> {
            try await bench.take(TraceSketch.one(number, status: .error).spans)
        }
        let waiting = bench.sampler.waitingTraceCount
        #expect((10...20).contains(waiting), "\(waiting)")
        try await bench.take(TraceSketch.one(31).spans)
        #expect(bench.sampler.waitingTraceCount == waiting + 1)
    }

    @Test func `when too many traces wait, the oldest is decided at once`() async throws {
        let bench = try Bench(Self.errors) { $0.traceCountMax = 2 }
        try await bench.take(TraceSketch.one(1, status: .error).spans)
        try await bench.take(TraceSketch.one(2).spans)
        #expect(bench.spans.isEmpty)
        try await bench.take(TraceSketch.one(3).spans)
        #expect(bench.spans.count == 1)
        #expect(reason(bench.spans[0]) == "policy-0, early: num_traces")
        #expect(bench.sampler.waitingTraceCount == 2)
        #expect(bench.metrics.contains(#"skein_sampling_forced_traces_total{reason="num_traces"} 1"#))
    }

    @Test func `a sampler that is to block refuses instead, and takes again when there is room`() async throws {
        let bench = try Bench(.always) {
            $0.traceCountMax = 1
            $0.blocksOnOverflow = true
        }
        try await bench.take(TraceSketch.one(1).spans)
        await #expect(throws: Refusal.self) { try await bench.take(TraceSketch.one(2).spans) }
        await bench.wait(10)
        try await bench.take(TraceSketch.one(2).spans)
    }

    @Test(arguments: [true, false])
    func `memory is bounded whatever comes`(keepsAll: Bool) async throws {
        let limit = 2 << 20
        let bench = try Bench(keepsAll ? .always : Self.errors, bytes: limit)
        var generator = TraceGenerator(seed: 3)
        var traces: Set<TraceID> = []
        var sent = 0
        for _ in 0..<60 {
            let spans = generator.spans(200)
            traces.formUnion(spans.map(\.traceID))
            sent += spans.count
            try await bench.take(spans)
            #expect(bench.sampler.byteCount <= limit)
            #expect(bench.budget.used <= limit)
        }
        #expect(bench.sampler.waitingTraceCount < traces.count)
        await bench.wait(10)
        if keepsAll { #expect(bench.spans.count == sent) }
        #expect(bench.budget.used == bench.sampler.cacheByteCount)
    }

    @Test func `a batch that never fits is refused for good`() async throws {
        let bench = try Bench(.always, bytes: 10_000)
        let refusal = await #expect(throws: Refusal.self) { try await bench.take(TraceSketch.of(100).spans) }
        #expect(refusal?.reason == .tooLarge)
        #expect(bench.budget.used == bench.sampler.cacheByteCount)
    }

    @Test func `what the store cannot take now is tried again, and what it never takes is counted`() async throws {
        let bench = try Bench(.always)
        try await bench.take(TraceSketch.of(3, 1).spans)
        bench.refuseNext(.storeUnavailable)
        await bench.wait(10)
        #expect(bench.spans.isEmpty)
        #expect(bench.sampler.byteCount > 0)
        await bench.wait(1)
        #expect(bench.spans.count == 3)
        #expect(bench.waitingByteCount == 0)
        try await bench.take(TraceSketch.of(2, 2).spans)
        bench.refuseNext(.tooLarge)
        await bench.wait(10)
        #expect(bench.spans.count == 3)
        #expect(bench.metrics.contains(#"skein_sampling_lost_spans_total{reason="refused"} 2"#))
    }

    @Test(arguments: [false, true])
    func `the end decides what waits, and what comes later is refused`(drops: Bool) async throws {
        let bench = try Bench(.always) { $0.dropsPendingAtShutdown = drops }
        try await bench.take(TraceSketch.of(3).spans)
        await bench.sampler.finish()
        #expect(bench.spans.count == (drops ? 0 : 3))
        #expect(bench.waitingByteCount == 0)
        let refusal = await #expect(throws: Refusal.self) { try await bench.take(TraceSketch.one(2).spans) }
        #expect(refusal?.reason == .shuttingDown)
    }

    @Test(arguments: [3, 40])
    func `what is decided while its request is taken leaves the rest of the request where it is`(count: Int)
        async throws
    {
        let numbers = 1...UInt64(count)
        let bench = try Bench(Self.errors) { $0.traceCountMax = 1 }
        for start in [0, 100, 200] as [UInt64] {
            try await bench.take(numbers.flatMap { TraceSketch.one(start + $0, status: .error).spans })
        }
        await bench.wait(10)
        #expect(bench.spans.count == 3 * count)
        let bounded = try Bench(.always) { $0.traceByteCountMax = 1_000 }
        try await bounded.take(TraceSketch.of(40, 1).spans + numbers.flatMap { TraceSketch.one(10 + $0).spans })
        try await bounded.take(TraceSketch.of(40, 1_000).spans)
        for start in [2_000, 3_000, 4_000] as [UInt64] {
            try await bounded.take(numbers.flatMap { TraceSketch.one(start + $0).spans })
        }
        await bounded.wait(10)
        #expect(bounded.spans.count == 4 * count)
    }

    @Test func `a trace above its bound of bytes is dropped at once`() async throws {
        let bench = try Bench(.always) { $0.traceByteCountMax = 1_000 }
        try await bench.take(TraceSketch.of(5, 1).spans)
        try await bench.take(TraceSketch.of(50, 2).spans)
        await bench.wait(10)
        #expect(bench.spans.count == 5)
        #expect(bench.metrics.contains(#"skein_sampling_forced_traces_total{reason="trace_size"} 1"#))
    }

    @Test func `spans that come one by one take as much memory as spans that come together`() async throws {
        let one = try Bench(.always)
        let many = try Bench(.always)
        var generator = TraceGenerator(seed: 9)
        let spans = generator.spans(3_000)
        try await many.take(spans)
        for span in spans { try await one.take([span]) }
        #expect(one.sampler.byteCount < 2 * many.sampler.byteCount)
        await one.wait(10)
        await many.wait(10)
        #expect(Set(one.spans.map(\.spanID)) == Set(spans.map(\.spanID)))
        #expect(one.spans.count == spans.count)
        #expect(one.batchCount < 20)
        #expect(one.waitingByteCount == 0 && many.waitingByteCount == 0)
    }

    @Test func `a slow trace pins no more than itself`() async throws {
        let bench = try Bench(.always) { $0.decisionWaitAfterRootNanos = 1_000_000_000 }
        var slow = TraceSketch(1)
        for _ in 0..<2 { slow.add() }
        var spans = (2..<1_000).flatMap { TraceSketch.one(UInt64($0)).spans }
        spans.insert(slow.spans[1], at: 500)
        try await bench.take(spans)
        let before = bench.sampler.byteCount
        await bench.wait(1)
        #expect(bench.spans.count == 998)
        #expect(bench.waitingByteCount * 50 < before)
        try await bench.take([slow.spans[0]])
        await bench.wait(1)
        #expect(bench.spans.suffix(2).map(\.traceID) == [slow.id, slow.id])
        #expect(bench.waitingByteCount == 0)
    }
}
