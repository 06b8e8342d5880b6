// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
public import SkeinStore

extension EmbeddedStore {
    public func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? {
        let snapshot = contents.snapshot()
        let limits = traceLimits
        return try await reads.run { cancellation throws(StoreError) in
            let trace = try StoredTrace(id, in: snapshot)
            return trace.isEmpty ? nil : try trace.assembled(.all, cancellation, limits: limits)
        }
    }

    public func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)? {
        let snapshot = contents.snapshot()
        let trace = try await reads.run { _ throws(StoreError) in try StoredTrace(id, in: snapshot) }
        if trace.isEmpty { return nil }
        return StoredTraceReader(
            trace,
            reads,
            limits: traceLimits,
            windowByteCountMax: configuration.windowByteCountMax
        )
    }

    public func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage {
        guard (1...10_000).contains(query.limit) else {
            throw StoreError(.limit, "limit is \(query.limit); a page holds 1 to 10,000 traces")
        }
        let snapshot = contents.snapshot()
        return try await reads.run { cancellation throws(StoreError) in
            var search = TraceSearch(query, in: snapshot, cancellation)
            return try search.run()
        }
    }

    public func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        let scan = TraceScan(range, columns: columns, in: contents.snapshot())
        while let batch = try await reads.run({ cancellation throws(StoreError) in try scan.next(cancellation) }) {
            try await visit(batch)
        }
    }

    public func services(prefix: String, limit: Int) async throws(StoreError) -> NameList<ServiceName> {
        let (limit, snapshot) = (NameList<ServiceName>.count(limit), contents.snapshot())
        let list = try await reads.run { [names] cancellation throws(StoreError) in
            try names.services(prefix, limit, in: snapshot, cancellation)
        }
        let services = zip(list.names, contents.ordinals(ofServices: list.names)).map(ServiceName.init)
        return NameList(services, isCut: list.isCut)
    }

    public func ordinals(ofServices names: [String]) async throws(StoreError) -> [Int] {
        contents.ordinals(ofServices: names)
    }

    public func operations(
        ofService service: String,
        prefix: String,
        limit: Int
    ) async throws(StoreError) -> NameList<Operation> {
        let (limit, snapshot) = (NameList<Operation>.count(limit), contents.snapshot())
        return try await reads.run { [names] cancellation throws(StoreError) in
            try names.operations(of: service, prefix, limit, in: snapshot, cancellation)
        }
    }

    public func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> NameList<AttributeKey> {
        let (limit, snapshot) = (NameList<AttributeKey>.count(limit), contents.snapshot())
        return try await reads.run { [names] cancellation throws(StoreError) in
            try names.keys(prefix, limit, in: snapshot, cancellation)
        }
    }

    public func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> ValueList {
        let (question, snapshot) = (ValueQuestion(field, prefix: prefix), contents.snapshot())
        return try await reads.run { [values] cancellation throws(StoreError) in
            try values.values(question, limit: limit, in: snapshot, cancellation)
        }
    }

    public func usage() async throws(StoreError) -> [ServiceUsage] {
        let snapshot = contents.snapshot()
        return try await reads.run { cancellation throws(StoreError) in
            var usage = Usage()
            for stored in snapshot.blocks {
                try cancellation.check()
                try usage.add(stored)
            }
            for piece in snapshot.head.flatMap(\.pieces) { usage.add(piece.batch) }
            return usage.services
        }
    }

    public func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice] {
        let snapshot = contents.snapshot()
        let wanted = RollupGrid(range, stepNanos: step)
        return try await reads.run { cancellation throws(StoreError) in
            var hours: Set<UInt64> = []
            let divided = wanted.divided
            for rollup in snapshot.pastRollups { hours.formUnion(try rollup.onlyHours(within: divided)) }
            for block in snapshot.blocks { hours.formUnion(try block.rollup().onlyHours(within: divided)) }
            let grid = wanted.knowing(onlyHours: hours)
            var sum = RollupSum()
            for rollup in snapshot.pastRollups {
                try cancellation.check()
                if let selection = try rollup.selection(grid) { sum.add(selection, grid) }
            }
            for block in snapshot.blocks {
                try cancellation.check()
                if let selection = try block.rollupSelection(grid) { sum.add(selection, grid) }
            }
            for part in snapshot.head {
                try cancellation.check()
                sum.add(try part.part.rollup.rollup(of: part), grid)
            }
            return sum.slices(grid)
        }
    }
}
