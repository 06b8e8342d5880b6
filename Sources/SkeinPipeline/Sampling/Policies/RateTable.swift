// SPDX-License-Identifier: Apache-2.0

/// Counts traces by key and gives each key its rate, calculated anew at the end of each interval.
struct RateTable: Sendable {
    private let sampling: DynamicSampling
    /// Of the present interval.
    private var counts: [UInt64: Double] = [:]
    private var countSum = 0.0
    /// Intervals before it, oldest first, where a goal looks back.
    private var past: [[UInt64: Double]] = []
    /// Per interval, weighted.
    private var averages: [UInt64: Double] = [:]
    private var rates: [UInt64: Double] = [:]
    private var intervalCount = 0
    private var endNanos: UInt64?
    private var averageSum = 0.0

    /// The key of all that come when there are too many.
    private static let otherKey: UInt64 = 0

    init(_ sampling: DynamicSampling) { self.sampling = sampling }

    /// Of how many traces with this key one is kept now: 1 or more.
    func rate(of key: UInt64) -> Double {
        intervalCount == 0 ? max(1, sampling.initialRate) : rates[key] ?? rates[Self.otherKey] ?? 1
    }

    /// Counts a trace with this key and says of how many such traces one is kept: 1 or more.
    mutating func count(_ key: UInt64, nanos: UInt64) -> Double {
        let end = endNanos ?? adding(nanos)
        endNanos = end
        if nanos >= end {
            calculate()
            endNanos = adding(nanos)
        } else if isBurst {
            calculate()
        }
        let isKnown = counts[key] != nil || rates[key] != nil
        let key = isKnown || max(counts.count, rates.count) < sampling.keyCountMax ? key : Self.otherKey
        counts[key, default: 0] += 1
        countSum += 1
        return intervalCount == 0 ? max(1, sampling.initialRate) : rates[key] ?? 1
    }

    private func adding(_ nanos: UInt64) -> UInt64 {
        let (end, overflow) = nanos.addingReportingOverflow(max(sampling.intervalNanos, 1))
        return overflow ? .max : end
    }

    private var isBurst: Bool {
        sampling.burstMultiple > 0 && intervalCount > sampling.burstDetectionDelay && averageSum > 0
            && countSum > sampling.burstMultiple * averageSum
    }

    /// Ends the interval.
    private mutating func calculate() {
        intervalCount += 1
        // In one order, since sums of fractions depend on it and what is decided must not.
        let known = average().sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        averageSum = known.reduce(0) { $0 + $1.value }
        switch sampling.goal {
        case .rate(let rate): shareByLogarithm(known, goal: averageSum / max(rate, 1))
        case .throughput(let perSecond): shareByLogarithm(known, goal: perSecond * intervalSeconds)
        case .evenThroughput(let perSecond):
            let goal = perSecond * intervalSeconds / Double(max(known.count, 1))
            rates = Dictionary(
                uniqueKeysWithValues: known.map { ($0.key, max(1, $0.value / max(goal, .leastNormalMagnitude))) }
            )
        }
        counts = [:]
        countSum = 0
    }

    private var intervalSeconds: Double { Double(sampling.intervalNanos) * 1e-9 }

    /// How many of each key come in an interval, by the present one and those before.
    private mutating func average() -> [UInt64: Double] {
        if sampling.lookbackIntervals > 1 {
            past.append(counts)
            if past.count > sampling.lookbackIntervals { past.removeFirst() }
            var sums: [UInt64: Double] = [:]
            for interval in past { sums.merge(interval, uniquingKeysWith: +) }
            return sums.mapValues { $0 / Double(past.count) }
        }
        if intervalCount == 1 || sampling.weight >= 1 {
            averages = counts
            return averages
        }
        for key in averages.keys { averages[key, default: 0] *= 1 - sampling.weight }
        for (key, count) in counts { averages[key, default: 0] += sampling.weight * count }
        averages = averages.filter { $0.value >= sampling.ageOutValue }
        return averages
    }

    /// Shares `goal` kept traces out by the logarithm of how many there are of each key. What a rare key leaves goes to those
    /// that come after it; they are in ascending order of their counts.
    private mutating func shareByLogarithm(_ counts: [(key: UInt64, value: Double)], goal: Double) {
        rates = [:]
        var weightLeft = counts.reduce(0) { $0 + Self.weight($1.value) }
        var goalLeft = goal
        for (key, count) in counts {
            let weight = Self.weight(count)
            let own = max(1, weightLeft > 0 ? goalLeft * weight / weightLeft : 1)
            let kept = min(count, own)
            rates[key] = max(1, count / max(kept, .leastNormalMagnitude))
            goalLeft -= kept
            weightLeft -= weight
        }
    }

    /// One more than the count, so that a single trace has a weight too.
    private static func weight(_ count: Double) -> Double {
        // Between two powers of two the logarithm is taken as straight: no library of mathematics is needed, and the
        // result is the same on every machine.
        let value = 1 + max(count, 0)
        return Double(value.exponent) + (value.significand - 1)
    }
}
