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

    public func services() async throws(StoreError) -> [ServiceName] {
        let numbers = contents.serviceNumbers
        let names = try await catalogues { catalogues throws(StoreError) in try catalogues.services() }
        return numbers.filter { names.contains($0.key) }.map { ServiceName(name: $0.key, ordinal: $0.value) }
            .sorted { $0.name.precedes($1.name) }
    }

    public func operations(ofService service: String) async throws(StoreError) -> [Operation] {
        try await catalogues { catalogues throws(StoreError) in try catalogues.operations(ofService: service) }
    }

    public func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> [AttributeKey] {
        try await catalogues { catalogues throws(StoreError) in
            try catalogues.attributeKeys(prefix: prefix, limit: limit)
        }
    }

    public func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> [ValueCount] {
        try await catalogues { catalogues throws(StoreError) in
            try catalogues.values(of: field, prefix: prefix, limit: limit)
        }
    }

    public func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice] {
        let snapshot = contents.snapshot()
        let grid = RollupGrid(range, stepNanos: step)
        return try await reads.run { cancellation throws(StoreError) in
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

    private func catalogues<T: Sendable>(
        _ body: @escaping @Sendable (Catalogues) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let snapshot = contents.snapshot()
        return try await reads.run { cancellation throws(StoreError) in
            try body(Catalogues(snapshot, cancellation))
        }
    }
}
