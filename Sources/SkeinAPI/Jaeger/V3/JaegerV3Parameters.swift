// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// The parameters of calls below `/api/v3/`: in camelCase, or by the older names that clients still send.
extension APICall {
    /// The value of a parameter under the first of its names that has one, and that name; the value is `nil` when none has.
    func v3Parameter(_ names: String...) -> (value: String?, name: String) { v3Parameter(names) }

    private func v3Parameter(_ names: [String]) -> (value: String?, name: String) {
        for name in names {
            if let text = request.query(name), !text.isEmpty { return (text, name) }
        }
        return (nil, names.first ?? "")
    }

    /// A moment in RFC 3339, as nanoseconds since 1970. Grafana leaves the `+` of a time zone as it is, which then reads as a
    /// blank: that is accepted.
    func v3Time(_ names: String...) throws(APIError) -> (value: UInt64?, name: String) {
        let (text, name) = v3Parameter(names)
        guard let text else { return (nil, name) }
        guard let nanos = RFC3339.parse(text) else {
            throw Self.malformed(name, "\(Self.shown(text)) is no time, expected RFC 3339 as in 2026-11-22T10:00:00.5Z")
        }
        return (nanos, name)
    }

    /// A flag as Go's `strconv.ParseBool` reads it; absent is `false`.
    func v3Bool(_ names: String...) throws(APIError) -> Bool {
        let (text, name) = v3Parameter(names)
        guard let text else { return false }
        guard let flag = Self.goBool(text) else {
            throw Self.malformed(name, "strconv.ParseBool: parsing \(GoText.quote(text)): invalid syntax")
        }
        return flag
    }

    /// A duration as Go writes it; `nil` when absent or zero.
    private func v3Duration(_ names: String...) throws(APIError) -> UInt64? {
        let (text, name) = v3Parameter(names)
        guard let text else { return nil }
        do throws(GoDuration.Failure) {
            let nanos = try GoDuration.parse(text)
            return nanos > 0 ? UInt64(nanos) : nil
        } catch {
            throw Self.malformed(name, error.message)
        }
    }

    static func malformed(_ name: String, _ why: String) -> APIError {
        .invalid(name, "malformed parameter \(name): \(why)")
    }

    /// The search that the parameters of `TraceQueryParameters` state.
    func v3Query() throws(APIError) -> JaegerQuery {
        guard v3Parameter("query.filter").value == nil else { throw .noStructuredFilters("query.filter") }
        var query = JaegerQuery()
        query.service = v3Parameter("query.serviceName", "query.service_name").value ?? ""
        // A page of Jaeger's called it so for a while.
        query.operation = v3Parameter("query.operationName", "query.operation_name", "query.span_name").value ?? ""
        if let attributes = v3Parameter("query.attributes").value {
            query.tags = try JaegerTag.parse(map: attributes) { Self.malformed("query.attributes", $0) }
            try JaegerTag.check(query.tags)
        }
        let (start, startName) = try v3Time("query.startTimeMin", "query.start_time_min")
        let (end, endName) = try v3Time("query.startTimeMax", "query.start_time_max")
        guard let start, let end else {
            throw .invalid(
                start == nil ? startName : endName,
                "query.startTimeMin and query.startTimeMax are required"
            )
        }
        query.range = TimeRange(start: start, end: end)
        query.durationMin = try v3Duration("query.durationMin", "query.duration_min")
        query.durationMax = try v3Duration("query.durationMax", "query.duration_max")
        let (depth, depthName) = v3Parameter("query.searchDepth", "query.search_depth", "query.num_traces")
        if let depth {
            guard let count = UInt32(depth), depth.utf8.first != UInt8(ascii: "+") else {
                throw Self.malformed(depthName, "strconv.ParseUint: parsing \(GoText.quote(depth)): invalid syntax")
            }
            query.limit = count == 0 ? JaegerQuery.limitUsual : Int(count)
        }
        query.isRaw = try v3Bool("query.rawTraces", "query.raw_traces")
        try query.check()
        return query
    }
}

extension JaegerQuery {
    /// Throws when the bounds of a search of version 3 contradict each other.
    func check() throws(APIError) {
        guard range.start <= range.end else {
            throw .invalid("startTimeMin", "startTimeMin must be before startTimeMax")
        }
        if let durationMin, let durationMax, durationMax < durationMin {
            throw .invalid("durationMax", "durationMax must not be less than durationMin")
        }
        guard (1...Self.limitMax).contains(limit) else {
            throw .invalid("searchDepth", "searchDepth is \(limit), it takes 1 to \(Self.limitMax)")
        }
    }
}

extension APIError {
    /// Jaeger itself refuses them unless its gate `jaeger.query.structuredFilters` is open. To pass over one would find more
    /// than was asked for.
    static func noStructuredFilters(_ name: String) -> APIError {
        APIError(
            501,
            "not-implemented",
            "structured filters (\(name)) are not served: use serviceName, operationName, attributes and durations, or TraceQL "
                + "at /api/skein/v1/search",
            field: name
        )
    }
}
