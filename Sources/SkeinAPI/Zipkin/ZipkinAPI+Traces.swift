// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// Traces as lists of spans.
extension ZipkinAPI {
    /// The text of a trace of thirty spans.
    private static let commonTraceBytes = 24 << 10
    private static let manyCountMax = 1_000

    /// The traces found, newest first, each a list of its spans.
    static func traces(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let now = api.clock.unixNanos
        let query = try ZipkinQuery(call, now: now)
        var services: [String] = []
        if let name = query.serviceName { services = try await storedServices(named: name, api, call) }
        var remoteServices: [String] = []
        if let name = query.remoteServiceName { remoteServices = try await storedServices(named: name, api, call) }
        let search = try ZipkinSearch(query, services: services, remoteServices: remoteServices)
        let question = search.query(now: now)
        let page = try await api.ask(call) { store throws(StoreError) in
            try await store.search(question, evaluatedBy: search)
        }
        return try await answer(groups(page.traces.map(\.summary.traceID), api), api, call)
    }

    /// One trace, or 404.
    static func trace(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (id, text) = try traceID(call.pathValues[0])
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(id))
        let batches = try await batches(try await relatives(of: id, api, call), api, call, &room)
        guard !batches.isEmpty else { throw APIError(404, "unknown-trace", "\(text) not found") }
        var response = try APIResponse.json(capacity: commonTraceBytes) { json throws(APIError) in
            try write(batches, to: &json) { count throws(APIError) in try room.hold(count) }
        }
        response.memory = room.memory
        return response
    }

    /// Several traces by their ids, those that are there.
    static func traceMany(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let list = call.request.query("traceIds") ?? ""
        guard !list.isEmpty else { throw .invalid("traceIds", "traceIds parameter is empty") }
        let texts = list.split(separator: ",", omittingEmptySubsequences: false)
        guard texts.count <= manyCountMax else {
            throw .invalid("traceIds", "traceIds are \(texts.count), at most \(manyCountMax) are looked up at once")
        }
        var asked: [TraceID] = []
        var known: Set<String> = []
        for text in texts {
            let (id, normal) = try traceID(String(text))
            guard known.insert(normal).inserted else { throw .invalid("traceIds", "redundant traceId: \(text)") }
            asked.append(id)
        }
        guard asked.count > 1 else {
            throw .invalid("traceIds", "Use /api/v2/trace/{traceId} endpoint to retrieve a single trace")
        }
        var groups: [[TraceID]] = []
        for id in asked { groups.append(try await relatives(of: id, api, call)) }
        return try await answer(groups, api, call)
    }

    // MARK: Ids

    /// Reads an id as Zipkin does: at most 32 hexadecimal digits, padded to 16 or 32.
    private static func traceID(_ text: String) throws(APIError) -> (id: TraceID, text: String) {
        guard !text.isEmpty else { throw .invalid("traceId", "traceId is empty") }
        guard text.utf8.count <= 32 else { throw .invalid("traceId", "traceId.length > 32") }
        guard let id = TraceID(hex: text) else {
            throw .invalid("traceId", "\(text.prefix(100)) should be lower-hex encoded with no prefix")
        }
        guard id.isValid else { throw .invalid("traceId", "traceId is all zeros") }
        return (id, text.utf8.count > 16 ? id.description : ZipkinTrace.text(of: id))
    }

    /// The stored ids that are one with `id`: itself, and unless ids are strict all with the same lower half.
    private static func relatives(of id: TraceID, _ api: API, _ call: APICall) async throws(APIError) -> [TraceID] {
        guard !api.zipkin.strictTraceID else { return [id] }
        let pattern: TextPattern
        do throws(TextPattern.Failure) {
            pattern = try TextPattern("[0-9a-f]{16}\(SpanID(id.low))")
        } catch {
            return [id]
        }
        let query = SpanQuery(predicate: .compare(.traceID, .matches, .pattern(pattern)), limit: manyCountMax)
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(query) }
        return page.traces.map(\.traceID).sorted()
    }

    /// The ids of traces that are shown as one, in the order of the first of each.
    private static func groups(_ ids: [TraceID], _ api: API) -> [[TraceID]] {
        guard !api.zipkin.strictTraceID else { return ids.map { [$0] } }
        var groups: [[TraceID]] = []
        var places: [UInt64: Int] = [:]
        for id in ids {
            if let place = places[id.low] {
                groups[place].append(id)
            } else {
                places[id.low] = groups.count
                groups.append([id])
            }
        }
        return groups
    }

    // MARK: Answers

    /// The traces with these ids, those of a group as one list. What is gone is left out, and so is a trace that is too large for
    /// an answer, unless nothing else is left.
    private static func answer(
        _ groups: [[TraceID]],
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers)
        try await room.hold(about: groups.count * commonTraceBytes, api.clock)
        var texts: [[UInt8]] = []
        var byteCount = 0
        var tooLarge: APIError?
        for group in groups {
            let batches: [SpanBatch]
            do throws(APIError) {
                batches = try await self.batches(group, api, call, &room)
            } catch {
                guard error.traceID != nil else { throw error }
                tooLarge = error
                continue
            }
            if batches.isEmpty { continue }
            var json = JSONWriter(capacity: commonTraceBytes)
            try write(batches, to: &json) { count throws(APIError) in
                guard room.couldHold(byteCount + count) else {
                    throw APIError(
                        422,
                        "limit-exceeded",
                        "the first \(texts.count + 1) of \(groups.count) traces take more than the \(room.limit) bytes of "
                            + "memory that an answer may; lower limit to \(max(1, texts.count))"
                    )
                }
                try room.hold(byteCount + count)
            }
            byteCount += json.count
            texts.append(json.array())
        }
        if texts.isEmpty, let tooLarge { throw tooLarge }
        let comma = [UInt8(ascii: ",")]
        let pieces =
            [[UInt8(ascii: "[")]] + texts.enumerated().flatMap { $0 > 0 ? [comma, $1] : [$1] } + [[UInt8(ascii: "]")]]
        var response = APIResponse(status: 200, headers: [("Content-Type", "application/json")], body: .pieces(pieces))
        response.memory = room.memory
        return response
    }

    /// The spans of these traces, which are shown as one.
    private static func batches(
        _ ids: [TraceID],
        _ api: API,
        _ call: APICall,
        _ room: inout AnswerRoom
    ) async throws(APIError) -> [SpanBatch] {
        var batches: [SpanBatch] = []
        for id in ids {
            guard let batch = try await api.trace(id, call, room: &room), !batch.isEmpty else { continue }
            batches.append(batch)
            try room.hold(source: batches.reduce(0) { $0 + $1.byteCount })
        }
        return batches
    }

    private static func write(
        _ batches: [SpanBatch],
        to json: inout JSONWriter,
        _ check: (Int) throws(APIError) -> Void
    ) throws(APIError) {
        try json.array { json throws(APIError) in
            for batch in batches { try ZipkinTrace(batch).write(to: &json, check: check) }
        }
    }
}
