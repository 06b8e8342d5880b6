// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

extension NativeAPI {
    /// One page of the traces that hold a span satisfying `q`, newest first.
    static func search(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let text = call.request.query("q") ?? ""
        let range = try call.timeRange()
        let limit = try call.limit(atMost: 10_000)
        var cursor: SearchCursor?
        if let sent = call.request.query("cursor"), !sent.isEmpty {
            guard let decoded = SearchCursorText.decode(sent, query: text) else {
                throw APICall.foreignCursor(sent, of: "query")
            }
            cursor = decoded
        }
        let query = SpanQuery(range: range, predicate: try plan(text), limit: limit, cursor: cursor)
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(query) }
        // Who finds something seldom misspelt a name.
        let isVain = page.traces.isEmpty && cursor == nil
        let hints =
            try await isVain
            ? api.ask(call) { store throws(StoreError) in try await NameHints(store).hints(for: query.predicate) } : []
        return .json(capacity: 256 + page.traces.count * 384) { json in
            json.object { json in
                json.array("traces") { json in
                    for trace in page.traces { write(trace, to: &json) }
                }
                json.member("next", page.next.map { SearchCursorText.encode($0, query: text) })
                json.object("inspected") { json in
                    json.member("spans", page.inspected.spanCount)
                    json.member("blocks", page.inspected.blockCount)
                    json.member("bytes", page.inspected.byteCount)
                }
                write(hints, to: &json)
            }
        }
    }

    /// The condition that a query states; what is wrong with one that states none.
    static func plan(_ query: String) throws(APIError) -> SpanPredicate {
        do throws(QueryError) {
            return try TraceQL.plan(query)
        } catch {
            var problem = APIError(400, "invalid-query", "\(error.message).", field: "q")
            problem.syntax = APIError.Syntax(
                line: error.range.line,
                column: error.range.column,
                offset: error.range.offset,
                length: error.range.length,
                expected: error.expected,
                suggestion: error.suggestion
            )
            throw problem
        }
    }

    /// What may be wrong with a question that can be answered.
    static func write(_ hints: [String], to json: inout JSONWriter) {
        json.array("hints") { json in
            for hint in hints { json.string(hint) }
        }
    }

    private static func write(_ trace: TraceSummary, to json: inout JSONWriter) {
        json.object { json in
            json.member("traceId", trace.traceID)
            json.member("rootServiceName", trace.rootServiceName)
            json.member("rootSpanName", trace.rootSpanName)
            json.member("startTimeUnixNano", decimal: trace.startUnixNanos)
            json.member("durationNanos", decimal: trace.durationNanos)
            json.member("spanCount", trace.spanCount)
            json.member("errorCount", trace.errorCount)
            json.member("matchedSpans", trace.matchedSpanCount)
            json.array("services") { json in
                for service in trace.services {
                    json.object { json in
                        json.member("name", service.name)
                        json.member("spanCount", service.spanCount)
                        json.member("errorCount", service.errorCount)
                    }
                }
            }
        }
    }
}
