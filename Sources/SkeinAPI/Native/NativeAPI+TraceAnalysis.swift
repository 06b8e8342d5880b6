// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// What a trace tells beyond its spans.
extension NativeAPI {
    /// Memory of a span while its trace is analysed, beside its columns: the tree, the path, the answer.
    static let analysisByteCount = 128

    /// Which span the end of the trace waited for, at each moment.
    static func criticalPath(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try call.traceID()
        let reader = try await reader(of: id, api, call)
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(id))
        let batch = try await api.gather(reader, columns: .links, beside: analysisByteCount, call, room: &room)
        let tree = TraceTree(batch)
        let path = CriticalPath(tree, of: batch)
        var profile = CriticalPathProfile()
        profile.add(path, tree, of: batch)
        var response = try APIResponse.json(capacity: 512 + path.segments.count * 112) { json throws(APIError) in
            try json.object { json throws(APIError) in
                json.member("traceId", id)
                json.member("startTimeUnixNano", decimal: path.segments.first?.startUnixNanos ?? tree.startUnixNanos)
                json.member("durationNanos", decimal: path.durationNanos)
                try json.array("segments") { json throws(APIError) in
                    for segment in path.segments {
                        json.object { json in
                            json.member("spanId", batch.spanIDs[Int(tree.batchRows[segment.row])])
                            json.member("startTimeUnixNano", decimal: segment.startUnixNanos)
                            json.member("endTimeUnixNano", decimal: segment.endUnixNanos)
                        }
                        try room.hold(json.count)
                    }
                }
                json.array("operations") { json in
                    for owner in profile.owners { write(owner, to: &json) }
                }
            }
        }
        response.memory = room.memory
        return response
    }

    /// The spans of a trace as a table, by what `by` names.
    static func traceStatistics(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let by = call.request.query("by") ?? ""
        let id = try call.traceID()
        let grouping = grouping(by)
        var columns = SpanColumns.links
        if case .attribute = grouping { columns.formUnion([.attributes, .details]) }
        let reader = try await reader(of: id, api, call)
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(id))
        let batch = try await api.gather(reader, columns: columns, beside: analysisByteCount, call, room: &room)
        let statistics = TraceStatistics(of: batch, by: grouping)
        var response = try APIResponse.json(capacity: 256 + statistics.rows.count * 320) { json throws(APIError) in
            try json.object { json throws(APIError) in
                json.member("traceId", id)
                json.member("by", by.isEmpty ? "service" : by)
                json.member("durationNanos", decimal: statistics.durationNanos)
                try json.array("rows") { json throws(APIError) in
                    for row in statistics.rows {
                        json.object { json in write(row, to: &json) }
                        try room.hold(json.count)
                    }
                }
            }
        }
        response.memory = room.memory
        return response
    }

    /// What `by` names: a service, an operation, or an attribute whose key may say its scope.
    private static func grouping(_ by: String) -> TraceStatistics.Grouping {
        switch by {
        case "", "service": return .service
        case "operation": return .operation
        default: break
        }
        for (prefix, scope) in [("span.", .span), ("resource.", .resource), (".", .any)]
            as [(String, TraceStatistics.Grouping.Scope)]
        where by.hasPrefix(prefix) { return .attribute(String(by.dropFirst(prefix.count)), scope) }
        return .attribute(by, .any)
    }

    private static func write(_ row: TraceStatistics.Row, to json: inout JSONWriter) {
        switch row.group {
        case .service(let name): json.member("service", name)
        case .operation(let name):
            json.member("service", name.service)
            json.member("operation", name.operation)
        case .value(let value):
            json.member("value", value?.text)
            json.member("type", value?.type?.rawValue)
        }
        json.member("spanCount", row.spanCount)
        json.member("weight", row.weight)
        json.member("errorCount", row.errorCount)
        json.member("totalNanos", decimal: row.totalNanos)
        json.member("selfNanos", decimal: row.selfNanos)
        json.member("pathNanos", decimal: row.pathNanos)
        json.member("averageNanos", decimal: row.averageNanos)
        json.member("p50Nanos", decimal: row.quantileNanos(0.5))
        json.member("p95Nanos", decimal: row.quantileNanos(0.95))
        json.member("p99Nanos", decimal: row.quantileNanos(0.99))
        json.member("minNanos", decimal: row.minNanos)
        json.member("maxNanos", decimal: row.maxNanos)
    }

    /// How far the clocks of the trace's hosts seem to be apart.
    static func clockSkew(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try call.traceID()
        let reader = try await reader(of: id, api, call)
        var room = AnswerRoom(api.answers, remedy: API.pagesOf(id))
        let batch = try await api.gather(reader, columns: .details, beside: analysisByteCount, call, room: &room)
        let skew = ClockSkew(of: batch)
        var response = try APIResponse.json(capacity: 256 + skew.clocks.count * 128) { json throws(APIError) in
            try json.object { json throws(APIError) in
                json.member("traceId", id)
                json.member("isSkewed", skew.isSkewed)
                try json.array("clocks") { json throws(APIError) in
                    for clock in skew.clocks {
                        json.object { json in
                            json.member("name", clock.name)
                            json.array("services") { json in
                                for service in clock.services { json.string(service) }
                            }
                            json.member("offsetNanos", decimal: clock.offsetNanos)
                            json.member("callCount", clock.callCount)
                        }
                        try room.hold(json.count)
                    }
                }
            }
        }
        response.memory = room.memory
        return response
    }

    private static func write(_ owner: CriticalPathProfile.Owner, to json: inout JSONWriter) {
        json.object { json in
            json.member("service", owner.name?.service)
            json.member("operation", owner.name?.operation)
            json.member("pathNanos", decimal: nanos(owner.pathNanos))
            json.member("share", owner.share)
        }
    }
}
