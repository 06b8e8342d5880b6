// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

/// The store's contract, wherever the spans lie at the moment.
@Suite struct EngineContractTests {
    typealias S = EngineSupport

    @Test(arguments: StoreContract.cases)
    func `spans in the head keep the contract`(check: StoreContract.Case) async throws {
        try await check.run(try await S.open(SimulatedDisk(seed: 1)))
    }

    @Test(arguments: StoreContract.cases)
    func `spans in blocks keep the contract`(check: StoreContract.Case) async throws {
        try await check.run(SealingStore(try await S.open(SimulatedDisk(seed: 1)), every: 1))
    }

    @Test(arguments: StoreContract.cases)
    func `spans in blocks and head keep the contract`(check: StoreContract.Case) async throws {
        try await check.run(SealingStore(try await S.open(SimulatedDisk(seed: 1)), every: 3))
    }

    @Test(arguments: StoreContract.cases)
    func `spans in merged blocks keep the contract`(check: StoreContract.Case) async throws {
        try await check.run(SealingStore(try await S.open(SimulatedDisk(seed: 1)), every: 1, mergeEvery: 5))
    }

    @Test(arguments: StoreContract.cases)
    func `a store on the machine's own disk keeps the contract`(check: StoreContract.Case) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/skein-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = EmbeddedStore.Configuration(directory: folder)
        configuration.headSpanCount = 40
        configuration.durability = .os
        // Too small for anything to stay: every read comes from the file.
        configuration.cacheByteCount = 0
        let store = try await EmbeddedStore.open(configuration)
        try await check.run(store)
        await store.close()
    }
}

/// A store that makes a block after every so many appends, and merges blocks after so many more.
private final class SealingStore: SpanStore {
    private let store: EmbeddedStore
    private let every: Int
    private let mergeEvery: Int
    private let appends = Mutex(0)

    init(_ store: EmbeddedStore, every: Int, mergeEvery: Int = .max) {
        self.store = store
        self.every = every
        self.mergeEvery = mergeEvery
    }

    func append(_ batch: SpanBatch) async throws(StoreError) {
        try await store.append(batch)
        let count = appends.withLock { count in
            count += 1
            return count
        }
        if count % every == 0 { try await store.seal() }
        if count % mergeEvery == 0 { try await store.compact() }
    }

    func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? { try await store.trace(id) }
    func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage { try await store.search(query) }
    func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) { try await store.scan(range, columns: columns, visit: visit) }
    func services() async throws(StoreError) -> [ServiceName] { try await store.services() }
    func operations(ofService service: String) async throws(StoreError) -> [SkeinStore.Operation] {
        try await store.operations(ofService: service)
    }
    func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> [AttributeKey] {
        try await store.attributeKeys(prefix: prefix, limit: limit)
    }
    func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> [ValueCount] {
        try await store.values(of: field, prefix: prefix, limit: limit)
    }
    func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice] {
        try await store.rollup(range, step: step)
    }
    func status() async -> StoreStatus { await store.status() }
}
