// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

/// One page of sessions, newest first, ties by id.
///
/// Traces are looked at by their starts, latest first, until no other can hold a session that belongs before the last of
/// the page. A trace that began long before its last session did is found too, as long as it is among the next
/// ``summaryCount`` traces.
struct SessionList {
    private(set) var records: [SessionRecord] = []
    /// What leads to the next page; `nil` when there is none.
    private(set) var next: String?
    /// Bytes of memory that the records take, about.
    private var recordByteCount = 0

    /// Traces that are known by their summaries at a time.
    private static let summaryCount = 500
    /// Most traces that are read for a page: what is not found among them is on the next.
    static let traceCountMax = 2000
    /// Most spans of them.
    static let spanCountMax = 1_000_000

    /// The parameters of a call that asks for a page.
    static let parameters = SessionFilter.parameters + ["limit", "cursor"]

    /// The page that a call asks for.
    init(_ api: API, _ call: APICall, room: inout AnswerRoom) async throws(APIError) {
        let filter = try SessionFilter(call)
        let cursor = try call.listCursor(of: filter.question)
        try await self.init(filter, limit: try call.limit(atMost: 1000), after: cursor, api, call, room: &room)
    }

    /// The page that `filter` asks for, of `limit` sessions after `cursor`.
    private init(
        _ filter: SessionFilter,
        limit: Int,
        after cursor: ListCursor?,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) {
        let query = try NativeAPI.selection(filter.search)
        var request = TraceSearchRequest(
            query,
            range: TimeRange(start: filter.range.start, end: .max),
            limit: Self.summaryCount,
            spanCountMax: 0,
            cursor: Self.cursor(filter, cursor),
            order: .newest
        )
        let (live, floor) = Self.liveTraces(filter, after: cursor, api)
        for id in live { try await add(id, filter, after: cursor, api, call, room: &room) }
        var readCount = 0
        var spanCount = 0
        var isFull = false
        var frontier: UInt64?
        var latest: UInt64?
        repeat {
            let asked = request
            let page = try await api.ask(call) { store throws(StoreError) in try await store.search(asked) }
            for (summary, _) in page.traces where !live.contains(summary.traceID) {
                let start = summary.startUnixNanos
                isFull = isFull || isComplete(limit, before: start) || start <= floor ?? 0
                if isFull, !reaches(summary, limit) { continue }
                // The next page has to begin elsewhere than this.
                guard readCount < Self.traceCountMax && spanCount < Self.spanCountMax || start == latest else {
                    frontier = start
                    break
                }
                latest = latest ?? start
                readCount += 1
                spanCount += summary.spanCount
                try await add(summary.traceID, filter, after: cursor, api, call, room: &room)
            }
            request.cursor = page.next
        } while request.cursor != nil && !isFull && frontier == nil
        if let floor { frontier = max(frontier ?? 0, floor) }
        records.sort { Self.place($0).precedes(Self.place($1)) }
        if let frontier { records.removeAll { $0.session.startUnixNanos <= frontier } }
        if records.count > limit {
            records.removeLast(records.count - limit)
            next = records.last.map { ListCursor(place: Self.place($0), skipCount: 0).text(question: filter.question) }
        } else if let frontier {
            let place = ListCursor.Place(rank: ~frontier, "")
            next = ListCursor(place: place, skipCount: 0).text(question: filter.question)
        }
    }

    /// Writes the members of the page.
    func write(to json: inout JSONWriter, room: inout AnswerRoom) throws(APIError) {
        try json.array("sessions") { json throws(APIError) in
            for record in records {
                json.object { json in record.write(to: &json) }
                try room.hold(json.count)
            }
        }
        json.member("next", next)
    }

    /// Traces of sessions that are at work, which the store may not know yet: the newest that may be on the page, and when the first
    /// began that is left for the next page. What a condition finds is in the store.
    private static func liveTraces(_ filter: SessionFilter, after cursor: ListCursor?, _ api: API)
        -> (traces: Set<TraceID>, floor: UInt64?)
    {
        guard filter.query == nil, let work = api.work else { return ([], nil) }
        let latest = cursor.map { ~$0.place.rank } ?? .max
        let now = api.clock.unixNanos
        let sessions = work.knownSessions().filter { session in
            // One that began before the range may have no span that begins in it.
            !(session.isStored && session.startUnixNanos >= filter.range.start) && session.startUnixNanos <= latest
                && filter.isAtWork(from: session.startUnixNanos, to: session.lastsUntil(now))
                && (filter.traceID == nil || filter.traceID == session.place.traceID)
        }
        let newest = sessions.sorted { $0.startUnixNanos > $1.startUnixNanos }
        let end =
            newest.indices.dropFirst(liveCountMax).first { newest[$0].startUnixNanos < newest[0].startUnixNanos }
            ?? newest.count
        return (
            Set(newest[..<end].map(\.place.traceID)), end < newest.count ? newest[end].startUnixNanos : nil
        )
    }

    /// Most sessions at work whose traces are read for a page.
    private static let liveCountMax = 1000

    /// Newest first, so the rank falls with the start.
    private static func place(_ record: SessionRecord) -> ListCursor.Place {
        ListCursor.Place(rank: ~record.session.startUnixNanos, record.session.sessionID)
    }

    /// Behind the traces that began after every session of the page.
    private static func cursor(_ filter: SessionFilter, _ cursor: ListCursor?) -> OrderedCursor? {
        let latest = min(filter.range.end == .max ? .max : filter.range.end, cursor.map { ~$0.place.rank } ?? .max)
        guard latest < .max else { return nil }
        return OrderedCursor(value: latest + 1, traceID: TraceID(high: .max, low: .max))
    }

    /// Whether more sessions than a page holds began at or after `startUnixNanos`, so that no trace that began then can add one.
    private func isComplete(_ limit: Int, before startUnixNanos: UInt64) -> Bool {
        records.count > limit && records.count { $0.session.startUnixNanos > startUnixNanos } > limit
    }

    /// Whether a trace that began earlier may still hold a session of a full page.
    private func reaches(_ summary: TraceSummary, _ limit: Int) -> Bool {
        let (end, overflow) = summary.startUnixNanos.addingReportingOverflow(summary.durationNanos)
        if overflow { return true }
        let starts = records.map(\.session.startUnixNanos).sorted(by: >)
        return starts.count <= limit || end >= starts[limit]
    }

    /// Adds the sessions of a trace that are asked for, and holds what they take.
    private mutating func add(
        _ id: TraceID,
        _ filter: SessionFilter,
        after cursor: ListCursor?,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) {
        guard let trace = try await WorkForest.read(id, api, call, room: &room, kept: recordByteCount) else { return }
        for record in Self.records(of: trace, nowUnixNanos: api.clock.unixNanos) where filter.includes(record) {
            guard cursor?.place.precedes(Self.place(record)) ?? true else { continue }
            records.append(record)
            recordByteCount += record.byteCount
        }
        try room.hold(source: recordByteCount)
    }

    /// All sessions of a trace that are worth a place in a list: those that hold an agent, a model or a tool call.
    static func records(of trace: WorkForest.Trace, nowUnixNanos now: UInt64) -> [SessionRecord] {
        guard !trace.isOfProxyAlone else { return [] }
        let orchestration = Orchestration(trace.spans, nowUnixNanos: now, listMax: .max)
        let activity = SessionActivity(orchestration, trace.spans)
        let agents = SessionAgents(orchestration.sessions)
        return orchestration.sessions.enumerated().compactMap { place, session in
            var record = SessionRecord(
                session,
                of: orchestration,
                in: trace
            )
            let isAgent = trace.row(of: session.spanID).map { trace.spans[$0].kind == .agent } ?? false
            record.activity = activity.counts(of: place)
            record.agentCount = agents.counts[place]
            if let talk = activity.talk(of: place, in: trace.batch) {
                record.firstMessage = talk.firstMessage
                record.turnCount = talk.turnCount
            }
            let isAtWork = record.work != nil || isAgent || session.llmCallCount + session.toolCallCount > 0
            return isAtWork ? record : nil
        }
    }
}
