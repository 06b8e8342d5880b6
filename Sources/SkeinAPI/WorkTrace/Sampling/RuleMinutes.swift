// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline

/// The rates of rules that keep so many root sessions a minute at most: with `max_per_minute` as much less as keeps below it, by what
/// the minute before brought, so that weights stay true; and none when as many have been kept.
struct RuleMinutes: Sendable {
    private var minutes: [String: Minute] = [:]

    /// Root sessions that a rule saw in a minute.
    private struct Minute {
        var number: UInt64 = 0
        var startedCount = 0
        var keptCount = 0
        /// Of the minute before.
        var startedBefore = 0
    }

    /// The rate of `rule` for a root session of this randomness, 56 bits, that comes at `nanos` since 1970.
    mutating func rate(of rule: SessionPolicy.Rule, _ randomness: UInt64, at nanos: UInt64) -> Double {
        guard let most = rule.perMinuteMax else { return rule.rate }
        let number = nanos / 60_000_000_000
        var minute = minutes[rule.name] ?? Minute(number: number)
        if minute.number != number {
            minute = Minute(number: number, startedBefore: minute.number &+ 1 == number ? minute.startedCount : 0)
        }
        minute.startedCount += 1
        let expected = Double(max(minute.startedBefore, minute.startedCount))
        var rate = min(rule.rate, Double(most) / expected)
        if minute.keptCount >= most {
            rate = 0
        } else if randomness >= SamplingThreshold.threshold(ofProbability: rate, precision: 4) {
            minute.keptCount += 1
        }
        minutes[rule.name] = minute
        return rate
    }
}
