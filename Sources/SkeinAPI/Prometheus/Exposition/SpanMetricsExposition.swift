// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinPipeline
package import SkeinStore
import Synchronization

/// Tells a scraper what a store's spans add up to: the metrics of ``SpanMetric``, over everything that is kept.
///
/// What the store says may fall, when copies of spans are brought together or retention takes old sums, and a scraper takes a
/// counter that falls for one that began anew. So what is told only ever grows while this lives: by what the store's sums grew
/// since they were asked last. Once restarted, it begins with what is stored.
///
/// The first ``labelSetCountMax`` sorts of spans, and as many of calls, are told apart, at the start those with most of them;
/// the others are one series, ``LabelSet/overflow``, and stay it.
package final class SpanMetricsExposition: Sendable {
    /// How many sorts of spans are told apart, and how many of calls.
    package let labelSetCountMax: Int
    private let counters = Mutex(SpanCounters())

    /// How far back an exemplar may lie, in nanoseconds.
    private static let exemplarNanos: UInt64 = 300_000_000_000

    package init(labelSetCountMax: Int = 10_000) { self.labelSetCountMax = labelSetCountMax }

    /// Asks `store` and writes the metrics; says in `skein_span_metrics_missing` when it has no answer. `now` is in
    /// nanoseconds since 1970.
    package func write(_ store: any SpanStore, now: UInt64, to text: inout PrometheusText) async {
        text.family("skein_span_metrics_missing", .gauge, "1 when the store could not say what its spans add up to.")
        do throws(StoreError) {
            let slices = try await store.rollup(TimeRange(start: 0, end: .max), step: nil)
            let recent = TimeRange(start: now - min(now, Self.exemplarNanos), end: .max)
            // Only one of the formats has a place for exemplars.
            let exemplars = text.format == .openMetrics ? try await store.rollup(recent, step: nil) : []
            text.sample("skein_span_metrics_missing", "", 0)
            let told = counters.withLock { counters in
                counters.add(slices, exemplars, labelSetCountMax: labelSetCountMax)
                return counters
            }
            told.write(to: &text)
        } catch {
            text.sample("skein_span_metrics_missing", "", 1)
        }
    }
}
