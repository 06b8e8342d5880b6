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

        var found = try await JaegerDependency.all(in: range, api, call)
        if let service = call.request.query("service"), !service.isEmpty {
            found = found.filter { $0.parent.isExactly(service) || $0.child.isExactly(service) }
        }
        return envelope(call, capacity: 128 + found.count * 64) { json in
            json.array { json in
                for dependency in found {
                    json.object { json in
                        json.member("parent", dependency.parent)
                        json.member("child", dependency.child)
                        json.member("callCount", dependency.callCount)
                    }
                }
            }
        }
    }
}

/// How often one service called another.
struct JaegerDependency {
    var parent: String
    var child: String
    var callCount: UInt64

    /// The calls of the minutes that `range` touches which were seen at both ends, ordered by parent, then child. The others
    /// have no service to show.
    static func all(in range: TimeRange, _ api: API, _ call: APICall) async throws(APIError) -> [JaegerDependency] {
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        var found: [JaegerDependency] = []
        for edge in slices.flatMap(\.edges) {
            let count = edge.serverDurations.count
            guard count > 0, let parent = edge.client, let child = edge.server else { continue }
            // The nearest whole number, at least one.
            let calls = max(1, UInt64(exactly: count.rounded()) ?? .max)
            // The edges of a pair of services follow each other.
            if let last = found.last, last.parent.isExactly(parent), last.child.isExactly(child) {
                let (sum, overflow) = last.callCount.addingReportingOverflow(calls)
                found[found.count - 1].callCount = overflow ? .max : sum
            } else {
                found.append(JaegerDependency(parent: parent, child: child, callCount: calls))
            }
        }
        return found
    }
}
