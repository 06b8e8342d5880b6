// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import Testing

@Suite struct DynamicSamplingTests {
    /// Runs so many seconds of traffic, so many traces a second by name, and says by name what the last second came to:
    /// kept traces and the sum of their rates.
    private func run(
        _ sampling: DynamicSampling,
        seconds: Int,
        _ traffic: [String: Int]
    ) throws -> [String: (kept: Int, weight: Double)] {
        var policies = try SamplingPolicySet(.dynamic(sampling))
        var number: UInt64 = 0
        var sums: [String: (kept: Int, weight: Double)] = [:]
        for second in 0..<seconds {
            sums = [:]
            for (name, count) in traffic.sorted(by: { $0.key < $1.key }) {
                for _ in 0..<count {
                    number += 1
                    let decision = policies.decide(.one(number, name: name), atSecond: Double(second))
                    guard decision.isKept else { continue }
                    sums[name, default: (0, 0)].kept += 1
                    sums[name, default: (0, 0)].weight += decision.weightFactor(after: 0)
                }
            }
        }
        return sums
    }

    @Test func `a rate is met on the whole, and rare traces are kept`() throws {
        var sampling = DynamicSampling(.rate(10), fields: [.name])
        sampling.intervalNanos = 1_000_000_000
        let sums = try run(sampling, seconds: 3, ["often": 2_000, "seldom": 100, "once": 1])
        let kept = sums.values.reduce(0) { $0 + $1.kept }
        #expect((150...270).contains(kept), "\(sums)")
        #expect(sums["once"]?.kept == 1)
        let seldom = try #require(sums["seldom"])
        #expect(Double(seldom.kept) / 100 > 3 * Double(sums["often"]?.kept ?? 0) / 2_000)
        #expect(abs((sums["often"]?.weight ?? 0) - 2_000) < 500)
    }

    @Test func `a throughput is met whatever comes`() throws {
        for load in [200, 2_000] {
            var sampling = DynamicSampling(.throughput(perSecond: 50), fields: [.name])
            sampling.intervalNanos = 1_000_000_000
            sampling.weight = 0.5
            let sums = try run(sampling, seconds: 6, ["a": load, "b": load / 10])
            let kept = sums.values.reduce(0) { $0 + $1.kept }
            #expect((30...75).contains(kept), "\(load): \(sums)")
        }
    }

    @Test func `an even throughput gives every key as much`() throws {
        var sampling = DynamicSampling(.evenThroughput(perSecond: 100), fields: [.name])
        sampling.intervalNanos = 1_000_000_000
        sampling.lookbackIntervals = 3
        let sums = try run(sampling, seconds: 6, ["a": 2_000, "b": 500])
        #expect((30...75).contains(sums["a"]?.kept ?? 0), "\(sums)")
        #expect((30...75).contains(sums["b"]?.kept ?? 0), "\(sums)")
    }

    @Test func `traces beyond the bound of keys count as one key`() throws {
        var sampling = DynamicSampling(.rate(2), fields: [.name])
        sampling.intervalNanos = 1_000_000_000
        sampling.keyCountMax = 4
        var traffic: [String: Int] = [:]
        for name in 0..<400 { traffic["name-\(name)"] = 1 }
        let kept = try run(sampling, seconds: 3, traffic).values.reduce(0) { $0 + $1.kept }
        #expect((150...250).contains(kept), "\(kept)")
    }

    @Test func `a burst is met before the interval ends`() throws {
        var sampling = DynamicSampling(.rate(10), fields: [.name])
        sampling.intervalNanos = 1_000_000_000
        sampling.weight = 0.5
        sampling.burstMultiple = 2
        sampling.burstDetectionDelay = 1
        var policies = try SamplingPolicySet(.dynamic(sampling))
        var number: UInt64 = 0
        func kept(_ count: Int, at second: Double) -> Int {
            (0..<count).count { _ in
                number += 1
                return policies.decide(.one(number), atSecond: second).isKept
            }
        }
        for second in 0..<5 { _ = kept(20, at: Double(second)) }
        #expect(kept(4_000, at: 5) < 800)
    }
}
