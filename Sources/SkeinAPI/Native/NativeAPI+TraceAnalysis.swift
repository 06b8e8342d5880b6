// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// What a trace tells beyond its spans.
extension NativeAPI {
    /// Memory of a span while its trace is analysed, beside its columns: the tree, the path, the answer.
    private static let analysisByteCount = 128

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

    private static func write(_ owner: CriticalPathProfile.Owner, to json: inout JSONWriter) {
        json.object { json in
            json.member("service", owner.name?.service)
            json.member("operation", owner.name?.operation)
            json.member("pathNanos", decimal: nanos(owner.pathNanos))
            json.member("share", owner.share)
        }
    }
}
