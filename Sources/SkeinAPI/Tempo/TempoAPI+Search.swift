// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// Traces by what their spans are like, newest first.
extension TempoAPI {
    static func search(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let request = try TempoSearchRequest(call)
        var answer = TempoSearchAnswer(hasTags: request.hasTags)
        var room = AnswerRoom(api.answers, remedy: TempoSearch.remedy)
        var search = try TempoSearch(request, firstCount: TempoSearch.pageCountMax, api, call)
        while let page = try await search.next() {
            answer.append(page)
            try room.hold(source: answer.byteCount)
        }
        return try .message(answer, MessageForm(call), room)
    }
}

/// Takes what a request finds out of the store, some traces at a time.
struct TempoSearch {
    /// Traces that are taken at once, at most.
    static let pageCountMax = 250
    /// What to do when what is found does not fit.
    static let remedy = "lower 'limit' or 'spss'"

    private var request: TraceSearchRequest
    private var leftCount: Int
    private var count: Int
    private let api: API
    private let call: APICall
    /// Whether there is no more.
    private(set) var isDone = false

    /// A search that takes `firstCount` traces at first, then more and more.
    init(_ request: TempoSearchRequest, firstCount: Int, _ api: API, _ call: APICall) throws(APIError) {
        self.request = TraceSearchRequest(
            try request.query(),
            range: request.range,
            spanCountMax: request.hasTags ? 0 : request.spanCountMax
        )
        leftCount = request.limit
        count = firstCount
        self.api = api
        self.call = call
    }

    /// The next traces, of which there may be none; `nil` when there is no more.
    mutating func next() async throws(APIError) -> TraceSearchPage? {
        if isDone { return nil }
        request.limit = min(leftCount, count)
        let question = request
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(question) }
        leftCount -= page.traces.count
        count = min(count * 4, Self.pageCountMax)
        request.cursor = page.next
        isDone = page.next == nil || leftCount <= 0
        return page
    }
}
