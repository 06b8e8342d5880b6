// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Testing

@Suite struct SamplingConsistencyTests {
    @Test(arguments: [nil, "salt"])
    func `a tenth of ten thousand traces is kept, within the bounds of chance`(salt: String?) throws {
        var policies = try SamplingPolicySet(.probabilistic(0.1, salt: salt))
        var random = SeededRandom(seed: 1)
        var kept = 0
        for _ in 0..<10_000 {
            var trace = TraceSketch()
            trace.id = TraceID(high: random.next(), low: random.next())
            trace.add()
            if policies.decide(trace).isKept { kept += 1 }
        }
        // Four standard deviations of the binomial distribution.
        #expect((880...1120).contains(kept), "\(kept)")
    }

    @Test func `what a lower percentage keeps a higher one keeps too`() throws {
        var tenth = try SamplingPolicySet(.probabilistic(0.1))
        var half = try SamplingPolicySet(.probabilistic(0.5))
        for number in 0..<1_000 as Range<UInt64> {
            let trace = TraceSketch.one(number)
            if tenth.decide(trace).isKept { #expect(half.decide(trace).isKept) }
        }
    }

    @Test func `the order of spans changes no decision`() throws {
        let rules: [SamplingPolicy.Rule] = [
            .latency(millis: 800, upToMillis: nil), .condition(.status(in: [.error])), .probabilistic(0.2),
            .dynamic(DynamicSampling(.rate(5), fields: [.name, .attribute(.any, "user.id")])),
            .spanCount(min: 20, max: nil),
        ]
        var generator = TraceGenerator(seed: 7)
        for rule in rules {
            var forwards = try SamplingPolicySet(rule)
            var backwards = forwards
            for _ in 0..<50 {
                let spans = generator.trace()
                let a = SpanBatch(spans: spans)
                let b = SpanBatch(spans: spans.shuffled(using: &generator.random))
                let first = forwards.decide(a, nanos: 0)
                #expect(first == backwards.decide(b, nanos: 0))
            }
        }
    }
}
