// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

extension MCPTool {
    static let searchTraces = MCPTool(
        "search_traces",
        "Search traces",
        """
        Finds traces that have spans satisfying a query; one line each. Newest first unless order says otherwise; exhaustive: \
        what is not found is not stored.
        """,
        .text(
            "query",
            """
            TraceQL, such as { resource.service.name = "web" && duration > 500ms } or { status = error } >> { name = "query" }, \
            or a plain condition, such as service = "web" and error = true. Every trace when left out.
            """
        ),
        .since,
        .start,
        .end,
        .text("order", "start, duration, spans or errors, with asc or desc behind it; start desc unless said."),
        .number("limit", 1...50, "Traces in the answer; 20 unless said."),
        .text("cursor", "From the end of the answer before, to go on there; all else unchanged."),
        ask: search
    )

    @Sendable private static func search(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let text = call.request.query("query") ?? ""
        let query = try NativeAPI.selection(text, field: "query")
        let range = try call.toolRange(api, usual: nil)
        let limit = try call.number("limit", 1...50, usual: 20)
        let orderText = call.request.query("order") ?? ""
        let order = try NativeAPI.order(orderText)
        // A cursor belongs to the question that it came from.
        let owner = "\(text)\0\(orderText)"
        var request = TraceSearchRequest(query, range: range, limit: limit, spanCountMax: 0, cursor: nil, order: order)
        if let sent = call.request.query("cursor"), !sent.isEmpty {
            guard let cursor = SearchCursorText.decode(sent, query: owner) else {
                throw APICall.foreignCursor(sent, of: "query")
            }
            request.cursor = OrderedCursor(value: cursor.startUnixNanos, traceID: cursor.traceID)
        }
        let asked = request
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(asked) }
        var answer = MCPText()
        guard let last = page.traces.last else {
            answer.line("No \(asked.cursor == nil ? "" : "more ")traces \(MCPText.range(range)) satisfy the query.")
            let predicate = SelectedSpans(query).predicate
            let hints = try await api.ask(call) { store throws(StoreError) in
                try await NameHints(store).hints(for: predicate)
            }
            for hint in hints { answer.line(hint) }
            return answer
        }
        let shown = answer.table(
            ["trace id", "start", "duration", "spans", "matching", "errors", "root"],
            page.traces.lazy.map { row(of: $0.summary) }
        )
        // What did not fit comes with the next page.
        let isCut = shown < page.traces.count
        let place = isCut && shown > 0 ? page.traces[shown - 1].summary : last.summary
        let next = isCut ? OrderedCursor(of: place, in: order ?? query.order) : page.next
        guard let next else { return answer }
        let cursor = SearchCursorText.encode(
            SearchCursor(startUnixNanos: next.value, traceID: next.traceID),
            query: owner
        )
        answer.note("There are more traces: repeat the call with cursor \(cursor), or narrow the query.")
        return answer
    }

    private static func row(of trace: TraceSummary) -> [String] {
        let root =
            trace.rootSpanName.isEmpty && trace.rootServiceName.isEmpty
            ? "(root not received)" : MCPText.operation(trace.rootServiceName, trace.rootSpanName)
        return [
            "\(trace.traceID)", MCPText.moment(trace.startUnixNanos), MCPText.duration(trace.durationNanos),
            "\(trace.spanCount)", "\(trace.matchedSpanCount)", "\(trace.errorCount)", root,
        ]
    }
}

extension OrderedCursor {
    /// The place of a trace in an order.
    fileprivate init(of trace: TraceSummary, in order: TraceOrder) {
        let value =
            switch order.key {
            case .start: trace.startUnixNanos
            case .duration: trace.durationNanos
            case .spans: UInt64(trace.spanCount)
            case .errors: UInt64(trace.errorCount)
            }
        self.init(value: value, traceID: trace.traceID)
    }
}

extension MCPText {
    /// An operation of a service on one line.
    static func operation(_ service: String, _ name: String) -> String {
        "\(service.isEmpty ? "(no service)" : word(service, 60)) · \(word(name, 80))"
    }
}
