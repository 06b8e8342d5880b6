// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL

extension MCPTool {
    static let explainSlow = MCPTool(
        "explain_slow",
        "Explain slow spans",
        """
        Compares slow spans of an operation with the others: which attributes tell them apart, which operations their traces wait \
        for, and traces of both kinds to look at. Slow is what takes longer than 95 % unless said. Of the last hour unless said.
        """,
        .text(
            "query",
            "Spans to explain, as one condition, such as { name = \"GET /checkout\" }; or name service and operation."
        ),
        .text("service", "Spans of this service; in the place of query."),
        .text("operation", "Spans of this name; in the place of query."),
        .text("slower_than", "What counts as slow, such as 500ms."),
        .since,
        .start,
        .end,
        ask: slowness
    )

    /// Traces of either kind whose critical paths are added up.
    private static let profiledTraceCountMax = 20

    @Sendable private static func slowness(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let condition = try condition(call)
        let all = try NativeAPI.query(condition, field: "query")
        let asked = try call.toolRange(api, usual: hourNanos)
        let range = TimeRange(start: asked.start, end: min(asked.end, max(api.clock.unixNanos, asked.start)))
        guard let bound = try await bound(condition, range, api, call) else {
            var answer = MCPText()
            answer.line(
                "No spans \(MCPText.range(range)) satisfy the condition; take a longer since or a wider condition."
            )
            return answer
        }
        let limit = "duration > \(bound)ns"
        let selection = try NativeAPI.query(limit, field: "slower_than")
        let found = try await api.ask(call) { store throws(StoreError) in
            try await store.differences(all, selection: selection, range: range, fieldCountMax: 8, valueCountMax: 3)
        }
        var answer = MCPText()
        answer.line(
            "Slow is longer than \(MCPText.duration(bound)): \(MCPText.count(found.selectionCount)) spans, against "
                + "\(MCPText.count(found.restCount)) others, \(MCPText.range(range))."
        )
        guard found.selectionCount > 0, found.restCount > 0 else {
            answer.line("There is nothing to compare: give another slower_than.")
            return answer
        }
        showDifferences(found, &answer)
        let slow = try await traces("\(condition) and \(limit)", range, api, call)
        let others = try await traces("\(condition) and duration <= \(bound)ns", range, api, call)
        try await showPaths(slow, others, api, call, &answer)
        answer.line()
        answer.line("Slow traces: \(slow.prefix(3).map { "\($0.traceID)" }.joined(separator: ", "))")
        answer.line("Other traces: \(others.prefix(3).map { "\($0.traceID)" }.joined(separator: ", "))")
        answer.note("compare_traces says how two of them differ.")
        return answer
    }

    /// What the spans have in common, as it stands in braces.
    private static func condition(_ call: APICall) throws(APIError) -> String {
        let query = (call.request.query("query") ?? "").trimmingBlanks
        let parts = [("service", "service"), ("operation", "name")].compactMap { argument, field in
            call.request.query(argument).flatMap { $0.isEmpty ? nil : "\(field) = \(MCPQuery.quoted($0))" }
        }
        guard query.isEmpty != parts.isEmpty else {
            throw .invalid("query", "Say which spans to explain: either query, or service and operation.")
        }
        if query.isEmpty { return parts.joined(separator: " and ") }
        guard let predicate = try NativeAPI.selection(query, field: "query").plainCondition else {
            throw .invalid("query", "The query is more than one condition: write one, such as { name = \"GET /\" }.")
        }
        return predicate == .true ? "true" : "(\(TraceQL.text(of: predicate)))"
    }

    /// Nanoseconds beyond which a span is slow; `nil` when there are no spans.
    private static func bound(
        _ condition: String,
        _ range: TimeRange,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> UInt64? {
        if let given = try call.nanos("slower_than") { return given }
        let query = try NativeAPI.query("\(condition) | quantile_over_time(duration, .95)", field: "query")
        let request = SeriesRequest(
            query,
            grid: SeriesGrid(instantFrom: range.start, to: range.end),
            exemplarCountMax: 0,
            seriesCountMax: 1
        )
        let found = try await api.ask(call) { store throws(StoreError) in try await store.series(request) }
        return found?.series.first?.values.compactMap { $0 }.first.map { NativeAPI.nanos($0 * 1e9) }
    }

    private static func showDifferences(_ found: AttributeDifferences, _ answer: inout MCPText) {
        // The duration is what tells them apart by definition.
        let fields = found.fields.filter {
            !["duration", "nestedSetLeft"].contains($0.field.text) && $0.difference > 0.1
        }
        answer.line()
        guard !fields.isEmpty else {
            answer.line("No attribute tells slow spans from the others.")
            return
        }
        answer.line("Attributes that tell them apart, most telling first:")
        let rows = fields.flatMap { field in
            field.values.map { value in
                [
                    MCPText.word(field.field.text, 60), MCPText.word(value.value.text, 60),
                    MCPText.percent(value.selectionCount / found.selectionCount),
                    MCPText.percent(value.restCount / found.restCount),
                ]
            }
        }
        answer.table(["attribute", "value", "of slow", "of others"], rows.prefix(16))
    }

    private static func traces(
        _ query: String,
        _ range: TimeRange,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [TraceSummary] {
        let request = TraceSearchRequest(
            try NativeAPI.query(query),
            range: range,
            limit: profiledTraceCountMax,
            spanCountMax: 0,
            cursor: nil,
            order: nil
        )
        return try await api.ask(call) { store throws(StoreError) in try await store.search(request) }.traces.map(
            \.summary
        )
    }

    /// What the traces wait for, slow ones beside the others.
    private static func showPaths(
        _ slow: [TraceSummary],
        _ others: [TraceSummary],
        _ api: API,
        _ call: APICall,
        _ answer: inout MCPText
    ) async throws(APIError) {
        var (first, second) = (CriticalPathProfile(), CriticalPathProfile())
        var skipped = try await forEachTrace(of: slow, api, call, columns: .links) { first.add($0.batch) }
        skipped += try await forEachTrace(of: others, api, call, columns: .links) { second.add($0.batch) }
        noteSkipped(skipped, &answer)
        guard first.weight > 0, second.weight > 0 else { return }
        var usual: [OperationName: Double] = [:]
        for owner in second.owners {
            if let name = owner.name { usual[name] = owner.pathNanos / second.weight }
        }
        let rows = first.owners.compactMap { owner -> (name: OperationName, slow: Double, usual: Double)? in
            guard let name = owner.name else { return nil }
            return (name, owner.pathNanos / first.weight, usual[name] ?? 0)
        }
        answer.line()
        answer.line(
            "What \(first.traceCount) slow and \(second.traceCount) other traces wait for (critical path, mean of a trace), "
                + "greatest difference first:"
        )
        answer.table(
            ["operation", "slow", "others"],
            rows.sorted { $0.slow - $0.usual > $1.slow - $1.usual }.prefix(12).map { name, slow, usual in
                [MCPText.operation(name.service, name.operation), MCPText.duration(slow), MCPText.duration(usual)]
            }
        )
    }
}

extension String {
    /// Without blanks at either end.
    fileprivate var trimmingBlanks: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r\n" }
        let rest = drop(while: isBlank)
        return String(rest.reversed().drop(while: isBlank).reversed())
    }
}
