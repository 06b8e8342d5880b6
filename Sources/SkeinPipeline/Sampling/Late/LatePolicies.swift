// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinStore
import Synchronization

/// The policies of a tail sampler, asked about stored traces when they leave the hot window.
///
/// Limits of rates, and what looks at how many traces are alike, go by the time at which traces were received.
package final class LatePolicies: LateSampler {
    private struct State {
        var policies: SamplingPolicySet
        /// The latest time that was decided at: time does not go back.
        var nanos: UInt64 = 0
    }

    private let reader: SamplingPolicySet
    private let counters: DecisionCounters
    private let state: Mutex<State>

    package init(_ policies: SamplingPolicySet, telemetry: Telemetry) {
        reader = policies
        counters = DecisionCounters(
            policies: policies.policies.map(\.name),
            traces: (
                "skein_late_sampling_traces_total",
                "Stored traces decided by late sampling, by the policy that decided; none kept the others."
            ),
            spans: (
                "skein_late_sampling_spans_total",
                "Spans of stored traces decided by late sampling, by the policy that decided."
            ),
            in: telemetry
        )
        state = Mutex(State(policies: policies))
    }

    package func round() -> any LateSamplingRound { Round(policies: self) }

    package func count(_ decision: LateDecision, traces: Int, spans: Int) {
        counters.count(isKept: decision.isKept, policy: decision.policy, traces: traces, spans: spans)
    }

    private struct Round: LateSamplingRound {
        let policies: LatePolicies
        var digests: [TraceID: TraceDigest] = [:]

        mutating func add(_ batch: SpanBatch, rows: [Range<Int>]) {
            let reading = policies.reader.read(batch)
            for range in rows {
                guard let first = range.first else { continue }
                let id = batch.traceIDs[first]
                for row in range { digests[id, default: TraceDigest(traceID: id)].add(row, of: reading) }
            }
        }

        mutating func decide(received: ClosedRange<UInt64>) -> [TraceID: LateDecision] {
            defer { digests = [:] }
            return policies.decide(digests.values, received: received)
        }
    }

    private func decide(
        _ traces: some Sequence<TraceDigest>,
        received: ClosedRange<UInt64>
    ) -> [TraceID: LateDecision] {
        state.withLock { state in
            var decisions: [TraceID: LateDecision] = [:]
            // Of equal ends the ids decide, so that the same traces are decided in the same order.
            for trace in traces.sorted(by: { ($0.endUnixNanos, $0.traceID) < ($1.endUnixNanos, $1.traceID) }) {
                let end = min(max(trace.endUnixNanos, received.lowerBound), received.upperBound)
                state.nanos = max(state.nanos, end)
                let decision = state.policies.decide(trace, nanos: state.nanos)
                decisions[trace.traceID] = LateDecision(
                    isKept: decision.isKept,
                    threshold: decision.threshold,
                    factor: decision.factor,
                    reason: decision.isKept ? "late: " + state.policies.reason(of: decision) : "",
                    policy: decision.policy
                )
            }
            return decisions
        }
    }
}
