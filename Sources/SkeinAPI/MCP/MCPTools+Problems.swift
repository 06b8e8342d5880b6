// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinTraceQL

extension MCPTool {
    /// Traces that are looked through for one answer, the latest ones.
    private static let examinedTraceCountMax = 100

    static let findProblems = MCPTool(
        "find_problems",
        "Find problems of code and instrumentation",
        """
        Finds calls that are made again and again where one might do (N+1 queries), and instrumentation that hides things: \
        broken propagation, missing parents, names with ids, clocks that differ; each with a remedy. Of the last hour unless \
        said; at most the latest 100 traces are looked through.
        """,
        .since,
        .start,
        .end,
        .text("query", "Only traces that satisfy this query, such as { resource.service.name = \"web\" }."),
        ask: problems
    )

    @Sendable private static func problems(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let range = try call.toolRange(api, usual: hourNanos)
        let query = try NativeAPI.selection(call.request.query("query") ?? "", field: "query")
        let request = TraceSearchRequest(
            query,
            range: range,
            limit: examinedTraceCountMax,
            spanCountMax: 0,
            cursor: nil,
            order: nil
        )
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(request) }
        var repeats = RepeatedCallGroups()
        var hygiene = InstrumentationHygiene()
        let skipped = try await forEachTrace(of: page.traces.map(\.summary), api, call) { trace in
            repeats.add(trace.batch)
            hygiene.add(trace.batch)
        }
        let (calls, findings) = (repeats.sorted, hygiene.findings)
        var answer = MCPText()
        answer.line(
            "\(MCPText.plural(hygiene.traceCount, "trace")) \(MCPText.range(range)) looked through, newest first."
        )
        if calls.isEmpty, findings.isEmpty { answer.line("No problems were found.") }
        if !calls.isEmpty {
            answer.line("Repeated calls, most time first:")
            let shown = answer.lines(calls.prefix(15).map(text))
            answer.noteCut(shown, of: calls.count, "repeated calls", "narrow the query")
        }
        if !findings.isEmpty {
            answer.line("Instrumentation:")
            let shown = answer.lines(findings.lazy.map(text))
            answer.noteCut(shown, of: findings.count, "findings", "narrow the query")
        }
        if page.next != nil { answer.note("There are older traces in the range: give end to look through these.") }
        noteSkipped(skipped, &answer)
        return answer
    }

    private static func text(of group: RepeatedCallGroups.Group) -> String {
        let (figures, call) = (group.figures, group.call)
        let statement = call.statement.isEmpty ? "" : " (\(MCPText.word(call.statement, 100)))"
        return "- \(MCPText.operation(group.caller.service, group.caller.operation)) calls "
            + "\(MCPText.operation(call.name.service, call.name.operation))\(statement) up to \(figures.callCountMax) times, "
            + "\(MCPText.percent(figures.share)) of its time, in \(MCPText.plural(figures.traceCount, "trace")); "
            + "trace \(figures.exemplar)"
    }

    private static func text(of finding: HygieneFinding) -> String {
        let service = finding.service.isEmpty ? "(no service)" : MCPText.word(finding.service, 60)
        let place = finding.operation.isEmpty ? service : MCPText.operation(finding.service, finding.operation)
        let trace = finding.exemplars.first.map { "; trace \($0)" } ?? ""
        return "- \(finding.kind.rawValue): \(place): \(MCPText.word(finding.what, 200)) — "
            + "\(MCPText.count(finding.count)) spans. \(finding.kind.remedy)\(trace)"
    }
}
