// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct CompactorTests {
    typealias S = EngineSupport

    /// A store with so many blocks of one trace each and one that all share.
    private func store(_ disk: SimulatedDisk, blocks: UInt64) async throws -> EmbeddedStore {
        let store = try await S.open(disk)
        try await append(to: store, 1...blocks)
        return store
    }

    private func append(to store: EmbeddedStore, _ numbers: ClosedRange<UInt64>) async throws {
        for number in numbers {
            try await store.append(S.batch(S.span(number, number), S.span(1_000, 5_000 + number, start: number)))
            try await store.seal()
        }
    }

    private func blockFiles(_ disk: SimulatedDisk) -> [String] { disk.paths.filter { $0.hasPrefix("/data/blocks/") } }

    @Test func `many blocks become one, and nothing else changes`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await store(disk, blocks: 8)
        let before = try await S.everything(in: store)
        try await store.compact()
        #expect(blockFiles(disk) == ["/data/blocks/0000000000000001-0000000000000008.block"])
        #expect(try await S.everything(in: store) == before)
        #expect(try await S.trace(1_000, of: store).count == 8)
        let page = try await store.search(SpanQuery(limit: 1))
        #expect(page.traces.first?.spanCount == 1)
        #expect(await store.status().figures["merges"] == 1)
        let reopened = try await S.open(disk.crash())
        #expect(try await S.everything(in: reopened) == before)
        #expect(reopened.recovery.problems.isEmpty)
    }

    @Test func `copies of a span are dropped for good`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let store = try await S.open(disk)
        for _ in 0..<5 {
            try await store.append(S.batch(S.span(1, 1)))
            try await store.seal()
        }
        #expect(await store.status().spanCount == 5)
        try await store.compact()
        #expect(await store.status().spanCount == 1)
        #expect(await store.status().figures["duplicates_dropped"] == 4)
    }

    @Test(arguments: 0..<60)
    func `a stop at any step of a merge loses and doubles nothing`(operations: Int) async throws {
        let disk = SimulatedDisk(seed: UInt64(operations))
        let store = try await store(disk, blocks: 8)
        let before = try await S.everything(in: store)
        disk.stop(afterOperations: operations)
        try? await store.compact()
        let reopened = try await S.open(disk.crash())
        #expect(try await S.everything(in: reopened) == before)
        #expect(reopened.recovery.problems.isEmpty)
        try await reopened.compact()
        #expect(try await S.everything(in: reopened) == before)
    }

    @Test func `what was merged is not brought back by files left behind`() async throws {
        let disk = SimulatedDisk(seed: 4)
        let store = try await store(disk, blocks: 8)
        let before = try await S.everything(in: store)
        let single = blockFiles(disk)
        let copies = try single.map { path in (path, try disk.contents(of: path, limit: .max)) }
        try await store.compact()
        for (path, bytes) in copies {
            let file = try disk.open(path, .create)
            try bytes.withUnsafeBufferPointer { bytes throws(DiskError) in
                try file.append(UnsafeRawBufferPointer(bytes))
            }
            try file.sync()
        }
        try disk.syncDirectory("/data/blocks")
        // Without its catalog the store has only names to go by.
        try disk.remove("/data/catalog")
        try disk.syncDirectory("/data")
        let reopened = try await S.open(disk.crash())
        #expect(blockFiles(disk.crash()).count == 9)
        #expect(try await S.everything(in: reopened) == before)
        #expect(await reopened.status().figures["blocks"] == 1)
    }

    @Test func `a full disk stops merging and nothing else`() async throws {
        let disk = SimulatedDisk(seed: 5)
        let store = try await store(disk, blocks: 8)
        let before = try await S.everything(in: store)
        disk.faults.appendsFull = 100
        await #expect(throws: StoreError.self) { try await store.compact() }
        #expect(try await S.everything(in: store) == before)
        #expect(await store.status().problems.count == 1)
        disk.faults = .init()
        try await store.compact()
        #expect(await store.status().figures["blocks"] == 1)
        #expect(await store.status().problems.isEmpty)
        #expect(try await S.everything(in: store) == before)
    }

    @Test func `a damaged rollup does not keep its block from being merged`() async throws {
        let disk = SimulatedDisk(seed: 7)
        let store = try await store(disk, blocks: 8)
        let whole = try await S.open(disk.copy())
        let wanted = try await whole.rollup(.all, step: 60_000_000_000)
        // In the first chunk of cells.
        disk.flip("/data/rollups/0000000000000003-0000000000000003.rollup", byte: 20, bit: 3)
        try await store.compact()
        #expect(await store.status().figures["blocks"] == 1)
        #expect(try await store.rollup(.all, step: 60_000_000_000) == wanted)
        #expect(await store.status().problems.isEmpty)
    }

    @Test func `a trace that trickles in is read from few places`() async throws {
        let disk = SimulatedDisk(seed: 6)
        let store = try await S.open(disk)
        for round in 0..<10 as Range<UInt64> {
            try await append(to: store, (round * 10 + 1)...(round * 10 + 10))
            try await store.compact()
        }
        #expect(try await S.trace(1_000, of: store).count == 100)
        #expect(try #require(await store.status().figures["blocks"]) < 12)
    }

    @Test func `names tell blocks that supersede each other`() {
        let small = BlockID(firstSegment: 3, lastSegment: 4)
        let large = BlockID(firstSegment: 1, lastSegment: 9)
        let thinned = BlockID(firstSegment: 3, lastSegment: 4, generation: 2)
        #expect(large.supersedes(small) && large.supersedes(thinned) && thinned.supersedes(small))
        #expect(!small.supersedes(large) && !small.supersedes(thinned) && !small.supersedes(small))
        #expect(!BlockID(firstSegment: 4, lastSegment: 5).supersedes(small))
        for id in [small, large, thinned] { #expect(BlockID(fileName: id.fileName) == id) }
        for name in [
            "a.block", "0000000000000003-0000000000000004.0.block", "0000000000000003-0000000000000004.02.block",
            "0000000000000003-0000000000000004.18446744073709551615.block",
        ] {
            #expect(BlockID(fileName: name) == nil)
        }
    }
}
