// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What `GET /api/traces` asks for: traces by id, or by a condition that one span must satisfy.
enum JaegerSearch {
    case traces([TraceID])
    case spans(JaegerQuery)

    /// Reads the parameters. `now` is the end of the default range, which spans two days.
    init(_ call: APICall, now: UInt64) throws(APIError) {
        let request = call.request
        var query = JaegerQuery()
        query.service = request.query("service") ?? ""
        query.operation = request.query("operation") ?? ""
        let start = try call.microseconds("start")
        let end = try call.microseconds("end")
        if let text = request.query("limit"), !text.isEmpty {
            let number = try APICall.integer(text, "limit")
            guard (1...Int64(JaegerQuery.limitMax)).contains(number) else {
                throw .invalid("limit", "'limit' is \(number), it takes 1 to \(JaegerQuery.limitMax)")
            }
            query.limit = Int(number)
        }
        query.durationMin = try call.goDuration("minDuration")
        query.durationMax = try call.goDuration("maxDuration")
        query.tags = try JaegerTag.parse(request)
        let ids = request.queryValues("traceID").filter { !$0.isEmpty }

        guard ids.isEmpty else {
            self = .traces(try Self.traceIDs(ids))
            return
        }
        guard !query.service.isEmpty else { throw JaegerAPI.serviceRequired }
        if let least = query.durationMin, let greatest = query.durationMax, greatest < least {
            throw .invalid("maxDuration", "'maxDuration' should be greater than 'minDuration'")
        }
        let (twoDaysAgo, underflow) = now.subtractingReportingOverflow(2 * 86400 * 1_000_000_000)
        // `end` is included, and so is what came later in that very microsecond.
        let (afterEnd, overflow) = (end ?? now).addingReportingOverflow(1000)
        query.range = TimeRange(start: start ?? (underflow ? 0 : twoDaysAgo), end: overflow ? .max : afterEnd)
        self = .spans(query)
    }

    /// The ids, each once.
    private static func traceIDs(_ texts: [String]) throws(APIError) -> [TraceID] {
        let most = JaegerQuery.limitMax
        guard texts.count <= most else {
            throw .invalid("traceID", "\(texts.count) trace ids were given, at most \(most) are looked up")
        }
        var ids: [TraceID] = []
        var known: Set<TraceID> = []
        for text in texts {
            let id = try APICall.jaegerTraceID(text)
            if known.insert(id).inserted { ids.append(id) }
        }
        return ids
    }
}
