// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A search for traces as every version of Jaeger's API states it: conditions that one span must satisfy.
struct JaegerQuery {
    /// Empty for any service, `OTLPResourceNoServiceName` for none or one that is called so.
    var service = ""
    /// Empty for any span name.
    var operation = ""
    var tags: [JaegerTag] = []
    /// The matching span starts in this range.
    var range = TimeRange.all
    /// In nanoseconds, both included; `nil` for no bound.
    var durationMin: UInt64?
    var durationMax: UInt64?
    /// Most traces, 1…10,000.
    var limit = Self.limitUsual
    /// Whether traces are shown as they are stored, see ``JaegerTrace``.
    var isRaw = false

    static let limitUsual = 100
    /// Most traces in an answer. Jaeger's page asks for 1,500 at most.
    static let limitMax = 10_000

    /// What the matching span satisfies.
    var predicate: SpanPredicate {
        var conditions: [SpanPredicate] = []
        if !service.isEmpty {
            let named = JaegerAPI.storedNames(ofService: service).map { name in
                SpanPredicate.compare(.serviceName, .equal, .string(name))
            }
            conditions.append(named.count == 1 ? named[0] : .or(named))
        }
        if !operation.isEmpty { conditions.append(.compare(.name, .equal, .string(operation))) }
        // Jaeger keeps nanoseconds and its bounds include themselves.
        if let durationMin {
            conditions.append(.compare(.duration, .greaterOrEqual, .int(Int64(clamping: durationMin))))
        }
        if let durationMax { conditions.append(.compare(.duration, .lessOrEqual, .int(Int64(clamping: durationMax)))) }
        conditions += tags.map(\.predicate)
        return conditions.isEmpty ? .true : .and(conditions)
    }

    var spanQuery: SpanQuery { SpanQuery(range: range, predicate: predicate, limit: limit) }
}

extension API {
    /// The ids of the traces that `query` finds, newest first.
    func traceIDs(_ query: JaegerQuery, _ call: APICall) async throws(APIError) -> [TraceID] {
        let page = try await ask(call) { store throws(StoreError) in try await store.search(query.spanQuery) }
        return page.traces.map(\.traceID)
    }
}
