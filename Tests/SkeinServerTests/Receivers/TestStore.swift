// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// A memory store whose appends can be made to fail or to wait.
final class TestStore: SpanStore {
    enum Mode: Sendable {
        case keep
        case fail(StoreError.Code)
        /// Appends wait until ``release()``.
        case hold
    }

    private struct State: ~Copyable {
        var mode = Mode.keep
        var waiting: [CheckedContinuation<Void, Never>] = []
        var appendCount = 0
    }

    let memory = MemoryStore()
    private let state = Mutex(State())

    init(_ mode: Mode = .keep) { state.withLock { $0.mode = mode } }

    func set(_ mode: Mode) { state.withLock { $0.mode = mode } }

    /// Appends so far, failed ones included.
    var appendCount: Int { state.withLock { $0.appendCount } }
    /// Appends that wait now.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Lets held appends go on, and later ones too.
    func release() {
        let waiting = state.withLock { state in
            state.mode = .keep
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func append(_ batch: SpanBatch) async throws(StoreError) {
        let mode = state.withLock { state in
            state.appendCount += 1
            return state.mode
        }
        switch mode {
        case .keep: break
        case .fail(let code): throw StoreError(code, "the test's store is \(code.rawValue)")
        case .hold:
            await withCheckedContinuation { continuation in state.withLock { $0.waiting.append(continuation) } }
        }
        try await memory.append(batch)
    }

    func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? { try await memory.trace(id) }
    func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage { try await memory.search(query) }
    func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) { try await memory.scan(range, columns: columns, visit: visit) }
    func services() async throws(StoreError) -> [ServiceName] { try await memory.services() }
    func operations(ofService service: String) async throws(StoreError) -> [SkeinStore.Operation] {
        try await memory.operations(ofService: service)
    }
    func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> [AttributeKey] {
        try await memory.attributeKeys(prefix: prefix, limit: limit)
    }
    func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> [ValueCount] {
        try await memory.values(of: field, prefix: prefix, limit: limit)
    }
    func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice] {
        try await memory.rollup(range, step: step)
    }
    func status() async -> StoreStatus { await memory.status() }
}
