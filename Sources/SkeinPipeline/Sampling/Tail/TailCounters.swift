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

    private let keptTraces: [Counter]
    private let keptSpans: [Counter]
    private let droppedTraces: [Counter]
    private let droppedSpans: [Counter]
    private let hasty: [Counter]
    let lateKeptSpans: Counter
    let lateDroppedSpans: Counter
    /// Spans of kept traces that the store refused for good, or until the end.
    let lostSpans: Counter
    /// Spans of kept traces that could not be read back.
    let unreadableSpans: Counter
    let spilledSpans: Counter

    /// `policies` are their names; one more stands for traces that none kept.
    init(policies: [String], in telemetry: Telemetry) {
        func counters(_ name: StaticString, _ help: StaticString, _ decision: StaticString) -> [Counter] {
            (policies + ["none"]).map {
                telemetry.counter(name, help, configured: ("policy", $0), ["decision": decision])
            }
        }
        let traces: StaticString =
            "Traces decided by the tail sampler, by the policy that decided; none kept the others."
        let spans: StaticString = "Spans of traces decided by the tail sampler, by the policy that decided."
        keptTraces = counters("skein_sampling_traces_total", traces, "kept")
        droppedTraces = counters("skein_sampling_traces_total", traces, "dropped")
        keptSpans = counters("skein_sampling_spans_total", spans, "kept")
        droppedSpans = counters("skein_sampling_spans_total", spans, "dropped")
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
        let policy = decision.policy ?? keptTraces.count - 1
        (decision.isKept ? keptTraces : droppedTraces)[policy].add()
        (decision.isKept ? keptSpans : droppedSpans)[policy].add(spans)
        if let haste { hasty[haste.rawValue].add() }
    }
}
