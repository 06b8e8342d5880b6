// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// What many traces tell together.
extension NativeAPI {
    /// Most entries of a list of an answer.
    private static let entryCountMax = 1000

    /// What went wrong, by type and shape of the message.
    static func errors(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        try await analyse(ErrorGroups(), [.attributes, .events, .details], api, call) {
            groups,
            json,
            room throws(APIError) in
            json.member("failedTraceCount", groups.failedTraceCount)
            try write("errors", groups.sorted, to: &json, &room) { group, json in
                json.member("type", group.type)
                json.member("shape", group.shape)
                json.member("message", group.message)
                json.member("frame", group.frame)
                json.member("count", group.count)
                json.member("originCount", group.originCount)
                json.member("traceCount", group.traceCount)
                write("services", group.services, to: &json)
                write("operations", group.operations, to: &json)
                json.member("firstTimeUnixNano", decimal: group.firstUnixNanos)
                json.member("lastTimeUnixNano", decimal: group.lastUnixNanos)
                write(traceIDs: group.exemplars, to: &json)
            }
        }
    }

    /// What is wrong with how services are instrumented.
    static func hygiene(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let columns: SpanColumns = [.attributes, .events, .details]
        return try await analyse(InstrumentationHygiene(), columns, api, call) { hygiene, json, room throws(APIError) in
            try write("findings", hygiene.findings, to: &json, &room) { finding, json in
                json.member("kind", finding.kind.rawValue)
                json.member("what", finding.what)
                json.member("service", finding.service)
                json.member("operation", finding.operation)
                json.member("count", finding.count)
                json.member("traceCount", finding.traceCount)
                write(traceIDs: finding.exemplars, to: &json)
                json.member("remedy", finding.kind.remedy)
            }
        }
    }

    /// Calls that are made again and again where one might do.
    static func repeatedCalls(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var thresholds = RepeatedCalls.Thresholds()
        thresholds.countMin = try call.number("count", 2...1_000_000, usual: thresholds.countMin)
        thresholds.shareMin = try call.fraction("share", 0...1, usual: thresholds.shareMin)
        let groups = RepeatedCallGroups(thresholds: thresholds)
        return try await analyse(groups, .attributes, api, call) { groups, json, room throws(APIError) in
            json.member("countMin", thresholds.countMin)
            json.member("shareMin", thresholds.shareMin)
            try write("calls", groups.sorted, to: &json, &room) { group, json in
                json.member("scope", group.scope.rawValue)
                write(group.caller, "callerService", "callerOperation", to: &json)
                write(group.call.name, "service", "operation", to: &json)
                json.member("statement", group.call.statement)
                json.member("peer", group.call.peer)
                json.member("traceCount", group.figures.traceCount)
                json.member("callerCount", group.figures.callerCount)
                json.member("callCount", group.figures.callCount)
                json.member("callCountMax", group.figures.callCountMax)
                json.member("sequentialCount", group.figures.sequentialCount)
                json.member("totalNanos", decimal: nanos(group.figures.totalNanos))
                json.member("callerNanos", decimal: nanos(group.figures.callerNanos))
                json.member("share", group.figures.share)
                json.member("traceId", group.figures.exemplar)
            }
        }
    }

    /// Who owns the latency: how much of the critical paths is each operation's own, and what is gained when it is faster.
    static func criticalPaths(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let faster = try call.fraction("faster", 1...100, usual: 50)
        return try await analyse(CriticalPathProfile(), .links, api, call) { profile, json, room throws(APIError) in
            json.member("weight", profile.weight)
            json.member("pathNanos", decimal: nanos(profile.pathNanos))
            json.member("faster", faster)
            try write("operations", profile.owners, to: &json, &room) { owner, json in
                write(owner.name, "service", "operation", to: &json)
                json.member("traceCount", owner.traceCount)
                json.member("pathNanos", decimal: nanos(owner.pathNanos))
                json.member("share", owner.share)
                json.member("p50Nanos", decimal: owner.p50Nanos)
                json.member("p95Nanos", decimal: owner.p95Nanos)
                json.member("savedShare", owner.savedShare(ifFasterBy: faster / 100))
                json.member("traceId", owner.exemplar)
            }
        }
    }

    /// Which services call which, by whole paths, and the graph around one of them.
    static func deepDependencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let service = call.request.query("service") ?? ""
        return try await analyse(DeepDependencies(), .fixed, api, call) { dependencies, json, room throws(APIError) in
            json.member("cutCallCount", dependencies.cutCallCount)
            if service.isEmpty {
                json.key("graph")
                json.null()
            } else {
                try write(FocalGraph(around: service, in: dependencies), of: service, to: &json, &room)
            }
            let paths = dependencies.paths.filter { path in
                service.isEmpty || path.services.contains { $0.isExactly(service) }
            }
            try write("paths", paths, to: &json, &room) { path, json in
                json.array("services") { json in
                    for service in path.services { json.string(service) }
                }
                json.member("traceCount", path.traceCount)
                json.member("callCount", path.callCount)
                json.member("errorCount", path.errorCount)
                json.member("traceId", path.exemplar)
            }
        }
    }

    // MARK: Pieces

    /// The answer that `body` makes of what the traces that the call asks for taught `analysis`.
    private static func analyse<Analysis: TraceAnalysis>(
        _ analysis: Analysis,
        _ columns: SpanColumns,
        _ api: API,
        _ call: APICall,
        _ body: (Analysis, inout JSONWriter, inout AnswerRoom) throws(APIError) -> Void
    ) async throws(APIError) -> APIResponse {
        let sample = try TraceSample(call)
        var room = AnswerRoom(api.answers, remedy: "look at fewer traces, or raise memory")
        var analysis = analysis
        let outcome = try await sample.read(columns, into: &analysis, api, call, room: &room)
        try room.hold(source: analysis.byteCount)
        var response = try APIResponse.json(capacity: 16_384) { json throws(APIError) in
            try json.object { json throws(APIError) in
                outcome.write(to: &json)
                try body(analysis, &json, &room)
            }
        }
        response.memory = room.memory
        return response
    }

    /// A list with no more than its first entries, and whether there are more.
    private static func write<T>(
        _ name: StaticString,
        _ entries: [T],
        to json: inout JSONWriter,
        _ room: inout AnswerRoom,
        _ members: (T, inout JSONWriter) -> Void
    ) throws(APIError) {
        try json.array(name) { json throws(APIError) in
            for entry in entries.prefix(entryCountMax) {
                json.object { json in members(entry, &json) }
                try room.hold(json.count)
            }
        }
        json.member("truncated", entries.count > entryCountMax)
    }

    private static func write(
        _ name: OperationName?,
        _ service: StaticString,
        _ operation: StaticString,
        to json: inout JSONWriter
    ) {
        json.member(service, name?.service)
        json.member(operation, name?.operation)
    }

    private static func write(_ name: StaticString, _ counts: [NameCount], to json: inout JSONWriter) {
        json.array(name) { json in
            for counted in counts {
                json.object { json in
                    json.member("name", counted.name)
                    json.member("count", counted.count)
                }
            }
        }
    }

    private static func write(traceIDs ids: [TraceID], to json: inout JSONWriter) {
        json.array("traceIds") { json in
            for id in ids { json.id(id) }
        }
    }

    private static func write(
        _ graph: FocalGraph,
        of service: String,
        to json: inout JSONWriter,
        _ room: inout AnswerRoom
    ) throws(APIError) {
        try json.object("graph") { json throws(APIError) in
            json.member("service", service)
            try json.array("nodes") { json throws(APIError) in
                for node in graph.nodes {
                    json.object { json in
                        json.member("service", node.service)
                        json.member("hop", node.hop)
                        json.member("callCount", node.callCount)
                        json.member("errorCount", node.errorCount)
                    }
                    try room.hold(json.count)
                }
            }
            try json.array("edges") { json throws(APIError) in
                for edge in graph.edges {
                    json.object { json in
                        json.member("from", edge.from)
                        json.member("to", edge.to)
                        json.member("callCount", edge.callCount)
                    }
                    try room.hold(json.count)
                }
            }
        }
    }
}
