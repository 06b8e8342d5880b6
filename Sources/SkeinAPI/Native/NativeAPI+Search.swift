// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

extension NativeAPI {
    /// One page of the traces that satisfy `q`, in the order asked for, newest first unless said.
    static func search(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let question = try SearchQuestion(call)
        if wantsLines(call) {
            return lines(
                of: question.request,
                hidesNotifications: question.hidesNotifications,
                cursorText: question.text,
                in: api,
                call
            )
        }
        let page = try await page(question, api, call)
        // Who finds something seldom misspelt a name.
        let isVain = page.traces.isEmpty && question.cursor == nil
        let predicate = SelectedSpans(question.query).predicate
        let hints =
            try await isVain
            ? api.ask(call) { store throws(StoreError) in try await NameHints(store).hints(for: predicate) } : []
        return .json(capacity: 256 + page.traces.count * 384) { json in
            json.object { json in
                json.array("traces") { json in
                    for (summary, match) in page.traces {
                        json.object { json in
                            write(summary, to: &json)
                            if question.spanCountMax > 0 { write(match, to: &json) }
                        }
                    }
                }
                json.member("next", page.next.map(question.text))
                json.object("inspected") { json in
                    json.member("spans", page.inspected.spanCount)
                    json.member("blocks", page.inspected.blockCount)
                    json.member("bytes", page.inspected.byteCount)
                }
                write(hints, to: &json)
            }
        }
    }

    /// The page that is asked for; what is left out of it is made up for by what comes behind.
    private static func page(
        _ question: SearchQuestion,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> TraceSearchPage {
        // Traces alone are found sooner than what of them matched.
        let condition = question.isNewestFirst && question.spanCountMax == 0 ? question.query.plainCondition : nil
        var request = question.request
        var page = TraceSearchPage(SearchPage())
        repeat {
            let asked = request
            let plain = condition.map { question.plainQuery($0, limit: asked.limit, after: asked.cursor) }
            let part = try await api.ask(call) { store throws(StoreError) in
                var part: TraceSearchPage
                if let plain {
                    part = TraceSearchPage(try await store.search(plain))
                } else {
                    part = try await store.search(asked)
                }
                if question.hidesNotifications { try await LoneNotifications.remove(from: &part, in: store) }
                return part
            }
            page.traces += part.traces
            page.next = part.next
            page.inspected.add(part.inspected)
            request.cursor = part.next
            request.limit = question.limit - page.traces.count
        } while question.hidesNotifications && request.cursor != nil && request.limit > 0
        return page
    }

    /// What a search is asked for.
    private struct SearchQuestion {
        let query: Query
        let range: TimeRange
        let limit: Int
        let spanCountMax: Int
        let order: TraceOrder?
        let cursor: OrderedCursor?
        /// Whether ``LoneNotifications`` are left out.
        let hidesNotifications: Bool
        /// What a cursor belongs to.
        private let owner: String

        init(_ call: APICall) throws(APIError) {
            let text = call.request.query("q") ?? ""
            query = try NativeAPI.selection(text)
            hidesNotifications = LoneNotifications.areHidden(from: text)
            range = try call.timeRange()
            limit = try call.limit(atMost: NativeAPI.wantsLines(call) ? NativeAPI.streamedTraceCountMax : 10_000)
            spanCountMax = try call.number("spans", 0...100, usual: 0)
            let orderText = call.request.query("order") ?? ""
            order = try NativeAPI.order(orderText)
            owner = orderText.isEmpty ? text : "\(text)\0\(orderText)"
            guard let sent = call.request.query("cursor"), !sent.isEmpty else {
                cursor = nil
                return
            }
            guard let decoded = SearchCursorText.decode(sent, query: owner) else {
                throw APICall.foreignCursor(sent, of: "query")
            }
            cursor = OrderedCursor(value: decoded.startUnixNanos, traceID: decoded.traceID)
        }

        var isNewestFirst: Bool { (order ?? query.order) == .newest }

        var request: TraceSearchRequest {
            TraceSearchRequest(
                query,
                range: range,
                limit: limit,
                spanCountMax: spanCountMax,
                cursor: cursor,
                order: order
            )
        }

        func plainQuery(_ predicate: SpanPredicate, limit: Int, after cursor: OrderedCursor?) -> SpanQuery {
            SpanQuery(
                range: range,
                predicate: predicate,
                limit: limit,
                cursor: cursor.map { SearchCursor(startUnixNanos: $0.value, traceID: $0.traceID) }
            )
        }

        @Sendable func text(_ cursor: OrderedCursor) -> String {
            SearchCursorText.encode(
                SearchCursor(startUnixNanos: cursor.value, traceID: cursor.traceID),
                query: owner
            )
        }
    }

    /// The order that `text` names, as in `duration` or `start asc`; `nil` when it is empty.
    static func order(_ text: String) throws(APIError) -> TraceOrder? {
        if text.isEmpty { return nil }
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first, let key = TraceOrder.Key(rawValue: first), words.count <= 2,
            words.count == 1 || words[1] == "asc" || words[1] == "desc"
        else {
            let keys = TraceOrder.Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid(
                "order",
                "\(APICall.shown(text)) is no order: expected one of \(keys), with asc or desc behind it."
            )
        }
        return TraceOrder(key, isDescending: words.last != "asc")
    }

    /// The query that `text` states; what is wrong with one that states none.
    static func query(_ text: String, field: String = "q") throws(APIError) -> Query {
        do throws(QueryError) {
            return try TraceQL.parse(text)
        } catch {
            throw problem(error, field)
        }
    }

    /// A query that chooses spans; what is wrong with one that counts them.
    static func selection(_ text: String, field: String = "q") throws(APIError) -> Query {
        let query = try query(text, field: field)
        guard query.countsSpans else { return query }
        throw APIError(
            400,
            "invalid-query",
            "\(field) counts spans over time, and here spans are looked for: ask /api/skein/v1/metrics, or leave out the function "
                + "that counts.",
            field: field
        )
    }

    /// The condition that a query states; what is wrong with one that states none.
    static func plan(_ query: String) throws(APIError) -> SpanPredicate {
        do throws(QueryError) {
            return try TraceQL.plan(query)
        } catch {
            throw problem(error, "q")
        }
    }

    static func problem(_ error: QueryError, _ field: String) -> APIError {
        var problem = APIError(400, "invalid-query", "\(error.message).", field: field)
        problem.syntax = APIError.Syntax(
            line: error.range.line,
            column: error.range.column,
            offset: error.range.offset,
            length: error.range.length,
            expected: error.expected,
            suggestion: error.suggestion
        )
        return problem
    }

    /// What may be wrong with a question that can be answered.
    static func write(_ hints: [String], to json: inout JSONWriter) {
        json.array("hints") { json in
            for hint in hints { json.string(hint) }
        }
    }

    /// The members of a trace in a list.
    static func write(_ trace: TraceSummary, to json: inout JSONWriter) {
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

    /// `spansets`: what of a trace matched.
    static func write(_ match: TraceMatch, to json: inout JSONWriter) {
        json.array("spansets") { json in
            for set in match.spansets {
                json.object { json in
                    json.member("matchedSpans", set.matchedSpanCount)
                    json.array("attributes") { json in
                        for (name, value) in set.attributes { write(name, value, to: &json) }
                    }
                    json.array("spans") { json in
                        for span in set.spans {
                            json.object { json in
                                json.member("spanId", span.spanID)
                                json.member("serviceName", span.serviceName)
                                json.member("name", span.name)
                                json.member("startTimeUnixNano", decimal: span.startUnixNanos)
                                json.member("durationNanos", decimal: span.durationNanos)
                                json.array("attributes") { json in
                                    for (field, value) in span.attributes { write(field.text, value, to: &json) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// A name with its value, which is text whatever its type, so that no number loses digits on its way.
    static func write(_ name: String, _ value: Value, to json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            write(value, to: &json)
        }
    }

    /// The members `value` and `type` of a value; both `null` for none.
    static func write(_ value: Value, to json: inout JSONWriter) {
        json.member("value", value == .none ? nil : value.text)
        json.member("type", value.typeName)
    }
}

extension Value {
    /// What its type is called; `nil` for none.
    var typeName: String? {
        switch self {
        case .none: nil
        case .string: "string"
        case .int: "int"
        case .double: "double"
        case .duration: "duration"
        case .bool: "bool"
        case .status: "status"
        case .kind: "kind"
        case .array: "array"
        case .other(let value): value.type?.rawValue
        }
    }
}
