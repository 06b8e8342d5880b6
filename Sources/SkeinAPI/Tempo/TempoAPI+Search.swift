// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// Traces by what their spans are like, newest first.
extension TempoAPI {
    /// Traces that are asked of the store at once.
    private static let pageCountMax = 1_000

    static func search(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let request = try TempoSearchRequest(call)
        var answer = TempoSearchAnswer(hasTags: request.hasTags)
        var room = AnswerRoom(api.answers, remedy: "lower 'limit' or 'spss'")
        try await forEachPage(of: request, api, call) { page throws(APIError) in
            answer.append(page)
            try room.hold(source: answer.byteCount)
        }
        return try .message(answer, MessageForm(call), room)
    }

    /// Calls `body` with the traces that `request` finds, some at a time.
    static func forEachPage(
        of request: TempoSearchRequest,
        _ api: API,
        _ call: APICall,
        _ body: (TraceSearchPage) async throws(APIError) -> Void
    ) async throws(APIError) {
        var search = TraceSearchRequest(
            try request.query(),
            range: request.range,
            spanCountMax: request.hasTags ? 0 : request.spanCountMax
        )
        var left = request.limit
        repeat {
            search.limit = min(left, pageCountMax)
            let question = search
            let page = try await api.ask(call) { store throws(StoreError) in try await store.search(question) }
            try await body(page)
            left -= page.traces.count
            search.cursor = page.next
        } while search.cursor != nil && left > 0
    }
}
