// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

extension ZipkinAPI {
    /// Who calls whom, what sends no spans itself included, by the calls of the minutes that the `lookback` before `endTs`
    /// touches.
    static func dependencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let endTs = try call.zipkinNumber("endTs") else {
            throw .invalid("endTs", "the parameter endTs is required")
        }
        let lookback = try call.zipkinNumber("lookback") ?? lookbackUsualMillis
        let range = try APICall.zipkinRange(endTs: endTs, lookback: lookback)
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        let links = links(slices.flatMap(\.edges))
        return .json(capacity: 64 + links.count * 64) { json in
            json.array { json in
                for link in links {
                    json.object { json in
                        json.member("parent", link.parent)
                        json.member("child", link.child)
                        json.member("callCount", link.callCount)
                        if link.errorCount > 0 { json.member("errorCount", link.errorCount) }
                    }
                }
            }
        }
    }

    private struct Link {
        var parent: String
        var child: String
        var callCount: UInt64
        var errorCount: UInt64
    }

    /// Edges between the same two names in lower case are one, ordered by parent, then child.
    private static func links(_ edges: [EdgeRollup]) -> [Link] {
        var sums: [[ExactText]: (calls: Double, errors: Double)] = [:]
        for edge in edges {
            guard let client = edge.client, let server = edge.server, edge.callCount > 0 else { continue }
            let key = [client, server].map { ExactText($0.isEmpty ? namelessService : $0.lowercased()) }
            sums[key, default: (0, 0)].calls += edge.callCount
            sums[key, default: (0, 0)].errors += edge.errorCount
        }
        func whole(_ count: Double) -> UInt64 { UInt64(exactly: count.rounded()) ?? .max }
        return sums.map { key, sum in
            Link(
                parent: key[0].text,
                child: key[1].text,
                callCount: max(1, whole(sum.calls)),
                // A call that stands for less than half a call failed all the same.
                errorCount: sum.errors > 0 ? max(1, whole(sum.errors)) : 0
            )
        }
        .sorted { a, b in
            a.parent.isExactly(b.parent) ? a.child.precedes(b.child) : a.parent.precedes(b.parent)
        }
    }
}
