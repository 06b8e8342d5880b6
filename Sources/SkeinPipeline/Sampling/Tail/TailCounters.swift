// SPDX-License-Identifier: Apache-2.0

/// What a tail sampler decided, and what became of the spans it could not hold on to.
struct TailCounters: Sendable {
    /// Why a trace was decided before its time.
    enum Haste: Int, CaseIterable, Sendable {
        /// No memory for what comes.
        case memory
        /// No memory for what comes, and no room to spill what waits.
        case spillFull
        /// No memory for what comes, and spilling what waits failed.
        case spillFailed
        /// As many traces wait as may.
        case traces
        /// The trace is larger than a trace may be.
        case size
        /// The server ends.
        case shutdown

        var label: StaticString {
            switch self {
            case .memory: "memory"
            case .spillFull: "spill_full"
            case .spillFailed: "spill_failed"
            case .traces: "num_traces"
            case .size: "trace_size"
            case .shutdown: "shutdown"
            }
        }
    }

    private let decisions: DecisionCounters
    private let hasty: [Counter]
    let lateKeptSpans: Counter
    let lateDroppedSpans: Counter
    /// Spans of kept traces that the store refused for good, or until the end.
    let lostSpans: Counter
    /// Spans of kept traces that could not be read back.
    let unreadableSpans: Counter
    let spilledSpans: Counter

    /// `policies` are their names.
    init(policies: [String], in telemetry: Telemetry) {
        decisions = DecisionCounters(
            policies: policies,
            traces: (
                "skein_sampling_traces_total",
                "Traces decided by the tail sampler, by the policy that decided; none kept the others."
            ),
            spans: (
                "skein_sampling_spans_total",
                "Spans of traces decided by the tail sampler, by the policy that decided."
            ),
            in: telemetry
        )
        hasty = Haste.allCases.map {
            telemetry.counter(
                "skein_sampling_forced_traces_total",
                "Traces decided before their time, by reason.",
                ["reason": $0.label]
            )
        }
        let late: StaticString = "Spans that came after the decision about their trace, and followed it."
        lateKeptSpans = telemetry.counter("skein_sampling_late_spans_total", late, ["decision": "kept"])
        lateDroppedSpans = telemetry.counter("skein_sampling_late_spans_total", late, ["decision": "dropped"])
        let lost: StaticString =
            "Spans of kept traces that the store refused for good or until the server ended, or that could not be read back."
        lostSpans = telemetry.counter("skein_sampling_lost_spans_total", lost, ["reason": "refused"])
        unreadableSpans = telemetry.counter("skein_sampling_lost_spans_total", lost, ["reason": "spill_unreadable"])
        spilledSpans = telemetry.counter(
            "skein_sampling_spilled_spans_total",
            "Spans that were written to the disk until the decision about their trace."
        )
    }

    func count(_ decision: SamplingDecision, spans: Int, haste: Haste?) {
        decisions.count(isKept: decision.isKept, policy: decision.policy, spans: spans)
        if let haste { hasty[haste.rawValue].add() }
    }
}
