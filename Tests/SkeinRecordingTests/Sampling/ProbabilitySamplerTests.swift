// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Testing
import Tracing

@Suite struct ProbabilitySamplerTests {
    @Test(
        arguments: [
            (1, "0"), (0.5, "8"), (1.0 / 3, "aaab"), (0.25, "c"), (0.2, "cccd"), (0.1, "e666"), (0.01, "fd70a"),
            (0.001, "ffbe77"), (1e-4, "fff9724"), (0x1p-56, "ffffffffffffff"),
        ]
    )
    func `a share is told by four digits behind those that are f`(probability: Double, digits: String) {
        let result = ProbabilitySampler(probability: probability).sample(.root((1 << 56) - 1))
        #expect(result.isSampled && result.header == "ot=th:\(digits)")
    }

    @Test func `a share of nothing, or of no number, samples nothing`() {
        for probability in [0, -1, Double.nan] {
            #expect(!ProbabilitySampler(probability: probability).sample(.root((1 << 56) - 1)).isSampled)
        }
    }

    @Test func `with all digits the server decides alike of every trace`() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<2_000 {
            let probability = Double.random(in: 0...1, using: &random)
            let request = SamplingRequest(traceID: TraceID(high: random.next(), low: random.next()), name: "op")
            let threshold = SamplingThreshold.threshold(ofProbability: probability)
            let result = ProbabilitySampler(probability: probability, precision: 14).sample(request)
            #expect(result.isSampled == (threshold <= request.traceID.low & (SamplingThreshold.end - 1)))
        }
    }

    @Test func `what the server reads in a sampled span is what it was sampled by`() throws {
        var random = SeededRandom(seed: 2)
        for _ in 0..<500 {
            let sampler = ProbabilitySampler(probability: Double.random(in: 1e-6...1, using: &random))
            let header = try #require(sampler.sample(.root((1 << 56) - 1)).header)
            let read = Array(header.utf8).withUnsafeBytes { SamplingThreshold.threshold(ofTraceState: $0) }
            #expect(read == sampler.threshold)
        }
    }

    @Test func `a larger share takes every trace that a smaller one takes`() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<2_000 {
            let shares = [Double.random(in: 0...1, using: &random), Double.random(in: 0...0.01, using: &random)]
                .sorted()
            let request = SamplingRequest.root(random.next())
            if ProbabilitySampler(probability: shares[0]).sample(request).isSampled {
                #expect(ProbabilitySampler(probability: shares[1]).sample(request).isSampled)
            }
        }
    }

    @Test func `randomness that a trace state names counts, and is never written over`() {
        let state = "a=1,ot=x:1;rv:c0000000000000"
        let result = ProbabilitySampler(probability: 0.5).sample(.child(0, isSampled: false, traceState: state))
        #expect(result.isSampled && result.header == "ot=th:8;rv:c0000000000000;x:1,a=1")
    }

    @Test func `who drops a span takes the threshold away, and what does not change is not written`() {
        let sampler = ProbabilitySampler(probability: 0.5)
        #expect(sampler.sample(.child(0, isSampled: true, traceState: "a=1,ot=th:0")).header == "a=1")
        #expect(sampler.sample(.child(0, isSampled: true, traceState: "a=1")).traceState == nil)
        #expect(sampler.sample(.child(1 << 55, isSampled: true, traceState: "a=1,ot=th:8")).traceState == nil)
        #expect(sampler.sample(.root(0)).traceState == nil)
    }

    @Test func `a span says its threshold, and so does what it calls`() throws {
        let exporter = InMemoryExporter()
        let sampler = ParentBasedSampler(root: ProbabilitySampler(probability: 1))
        let tracer = SkeinTracer(sampler: sampler, processors: [exporter])
        tracer.withSpan("outer") { _ in tracer.withSpan("inner") { _ in } }
        #expect(exporter.spans.map(\.span.traceState) == ["ot=th:0", "ot=th:0"])
    }
}

@Suite struct ParentThresholdTests {
    /// Flag and randomness of a remote parent, its trace state, and what that is afterwards, if it changes.
    private static let parents: [(Bool, UInt64, String, String?)] = [
        (true, 1 << 55, "ot=th:8", nil), (true, 0, "", nil), (false, 0, "", nil),
        (true, 0, "a=1,ot=th:8;rv:00000000000001", "ot=rv:00000000000001,a=1"), (false, 1 << 55, "ot=th:8", ""),
    ]

    @Test(arguments: parents)
    func `what was decided for the parent stays, and a threshold that contradicts it goes`(
        isSampled: Bool,
        randomness: UInt64,
        state: String,
        expected: String?
    ) {
        let request = SamplingRequest.child(randomness, isSampled: isSampled, traceState: state)
        let samplers: [any Sampler] = [
            ParentBasedSampler(root: AlwaysOnSampler()),
            CompositeSampler(ComposableParentThresholdSampler(root: ComposableAlwaysOnSampler())),
        ]
        for sampler in samplers {
            let result = sampler.sample(request)
            #expect(result.isSampled == isSampled && result.header == expected, "\(sampler.description)")
        }
    }

    @Test func `a span whose trace was dropped by its threshold is dropped`() {
        let request = SamplingRequest.child(0, isSampled: false, traceState: "ot=th:8")
        #expect(!ParentBasedSampler(root: AlwaysOnSampler()).sample(request).isSampled)
        let composed = CompositeSampler(ComposableParentThresholdSampler(root: ComposableAlwaysOnSampler()))
        #expect(!composed.sample(request).isSampled)
    }

    @Test func `where nothing is decided the root's sampler is asked`() {
        let sampler = CompositeSampler(
            ComposableParentThresholdSampler(root: ComposableProbabilitySampler(probability: 0.5))
        )
        #expect(sampler.sample(.root(1 << 55)).header == "ot=th:8" && !sampler.sample(.root(0)).isSampled)
        var deferred = SamplingRequest.child(1 << 55, isSampled: false)
        deferred.parentDecision = .deferred
        #expect(sampler.sample(deferred).header == "ot=th:8")
        var wanted = SamplingRequest.root(0)
        wanted.parentDecision = .debug
        let result = sampler.sample(wanted)
        #expect(result.isSampled && result.traceState == nil)
    }

    @Test func `the composed samplers describe themselves`() {
        let rule = ComposableRuleBasedSampler.Rule(SpanMatch(name: "a*"), ComposableAlwaysOffSampler())
        let sampler = CompositeSampler(
            ComposableParentThresholdSampler(
                root: ComposableRuleBasedSampler([
                    rule, .init(SpanMatch(), ComposableProbabilitySampler(probability: 0.25)),
                ])
            )
        )
        #expect(
            sampler.description
                == "ComposableParentThreshold{root:ComposableRuleBased{(name:a*):ComposableAlwaysOff,"
                + "(all):ComposableProbability{0.25}}}"
        )
    }

    @Test func `the first rule decides, and a span without a rule is dropped`() {
        let sampler = CompositeSampler(
            ComposableRuleBasedSampler([
                .init(SpanMatch(name: "health"), ComposableAlwaysOffSampler()),
                .init(SpanMatch(name: "h*"), ComposableAlwaysOnSampler()),
            ])
        )
        #expect(!sampler.sample(.root(name: "health")).isSampled)
        #expect(sampler.sample(.root(name: "hello")).header == "ot=th:0")
        #expect(!sampler.sample(.root(name: "other")).isSampled)
    }

    @Test func `annotations come to what is sampled alone`() {
        let sampler = CompositeSampler(
            ComposableAnnotatingSampler(
                ComposableAnnotatingSampler(ComposableProbabilitySampler(probability: 0.5), attributes: ["a": 1]),
                attributes: ["b": 2]
            )
        )
        let attributes = sampler.sample(.root(1 << 55)).attributes
        #expect(attributes.count == 2 && attributes.get("b") != nil)
        #expect(sampler.sample(.root(0)).attributes.isEmpty)
    }

    @Test func `an update of the trace state has no say in the threshold`() {
        struct Updating: ComposableSampler {
            var description: String { "Updating" }
            func intent(_ request: borrowing SamplingRequest) -> SamplingIntent {
                var intent = SamplingIntent(threshold: 0, isAdjustedCountReliable: true)
                intent.updateTraceState = { state in
                    state.setSamplingThreshold(1 << 55)
                    state.set("vendor", "1")
                }
                return intent
            }
        }
        #expect(CompositeSampler(Updating()).sample(.root()).header == "ot=th:0,vendor=1")
    }
}

@Suite struct TraceStateSamplingTests {
    @Test func `fields of others stay, but for what makes the member too long`() {
        var state = TraceState(header: "ot=x:1;th:8;rv:00000000000001;y:\(String(repeating: "z", count: 220))")
        state?.setSamplingThreshold(nil)
        #expect(state?.header().hasPrefix("ot=rv:00000000000001;x:1;y:zz") == true)
        state?.setSamplingThreshold(0xaaab_cdef_0123_45)
        #expect(state?.header() == "ot=th:aaabcdef012345;rv:00000000000001;x:1")
    }

    @Test func `a member without a field is left out`() {
        var state = TraceState(header: "a=1,ot=th:8")
        state?.setSamplingThreshold(nil)
        #expect(state?.header() == "a=1")
    }

    @Test(arguments: ["ot=th:", "ot=th:8g", "ot=th:A", "ot=th:000000000000000", "ot=rv:1", "to=th:8", ""])
    func `what has not this form says nothing`(header: String) {
        let state = TraceState(header: header)
        #expect(state?.samplingThreshold == nil && state?.samplingRandomness == nil)
    }
}
