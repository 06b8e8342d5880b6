// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import Testing

@Suite struct SamplingTrialTests {
    private static let policies = [
        SamplingPolicy("errors", .condition(.status(in: [.error]))),
        SamplingPolicy("rest", .probabilistic(0.25, salt: "s")),
        SamplingPolicy("probes", .drop([SamplingPolicy("a", .condition(.text("path", in: ["/health"])))])),
    ]

    private static func trace(_ number: UInt64) -> TraceSketch {
        var trace = TraceSketch(number)
        trace.add(
            number % 10 == 0 ? [Attribute("path", "/health")] : [],
            millis: number...number + 5,
            status: number % 20 == 1 ? .error : .unset
        )
        trace.add(millis: number...number + 1)
        return trace
    }

    private static func trial(_ count: UInt64, atMost limit: Int) throws -> SamplingTrial {
        var trial = SamplingTrial(try SamplingPolicySet(policies, countsBytes: true), traceCountMax: limit)
        for start in stride(from: 1, through: count, by: 100) {
            trial.add(SpanBatch(spans: (start..<start + 100).flatMap { trace($0).spans }))
        }
        return trial
    }

    @Test func `each policy is told with what it is about, keeps and drops`() throws {
        var trial = try Self.trial(2_000, atMost: 5_000)
        let outcome = try trial.outcome(decisionCountMax: 3)
        #expect(
            [trial.traceCount, trial.spanCount, outcome.all.traceCount, outcome.sampleRate] == [2_000, 4_000, 2_000, 1]
        )
        #expect(outcome.policies.map(\.name) == ["errors", "rest", "probes"])
        #expect(outcome.policies[0].kept.traceCount == 100 && outcome.policies[0].matched.traceCount == 100)
        #expect(outcome.policies[2].dropped.traceCount == 200 && outcome.policies[2].kept.traceCount == 0)
        #expect((350...550).contains(outcome.policies[1].kept.traceCount))
        #expect(outcome.kept.traceCount == 100 + outcome.policies[1].kept.traceCount)
        #expect(outcome.kept.spanCount == 2 * outcome.kept.traceCount && outcome.kept.byteCount > 0)
        #expect(outcome.policies[0].examples == (0..<5).map { Self.trace(1 + 20 * $0).id })
        // What probes drop is gone from the counts, all else is there.
        #expect(abs(outcome.weightAfter / (outcome.weightBefore * 0.9) - 1) < 0.15)
        #expect(outcome.weightOutside == outcome.weightBefore * 0.1)
        #expect(outcome.decisions.map(\.traceID) == (1...3).map { Self.trace($0).id })
        #expect(outcome.decisions[0].reason == "errors" && outcome.decisions[0].matching.contains(0))
    }

    @Test func `of more traces than have room a sample is taken, whatever the order`() throws {
        var trial = try Self.trial(4_000, atMost: 1_000)
        let outcome = try trial.outcome()
        #expect(trial.traceCount == 4_000 && trial.digestCount <= 1_000)
        #expect(outcome.sampleRate >= 4 && outcome.all.traceCount * outcome.sampleRate > 3_000)
        let share = Double(outcome.policies[0].kept.traceCount) / Double(outcome.all.traceCount)
        #expect((0.02...0.09).contains(share))
    }

    @Test func `a rate is told of a sample as it would be of all`() throws {
        let rate = [SamplingPolicy("rate", .rateLimiting(spansPerSecond: 500, burst: 500))]
        func share(atMost limit: Int) throws -> Double {
            var trial = SamplingTrial(try SamplingPolicySet(rate, countsBytes: true), traceCountMax: limit)
            for start in stride(from: UInt64(1), through: 8_000, by: 100) {
                trial.add(SpanBatch(spans: (start..<start + 100).flatMap { Self.trace($0).spans }))
            }
            let outcome = try trial.outcome()
            return Double(outcome.kept.traceCount) / Double(outcome.all.traceCount)
        }
        // Two thousand spans a second for eight seconds.
        let (all, sample) = try (share(atMost: 10_000), share(atMost: 2_000))
        #expect((0.24...0.32).contains(all) && (0.24...0.45).contains(sample), "\(all) \(sample)")
    }
}
