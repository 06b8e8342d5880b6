// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// Rows of Jaeger's search page.
extension JaegerV3API {
    static func traceSummaries(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let summaries = try await summaries(of: try call.v3Query(), api, call)
        var room = AnswerRoom(api.answers)
        var response = try APIResponse.json(capacity: 64 + summaries.count * 512) { json throws(APIError) in
            try json.object { json throws(APIError) in
                try json.array("summaries") { json throws(APIError) in
                    for summary in summaries {
                        write(summary, to: &json)
                        try room.hold(json.count)
                    }
                }
            }
        }
        response.memory = room.memory
        return response
    }

    /// The summaries of the traces that `query` finds, newest first.
    static func summaries(
        of query: JaegerQuery,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [JaegerTraceSummary] {
        let columns = TraceQuery(range: query.range, predicate: query.predicate, columns: .fixed, limit: query.limit)
        let evaluator = TraceCompletenessEvaluator(query)
        do throws(APIError) {
            let page = try await api.ask(call) { store throws(StoreError) in
                try await store.search(columns, evaluatedBy: evaluator)
            }
            return page.traces.map { $0.answer.completing($0.summary) }
        } catch {
            // A trace may be too large to be put together, and must not hide the others: then each is looked at in windows.
            guard error.code == "limit-exceeded" else { throw error }
            return try await summariesByWindows(of: query, api, call)
        }
    }

    private static func summariesByWindows(
        of query: JaegerQuery,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [JaegerTraceSummary] {
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(query.spanQuery) }
        var summaries: [JaegerTraceSummary] = []
        for summary in page.traces {
            var orphans = OrphanCounter()
            var completeness = TraceCompleteness()
            if let reader = try await api.reader(of: summary.traceID, call) {
                try await api.forEachWindow(of: reader, columns: .fixed, call) { window throws(APIError) in
                    if orphans.isEmpty, !window.spans.isEmpty {
                        completeness.earliestServiceName = window.spans.serviceName(at: 0)
                        completeness.earliestSpanName = window.spans.dictionary.string(window.spans.nameRefs[0])
                    }
                    if window.spans.parentSpanIDs.contains(where: { !$0.isValid }) { completeness.hasRoot = true }
                    orphans.add(window.spans)
                }
            }
            completeness.orphanCount = orphans.count
            summaries.append(completeness.completing(summary))
        }
        return summaries
    }

    private static func write(_ summary: JaegerTraceSummary, to json: inout JSONWriter) {
        json.object { json in
            // 32 digits whatever the id: Jaeger's page takes nothing else.
            json.member("traceId", summary.trace.traceID)
            json.member("rootServiceName", summary.trace.rootServiceName)
            json.member("rootOperationName", summary.trace.rootSpanName)
            json.member("minStartTimeUnixNano", decimal: summary.trace.startUnixNanos)
            json.member("maxEndTimeUnixNano", decimal: summary.endUnixNanos)
            json.member("spanCount", summary.trace.spanCount)
            json.member("errorSpanCount", summary.trace.errorCount)
            json.member("orphanSpanCount", summary.orphanCount)
            json.array("services") { json in
                for service in summary.services {
                    json.object { json in
                        json.member("name", service.name)
                        json.member("spanCount", service.spanCount)
                        json.member("errorSpanCount", service.errorCount)
                    }
                }
            }
        }
    }
}
