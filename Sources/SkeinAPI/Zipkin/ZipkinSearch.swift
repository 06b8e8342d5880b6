// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Says of each trace whether it is what a ``ZipkinQuery`` asks for.
struct ZipkinSearch: TraceEvaluator {
    private let range: TimeRange
    private let limit: Int
    /// What a span of the service asked for satisfies; all spans do when none is.
    private let service: CompiledPredicate
    /// Each is satisfied by a span that satisfies ``service``.
    private let conditions: [CompiledPredicate]
    private let remote: Remote?

    /// A service that is called, by what its caller says or by who answers.
    private struct Remote {
        var isSaid: CompiledPredicate
        var answers: CompiledPredicate
    }

    /// - Parameters:
    ///   - services: The names that the service asked for is stored under.
    ///   - remoteServices: Those of the remote service.
    init(_ query: ZipkinQuery, services: [String], remoteServices: [String]) throws(APIError) {
        range = query.range
        limit = query.limit
        service = CompiledPredicate(query.ofService(services) ?? .true)
        conditions = try query.conditions().map { CompiledPredicate($0) }
        remote = try query.remoteServiceName.map { name throws(APIError) in
            Remote(
                isSaid: CompiledPredicate(try query.says(remoteService: name)),
                answers: CompiledPredicate(.or(remoteServices.map { .compare(.serviceName, .equal, .string($0)) }))
            )
        }
    }

    /// The search of a store. `now` decides how the range is told.
    func query(now: UInt64) -> TraceQuery {
        var required = conditions.map { both(service.source, $0.source) }
        if required.isEmpty || remote != nil { required.append(service.source) }
        if let remote { required.append(.or([remote.isSaid.source, remote.answers.source])) }
        required.removeAll { $0 == .true }
        let columns = required.reduce(SpanColumns.fixed) { $0.union($1.columns) }
        let day: UInt64 = 86_400_000_000_000
        guard let first = required.first, range.end > now - min(now, day) else {
            // The earliest span of the trace is in the range.
            return TraceQuery(range: range, requirements: required, columns: columns, limit: limit)
        }
        // A span that satisfies the condition comes no earlier than the earliest one. To ask for it spares looking at most traces,
        // as long as there is little behind the range: the cursor leaves that out.
        return TraceQuery(
            range: TimeRange(start: range.start, end: .max),
            predicate: first,
            requirements: required.count > 1 ? required : [],
            columns: columns,
            limit: limit,
            cursor: range.end == .max
                ? nil : SearchCursor(startUnixNanos: range.end, traceID: TraceID(high: .max, low: .max))
        )
    }

    private func both(_ a: SpanPredicate, _ b: SpanPredicate) -> SpanPredicate { a == .true ? b : .and([a, b]) }

    // MARK: Evaluating

    struct Prepared {
        var ofService: RowSet
        /// For each condition the rows of the service that satisfy it.
        var matches: [RowSet]
        var remote: (isSaid: RowSet, answers: RowSet, forest: SpanForest)?
    }

    func prepare(_ table: any SpanTable) throws(StoreError) -> Prepared {
        let ofService = try table.rows(matching: service)
        var prepared = Prepared(ofService: ofService, matches: [])
        for condition in conditions {
            var rows = try table.rows(matching: condition)
            rows.formIntersection(ofService)
            prepared.matches.append(rows)
        }
        if let remote {
            var isSaid = try table.rows(matching: remote.isSaid)
            isSaid.formIntersection(ofService)
            prepared.remote = (isSaid, try table.rows(matching: remote.answers), try table.forest())
        }
        return prepared
    }

    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable,
        _ prepared: Prepared
    ) throws(StoreError) -> (answer: Bool, matchedSpanCount: Int)? {
        guard range.contains(trace.startUnixNanos), prepared.ofService.contains(anyOf: trace.rows),
            prepared.matches.allSatisfy({ $0.contains(anyOf: trace.rows) })
        else { return nil }
        if let remote = prepared.remote, !remote.isSaid.contains(anyOf: trace.rows) {
            let isAnswered = trace.rows.contains { row in
                let parent = Int(remote.forest.parents[row])
                return remote.answers[row] && parent >= 0 && prepared.ofService[parent] && !remote.answers[parent]
            }
            guard isAnswered else { return nil }
        }
        return (true, prepared.ofService.selectedCount(in: trace.rows))
    }
}
