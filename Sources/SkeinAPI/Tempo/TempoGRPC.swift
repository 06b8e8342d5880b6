// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// The methods of `tempopb.StreamingQuerier`, over which Grafana asks when streaming is on. A search tells traces as they
/// are found, each once; all others answer with one message. The last message says that all jobs are done.
///
///     SearchRequest          { 1 Tags<string, string>, 2 MinDurationMs, 3 MaxDurationMs, 4 Limit, 5 start, 6 end,
///                              8 Query, 9 SpansPerSpanSet }                                      (times in seconds)
///     SearchTagsRequest      { 1 scope, 2 query, 3 start, 4 end, 5 maxTagsPerScope }
///     SearchTagValuesRequest { 1 tagName, 2 query, 4 start, 5 end, 6 maxTagValues }
///     QueryRangeRequest      { 1 query, 2 start, 3 end, 4 step, 16 exemplars, 17 maxSeries }     (in nanoseconds)
///     QueryInstantRequest    { 1 query, 2 start, 3 end }                                         (in nanoseconds)
package struct TempoGRPC: APIStreamService {
    private static let service = "/tempopb.StreamingQuerier/"

    private let api: API

    /// The service over `api`.
    package init(_ api: API) { self.api = api }

    private typealias Produce = @Sendable (MessageFields, APICall, APIStreamAnswer.Send) async throws -> Void

    package func call(_ path: String, _ message: [UInt8]) -> APIStreamAnswer? {
        guard path.hasPrefix(Self.service), let produce = method(String(path.dropFirst(Self.service.count))) else {
            return nil
        }
        return APIStreamAnswer { send in
            do {
                let route = Route("POST", path) { _, _ in APIResponse(status: 200) }
                let call = APICall(request: APIRequest(method: "POST", target: path), pathValues: [], route: route)
                try await produce(try MessageFields(message), call, send)
            } catch let error as APIError {
                throw APIStreamStatus(error)
            }
        }
    }

    private func method(_ name: String) -> Produce? {
        switch name {
        case "Search": search
        case "SearchTags": { fields, call, send in try await tagNames(fields, isScoped: false, call, send) }
        case "SearchTagsV2": { fields, call, send in try await tagNames(fields, isScoped: true, call, send) }
        case "SearchTagValues": { fields, call, send in try await tagValues(fields, isTyped: false, call, send) }
        case "SearchTagValuesV2": { fields, call, send in try await tagValues(fields, isTyped: true, call, send) }
        case "MetricsQueryRange": { fields, call, send in try await series(fields, isInstant: false, call, send) }
        case "MetricsQueryInstant": { fields, call, send in try await series(fields, isInstant: true, call, send) }
        default: nil
        }
    }

    /// Sends a message; its memory is held until it is taken.
    private func send(
        _ message: some Message,
        _ room: AnswerRoom,
        to send: APIStreamAnswer.Send
    ) async throws {
        var room = room
        var out = ByteWriter(capacity: 1024)
        try message.write(to: &out, &room)
        try room.hold(out.count)
        try await send(out.array())
        withExtendedLifetime(room.memory) {}
    }

    // MARK: Methods

    @Sendable
    private func search(_ fields: MessageFields, _ call: APICall, _ send: APIStreamAnswer.Send) async throws {
        var request = TempoSearchRequest()
        request.range = try TimeRange(startSeconds: fields.uint32(5), endSeconds: fields.uint32(6))
        let (query, tags) = (fields.text(8), try fields.map(1))
        if !query.isEmpty {
            request.question = .query(query)
        } else if !tags.isEmpty {
            request.question = .tags(try TempoTags(tags))
        }
        try request.setTraceDurations(min: fields.uint32(2) * 1_000_000, max: fields.uint32(3) * 1_000_000)
        if fields.uint32(4) > 0 { try request.setLimit(fields.uint32(4)) }
        if fields.uint32(9) > 0 { try request.setSpanCountMax(fields.uint32(9)) }

        var answer = TempoSearchAnswer(hasTags: request.hasTags)
        var search = try TempoSearch(request, firstCount: 5, api, call)
        while let page = try await search.next() {
            answer.removeTraces()
            answer.append(page)
            answer.metrics.isDone = search.isDone
            var room = AnswerRoom(api.answers, remedy: TempoSearch.remedy)
            try room.hold(source: answer.byteCount)
            try await self.send(answer, room, to: send)
        }
    }

    private func tagNames(
        _ fields: MessageFields,
        isScoped: Bool,
        _ call: APICall,
        _ send: APIStreamAnswer.Send
    ) async throws {
        var request = TempoTagNamesRequest()
        try request.setScope(fields.text(1))
        request.query = fields.text(2)
        request.range = try TimeRange(startSeconds: fields.uint32(3), endSeconds: fields.uint32(4))
        request.limit = Int(fields.uint32(5))
        let answer = try await TempoAPI.tagNames(request, isScoped: isScoped, api, call)
        try await self.send(answer, AnswerRoom(api.answers), to: send)
    }

    private func tagValues(
        _ fields: MessageFields,
        isTyped: Bool,
        _ call: APICall,
        _ send: APIStreamAnswer.Send
    ) async throws {
        var request = try TempoTagValuesRequest(name: fields.text(1), isScoped: isTyped)
        request.query = fields.text(2)
        request.range = try TimeRange(startSeconds: fields.uint32(4), endSeconds: fields.uint32(5))
        request.setLimit(fields.uint32(6))
        let answer = try await TempoAPI.tagValues(request, isTyped: isTyped, api, call)
        try await self.send(answer, AnswerRoom(api.answers), to: send)
    }

    private func series(
        _ fields: MessageFields,
        isInstant: Bool,
        _ call: APICall,
        _ send: APIStreamAnswer.Send
    ) async throws {
        var request = TempoSeriesRequest(
            query: fields.text(1),
            start: fields.number(2),
            end: fields.number(3),
            step: isInstant ? nil : fields.number(4)
        )
        request.exemplarCount = fields.uint32(16)
        request.seriesCount = fields.uint32(17)
        let answer = try await TempoAPI.series(request, api, call)
        var room = AnswerRoom(api.answers, remedy: "group by less, or ask for a greater step or fewer series")
        try room.hold(source: answer.byteCount)
        try await self.send(answer, room, to: send)
    }
}
