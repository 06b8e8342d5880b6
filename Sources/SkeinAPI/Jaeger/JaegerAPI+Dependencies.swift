// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

extension JaegerAPI {
    /// Who calls whom, by the calls of the minutes that the `lookback` before `endTs` touches.
    static func dependencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let end = try call.milliseconds("endTs") ?? api.clock.unixNanos
        let lookback = try call.milliseconds("lookback") ?? 86400 * 1_000_000_000
        let (start, underflow) = end.subtractingReportingOverflow(lookback)
        // `endTs` is included, and so is what came later in that very millisecond.
        let (afterEnd, overflow) = end.addingReportingOverflow(1_000_000)
        let range = TimeRange(start: underflow ? 0 : start, end: overflow ? .max : afterEnd)

        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        var edges = dependencies(slices.flatMap(\.edges))
        if let service = call.request.query("service"), !service.isEmpty {
            edges = edges.filter { $0.parent.isExactly(service) || $0.child.isExactly(service) }
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

    private struct Dependency {
        var parent: String
        var child: String
        var callCount: Int
    }

    /// Calls that were seen at both ends, ordered by parent, then child. The others have no service to show.
    private static func dependencies(_ edges: [EdgeRollup]) -> [Dependency] {
        var found: [Dependency] = []
        for edge in edges {
            let count = edge.serverDurations.count
            guard count > 0, let parent = edge.client, let child = edge.server else { continue }
            // The nearest whole number, at least one.
            let calls = max(1, Int(count.rounded()))
            // The edges of a pair of services follow each other.
            if let last = found.last, last.parent.isExactly(parent), last.child.isExactly(child) {
                found[found.count - 1].callCount += calls
            } else {
                found.append(Dependency(parent: parent, child: child, callCount: calls))
            }
        }
        return found
    }
}
