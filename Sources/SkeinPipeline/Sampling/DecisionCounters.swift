// SPDX-License-Identifier: Apache-2.0

/// What was decided about whole traces, and about their spans, by the policy that decided.
struct DecisionCounters: Sendable {
    /// A metric: its name and what it says.
    typealias Metric = (name: StaticString, help: StaticString)

    private let keptTraces: [Counter]
    private let keptSpans: [Counter]
    private let droppedTraces: [Counter]
    private let droppedSpans: [Counter]

    /// `policies` are their names; one more, `none`, stands for traces that none kept.
    init(policies: [String], traces: Metric, spans: Metric, in telemetry: Telemetry) {
        func counters(_ metric: Metric, _ decision: StaticString) -> [Counter] {
            (policies + ["none"]).map {
                telemetry.counter(metric.name, metric.help, configured: ("policy", $0), ["decision": decision])
            }
        }
        keptTraces = counters(traces, "kept")
        keptSpans = counters(spans, "kept")
        droppedTraces = counters(traces, "dropped")
        droppedSpans = counters(spans, "dropped")
    }

    /// Counts traces with so many spans together, decided alike by the policy of this number, or by none.
    func count(isKept: Bool, policy: Int?, traces: Int = 1, spans: Int) {
        let policy = min(policy ?? .max, keptTraces.count - 1)
        (isKept ? keptTraces : droppedTraces)[policy].add(traces)
        (isKept ? keptSpans : droppedSpans)[policy].add(spans)
    }
}
