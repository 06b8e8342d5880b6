// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
import Synchronization

/// Leaves spans out as they come in, by the first rule that is about each; a span that no rule is about stays.
///
/// By share, a span stays when the threshold that it then has, the share of what its `tracestate` says was left of the trace
/// already, is not above the randomness of its trace: all spans of a trace whose rules name one share stay or go together,
/// wherever and whenever they come, and of two shares the larger keeps all that the smaller keeps. The threshold is written
/// into the `tracestate`, and the weight grows by as much. By rate, see ``RateLimiter``.
package final class HeadSampler: IntakeStage {
    private let rules: HeadRules
    private let clock: any WallClock
    /// By rule; `nil` for one that limits no rate.
    private let limiters: Mutex<[RateLimiter?]>
    private let isLimiting: Bool
    /// By rule, of its salt.
    private let seeds: [UInt64]
    /// By rule.
    private let counters: [Counter]

    /// Samples by `rules`, whose names are distinct.
    package init(_ rules: [HeadRule], clock: any WallClock, telemetry: Telemetry) {
        self.rules = HeadRules(rules)
        self.clock = clock
        let limiters = rules.map { rule -> RateLimiter? in
            if case .rateLimiting(let rate) = rule.sampler { RateLimiter(tracesPerSecond: rate) } else { nil }
        }
        isLimiting = limiters.contains { $0 != nil }
        self.limiters = Mutex(limiters)
        seeds = rules.map { rule in
            if case .hashed(_, let salt) = rule.sampler { SaltedHash.seed(salt, .head) } else { 0 }
        }
        counters = rules.map { rule in
            telemetry.counter(
                "skein_sampled_out_spans_total",
                "Spans that were received and left out by sampling, by rule.",
                configured: ("rule", rule.name)
            )
        }
    }

    /// What becomes of a span.
    private struct Fate {
        /// By how much its weight grows; 0 when it is left out.
        var factor = 1.0
        /// To be written into its `tracestate`; 0 when it stays as it is.
        var threshold: UInt64 = 0

        static let leftOut = Fate(factor: 0)
    }

    package func process(_ batch: SpanBatch, from source: IntakeSource) -> SpanBatch {
        guard !source.isImport else { return batch }
        let numbers = rules.numbers(of: batch)
        var none: [RateLimiter?] = []
        let fates =
            isLimiting
            ? limiters.withLock { decide(batch, numbers, &$0) } : decide(batch, numbers, &none)
        var leftOut = [Int](repeating: 0, count: counters.count)
        var isChanged = false
        for (row, fate) in fates.enumerated() {
            if fate.factor == 0 { leftOut[numbers[row]] += 1 }
            isChanged = isChanged || fate.factor != 1
        }
        guard isChanged else { return batch }
        for (counter, count) in zip(counters, leftOut) where count > 0 { counter.add(count) }
        return Self.kept(batch, fates)
    }

    private func decide(_ batch: SpanBatch, _ numbers: [Int], _ limiters: inout [RateLimiter?]) -> [Fate] {
        let now = isLimiting ? clock.monotonicNanos : 0
        return numbers.enumerated().map { row, number in
            guard number < rules.rules.count else { return Fate() }
            switch rules.rules[number].sampler {
            case .alwaysOn: return Fate()
            case .alwaysOff: return .leftOut
            case .probabilistic(let share): return Self.fate(of: row, in: batch, share)
            case .hashed(let share, _):
                let threshold = SamplingThreshold.threshold(ofProbability: share)
                let isKept = threshold <= SaltedHash.number(batch.traceIDs[row], seed: seeds[number])
                return isKept ? Fate(factor: SamplingThreshold.weight(ofThreshold: threshold)) : .leftOut
            case .rateLimiting:
                let weight = SpanBatch.value(batch.weights, row, default: 1)
                return Fate(
                    factor:
                        limiters[number]?.factor(of: batch.traceIDs[row], weighing: weight, nanos: now) ?? 1
                )
            }
        }
    }

    private static func fate(of row: Int, in batch: SpanBatch, _ share: Double) -> Fate {
        guard share > 0 else { return .leftOut }
        guard share < 1 else { return Fate() }
        return batch.dictionary.withBytes(SpanBatch.value(batch.traceStateRefs, row, default: 0)) { state in
            let earlier = SamplingThreshold.threshold(ofTraceState: state) ?? 0
            let left = 1 / SamplingThreshold.weight(ofThreshold: earlier)
            let threshold = max(SamplingThreshold.threshold(ofProbability: share * left), earlier)
            let randomness = SamplingThreshold.randomness(ofTraceState: state, traceID: batch.traceIDs[row])
            guard threshold <= randomness, threshold < SamplingThreshold.end else { return .leftOut }
            return Fate(factor: SamplingThreshold.weight(ofThreshold: threshold) * left, threshold: threshold)
        }
    }

    private static func kept(_ batch: SpanBatch, _ fates: [Fate]) -> SpanBatch {
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: batch)
        for (row, fate) in fates.enumerated() where fate.factor > 0 {
            var state: SpanBatch.Ref?
            if fate.threshold > 0 {
                let ref = SpanBatch.value(batch.traceStateRefs, row, default: 0)
                let text = batch.dictionary.withBytes(ref) {
                    SamplingThreshold.rewriting(traceState: $0, threshold: fate.threshold)
                }
                state = text.withUnsafeBytes { builder.intern($0).ref }
            }
            merger.append(row, to: &builder, weightFactor: fate.factor, traceState: state)
        }
        return builder.finish(receivedUnixNanos: batch.receivedUnixNanos)
    }
}
