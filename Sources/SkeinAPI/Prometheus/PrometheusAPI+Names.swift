// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// Which series there are, and of what names and values.
extension PrometheusAPI {
    /// Most series, names or values of an answer.
    private static let countMax = 10_000

    static func series(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let parameters = PrometheusParameters(call, api)
        guard !(try parameters.selectors()).isEmpty else {
            throw .invalid(
                "match[]",
                "match[] is missing: it takes a selector, as in match[]=\(SpanMetric.all[0].name)."
            )
        }
        let (found, warnings) = cut(
            try await found(api, call, parameters).labelSets,
            try parameters.limit(atMost: countMax)
        )
        return .prometheus(capacity: 64 + found.count * 256, warnings: warnings) { json in
            json.array { json in
                for labels in found { json.labels(labels) }
            }
        }
    }

    static func labelNames(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let parameters = PrometheusParameters(call, api)
        let names = try await found(api, call, parameters).names
        return write(names, try parameters.limit(atMost: countMax))
    }

    static func labelValues(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let parameters = PrometheusParameters(call, api)
        let values = try await found(api, call, parameters).values(of: call.pathValues[0])
        return write(values, try parameters.limit(atMost: countMax))
    }

    private static func found(
        _ api: API,
        _ call: APICall,
        _ parameters: PrometheusParameters
    ) async throws(APIError) -> FoundSeries {
        let selectors = try parameters.selectors()
        let start = UInt64(try parameters.moment("start") ?? 0)
        let end = try parameters.moment("end").map { UInt64($0) }
        // With the end itself.
        let (nanos, isOver) = ((end ?? .max) &+ 1).multipliedReportingOverflow(by: 1_000_000)
        let range = TimeRange(start: start * 1_000_000, end: end == nil || isOver ? .max : nanos)
        guard range.start < range.end else { throw .invalid("end", "end lies before start: swap them.") }
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        return FoundSeries(slices, selectors)
    }

    private static func write(_ texts: [String], _ limit: Int) -> APIResponse {
        let (found, warnings) = cut(texts, limit)
        return .prometheus(capacity: 64 + found.count * 32, warnings: warnings) { json in
            json.array { json in
                for text in found { json.string(text) }
            }
        }
    }

    private static func cut<T>(_ list: [T], _ limit: Int) -> ([T], warnings: [String]) {
        guard list.count > limit else { return (list, []) }
        return (
            Array(list.prefix(limit)),
            ["There are \(list.count), of which these are the first \(limit): narrow match[]."]
        )
    }
}

/// The series of some slices that any of some selectors means, or all when there is none.
struct FoundSeries {
    /// Rows of which a metric is there, apart from buckets' bounds, each once.
    private var rows: [(labels: LabelSet, metric: SpanMetric, bounds: [String])] = []

    init(_ slices: [RollupSlice], _ selectors: [PromQL.Selector]) {
        let metrics = selectors.map { Set($0.metrics) }
        var isKnown: Set<LabelSet> = []
        for metric in SpanMetric.all {
            let wanted = selectors.indices.filter { metrics[$0].contains(metric) }
            guard selectors.isEmpty || !wanted.isEmpty else { continue }
            let texts = metric.part == .bucket ? metric.family.bounds.texts : [""]
            for row in slices.flatMap({ $0.rows(ofServiceGraph: metric.family.isServiceGraph) })
            where row.has(metric.family) {
                let labels = LabelSet(row.key.labels + [.init(LabelSet.metricName, metric.name)])
                let matching = wanted.filter { selectors[$0].matches(labels) }
                let bounds = texts.filter { text in
                    selectors.isEmpty || matching.contains { selectors[$0].matches(bound: text) }
                }
                if !bounds.isEmpty, isKnown.insert(labels).inserted { rows.append((labels, metric, bounds)) }
            }
        }
    }

    /// The labels of each series.
    var labelSets: [LabelSet] {
        rows.flatMap { row in row.bounds.map { $0.isEmpty ? row.labels : row.labels.with(LabelSet.bound, $0) } }
    }

    /// The names of labels, ordered.
    var names: [String] {
        var names = Set(rows.flatMap { row in row.labels.labels.map(\.name) })
        if rows.contains(where: { $0.metric.part == .bucket }) { names.insert(LabelSet.bound) }
        return names.sorted()
    }

    /// The values of a label, ordered.
    func values(of name: String) -> [String] {
        if name == LabelSet.bound {
            let texts = Set(rows.flatMap(\.bounds)).filter { !$0.isEmpty }
            return texts.sorted { (Double($0) ?? 0) < (Double($1) ?? 0) }
        }
        return Set(rows.map { ExactText($0.labels[name]) }).map(\.text).filter { !$0.isEmpty }.sorted {
            $0.precedes($1)
        }
    }
}
