// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

extension JaegerAPI {
    /// Traces that the graph of deep dependencies is made of: the newest ones.
    private static let deepTraceCount = 500
    private static let twoDays: UInt64 = 2 * 86400 * 1_000_000_000

    /// The ways through a service, from the newest traces that pass it. Jaeger itself answers made-up ways here, in this form
    /// and without an envelope.
    static func deepDependencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let service = call.request.query("service"), !service.isEmpty else { throw serviceRequired }
        let operation = call.request.query("operation").flatMap { $0.isEmpty ? nil : $0 }
        let stored = service == namelessService ? "" : service
        // Jaeger's page sends 0 for both.
        let now = api.clock.unixNanos
        let end = try call.microseconds("end").flatMap { $0 > 0 ? $0 : nil } ?? now
        let start = try call.microseconds("start").flatMap { $0 > 0 ? $0 : nil } ?? (end - min(end, twoDays))
        var conditions: [SpanPredicate] = [.compare(.serviceName, .equal, .string(stored))]
        if let operation { conditions.append(.compare(.name, .equal, .string(operation))) }
        let query = TraceQuery(
            range: TimeRange(start: start, end: end),
            predicate: .and(conditions),
            columns: .fixed,
            limit: deepTraceCount
        )
        let paths = ServicePaths(service: stored, operation: operation)
        let page = try await api.ask(call) { store throws(StoreError) in
            try await store.search(query, evaluatedBy: paths)
        }
        return try deepDependencies(page.traces.map { ($0.summary.traceID, $0.answer) }, api, isPretty: isPretty(call))
    }

    /// Each way once, with the newest trace that took it.
    private static func deepDependencies(
        _ traces: [(id: TraceID, paths: [[ServicePaths.Step]])],
        _ api: API,
        isPretty: Bool
    ) throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers)
        var known: Set<[ServicePaths.Step]> = []
        var json = JSONWriter()
        try json.object { json throws(APIError) in
            try json.array("dependencies") { json throws(APIError) in
                for trace in traces {
                    for path in trace.paths where known.insert(path).inserted {
                        write(path, trace.id, to: &json)
                        try room.hold(json.count)
                    }
                }
            }
        }
        var response: APIResponse =
            isPretty ? .json(bytes: JSONIndentation.indented(json.bytes)) : .json(json.finish())
        response.memory = room.memory
        return response
    }

    private static func write(_ path: [ServicePaths.Step], _ id: TraceID, to json: inout JSONWriter) {
        json.object { json in
            json.array("path") { json in
                for step in path {
                    json.object { json in
                        json.member("service", step.service.isEmpty ? namelessService : step.service)
                        json.member("operation", step.operation)
                    }
                }
            }
            json.array("attributes") { json in
                json.object { json in
                    json.member("key", "exemplar_trace_id")
                    json.member("value", JaegerTrace.text(of: id))
                }
            }
        }
    }

    /// Nothing: instrumentation is not graded here. Jaeger itself answers made-up grades, in this form.
    static func qualityMetrics(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        .json { json in
            json.object { json in
                json.member("traceQualityDocumentationLink", "")
                json.object("bannerText") { $0.member("value", "This server does not grade instrumentation.") }
                json.array("scores") { _ in }
                json.array("metrics") { _ in }
            }
        }
    }
}
