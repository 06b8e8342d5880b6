// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension SpanStore {
    /// What ``remove(_:)`` would do now; changes and records nothing. Throws what it would, as far as it can be told
    /// before.
    public func preview(_ removal: Removal) async throws(StoreError) -> Removal.Preview {
        try removal.check()
        var preview = Removal.Preview()
        var query = SpanQuery(range: removal.range, predicate: removal.changed, limit: 10_000)
        repeat {
            let page = try await search(query)
            preview.outcome.traceCount += page.traces.count
            guard preview.outcome.traceCount <= Removal.traceCountMax else { throw .tooManyTraces }
            for trace in page.traces {
                preview.outcome.spanCount += removal.action == .delete ? trace.spanCount : trace.matchedSpanCount
            }
            let missing = Removal.Preview.sampleCountMax - preview.sampleTraceIDs.count
            preview.sampleTraceIDs += page.traces.prefix(missing).map(\.traceID)
            query.cursor = page.next
        } while query.cursor != nil
        return preview
    }
}

extension Removal {
    /// The spans that the removal is about: of a redaction those in which a value would change.
    fileprivate var changed: SpanPredicate {
        guard case .redact(let keys) = action else { return predicate }
        let carried = keys.flatMap { key -> [SpanPredicate] in
            let plain = [AttributeScope.span, .resource].map { scope -> SpanPredicate in
                let field = SpanField.attribute(scope, key)
                return .and([.exists(field), .not(.compare(field, .equal, .string(Self.mask)))])
            }
            // Of several events one may be masked and another not: what carries the key is counted.
            return plain + [.exists(.attribute(.event, key)), .exists(.attribute(.link, key))]
        }
        return .and([predicate, .or(carried)])
    }
}

extension StoreError {
    /// A removal that would touch more traces than one may.
    package static var tooManyTraces: StoreError {
        StoreError(
            .limit,
            "more than \(Removal.traceCountMax) traces match; narrow the query or its range of time"
        )
    }
}
