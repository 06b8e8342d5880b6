// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinWire

/// Traces that show what series speak of.
extension PrometheusAPI {
    /// Most exemplars of an answer; the longest spans' are kept.
    private static let countMax = 1_000
    /// About how many slices of time have exemplars of their own.
    private static let sliceCount = 100
    private static let minuteMillis = 60_000

    /// The label that holds the trace's id (OpenTelemetry, "Prometheus and OpenMetrics compatibility", 1.49, "Exemplars").
    static let traceIDLabel = "trace_id"

    private struct Found {
        var labels: LabelSet
        var exemplar: DurationDistribution.Exemplar
        var moment: Int
    }

    static func exemplars(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let parameters = PrometheusParameters(call, api)
        let readings = try parameters.expression().readings
        let end = try parameters.moment("end") ?? parameters.now
        let start = try parameters.moment("start") ?? max(0, end - 3_600_000)
        guard start <= end else { throw .invalid("end", "end lies before start: swap them.") }
        let range = TimeRange(start: UInt64(start) * 1_000_000, end: (UInt64(end) + 1) * 1_000_000)
        let minutes = (end - start) / minuteMillis / sliceCount + 1
        let step = UInt64(minutes) * RollupGrid.minuteNanos
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: step) }
        let found = find(readings.map(\.selector), slices)
        let series = Dictionary(grouping: found.indices) { found[$0].labels }.values.sorted { $0[0] < $1[0] }
        return .prometheus(capacity: 64 + found.count * 160) { json in
            json.array { json in
                for members in series {
                    json.object { json in
                        json.key("seriesLabels")
                        json.labels(found[members[0]].labels)
                        json.array("exemplars") { json in
                            for one in members.map({ found[$0] }).sorted(by: { $0.moment < $1.moment }) {
                                write(one, to: &json)
                            }
                        }
                    }
                }
            }
        }
    }

    /// The longest span of each series and slice. Of buckets it is in the one that it falls into.
    private static func find(_ selectors: [PromQL.Selector], _ slices: [RollupSlice]) -> [Found] {
        var found: [Found] = []
        for metric in SpanMetric.all {
            let wanted = selectors.filter { $0.metrics.contains(metric) }
            guard !wanted.isEmpty else { continue }
            for slice in slices {
                for row in slice.rows(ofServiceGraph: metric.family.isServiceGraph) where row.has(metric.family) {
                    guard let exemplar = row.exemplar(of: metric.family) else { continue }
                    var labels = LabelSet(row.key.labels + [.init(LabelSet.metricName, metric.name)])
                    var bound = ""
                    if metric.part == .bucket {
                        let bounds = metric.family.bounds
                        bound = bounds.texts[bounds.place(ofNanos: exemplar.durationNanos)]
                        labels = labels.with(LabelSet.bound, bound)
                    }
                    guard wanted.contains(where: { $0.matches(labels) && $0.matches(bound: bound) }) else { continue }
                    // When the span began nobody knows but to the slice.
                    found.append(
                        Found(labels: labels, exemplar: exemplar, moment: Int(slice.startUnixNanos / 1_000_000))
                    )
                    if found.count > 4 * countMax { keepLongest(&found) }
                }
            }
        }
        keepLongest(&found)
        return found
    }

    private static func keepLongest(_ found: inout [Found]) {
        guard found.count > countMax else { return }
        found.sort { $0.exemplar.precedes($1.exemplar) }
        found.removeSubrange(countMax...)
    }

    private static func write(_ one: Found, to json: inout JSONWriter) {
        json.object { json in
            json.object("labels") { json in
                json.key(text: traceIDLabel)
                json.string(one.exemplar.traceID.description)
            }
            json.member("value", PrometheusText.number(Double(one.exemplar.durationNanos) / 1e9))
            json.key("timestamp")
            json.seconds(millis: one.moment)
        }
    }
}
