// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
import Synchronization

/// Leaves out the spans of a trace beyond a number, for loops that write into one trace for ever.
///
/// Traces are remembered while they are among the last ones to get spans: at least 64 K of them, in some megabytes. One that
/// rests longer than that begins to count anew.
package final class TraceSpanLimit: IntakeStage {
    private static let traceCountMax = 64 << 10

    private let spanCountMax: Int
    private let refusedSpans: Counter
    private let counts = Mutex(Counts())

    private struct Counts {
        var recent: [TraceID: Int] = [:]
        var older: [TraceID: Int] = [:]

        /// Adds a span, and answers how many the trace has now.
        mutating func add(_ id: TraceID) -> Int {
            if recent.count >= TraceSpanLimit.traceCountMax { (older, recent) = (recent, [:]) }
            let count = (recent[id] ?? older[id] ?? 0) + 1
            recent[id] = count
            return count
        }
    }

    package init(spanCountMax: Int, telemetry: Telemetry) {
        self.spanCountMax = spanCountMax
        refusedSpans = telemetry.counter(
            "skein_refused_trace_spans_total",
            "Spans that were left out since their trace has more than trace-spans-taken-max."
        )
    }

    package func process(_ batch: SpanBatch, from source: IntakeSource) throws(Refusal) -> SpanBatch {
        let isTaken = counts.withLock { counts in batch.traceIDs.map { counts.add($0) <= spanCountMax } }
        let kept = batch.selecting { isTaken[$0] }
        refusedSpans.add(batch.count - kept.count)
        return kept
    }
}
