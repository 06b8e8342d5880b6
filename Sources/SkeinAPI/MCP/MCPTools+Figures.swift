// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// What spans add up to.
extension MCPTool {
    static let serviceGraph = MCPTool(
        "service_graph",
        "Service graph",
        "Lists who calls whom, with calls, errors and durations of the last hour or as said, most calls first.",
        .since,
        .start,
        .end,
        .text("service", "Only calls from or to this service."),
        ask: graph
    )

    @Sendable private static func graph(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let range = try call.toolRange(api, usual: hourNanos)
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        var edges = slices.flatMap(\.edges)
        if let service = call.request.query("service"), !service.isEmpty {
            edges = edges.filter { ($0.client ?? "").isExactly(service) || ($0.server ?? "").isExactly(service) }
        }
        edges.sort { $0.callCount > $1.callCount }
        var answer = MCPText()
        answer.line("Calls \(MCPText.range(range)), in whole minutes.")
        guard !edges.isEmpty else {
            answer.line("None were seen; take a longer since.")
            return answer
        }
        let shown = answer.table(
            ["from", "to", "type", "calls", "errors", "p50", "p95"],
            edges.lazy.map { edge in
                // The receiving end knows best how long it took; where there is none, the caller does.
                let durations = edge.serverDurations.count > 0 ? edge.serverDurations : edge.clientDurations
                return [
                    MCPText.word(edge.client ?? "(outside)", 60), MCPText.word(edge.server ?? "(outside)", 60),
                    edge.connectionType.name.isEmpty ? "direct" : edge.connectionType.name,
                    MCPText.count(edge.callCount), MCPText.count(edge.errorCount),
                ] + MCPText.quantiles(of: durations)
            }
        )
        answer.noteCut(shown, of: edges.count, "edges", "name a service")
        return answer
    }

    static let metrics = MCPTool(
        "metrics",
        "Metrics over time",
        """
        Counts or measures spans over time with a TraceQL metrics query; one line a series. Durations are in seconds, rates per \
        second.
        """,
        .needed(
            "query",
            """
            A query that ends with a metrics function, such as { status = error } | rate() by(resource.service.name) or \
            { name = "GET /" } | quantile_over_time(duration, .5, .95).
            """
        ),
        .since,
        .start,
        .end,
        .text(
            "step",
            "Time between two values, such as 5m; about a twelfth of the range unless said, at least 1/48 of it."
        ),
        ask: series
    )

    /// Values of a series that a line has room for.
    private static let momentCountMax: UInt64 = 48

    @Sendable private static func series(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let query = try NativeAPI.query(call.request.query("query") ?? "", field: "query")
        let asked = try call.toolRange(api, usual: hourNanos)
        let end = min(asked.end, api.clock.unixNanos)
        guard asked.start < end else { throw .invalid("start", "The range lies in the future: take an earlier start.") }
        let length = end - asked.start
        let step = try call.nanos("step") ?? NativeAPI.usualStep(length, most: 12)
        guard length / step <= momentCountMax, let grid = SeriesGrid(start: asked.start, end: end, step: step) else {
            throw .invalid(
                "step",
                "a step of \(MCPText.duration(step)) cuts the range into more than \(momentCountMax) values: "
                    + "take \(MCPText.duration(NativeAPI.usualStep(length, most: momentCountMax))) or more."
            )
        }
        let request = SeriesRequest(query, grid: grid, exemplarCountMax: 0, seriesCountMax: 200)
        let found = try await api.ask(call) { store throws(StoreError) in try await store.series(request) }
        guard let found else {
            throw .invalid(
                "query",
                "The query finds spans and counts none: end it with a function, as in | rate() or | count_over_time()."
            )
        }
        var answer = MCPText()
        answer.line(
            "\(MCPText.plural(found.seriesCount, "series", "series")), "
                + "\(MCPText.plural(grid.count, "value")) each, every \(MCPText.duration(step)): at "
                + "\(MCPText.moment(grid.first)) … \(MCPText.moment(grid.moment(grid.count - 1))), each for the time before it."
        )
        let shown = answer.table(["series", "min", "mean", "max", "values (- is none)"], found.series.lazy.map(row))
        answer.noteCut(shown, of: found.seriesCount, "series", "group by less, filter more, or add | topk(10)")
        return answer
    }

    private static func row(of series: Series) -> [String] {
        let labels = series.labels.map { "\($0.name)=\(MCPText.word($0.value.text, 60))" }.joined(separator: ", ")
        let known = series.values.compactMap { $0 }
        guard let least = known.min(), let most = known.max() else { return [labels, "-", "-", "-", "-"] }
        let mean = known.reduce(0, +) / Double(known.count)
        let values = series.values.map { $0.map(MCPText.number) ?? "-" }.joined(separator: " ")
        return [labels, MCPText.number(least), MCPText.number(mean), MCPText.number(most), values]
    }
}

extension MCPText {
    /// A number of four digits or so.
    static func number(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
        guard (1e-6..<1e15).contains(value.magnitude) else { return "\(value)" }
        var scale = 1.0
        while value.magnitude * scale < 1_000, scale < 1e9 { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        let text = "\(rounded)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
