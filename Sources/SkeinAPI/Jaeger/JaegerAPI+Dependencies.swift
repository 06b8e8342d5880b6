// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire
import Synchronization

extension JaegerAPI {
    /// Who calls whom, by the traces with a span in the `lookback` before `endTs`.
    static func dependencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let end = try call.milliseconds("endTs") ?? api.clock.unixNanos
        let lookback = try call.milliseconds("lookback") ?? 86400 * 1_000_000_000
        let (start, underflow) = end.subtractingReportingOverflow(lookback)
        // `endTs` is included, and so is what came later in that very millisecond.
        let (afterEnd, overflow) = end.addingReportingOverflow(1_000_000)
        let range = TimeRange(start: underflow ? 0 : start, end: overflow ? .max : afterEnd)

        let graph = Mutex(ServiceGraph())
        try await api.ask(call) { store throws(StoreError) in
            try await store.scan(range, columns: .fixed) { batch throws(StoreError) in
                graph.withLock { $0.add(batch) }
            }
        }
        var edges = graph.withLock { $0.edges }
        if let service = call.request.query("service"), !service.isEmpty {
            edges = edges.filter { $0.parent == service || $0.child == service }
        }
        return envelope(call, capacity: 128 + edges.count * 64) { json in
            json.array { json in
                for edge in edges {
                    json.object { json in
                        json.member("parent", edge.parent)
                        json.member("child", edge.child)
                        json.member("callCount", edge.callCount)
                    }
                }
            }
        }
    }
}
