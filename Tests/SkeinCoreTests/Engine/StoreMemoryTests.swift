// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// What a store takes of the memory that it shares with others.
struct StoreMemoryTests {
    private typealias S = EngineSupport

    /// Budgets of their own, but for a limit on some.
    private static func memory(
        head: Int = 1 << 20,
        cache: Int = 1 << 20,
        reads: Int = 64 << 20
    ) -> EmbeddedStore.Memory {
        EmbeddedStore.Memory(
            head: ByteBudget(limit: head),
            sealing: ByteBudget(limit: 1 << 20),
            merging: ByteBudget(limit: 1 << 30),
            cache: ByteBudget(limit: cache),
            blocks: ByteBudget(limit: 1 << 20),
            reads: ByteBudget(limit: reads)
        )
    }

    private func failure(_ body: () async throws(StoreError) -> Void) async -> StoreError? {
        do throws(StoreError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test func `spans are counted from when they come until they are a block`() async throws {
        let memory = Self.memory()
        let store = try await S.open(SimulatedDisk(seed: 1)) { $0.memory = memory }
        for id in 1...50 as ClosedRange<UInt64> { try await store.append(S.batch(S.span(id, id))) }
        #expect(memory.head.used > 50 * 100)
        #expect(await store.status().figures["head_bytes"] == memory.head.used)
        let before = memory.head.used
        try await store.seal()
        // What is left is the index of an empty part.
        #expect(memory.head.used < before / 2)
        #expect(memory.blocks.used > 0 && memory.sealing.used == 0 && memory.reads.used == 0)
        await store.close()
    }

    @Test func `appends wait for others to leave the memory of the head, and go on`() async throws {
        let pool = MemoryPool(byteCount: 100_000)
        var memory = Self.memory()
        memory.head = pool.share(atMost: 100_000)
        let others = pool.share(atMost: 100_000)
        let given = memory
        let store = try await S.open(SimulatedDisk(seed: 2)) { $0.memory = given }
        try await store.append(S.batch(S.span(1, 1)))
        others.takeAnyway(others.room)
        // The first waits until the one before it is a block: an empty head takes any batch.
        try await store.append(S.batch(S.span(2, 2)))
        #expect(try await S.everything(in: store).count == 2)
        #expect(await (store.status().figures["blocks"] ?? 0) > 0)
    }

    @Test func `a group never fills a part beyond its limit`() async throws {
        let memory = Self.memory()
        let store = try await S.open(SimulatedDisk(seed: 3)) {
            $0.memory = memory
            $0.headByteCount = 30_000
        }
        await withTaskGroup(of: Void.self) { group in
            for id in 1...200 as ClosedRange<UInt64> {
                group.addTask { try? await store.append(S.batch(S.span(id, id))) }
            }
        }
        try await store.seal()
        #expect(try await S.everything(in: store).count == 200)
        // A span alone in its batch takes about 1.2 kB here.
        #expect(await (store.status().figures["blocks"] ?? 0) >= 200 * 1_100 / 30_000)
    }

    @Test func `the cache lets go of what others need`() async throws {
        let pool = MemoryPool(byteCount: 200_000)
        let cache = PartCache(budget: pool.share(atMost: 200_000))
        let budget = pool.share(atMost: 200_000)
        final class Part: CachedPart {
            let byteCount = 10_000
        }
        for offset in 0..<30 { cache.keep(Part(), of: 1, at: offset) }
        #expect(cache.figures.byteCount <= 200_000 && cache.figures.byteCount > 180_000)
        #expect(cache.part(of: 1, at: 0) == nil && cache.part(of: 1, at: 29) != nil)
        #expect(budget.makeRoom(for: 50_000) < 50_000)
        cache.giveUp(50_000)
        #expect(budget.room >= 50_000)
        cache.forget(block: 1)
        #expect(cache.figures.byteCount == 0 && budget.room == 200_000)
    }

    @Test func `a question that finds no memory waits, and is told to come again`() async throws {
        let memory = Self.memory()
        let store = try await S.open(SimulatedDisk(seed: 4)) {
            $0.memory = memory
            $0.clock = SystemClock()
        }
        try await store.append(S.batch(S.span(1, 1)))
        memory.reads.takeAnyway(memory.reads.room)
        let refusal = await failure { () throws(StoreError) in _ = try await store.search(SpanQuery()) }
        #expect(refusal?.code == .unavailable && refusal?.message.contains("try again") ?? false)
        memory.reads.giveBack(memory.reads.used)
        #expect(try await store.search(SpanQuery()).traces.count == 1)
        #expect(memory.reads.used == 0)
    }

    @Test func `a sum that outgrows the memory for questions is refused, and leaves nothing behind`() async throws {
        struct Growing: TableFold {
            func zero() -> Int { 0 }
            func byteCount(of sum: Int) -> Int { sum << 20 }
            func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Int) { sum += rows.selectedCount }
            func add(_ other: Int, to sum: inout Int) { sum += other }
        }
        let memory = Self.memory(reads: 16 << 20)
        let store = try await S.open(SimulatedDisk(seed: 14)) { $0.memory = memory }
        let all = TableQuery(range: .all, predicate: .true, needsWholeTraces: false, columns: .fixed)
        for count in [10, 20] as [UInt64] {
            try await store.append(SpanBatch(spans: (1...10).map { S.span($0, count + $0) }))
            try await store.seal()
            let refusal = await failure { () throws(StoreError) in _ = try await store.fold(all, by: Growing()) }
            #expect((refusal?.code == .limit) == (count == 20), "\(count) spans")
            #expect(memory.reads.used == 0)
        }
    }

    @Test func `a trace that takes more memory than there is for questions is refused for good`() async throws {
        let memory = Self.memory(head: 64 << 20, reads: 1 << 20)
        let store = try await S.open(SimulatedDisk(seed: 5)) {
            $0.memory = memory
            $0.clock = SystemClock()
        }
        for first in stride(from: 1 as UInt64, to: 20_000, by: 4_000) {
            let spans = (first..<first + 4_000).map { S.span(1, $0) }
            try await store.append(SpanBatch(spans: spans))
        }
        try await store.append(S.batch(S.span(2, 1)))
        for _ in 1...2 {
            let refusal = await failure { () throws(StoreError) in _ = try await store.trace(TraceID(high: 1, low: 1)) }
            #expect(refusal?.code == .limit && refusal?.message.contains("raise memory") ?? false)
            #expect(try await S.trace(2, of: store).count == 1)
            // The same from a block.
            try await store.seal()
        }
    }

    @Test func `spans that a question keeps in memory are counted as its own`() async throws {
        let memory = Self.memory()
        let store = try await S.open(SimulatedDisk(seed: 6)) { $0.memory = memory }
        for id in 1...50 as ClosedRange<UInt64> { try await store.append(S.batch(S.span(id, id))) }
        var snapshot: Contents.Snapshot? = store.contents.snapshot()
        let before = memory.head.used
        try await store.seal()
        #expect(memory.reads.used > before / 2 && memory.head.used < before / 2)
        #expect(snapshot?.head.count == 1)
        snapshot = nil
        #expect(memory.reads.used == 0)
    }

    @Test func `the oldest question is stopped when questions keep too much in memory`() async throws {
        let budget = ByteBudget(limit: 100)
        let reads = ReadQueue(budget: budget, clock: SystemClock())
        budget.takeAnyway(101)
        let refusal = await failure { () throws(StoreError) in
            try await reads.run { cancellation, _ throws(StoreError) in
                reads.stopOldestOfTooMany()
                try cancellation.check()
            }
        }
        #expect(refusal?.code == .unavailable && refusal?.message.contains("spans came faster") ?? false)
        budget.giveBack(101)
        try await reads.run { cancellation, _ throws(StoreError) in
            reads.stopOldestOfTooMany()
            try cancellation.check()
        }
    }
}
