// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// Traces against traces.
extension NativeAPI {
    /// Most traces of one side.
    private static let sideCountMax = 50

    /// What the traces `b` do that the traces `a` do not, and what takes them longer.
    static func compare(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let a = try call.traceIDs("a", atMost: sideCountMax)
        let b = try call.traceIDs("b", atMost: sideCountMax)
        var room = AnswerRoom(api.answers, remedy: "compare fewer or smaller traces")
        var kept = 0
        let first = try await traces(a, api, call, room: &room, kept: &kept)
        let second = try await traces(b, api, call, room: &room, kept: &kept)
        let comparison = Comparison(of: first, with: second)
        let services = comparison.services
        let ordinals = try await api.ask(call) { store throws(StoreError) in
            try await store.ordinals(ofServices: services)
        }
        let colors = ServiceColors.colors(ofOrdinals: ordinals)
        var response = try APIResponse.json(capacity: 512 + comparison.paths.count * 256) { json throws(APIError) in
            try json.object { json throws(APIError) in
                write("a", comparison.first, a, to: &json)
                write("b", comparison.second, b, to: &json)
                json.object("changes") { json in
                    for (name, change) in changes {
                        json.member(name, comparison.paths.count { $0.change == change })
                    }
                }
                json.array("services") { json in
                    for (name, color) in zip(services, colors) {
                        json.object { json in
                            json.member("name", name)
                            json.member("color", color)
                        }
                    }
                }
                try json.array("paths") { json throws(APIError) in
                    for path in comparison.paths {
                        write(path, to: &json)
                        try room.hold(json.count)
                    }
                }
            }
        }
        response.memory = room.memory
        return response
    }

    private static let changes: [(StaticString, Comparison.Change)] = [
        ("onlyA", .onlyFirst), ("onlyB", .onlySecond), ("changed", .changed), ("same", .same),
    ]

    private static func traces(
        _ ids: [TraceID],
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom,
        kept: inout Int
    ) async throws(APIError) -> [SpanBatch] {
        var batches: [SpanBatch] = []
        for id in ids {
            let reader = try await reader(of: id, api, call)
            let batch = try await api.gather(
                reader,
                columns: .fixed,
                beside: analysisByteCount,
                kept: kept,
                call,
                room: &room
            )
            kept += batch.byteCount + batch.count * analysisByteCount
            batches.append(batch)
        }
        return batches
    }

    private static func write(
        _ name: StaticString,
        _ side: Comparison.Side,
        _ ids: [TraceID],
        to json: inout JSONWriter
    ) {
        json.object(name) { json in
            json.array("traceIds") { json in
                for id in ids { json.id(id) }
            }
            json.member("spanCount", side.spanCount)
            json.member("errorCount", side.errorCount)
            json.member("durationNanos", decimal: nanos(side.durationNanos))
        }
    }

    private static func write(_ path: Comparison.Path, to json: inout JSONWriter) {
        json.object { json in
            json.member("parent", path.parent ?? -1)
            json.member("depth", path.depth)
            json.member("service", path.name.service)
            json.member("operation", path.name.operation)
            json.key("change")
            for (name, change) in changes where change == path.change { json.string(word: name) }
            write("a", path.first, to: &json)
            write("b", path.second, to: &json)
        }
    }

    private static func write(_ name: StaticString, _ figures: Comparison.Figures?, to json: inout JSONWriter) {
        guard let figures else {
            json.key(name)
            return json.null()
        }
        json.object(name) { json in
            json.member("spanCount", figures.spanCount)
            json.member("errorCount", figures.errorCount)
            json.member("totalNanos", decimal: nanos(figures.totalNanos))
            json.member("selfNanos", decimal: nanos(figures.selfNanos))
        }
    }
}
