// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Files that do not check: never a crash, never a wrong answer, never a file deleted.
@Suite struct DamageTests {
    typealias S = EngineSupport

    /// A disk with one block of two spans, and two more in the log, after a clean stop.
    static func filledDisk() async throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        try await store.append(S.batch(S.span(2, 2)))
        try await store.seal()
        try await store.append(S.batch(S.span(3, 3)))
        try await store.append(S.batch(S.span(4, 4)))
        await store.close()
        return disk.copy()
    }

    /// Opens the disk and expects that every span shown is one of the four that were sent.
    ///
    /// A log that ends between two records looks like one whose process was killed there: `mayEndEarly` allows for it.
    private func expectNothingWrong(
        _ disk: SimulatedDisk,
        _ comment: String,
        mayEndEarly: Bool = false
    ) async throws -> Int {
        let store: EmbeddedStore
        do throws(StoreError) {
            store = try await EmbeddedStore.open(S.configuration(disk))
        } catch {
            // Only a version number that reads as a later one may refuse.
            #expect(error.code == .unusable && error.message.contains("version"), "\(comment): \(error)")
            return 4
        }
        do {
            let shown = try await S.everything(in: store)
            for span in shown { #expect(S.span(span.traceID.low, span.traceID.low) == span, "\(comment)") }
            #expect(Set(shown.map(\.spanID)).count == shown.count, "\(comment)")
            if shown.count < 4, store.recovery.tornByteCount == 0, !mayEndEarly {
                #expect(await !store.status().problems.isEmpty, "\(comment): \(4 - shown.count) spans went unsaid")
            }
            await store.close()
            return shown.count
        } catch let error as StoreError {
            #expect(error.code == .corrupt, "\(comment): \(error)")
            await store.close()
            return 0
        }
    }

    @Test(arguments: ["catalog", "log/", "blocks/"]) func `a flipped bit anywhere is survived`(kind: String)
        async throws
    {
        let disk = try await Self.filledDisk()
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/" + kind) })
        let bytes = try #require(disk[path])
        var least = 4
        for offset in bytes.indices {
            var damaged = bytes
            damaged[offset] ^= 1 << UInt8(offset % 8)
            let copy = disk.copy()
            copy[path] = damaged
            least = min(least, try await expectNothingWrong(copy, "\(path), bit \(offset % 8) of byte \(offset)"))
        }
        #expect(least >= (kind == "catalog" ? 4 : kind == "log/" ? 3 : 0))
    }

    @Test(arguments: ["catalog", "log/", "blocks/"]) func `a file of any shorter length is survived`(
        kind: String
    ) async throws {
        let disk = try await Self.filledDisk()
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/" + kind) })
        let bytes = try #require(disk[path])
        for length in 0..<bytes.count {
            let copy = disk.copy()
            copy[path] = Array(bytes.prefix(length))
            _ = try await expectNothingWrong(copy, "\(path), cut to \(length) bytes", mayEndEarly: kind == "log/")
        }
    }

    @Test(arguments: ["catalog", "log/", "blocks/"]) func `a missing file is survived`(kind: String) async throws {
        let disk = try await Self.filledDisk()
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/" + kind) })
        disk[path] = nil
        let store = try await S.open(disk)
        #expect(try await S.everything(in: store).count == (kind == "catalog" ? 4 : 2))
        await store.close()
    }

    @Test func `a damaged log segment is put aside with a reason, and the rest of it is kept`() async throws {
        let disk = try await Self.filledDisk()
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/log/") })
        // In the middle of the first record.
        disk[path]?[70] ^= 0xff
        let store = try await S.open(disk)
        #expect(try await S.everything(in: store).map(\.spanID.rawValue).sorted() == [1, 2, 4])
        let status = await store.status()
        #expect(status.figures["quarantined"] == 1)
        #expect(status.problems.contains { $0.contains("is damaged") && $0.contains("quarantine") })
        #expect(disk.paths.contains { $0.hasPrefix("/data/quarantine/") && $0.hasSuffix(".reason.txt") })
        await store.close()
        let again = try await S.open(disk.copy())
        #expect(again.recovery.problems.isEmpty)
        #expect(try await S.everything(in: again).count == 3)
        await again.close()
    }

    @Test func `good spans of a damaged segment are there once, also when it becomes a block of its own`() async throws
    {
        let disk = try await Self.filledDisk()
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/log/") })
        disk[path]?[70] ^= 0xff
        for _ in 0..<3 {
            // Every segment is a part of its own.
            let store = try await S.open(disk) { $0.headSpanCount = 1 }
            #expect(try await S.everything(in: store).map(\.spanID.rawValue).sorted() == [1, 2, 4])
            try await store.seal()
            #expect(await store.status().spanCount == 3)
            await store.close()
        }
    }

    @Test func `spans of a bad block come back from log segments that were not yet removed`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        let segment = try #require(disk.paths.first { $0.hasPrefix("/data/log/") })
        let log = disk[segment]
        try await store.seal()
        await store.close()
        let copy = disk.copy()
        copy[segment] = log
        let block = try #require(copy.paths.first { $0.hasPrefix("/data/blocks/") })
        copy[block] = []
        for _ in 0..<2 {
            let reopened = try await S.open(copy)
            #expect(try await S.trace(1, of: reopened) == [S.span(1, 1)])
            await reopened.close()
        }
    }

    @Test func `the catalog is made anew from the blocks when it is lost`() async throws {
        let disk = try await Self.filledDisk()
        disk["/data/catalog"] = nil
        let store = try await S.open(disk)
        #expect(try await S.everything(in: store).count == 4)
        #expect(try await store.services().names.map(\.name) == ["shop"])
        await store.close()
    }

    @Test(arguments: [
        "log/18446744073709551615.log", "log/4611686018427387905.log", "log/00000000000000000017.log",
        "blocks/0000000000000001-99999999999999999999.block",
    ]) func `a file with a number that nobody gave is put aside`(name: String) async throws {
        let disk = try await Self.filledDisk()
        disk["/data/" + name] = [1, 2, 3]
        let store = try await S.open(disk)
        #expect(store.recovery.problems.contains { $0.contains(name) && $0.contains("quarantine") })
        try await store.append(S.batch(S.span(5, 5)))
        try await store.seal()
        #expect(try await S.everything(in: store).count == 5)
        await store.close()
        let again = try await S.open(disk.copy())
        #expect(again.recovery.problems.isEmpty)
        #expect(try await S.everything(in: again).count == 5)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [9_999_999_999_999_999, FileNumber.greatest])
    func `a segment far ahead of the others does no harm`(number: UInt64) async throws {
        let disk = try await Self.filledDisk()
        disk["/data/log/" + LogSegment.fileName(number)] = [UInt8](repeating: 7, count: 100)
        let store = try await S.open(disk)
        try? await store.append(S.batch(S.span(4, 4)))
        try await store.seal()
        #expect(try await S.everything(in: store).count == 4)
        #expect(!disk.paths.contains { $0.hasPrefix("/data/log/") })
    }

    @Test(
        arguments: [
            .addService("x", .max), .startLog(.max), .addBlock(BlockID(firstSegment: 9, lastSegment: 3)),
            .removeBlock(BlockID(firstSegment: 1, lastSegment: .max)),
        ] as [CatalogState.Edit]
    ) func `a catalog with a number that cannot be is made anew`(
        edit: CatalogState.Edit
    ) async throws {
        let disk = try await Self.filledDisk()
        disk["/data/catalog"] = nil
        var catalog = Catalog(disk: disk, folder: StoreFolder(root: "/data"), state: CatalogState())
        // The first commit writes a state, and only the next an edit.
        try catalog.commit([])
        try catalog.commit([edit])
        let store = try await S.open(disk)
        #expect(store.recovery.problems.contains { $0.contains("catalog is damaged") })
        try await store.append(S.batch(S.span(5, 5, service: "new")))
        try await store.seal()
        #expect(try await S.everything(in: store).count == 5)
    }

    @Test func `a block that cannot be read for now is not forgotten`() async throws {
        let disk = try await Self.filledDisk()
        disk.unreadableFolder = "/data/blocks"
        let store = try await S.open(disk)
        #expect(store.recovery.problems.contains { $0.contains("cannot be read and is left out") })
        try await store.append(S.batch(S.span(5, 5)))
        try? await store.seal()
        await store.close()
        disk.unreadableFolder = nil
        let again = try await S.open(disk.crash())
        #expect(again.recovery.problems.isEmpty)
        #expect(try await S.everything(in: again).count == 5)
    }

    @Test func `a block that cannot be read for now is not superseded by some of its log segments`() async throws {
        let disk = SimulatedDisk(seed: 3)
        let first = try await S.open(disk)
        try await first.append(S.batch(S.span(1, 1)))
        await first.close()
        let log = disk.paths.filter { $0.hasPrefix("/data/log/") }
        #expect(log.count == 1)
        let segment = disk[log[0]]
        // The block is of two segments, and only the first of them was not yet removed.
        let second = try await S.open(disk.copy())
        try await second.append(S.batch(S.span(2, 2)))
        let copy = try #require(second.configuration.disk as? SimulatedDisk)
        try await second.seal()
        await second.close()
        copy[log[0]] = segment
        copy.unreadableFolder = "/data/blocks"
        let third = try await S.open(copy)
        #expect(third.recovery.problems.contains { $0.contains("cannot be read and is left out") })
        try await third.append(S.batch(S.span(3, 3)))
        try? await third.seal()
        await third.close()
        copy.unreadableFolder = nil
        let fourth = try await S.open(copy.crash())
        #expect(fourth.recovery.problems.isEmpty)
        #expect(try await Set(S.everything(in: fourth).map(\.spanID.rawValue)) == [1, 2, 3])
        await fourth.close()
    }

    @Test func `spans that come back from the log do not supersede the blocks behind them`() async throws {
        let disk = SimulatedDisk(seed: 5)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        let segment = try #require(disk.paths.first { $0.hasPrefix("/data/log/") })
        let log = disk[segment]
        try await store.seal()
        let block = try #require(disk.paths.first { $0.hasPrefix("/data/blocks/") })
        try await store.append(S.batch(S.span(2, 2)))
        try await store.seal()
        await store.close()
        // The first block is bad, and its segment is still there.
        let copy = disk.copy()
        copy[segment] = log
        copy[block] = []
        let reopened = try await S.open(copy)
        try await reopened.append(S.batch(S.span(3, 3)))
        try await reopened.seal()
        await reopened.close()
        let again = try await S.open(copy.crash())
        #expect(try await Set(S.everything(in: again).map(\.spanID.rawValue)) == [1, 2, 3])
        await again.close()
    }

    @Test func `a trace is found though the table of another group cannot be read`() async throws {
        let disk = SimulatedDisk(seed: 4)
        let store = try await S.open(disk) { $0.cacheByteCount = 0 }
        let traceCount: UInt64 = 3
        for trace in 1...traceCount {
            // A trace that fills a group of its own.
            let spans = (1...9_000 as ClosedRange<UInt64>).map { S.span(trace, $0, start: 1_000 + $0) }
            try await store.append(SpanBatch(spans: spans))
        }
        try await store.seal()
        let block = try #require(store.contents.blocks.first)
        #expect(block.footer.groups.count >= 3)
        // All lines of the filter, so that no group is ruled out, and the table of the first group.
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/blocks/") })
        for line in 0..<block.footer.traceFilters.lineCount {
            let byteCount = FilterTable.rowByteCount(groups: block.footer.groups.count)
            disk.flip(path, byte: block.footer.traceFilters.offset + line * byteCount, bit: 0)
        }
        let table = try block.block.directory(ofGroup: 0).traceIDs
        let lost = try block.block.traces(inGroup: 0).ids
        disk.flip(path, byte: table.offset, bit: 3)
        for trace in 1...traceCount {
            let id = TraceID(high: 1, low: trace)
            if lost.contains(id) {
                await #expect(throws: StoreError.self) { try await store.trace(id) }
            } else {
                #expect(try await store.trace(id)?.count == 9_000)
            }
        }
        // It may be in the group that cannot be read.
        await #expect(throws: StoreError.self) { try await store.trace(TraceID(high: 9, low: 9)) }
        await store.close()
    }

    @Test func `stray files of unfinished work are removed`() async throws {
        let disk = try await Self.filledDisk()
        disk["/data/blocks/0000000000000009-0000000000000009.block.new"] = [1, 2, 3]
        disk["/data/catalog.new"] = [1]
        let store = try await S.open(disk)
        #expect(store.recovery.strayFileCount == 2)
        #expect(!disk.paths.contains { $0.hasSuffix(".new") })
        await store.close()
    }
}
