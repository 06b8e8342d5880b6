// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Blocks that turn out to be damaged while they are in use: what can be read of them stays, and what is lost is told.
@Suite struct MendingTests {
    typealias S = EngineSupport

    private static let spanCount: UInt64 = 20_000
    private static let spansOfTrace: UInt64 = 100

    /// A store with one block of three row groups, and where that lies.
    private func filled(
        isOneTrace: Bool = false
    ) async throws -> (disk: SimulatedDisk, store: EmbeddedStore, path: String, footer: BlockFooter) {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        for first in stride(from: UInt64(0), to: Self.spanCount, by: 1_000) {
            let spans = (first..<(first + 1_000)).map { id in
                S.span(isOneTrace ? 7 : id / Self.spansOfTrace, id + 1, start: 1_000 + id)
            }
            try await store.append(SpanBatch(spans: spans, receivedUnixNanos: 1))
        }
        try await store.seal()
        let block = try #require(store.contents.blocks.first)
        #expect(store.contents.blocks.count == 1 && block.footer.groups.count == 3)
        return (disk, store, "/data/blocks/" + block.id.fileName, block.footer)
    }

    /// Asks for everything until nothing is damaged any more.
    private func everything(in store: EmbeddedStore) async throws -> [SkeinModel.Span] {
        for _ in 0..<3 {
            do {
                return try await S.everything(in: store)
            } catch let error as StoreError {
                #expect(error.code == .corrupt)
                try await store.compact()
            }
        }
        return try await S.everything(in: store)
    }

    private func expectGood(_ disk: SimulatedDisk, holds spans: [SkeinModel.Span]) async throws {
        let again = try await S.open(disk.copy())
        #expect(again.recovery.problems.isEmpty)
        #expect(try await Set(S.everything(in: again).map(\.spanID)) == Set(spans.map(\.spanID)))
        await again.close()
        let folder = DataFolder(S.directory, disk: disk.copy())
        #expect(try folder.verify().findings.filter(\.isDamage).isEmpty)
    }

    @Test(arguments: [false, true]) func `a row group that cannot be read is lost alone`(isOneTrace: Bool) async throws
    {
        let (disk, store, path, footer) = try await filled(isOneTrace: isOneTrace)
        let group = footer.groups[1]
        disk.flip(path, byte: (group.offset + group.directory.offset) / 2, bit: 3)
        let spans = try await everything(in: store)
        #expect(spans.count == Int(Self.spanCount) - group.rowCount)
        let status = await store.status()
        #expect(status.figures["spans_lost"] == group.rowCount)
        #expect(status.figures["blocks_mended"] == 1)
        #expect(status.figures["damaged_blocks"] == 0)
        #expect(status.figures["quarantined"] == 1)
        let told = "\(group.rowCount) of its \(Self.spanCount) spans are lost"
        #expect(status.problems.contains { $0.contains(told) && $0.contains("quarantine") }, "\(status.problems)")
        await store.close()
        try await expectGood(disk, holds: spans)
    }

    @Test func `a table that can be made anew costs no span`() async throws {
        let (disk, store, path, footer) = try await filled()
        disk.flip(path, byte: footer.operations.offset + 2, bit: 0)
        await #expect(throws: StoreError.self) { try await store.operations(ofService: "shop", prefix: "", limit: 10) }
        try await store.compact()
        #expect(try await store.operations(ofService: "shop", prefix: "", limit: 10).names.count == 10)
        #expect(await store.status().problems.contains { $0.contains("No span is lost") })
        let spans = try await everything(in: store)
        #expect(spans.count == Int(Self.spanCount))
        await store.close()
        try await expectGood(disk, holds: spans)
    }

    @Test func `a block without its resources is put aside, and its sums stay`() async throws {
        let (disk, store, path, footer) = try await filled()
        let sums = try await store.rollup(.all, step: nil)
        disk.flip(path, byte: footer.resources.offset + 2, bit: 0)
        #expect(try await everything(in: store).isEmpty)
        let status = await store.status()
        #expect(status.figures["spans_lost"] == Int(Self.spanCount))
        #expect(status.problems.contains { $0.contains("are no longer found") })
        #expect(try await store.rollup(.all, step: nil) == sums)
        await store.close()
        try await expectGood(disk, holds: [])
    }

    @Test func `a removal goes on with what can be read`() async throws {
        let (disk, store, path, footer) = try await filled()
        let group = footer.groups[2]
        disk.flip(path, byte: group.offset + 8, bit: 1)
        let outcome = try await store.remove(Removal(.delete, predicate: .compare(.kind, .equal, .kind(.server))))
        #expect(outcome.spanCount == Int(Self.spanCount) - group.rowCount)
        #expect(try await S.everything(in: store).isEmpty)
        #expect(try await store.removalRecords().last?.failure == "")
        await store.close()
    }

    @Test func `a block in which nothing is damaged is not read whole again and again`() async throws {
        let (_, store, path, _) = try await filled()
        let error = StoreError(.corrupt, "something contradicts itself", place: path)
        #expect(await store.compactor.mend(error), "it may have been misread once")
        #expect(await store.status().problems.isEmpty)
        // Or a removal would try for ever.
        #expect(await !store.compactor.mend(error))
        #expect(await store.status().figures["damaged_blocks"] == 1)
        #expect(try await everything(in: store).count == Int(Self.spanCount))
        await store.close()
    }
}
