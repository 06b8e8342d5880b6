// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinTraceQL

extension MCPTool {
    /// Traces whose errors are read for one answer, the latest ones.
    private static let failedTraceCountMax = 100
    /// Stored spans of a trace that is read for a sum over several traces.
    static let sampledSpanCountMax = 20_000

    static let findErrors = MCPTool(
        "find_errors",
        "Find errors",
        """
        Groups what went wrong by type and shape of the message, most errors first, with services, operations and traces to look \
        at. Of the last hour unless said; at most the latest 100 failing traces are read.
        """,
        .since,
        .start,
        .end,
        .text("service", "Only traces with a failing span of this service."),
        .text("query", "Only traces that satisfy this query; in the place of service."),
        ask: errors
    )

    @Sendable private static func errors(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let range = try call.toolRange(api, usual: hourNanos)
        let service = call.request.query("service") ?? ""
        let asked = call.request.query("query") ?? ""
        guard service.isEmpty || asked.isEmpty else {
            throw .invalid("query", "query and service are both there: leave one of them out.")
        }
        let condition = service.isEmpty ? "" : " && resource.service.name = \(MCPQuery.quoted(service))"
        let query = try NativeAPI.selection(asked.isEmpty ? "{ status = error\(condition) }" : asked, field: "query")
        let request = TraceSearchRequest(
            query,
            range: range,
            limit: failedTraceCountMax,
            spanCountMax: 0,
            cursor: nil,
            order: nil
        )
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(request) }
        var groups = ErrorGroups()
        let skipped = try await forEachTrace(of: page.traces.map(\.summary), api, call) { trace in
            groups.add(trace.batch)
        }
        var answer = MCPText()
        guard groups.failedTraceCount > 0 else {
            answer.line("No errors \(MCPText.range(range)); take a longer since.")
            return answer
        }
        answer.line(
            "\(MCPText.plural(groups.failedTraceCount, "failing trace")) \(MCPText.range(range)), newest first up to "
                + "\(failedTraceCountMax). A group's origins are errors below which nothing else failed."
        )
        let sorted = groups.sorted
        let shown = answer.lines(sorted.lazy.map(text))
        answer.noteCut(shown, of: sorted.count, "groups", "name a service or take a shorter since")
        if page.next != nil { answer.note("There are older failing traces in the range: give end to read these.") }
        noteSkipped(skipped, &answer)
        return answer
    }

    private static func text(of group: ErrorGroups.Group) -> String {
        guard let type = group.type else { return "- other errors: \(MCPText.count(group.count))" }
        func names(_ counts: [NameCount]) -> String {
            counts.prefix(3).map { MCPText.word($0.name, 60) }.joined(separator: ", ")
        }
        let shape = MCPText.word(group.shape ?? "")
        var text = "- \(type.isEmpty ? "(no type)" : MCPText.word(type, 80)): \(shape.isEmpty ? "(no message)" : shape)"
        text += " — \(MCPText.count(group.count)) (origins \(MCPText.count(group.originCount)))"
        text += " in \(MCPText.plural(group.traceCount, "trace")); services \(names(group.services))"
        text += "; operations \(names(group.operations)); last \(MCPText.moment(group.lastUnixNanos))"
        if !group.frame.isEmpty { text += "; at \(MCPText.word(group.frame))" }
        return text + "; traces \(group.exemplars.prefix(2).map { "\($0)" }.joined(separator: ", "))"
    }

    // MARK: Several traces

    /// Reads traces one after the other, each whole, and answers how many were left out because they are very large.
    static func forEachTrace(
        of summaries: [TraceSummary],
        _ api: API,
        _ call: APICall,
        columns: SpanColumns = .all,
        _ body: (MCPTrace) -> Void
    ) async throws(APIError) -> Int {
        var skipped = 0
        for summary in summaries {
            guard summary.spanCount <= sampledSpanCountMax else {
                skipped += 1
                continue
            }
            do throws(APIError) {
                body(try await MCPTrace(of: summary.traceID, columns: columns, api, call))
            } catch  where error.code == "unknown-trace" {
                // It was removed since it was found.
            }
        }
        return skipped
    }

    static func noteSkipped(_ count: Int, _ answer: inout MCPText) {
        guard count > 0 else { return }
        answer.note(
            "\(MCPText.plural(count, "trace")) of more than \(sampledSpanCountMax) spans were left out: look at them with "
                + "get_trace."
        )
    }
}

/// Queries that tools put together.
enum MCPQuery {
    /// A text as TraceQL writes it.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
