// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
package import SkeinStore

/// A store that does what another one does, but for what it does itself.
package protocol StoreWrapper: SpanStore {
    var wrapped: any SpanStore { get }
}

extension StoreWrapper {
    package func append(_ batch: SpanBatch) async throws(StoreError) {
        try await wrapped.append(batch)
    }
    package func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? {
        try await wrapped.trace(id)
    }
    package func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)? {
        try await wrapped.traceReader(id)
    }
    package func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage {
        try await wrapped.search(query)
    }
    package func search<Evaluator: TraceEvaluator>(
        _ query: TraceQuery,
        evaluatedBy evaluator: Evaluator
    ) async throws(StoreError) -> EvaluatedPage<Evaluator.Answer> {
        try await wrapped.search(query, evaluatedBy: evaluator)
    }
    package func fold<Fold: TableFold>(_ query: TableQuery, by fold: Fold) async throws(StoreError) -> Fold.Sum {
        try await wrapped.fold(query, by: fold)
    }
    package func services(prefix: String, limit: Int) async throws(StoreError) -> NameList<ServiceName> {
        try await wrapped.services(prefix: prefix, limit: limit)
    }
    package func ordinals(ofServices names: [String]) async throws(StoreError) -> [Int] {
        try await wrapped.ordinals(ofServices: names)
    }
    package func operations(
        ofService service: String,
        prefix: String,
        limit: Int
    ) async throws(StoreError) -> NameList<SkeinStore.Operation> {
        try await wrapped.operations(ofService: service, prefix: prefix, limit: limit)
    }
    package func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> NameList<AttributeKey> {
        try await wrapped.attributeKeys(prefix: prefix, limit: limit)
    }
    package func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> ValueList {
        try await wrapped.values(of: field, prefix: prefix, limit: limit)
    }
    package func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice] {
        try await wrapped.rollup(range, step: step)
    }
    package func remove(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        try await wrapped.remove(removal)
    }
    package func removalRecords() async throws(StoreError) -> [Removal.Record] {
        try await wrapped.removalRecords()
    }
    package func usage() async throws(StoreError) -> [ServiceUsage] {
        try await wrapped.usage()
    }
    package func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        try await wrapped.scan(range, columns: columns, visit: visit)
    }
    package func status() async -> StoreStatus { await wrapped.status() }
}

/// A store that answers every question with one error.
package struct RefusingStore: SpanStore {
    package var error: StoreError

    /// A store that throws `error`.
    package init(_ error: StoreError) { self.error = error }

    package func append(_ batch: SpanBatch) async throws(StoreError) {
        throw error
    }
    package func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? {
        throw error
    }
    package func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)? {
        throw error
    }
    package func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage {
        throw error
    }
    package func search<Evaluator: TraceEvaluator>(
        _ query: TraceQuery,
        evaluatedBy evaluator: Evaluator
    ) async throws(StoreError) -> EvaluatedPage<Evaluator.Answer> {
        throw error
    }
    package func fold<Fold: TableFold>(_ query: TableQuery, by fold: Fold) async throws(StoreError) -> Fold.Sum {
        throw error
    }
    package func services(prefix: String, limit: Int) async throws(StoreError) -> NameList<ServiceName> {
        throw error
    }
    package func ordinals(ofServices names: [String]) async throws(StoreError) -> [Int] {
        throw error
    }
    package func operations(
        ofService service: String,
        prefix: String,
        limit: Int
    ) async throws(StoreError) -> NameList<SkeinStore.Operation> {
        throw error
    }
    package func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> NameList<AttributeKey> {
        throw error
    }
    package func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> ValueList {
        throw error
    }
    package func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice] {
        throw error
    }
    package func remove(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        throw error
    }
    package func removalRecords() async throws(StoreError) -> [Removal.Record] {
        throw error
    }
    package func usage() async throws(StoreError) -> [ServiceUsage] {
        throw error
    }
    package func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        throw error
    }
    package func status() async -> StoreStatus { StoreStatus() }
}
