// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import SkeinTraceQL

/// What spans add up to over time.
extension TempoAPI {
    static func queryRange(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        try await series(api, call, isInstant: false)
    }

    static func queryInstant(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        try await series(api, call, isInstant: true)
    }

    private static func series(_ api: API, _ call: APICall, isInstant: Bool) async throws(APIError) -> APIResponse {
        let request = try TempoSeriesRequest(call, isInstant: isInstant, now: api.clock.unixNanos)
        var room = AnswerRoom(api.answers, remedy: "group by less, or ask for a greater step or fewer series")
        let answer = try await series(request, api, call)
        try room.hold(source: answer.byteCount)
        return try .message(answer, MessageForm(call), room)
    }

    static func series(
        _ request: TempoSeriesRequest,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> TempoSeriesAnswer {
        let question = try request.request()
        let answer = try await api.ask(call) { store throws(StoreError) in try await store.series(question) }
        guard let answer else { throw TempoSeriesRequest.noSeries }
        return TempoSeriesAnswer(answer: answer, grid: question.grid, isInstant: request.step == nil)
    }
}
