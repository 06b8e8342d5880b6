// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Tries policies on traces that are stored: what they would keep, had they been asked.
///
/// What the policies need to know of each trace is gathered first, since they are to be asked in the order in which the traces
/// ended. Of more traces than are to be in memory a sample is taken, by a hash of their ids; limits of rates then see it as
/// dense as the traces were, since its time is shortened by as much.
package struct SamplingTrial: Sendable {
    private var policies: SamplingPolicySet
    private let traceCountMax: Int
    private var digests: [TraceDigest] = []
    /// Traces whose hash has this many zeros at its end are in the sample.
    private var sampleBits = 0
    /// All traces that came, and their spans.
    package private(set) var traceCount = 0
    package private(set) var spanCount = 0

    /// Examples of a policy.
    package static let exampleCountMax = 5
    /// Memory that a digest takes.
    package static let byteCountOfTrace = 512

    /// `policies` are asked of `traceCountMax` traces at most; they should count bytes.
    package init(_ policies: SamplingPolicySet, traceCountMax: Int) {
        self.policies = policies
        self.traceCountMax = max(traceCountMax, 1)
    }

    /// Traces that are in memory.
    package var digestCount: Int { digests.count }

    /// Adds whole traces.
    package mutating func add(_ batch: SpanBatch) {
        let reading = policies.read(batch)
        var rows: [TraceID: [Int]] = [:]
        for row in 0..<batch.count { rows[batch.traceIDs[row], default: []].append(row) }
        traceCount += rows.count
        spanCount += batch.count
        for (id, rows) in rows where Self.isSampled(id, sampleBits) { digests.append(reading.digest(of: rows, id)) }
        while digests.count > traceCountMax {
            sampleBits += 1
            digests.removeAll { [sampleBits] in !Self.isSampled($0.traceID, sampleBits) }
        }
    }

    private static func isSampled(_ id: TraceID, _ bits: Int) -> Bool {
        Hash.of(id.high, id.low, seed: 0x51ed_270b_9f2f_3a1d).trailingZeroBitCount >= bits
    }

    /// Traces, their spans, and their bytes as OTLP, roughly.
    package struct Amount: Hashable, Sendable {
        package var traceCount = 0
        package var spanCount = 0
        package var byteCount = 0

        mutating func add(_ trace: TraceDigest) {
            traceCount += 1
            spanCount += trace.spanCount
            byteCount += trace.byteCount
        }
    }

    /// What became of the traces, in one sample.
    package struct Outcome: Sendable {
        /// One of so many traces was looked at.
        package var sampleRate = 1
        package var all = Amount()
        package var kept = Amount()
        /// What the spans weigh that came, and by their new weights those that are kept: the same, but for traces that no
        /// policy is about.
        package var weightBefore = 0.0
        package var weightAfter = 0.0
        /// What the spans weigh that came of traces of which none is ever kept.
        package var weightOutside = 0.0
        package var policies: [Policy] = []
        /// Of the first traces, in the order in which they ended.
        package var decisions: [(traceID: TraceID, isKept: Bool, reason: String, matching: [Int])] = []
    }

    /// What became of them by one policy.
    package struct Policy: Sendable {
        package var name: String
        /// What it is about: what it would keep, or drop, if it stood alone.
        package var matched = Amount()
        /// What it decided to keep, and to drop.
        package var kept = Amount()
        package var dropped = Amount()
        /// Of what it decided.
        package var examples: [TraceID] = []
    }

    /// Asks the policies about each trace when it ended, in that order. Names what became of the first `decisionCountMax`.
    package mutating func outcome(decisionCountMax: Int = 0) throws(CancellationError) -> Outcome {
        digests.sort { ($0.endUnixNanos, $0.traceID) < ($1.endUnixNanos, $1.traceID) }
        var outcome = Outcome(sampleRate: 1 << sampleBits)
        outcome.policies = policies.policies.map { Policy(name: $0.name) }
        let start = digests.first?.endUnixNanos ?? 0
        for (number, digest) in digests.enumerated() {
            if number % 256 == 0, Task.isCancelled { throw CancellationError() }
            var matching: [Int] = []
            var probability = 1.0
            let nanos = (digest.endUnixNanos - start) >> UInt64(min(sampleBits, 63))
            let decision = policies.decide(digest, nanos: nanos) { note in
                switch note {
                case .matched(let policy): matching.append(policy)
                case .probability(let share): probability = share
                }
            }
            outcome.all.add(digest)
            outcome.weightBefore += digest.weight
            if probability == 0, !decision.isKept { outcome.weightOutside += digest.weight }
            for number in matching { outcome.policies[number].matched.add(digest) }
            if decision.isKept {
                outcome.kept.add(digest)
                outcome.weightAfter += digest.weight * decision.weightFactor(after: digest.threshold)
            }
            if outcome.decisions.count < decisionCountMax {
                outcome.decisions.append((digest.traceID, decision.isKept, policies.reason(of: decision), matching))
            }
            guard let number = decision.policy else { continue }
            if decision.isKept {
                outcome.policies[number].kept.add(digest)
            } else {
                outcome.policies[number].dropped.add(digest)
            }
            if outcome.policies[number].examples.count < Self.exampleCountMax {
                outcome.policies[number].examples.append(digest.traceID)
            }
        }
        return outcome
    }
}
