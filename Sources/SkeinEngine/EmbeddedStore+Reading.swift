// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
public import SkeinStore

extension EmbeddedStore {
    public func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? {
        let snapshot = contents.snapshot()
        let limits = traceLimits
        return try await reads.run(holding: ReadCost.trace) { cancellation, memory throws(StoreError) in
            let trace = try StoredTrace(id, in: snapshot)
            return trace.isEmpty ? nil : try trace.assembled(.all, cancellation, memory, limits: limits)
        }
    }

    public func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)? {
        let snapshot = contents.snapshot()
        let trace = try await reads.run { _, _ throws(StoreError) in try StoredTrace(id, in: snapshot) }
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
        let (snapshot, progress) = (contents.snapshot(), SearchProgress.current)
        return try await reads.run(holding: ReadCost.search) { cancellation, memory throws(StoreError) in
            var search = TraceSearch(query, in: snapshot, cancellation, memory, progress: progress)
            return try search.run()
        }
    }

    public func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        let scan = TraceScan(range, columns: columns, in: contents.snapshot())
        while let batch = try await reads.run(
            holding: ReadCost.scan,
            { cancellation, memory throws(StoreError) in try scan.next(cancellation, memory) }
        ) {
            try await visit(batch)
        }
    }

    package func search<Evaluator: TraceEvaluator>(
        _ query: TraceQuery,
        evaluatedBy evaluator: Evaluator
    ) async throws(StoreError) -> EvaluatedPage<Evaluator.Answer> {
        try query.check()
        let (snapshot, progress) = (contents.snapshot(), SearchProgress.current)
        return try await reads.run(holding: ReadCost.search) { cancellation, memory throws(StoreError) in
            let evaluation = Evaluation(evaluator, columns: query.columns)
            let plain = SpanQuery(
                range: query.range,
                predicate: query.predicate,
                limit: query.limit,
                cursor: query.cursor
            )
            var search = TraceSearch(
                plain,
                evaluation: evaluation,
                requirements: query.requirements,
                in: snapshot,
                cancellation,
                memory,
                progress: progress
            )
            let page = try search.run()
            return EvaluatedPage(
                traces: zip(page.traces, search.answers).map { ($0, evaluation.answers[$1]) },
                next: page.next,
                inspected: page.inspected
            )
        }
    }

    package func fold<Fold: TableFold>(_ query: TableQuery, by fold: Fold) async throws(StoreError) -> Fold.Sum {
        let (snapshot, progress) = (contents.snapshot(), SearchProgress.current)
        return try await reads.run(holding: ReadCost.scan) { cancellation, memory throws(StoreError) in
            try TableFolding(query, by: fold, in: snapshot, cancellation, memory, progress: progress).run()
        }
    }

    public func services(prefix: String, limit: Int) async throws(StoreError) -> NameList<ServiceName> {
        let (limit, snapshot) = (NameList<ServiceName>.count(limit), contents.snapshot())
        let list = try await reads.run(holding: ReadCost.names) { [names] cancellation, _ throws(StoreError) in
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
        return try await reads.run(holding: ReadCost.names) { [names] cancellation, _ throws(StoreError) in
            try names.operations(of: service, prefix, limit, in: snapshot, cancellation)
        }
    }

    public func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> NameList<AttributeKey> {
        let (limit, snapshot) = (NameList<AttributeKey>.count(limit), contents.snapshot())
        return try await reads.run(holding: ReadCost.names) { [names] cancellation, _ throws(StoreError) in
            try names.keys(prefix, limit, in: snapshot, cancellation)
        }
    }

    public func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> ValueList {
        let (question, snapshot) = (ValueQuestion(field, prefix: prefix), contents.snapshot())
        return try await reads.run(holding: ReadCost.names) { [values] cancellation, _ throws(StoreError) in
            try values.values(question, limit: limit, in: snapshot, cancellation)
        }
    }

    public func usage() async throws(StoreError) -> [ServiceUsage] {
        let snapshot = contents.snapshot()
        return try await reads.run(holding: ReadCost.names) { cancellation, _ throws(StoreError) in
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
        // A part of the head is counted as it is when it becomes a block.
        let largest = snapshot.head.map(\.part.figures.byteCount).max() ?? 0
        let cost = ReadCost.sums + SealingCost.byteCount(ofSpans: largest)
        return try await reads.run(holding: cost) { cancellation, _ throws(StoreError) in
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

/// The memory in bytes that reads take whatever they find, measured.
enum ReadCost {
    /// Row groups that are tested at once, a page and its traces. What many summaries and large traces need beyond is
    /// counted on the way.
    static let search = 4 << 20
    /// A trace of some thousand spans. What a larger one needs beyond is counted on the way.
    static let trace = 2 << 20
    /// The keys of a window of a trace, and row groups around it, of fixed columns or of spans one at a time.
    static let window = 2 << 20
    /// A row group of spans.
    static let scan = 4 << 20
    /// A window of spans, and distinct names and values.
    static let names = 2 << 20
    /// Rollups as they are added up.
    static let sums = 2 << 20
}
