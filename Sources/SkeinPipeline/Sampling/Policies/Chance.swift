// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Which of the traces that are alike are kept: what is left of policies when all that they ask of the trace itself has been
/// answered.
indirect enum Chance: Hashable, Sendable {
    case always
    case never
    /// Those whose number in a draw is at least this threshold, above 0 and below ``SkeinModel/SamplingThreshold/end``.
    case passes(UInt64, Draw)
    case both(Chance, Chance)
    case either(Chance, Chance)
    case not(Chance)

    /// Gives every trace a number below 2^56, independently of all other draws.
    enum Draw: Hashable, Sendable {
        /// The randomness of the trace, of which its `tracestate` says what was sampled before.
        case randomness
        /// A hash of the id and a salt.
        case salt(seed: UInt64)
    }

    /// Those that reach `threshold`, any number, in a draw.
    static func reaching(_ threshold: UInt64, _ draw: Draw) -> Chance {
        if threshold == 0 { return .always }
        return threshold < SamplingThreshold.end ? .passes(threshold, draw) : .never
    }

    static func && (one: Chance, other: Chance) -> Chance {
        switch (one, other) {
        case (.never, _), (_, .never): .never
        case (.always, let rest), (let rest, .always): rest
        case (.passes(let low, let draw), .passes(let high, let same)) where draw == same:
            .passes(max(low, high), draw)
        default: .both(one, other)
        }
    }

    static func || (one: Chance, other: Chance) -> Chance {
        switch (one, other) {
        case (.always, _), (_, .always): .always
        case (.never, let rest), (let rest, .never): rest
        case (.passes(let low, let draw), .passes(let high, let same)) where draw == same:
            .passes(min(low, high), draw)
        default: .either(one, other)
        }
    }

    static prefix func ! (chance: Chance) -> Chance {
        switch chance {
        case .always: .never
        case .never: .always
        case .not(let contrary): contrary
        case .passes, .both, .either: .not(chance)
        }
    }

    /// Whether this trace is among them.
    func holds(for trace: TraceDigest) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .passes(let threshold, .randomness): threshold <= trace.randomness
        case .passes(let threshold, .salt(let seed)): threshold <= SaltedHash.number(trace.traceID, seed: seed)
        case .both(let one, let other): one.holds(for: trace) && other.holds(for: trace)
        case .either(let one, let other): one.holds(for: trace) || other.holds(for: trace)
        case .not(let chance): !chance.holds(for: trace)
        }
    }

    /// Their part of the traces of which `earlier`, a threshold of the randomness, was left: 0 to 1. Exact, unless more than
    /// four draws are each asked more than once.
    func probability(after earlier: UInt64 = 0) -> Double {
        switch self {
        case .always, .never, .passes: return independent(earlier, [:])
        case .both, .either, .not: break
        }
        var thresholds: [Draw: [UInt64]] = [:]
        collect(&thresholds)
        let repeated = thresholds.filter { $0.value.count > 1 }.sorted { $0.value.count > $1.value.count }
        return probability(earlier, [:], repeated.prefix(Self.repeatedDrawCountMax)[...])
    }

    private static let repeatedDrawCountMax = 4

    private func collect(_ thresholds: inout [Draw: [UInt64]]) {
        switch self {
        case .always, .never: break
        case .passes(let threshold, let draw): thresholds[draw, default: []].append(threshold)
        case .both(let one, let other), .either(let one, let other):
            one.collect(&thresholds)
            other.collect(&thresholds)
        case .not(let chance): chance.collect(&thresholds)
        }
    }

    /// Goes through what each draw in `open` can come to between its thresholds; `drawn` is what the others came to.
    private func probability(
        _ earlier: UInt64,
        _ drawn: [Draw: UInt64],
        _ open: ArraySlice<(key: Draw, value: [UInt64])>
    ) -> Double {
        guard let (draw, thresholds) = open.first else { return independent(earlier, drawn) }
        let lowest = draw == .randomness ? min(earlier, SamplingThreshold.end - 1) : 0
        var sum = 0.0
        var low = lowest
        for high in thresholds.sorted() + [SamplingThreshold.end] where high > low {
            var drawn = drawn
            drawn[draw] = low
            sum += Double(high - low) * probability(earlier, drawn, open.dropFirst())
            low = high
        }
        return sum / Double(SamplingThreshold.end - lowest)
    }

    /// The probability when each draw that is not in `drawn` is asked once.
    private func independent(_ earlier: UInt64, _ drawn: [Draw: UInt64]) -> Double {
        switch self {
        case .always: return 1
        case .never: return 0
        case .passes(let threshold, let draw):
            if let number = drawn[draw] { return threshold <= number ? 1 : 0 }
            let before = draw == .randomness ? SamplingThreshold.weight(ofThreshold: earlier) : 1
            return min(before / SamplingThreshold.weight(ofThreshold: threshold), 1)
        case .both(let one, let other): return one.independent(earlier, drawn) * other.independent(earlier, drawn)
        case .either(let one, let other):
            return 1 - (1 - one.independent(earlier, drawn)) * (1 - other.independent(earlier, drawn))
        case .not(let chance): return 1 - chance.independent(earlier, drawn)
        }
    }
}
