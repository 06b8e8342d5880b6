// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinTraceQL

/// What `/api/search` and `StreamingQuerier/Search` are asked for.
struct TempoSearchRequest {
    static let limitMax: UInt64 = 262_144
    static let spanCountMaxMax: UInt64 = 100

    /// What traces are found by: the spans of a query, or tags.
    enum Question {
        case query(String)
        case tags(TempoTags)
    }

    var question = Question.query("")
    /// Nanoseconds that the whole trace takes at least; 0 for any.
    var traceDurationMin: UInt64 = 0
    /// Nanoseconds that the whole trace takes at most; 0 for any.
    var traceDurationMax: UInt64 = 0
    var limit = 20
    /// Spans shown of each spanset.
    var spanCountMax = 3
    var range = TimeRange.all

    init() {}

    /// The question of an HTTP request.
    init(_ call: APICall) throws(APIError) {
        range = try call.secondsRange()
        if let query = call.value("q") {
            guard call.value("tags") == nil else {
                throw .invalid("tags", "invalid request: can't specify tags and q in the same query")
            }
            question = .query(query)
        } else if let tags = call.value("tags") {
            question = .tags(try TempoTags(tags))
        }
        try setTraceDurations(min: try call.nanos("minDuration"), max: try call.nanos("maxDuration"))
        if let limit = try call.uint32("limit") { try setLimit(limit) }
        if let count = try call.uint32("spss") { try setSpanCountMax(count) }
    }

    mutating func setTraceDurations(min least: UInt64, max most: UInt64) throws(APIError) {
        guard most == 0 || least <= most else {
            throw .invalid("maxDuration", "invalid maxDuration: must be greater than minDuration")
        }
        (traceDurationMin, traceDurationMax) = (least, most)
    }

    mutating func setLimit(_ limit: UInt64) throws(APIError) {
        guard limit > 0 else { throw .invalid("limit", "invalid limit: must be a positive number") }
        guard limit <= Self.limitMax else {
            throw .invalid("limit", "limit \(limit) exceeds max limit \(Self.limitMax)")
        }
        self.limit = Int(limit)
    }

    mutating func setSpanCountMax(_ count: UInt64) throws(APIError) {
        guard count <= Self.spanCountMaxMax else {
            throw .invalid("spss", "spans per span set exceeds \(Self.spanCountMaxMax). received \(count)")
        }
        spanCountMax = Int(count)
    }

    var hasTags: Bool { if case .tags = question { true } else { false } }

    /// The question as a query, with what it asks of whole traces at its end.
    func query() throws(APIError) -> Query {
        var query =
            switch question {
            case .query(let text): try TempoAPI.parse(text)
            case .tags(let tags): try TempoAPI.parse(tags.query)
            }
        var conditions: [String] = []
        if traceDurationMin > 0 { conditions.append("traceDuration >= \(traceDurationMin)ns") }
        if traceDurationMax > 0 { conditions.append("traceDuration <= \(traceDurationMax)ns") }
        if !conditions.isEmpty {
            let stages = try TempoAPI.parse("{ \(conditions.joined(separator: " && ")) }").pipeline.stages
            query.statement = .spans(Pipeline(query.pipeline.stages + stages))
        }
        return query
    }
}

extension TempoAPI {
    /// The query that a text is; empty text is every span.
    static func parse(_ text: String, field: String = "q") throws(APIError) -> Query {
        do throws(QueryError) {
            return try TraceQL.parse(text.isEmpty ? "{ }" : text, .tempo)
        } catch {
            var message = "invalid TraceQL query: parse error at line \(error.range.line), col \(error.range.column): "
            message += "\(error.message); found \(error.found)"
            if !error.expected.isEmpty { message += ", expected \(error.expected.joined(separator: " or "))" }
            if let suggestion = error.suggestion { message += "; did you mean \(suggestion)?" }
            throw .invalid(field, message)
        }
    }
}

extension APICall {
    /// A length of time as Go writes it, in nanoseconds; 0 when it is absent or negative.
    fileprivate func nanos(_ name: String) throws(APIError) -> UInt64 {
        guard let text = value(name) else { return 0 }
        do throws(GoDuration.Failure) {
            return UInt64(max(0, try GoDuration.parse(text)))
        } catch {
            throw .invalid(name, "invalid \(name): \(error.message)")
        }
    }
}
