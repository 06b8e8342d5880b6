// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline

/// The rates of rules that keep so many root sessions a minute at most: with `max_per_minute` as much less as keeps below it, by what
/// the minute before brought, so that weights stay true; and none when as many have been kept.
struct RuleMinutes: Sendable {
    /// By rule, those that are not long ago.
    private var minutes: [String: [Minute]] = [:]

    /// Root sessions that a rule saw in a minute.
    private struct Minute {
        var number: UInt64
        var startedCount = 0
        var keptCount = 0
    }

    /// Sessions come about in the order of their time: as many minutes are open.
    private static let minuteCountMax = 16

    /// The rate of `rule` for a root session of this randomness, 56 bits, that comes at `nanos` since 1970.
    mutating func rate(of rule: SessionPolicy.Rule, _ randomness: UInt64, at nanos: UInt64) -> Double {
        guard let most = rule.perMinuteMax else { return rule.rate }
        let number = nanos / 60_000_000_000
        var known = minutes[rule.name] ?? []
        let startedBefore = known.first { $0.number &+ 1 == number }?.startedCount ?? 0
        var minute = known.first { $0.number == number } ?? Minute(number: number)
        minute.startedCount += 1
        let expected = Double(max(startedBefore, minute.startedCount))
        var rate = min(rule.rate, Double(most) / expected)
        if minute.keptCount >= most {
            rate = 0
        } else if randomness >= SamplingThreshold.threshold(ofProbability: rate, precision: 4) {
            minute.keptCount += 1
        }
        known.removeAll { $0.number == number }
        known.append(minute)
        if known.count > Self.minuteCountMax { known.removeFirst() }
        minutes[rule.name] = known
        return rate
    }
}
