// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What `GET /api/traces` asks for: traces by id, or by a condition that one span must satisfy.
enum JaegerSearch {
    case traces([TraceID])
    case spans(SpanQuery)

    /// Reads the parameters. `now` is the end of the default range, which spans two days.
    init(_ call: APICall, now: UInt64) throws(APIError) {
        let request = call.request
        let service = request.query("service") ?? ""
        let operation = request.query("operation") ?? ""
        let start = try call.microseconds("start")
        let end = try call.microseconds("end")
        var limit = 100
        if let text = request.query("limit"), !text.isEmpty {
            let number = try APICall.integer(text, "limit")
            guard (1...Int64(Self.limitMax)).contains(number) else {
                throw .invalid("limit", "'limit' is \(number), it takes 1 to \(Self.limitMax)")
            }
            limit = Int(number)
        }
        let least = try call.goDuration("minDuration")
        let greatest = try call.goDuration("maxDuration")
        let tags = try JaegerTag.parse(request)
        let ids = request.queryValues("traceID").filter { !$0.isEmpty }

        guard ids.isEmpty else {
            guard ids.count <= Self.limitMax else {
                throw .invalid("traceID", "\(ids.count) trace ids were given, at most \(Self.limitMax) are looked up")
            }
            var parsed: [TraceID] = []
            for id in ids {
                let id = try APICall.jaegerTraceID(id)
                if !parsed.contains(id) { parsed.append(id) }
            }
            self = .traces(parsed)
            return
        }
        guard !service.isEmpty else { throw JaegerAPI.serviceRequired }
        if let least, let greatest, greatest < least {
            throw .invalid("maxDuration", "'maxDuration' should be greater than 'minDuration'")
        }

        var conditions: [SpanPredicate] = [
            .compare(.serviceName, .equal, .string(service == JaegerAPI.namelessService ? "" : service))
        ]
        if !operation.isEmpty { conditions.append(.compare(.name, .equal, .string(operation))) }
        // Jaeger keeps nanoseconds and its bounds include themselves.
        if let least { conditions.append(.compare(.duration, .greaterOrEqual, .int(Int64(clamping: least)))) }
        if let greatest { conditions.append(.compare(.duration, .lessOrEqual, .int(Int64(clamping: greatest)))) }
        conditions += tags.map(\.predicate)

        let (twoDaysAgo, underflow) = now.subtractingReportingOverflow(2 * 86400 * 1_000_000_000)
        // `end` is included, and so is what came later in that very microsecond.
        let (afterEnd, overflow) = (end ?? now).addingReportingOverflow(1000)
        self = .spans(
            SpanQuery(
                range: TimeRange(start: start ?? (underflow ? 0 : twoDaysAgo), end: overflow ? .max : afterEnd),
                predicate: .and(conditions),
                limit: limit
            )
        )
    }

    /// Most traces in an answer. Jaeger's page asks for 1,500 at most.
    private static let limitMax = 10_000
}
