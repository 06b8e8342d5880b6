// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinRecording
import Testing
import Tracing

@Suite struct RateLimitingSamplerTests {
    private let clock = SteppedClock()

    private func count(_ sampler: any Sampler, of asked: Int, name: String = "op") -> Int {
        (0..<asked).count { _ in sampler.sample(.root(name: name)).isSampled }
    }

    @Test func `so many a second pass, and after a pause no more than a second's worth`() {
        let sampler = RateLimitingSampler(tracesPerSecond: 2, clock: clock, fill: 1)
        #expect(count(sampler, of: 5) == 2)
        clock.advance(seconds: 0.5)
        #expect(count(sampler, of: 5) == 1)
        clock.advance(seconds: 60)
        #expect(count(sampler, of: 5) == 2)
    }

    @Test func `less than one a second passes in its time`() {
        let sampler = RateLimitingSampler(tracesPerSecond: 0.1, clock: clock, fill: 1)
        #expect(count(sampler, of: 3) == 1)
        clock.advance(seconds: 9)
        #expect(count(sampler, of: 3) == 0)
        clock.advance(seconds: 1.1)
        #expect(count(sampler, of: 3) == 1)
    }

    @Test(arguments: [0, -1, Double.nan, .infinity])
    func `a rate that is no number above nothing lets nothing pass`(rate: Double) {
        let sampler = RateLimitingSampler(tracesPerSecond: rate, clock: clock, fill: 1)
        clock.advance(seconds: 60)
        #expect(count(sampler, of: 3) == 0)
    }

    @Test func `what passes is tagged, and says no threshold`() {
        let sampler = RateLimitingSampler(tracesPerSecond: 1, clock: clock, fill: 1)
        let result = sampler.sample(.child(0, isSampled: true, traceState: "ot=th:8"))
        #expect(result.isSampled && result.header == "")
        #expect(result.attributes.get("sampler.type") == .string("ratelimiting"))
        #expect(result.attributes.get("sampler.param") == .double(1))
        #expect(sampler.sample(.root()).attributes.isEmpty)
    }

    @Test func `each operation has some a second beside its share`() {
        let sampler = GuaranteedThroughputSampler(
            defaultProbability: 0,
            lowerBoundPerSecond: 1,
            probabilities: ["all": 1],
            clock: clock,
            fill: 1
        )
        #expect(count(sampler, of: 5, name: "all") == 5)
        #expect(count(sampler, of: 5, name: "a") == 1 && count(sampler, of: 5, name: "b") == 1)
        clock.advance(seconds: 1)
        let result = sampler.sample(.root(name: "a"))
        #expect(result.isSampled && result.traceState == nil)
        #expect(result.attributes.get("sampler.type") == .string("lowerbound"))
        #expect(result.attributes.get("sampler.param") == .double(0))
        let ofShare = sampler.sample(.root(name: "all"))
        #expect(ofShare.header == "ot=th:0" && ofShare.attributes.isEmpty)
    }

    @Test func `what the share takes counts for the lower bound`() {
        let sampler = GuaranteedThroughputSampler(
            defaultProbability: 0.5,
            lowerBoundPerSecond: 1,
            probabilities: [:],
            clock: clock,
            fill: 1
        )
        #expect(sampler.sample(.root(1 << 55)).isSampled)
        #expect(!sampler.sample(.root(0)).isSampled)
    }

    @Test func `beyond the most operations the default share alone holds`() {
        let sampler = GuaranteedThroughputSampler(
            defaultProbability: 0,
            lowerBoundPerSecond: 1,
            probabilities: [:],
            clock: clock,
            fill: 1
        )
        for number in 0..<GuaranteedThroughputSampler.operationCountMax {
            #expect(count(sampler, of: 1, name: "\(number)") == 1)
        }
        #expect(count(sampler, of: 1, name: "one more") == 0)
        #expect(count(sampler, of: 1, name: String(repeating: "n", count: 2_000)) == 0)
    }

    @Test func `new shares leave operations what they are owed, a new lower bound does not`() {
        let sampler = GuaranteedThroughputSampler(
            defaultProbability: 0,
            lowerBoundPerSecond: 1,
            probabilities: [:],
            clock: clock,
            fill: 1
        )
        #expect(count(sampler, of: 2) == 1)
        sampler.update(defaultProbability: 0, lowerBoundPerSecond: 1, probabilities: ["all": 1])
        #expect(count(sampler, of: 2) == 0 && count(sampler, of: 2, name: "all") == 2)
        sampler.update(defaultProbability: 0, lowerBoundPerSecond: 2, probabilities: [:])
        #expect(count(sampler, of: 5) == 2 && count(sampler, of: 5, name: "all") == 2)
    }
}
