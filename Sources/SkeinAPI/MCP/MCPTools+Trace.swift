// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinTraceQL

extension MCPParameter {
    fileprivate static let traceID = needed("trace_id", "The trace: 1 to 32 hexadecimal digits.")
}

/// One trace and its spans.
extension MCPTool {
    static let getTrace = MCPTool(
        "get_trace",
        "Look at a trace",
        """
        Shows a trace as a waterfall: what failed first, then a line a span with offset, service · name, duration, self time \
        and span id, children set in. Siblings that do the same are one line (×12, the longest of them).
        """,
        .traceID,
        .text("query", "Only spans that satisfy this condition, with those above them, such as { duration > 100ms }."),
        .text("span_id", "Only this span and what is below it: 1 to 16 hexadecimal digits."),
        .number("max_depth", 0...1_000, "Levels below the top that are shown; all unless said."),
        ask: trace
    )

    @Sendable private static func trace(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let depth = try call.number("max_depth", 0...1_000, usual: .max)
        let text = call.request.query("query") ?? ""
        let query = text.isEmpty ? nil : try NativeAPI.query(text, field: "query")
        let focus = try call.request.query("span_id").flatMap { $0.isEmpty ? nil : $0 }.map(spanID)
        let trace = try await MCPTrace(
            "trace_id",
            columns: query == nil ? .links : .all,
            beside: MCPWaterfall.spanByteCount,
            api,
            call
        )
        let top = try focus.map { id throws(APIError) in try row(of: id, in: trace) }
        var wanted: [Bool]?
        if let query { wanted = try await api.ask(call) { _ throws(StoreError) in try trace.rows(of: query) } }

        var answer = MCPText()
        answer.line(trace.headline)
        answer.line(trace.serviceLine)
        for warning in trace.warnings { answer.line(warning) }
        if wanted == nil, top == nil { try await showFailures(of: trace, in: &answer, api, call) }
        answer.line()
        if let wanted, !wanted.contains(true) {
            answer.line("No span of the trace satisfies the query.")
            return answer
        }
        let waterfall = MCPWaterfall(trace, below: top, depthMax: depth, wanted: wanted)
        let (lines, count, total) = waterfall.lines(room: answer.room)
        answer.lines(lines)
        if count < total {
            answer.note(
                "Shown are \(count) of \(total) \(wanted == nil ? "" : "matching ")spans, failing and long ones first. For more, repeat the call with span_id "
                    + "of a line that says (+n below), or with query, such as { duration > 10ms }."
            )
        }
        return answer
    }

    /// Failing spans whose details are shown with their trace.
    private static let failureCountMax = 8

    private static func showFailures(
        of trace: MCPTrace,
        in answer: inout MCPText,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) {
        let failing = trace.failingRows
        guard !failing.isEmpty else { return }
        let shown = failing.prefix(failureCountMax)
        let ids = Set(shown.map { trace.spanID(at: $0) })
        let details = try await api.ask(call) { _ throws(StoreError) in try await trace.reader.spans(ids) }
        var spans: [SpanID: Span] = [:]
        for span in details.spans where span.status.code == .error { spans[span.spanID] = span }
        answer.line()
        answer.line("Failing spans, those first below which nothing failed:")
        for row in shown {
            let reason = spans[trace.spanID(at: row)].map(MCPFailure.text) ?? ""
            answer.line(
                "- \(trace.operation(at: row)) [\(trace.spanID(at: row))] +\(MCPText.duration(trace.startNanos(at: row)))"
                    + (reason.isEmpty ? "" : ": \(reason)")
            )
        }
        if failing.count > shown.count { answer.line("- and \(failing.count - shown.count) more") }
    }

    static let getSpan = MCPTool(
        "get_span",
        "Look at a span",
        "Shows all that one span says: times, status, attributes, events, links, and what its resource says.",
        .traceID,
        .needed("span_id", "The span: 1 to 16 hexadecimal digits."),
        ask: span
    )

    @Sendable private static func span(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let id = try APICall.traceID(call.request.query("trace_id") ?? "", "trace_id")
        let spanID = try spanID(call.request.query("span_id") ?? "")
        let reader = try await NativeAPI.reader(of: id, api, call)
        let batch = try await api.ask(call) { _ throws(StoreError) in try await reader.spans([spanID]) }
        guard !batch.isEmpty else { throw unknown(spanID, id) }
        var answer = MCPText()
        for span in batch.spans.prefix(4) { MCPSpanText.write(span, to: &answer) }
        return answer
    }

    static let criticalPath = MCPTool(
        "critical_path",
        "Critical path of a trace",
        "Says what the end of a trace waited for: time by operation, most first, and then moment by moment.",
        .traceID,
        ask: path
    )

    @Sendable private static func path(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let trace = try await MCPTrace("trace_id", api, call)
        let path = CriticalPath(trace.tree, of: trace.batch)
        var profile = CriticalPathProfile()
        profile.add(path, trace.tree, of: trace.batch)
        var answer = MCPText()
        answer.line(trace.headline)
        answer.line("Critical path of \(MCPText.duration(path.durationNanos)), by operation:")
        answer.table(
            ["operation", "on the path", "share"],
            profile.owners.prefix(20).map { owner in
                let name = owner.name.map { MCPText.operation($0.service, $0.operation) } ?? "(others)"
                return [name, MCPText.duration(owner.pathNanos), MCPText.percent(owner.share)]
            }
        )
        answer.line()
        answer.line("Moment by moment:")
        let shown = answer.lines(
            path.segments.lazy.map { segment in
                "+\(MCPText.duration(segment.startUnixNanos &- trace.tree.startUnixNanos)) "
                    + "\(trace.operation(at: segment.row)) \(MCPText.duration(segment.durationNanos)) "
                    + "[\(trace.spanID(at: segment.row))]"
            }
        )
        answer.noteCut(shown, of: path.segments.count, "moments", "look at one of the spans with get_trace and span_id")
        return answer
    }

    // MARK: Pieces

    private static func spanID(_ text: String) throws(APIError) -> SpanID {
        guard let id = SpanID(hex: text), id.isValid else {
            throw .invalid(
                "span_id",
                "span_id \(APICall.shown(text)) is no span id: expected 1 to 16 hexadecimal digits, not all zero."
            )
        }
        return id
    }

    private static func row(of id: SpanID, in trace: MCPTrace) throws(APIError) -> Int {
        guard let row = (0..<trace.tree.count).first(where: { trace.spanID(at: $0) == id }) else {
            throw unknown(id, trace.id)
        }
        return row
    }

    private static func unknown(_ span: SpanID, _ trace: TraceID) -> APIError {
        .invalid("span_id", "Trace \(trace) has no span \(span): get_trace shows the ids of its spans in brackets.")
    }
}
