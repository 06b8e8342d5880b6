// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

@Suite struct VerifyTests {
    typealias S = EngineSupport
    typealias M = MaintenanceSupport

    private func blockPath(_ disk: SimulatedDisk) throws -> String {
        try #require(disk.paths.first { $0.hasPrefix("/data/blocks/") })
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a folder as the store leaves it is good`(seed: UInt64) async throws {
        let disk = try await M.filledDisk(seed: seed, spansEach: 60)
        let report = try M.folder(disk).verify()
        #expect(report.findings.isEmpty)
        #expect(report.isGood)
        #expect(report.blockCount == 3 && report.segmentCount == 1)
        #expect(report.byteCount == disk.paths.reduce(0) { $0 + (disk[$1]?.count ?? 0) })
    }

    @Test func `records of agents' work are checked, and a torn end of theirs is no damage`() async throws {
        let disk = try await M.filledDisk(seed: 5)
        let log = try SegmentLog(
            on: disk,
            in: "/data/worktrace",
            suffix: ".journal",
            segmentBytesMax: 1 << 20,
            syncs: true
        )
        _ = try await log.append((0..<3).map { [UInt8](repeating: $0, count: 40) }, replacing: false).places()
        let path = "/data/worktrace/0000000000000001.journal"
        #expect(try M.folder(disk).verify().findings.isEmpty)
        let torn = disk.copy()
        try torn.open(path, .append).truncate(to: try torn.open(path, .read).size() - 1)
        let note = try #require(try M.folder(torn).verify().findings.first)
        #expect(!note.isDamage && note.file == "worktrace/0000000000000001.journal")
        M.flip(disk, path, at: 60)
        let report = try M.folder(disk).verify()
        #expect(!report.isGood && report.findings.map(\.file) == ["worktrace/0000000000000001.journal"])
    }

    @Test func `blocks read at the same time are told as if one after the other`() async throws {
        let disk = try await M.filledDisk(seed: 4)
        let paths = disk.paths.filter { $0.hasPrefix("/data/blocks/") }
        for path in paths { M.flip(disk, path, at: 40) }
        disk[paths[1]] = []
        let (one, many) = (try M.folder(disk).verify(), try M.folder(disk).verify(blocksAtOnce: 8))
        #expect(one.findings.count >= 3 && one.findings == many.findings)
        #expect((one.blockCount, one.spanCount, one.byteCount) == (many.blockCount, many.spanCount, many.byteCount))
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `blocks with small groups, long traces and copied groups are good`(seed: UInt64) throws {
        var nasty = NastySpans(seed: seed, traceCount: 9)
        var blocks = try (0..<3).map { _ in
            try BlockFixture.open(
                try BlockFixture.bytes(BlockFixture.batches(nasty.spans(200), seed: seed), groupRows: 7)
            )
        }
        let merged = Mutex<[UInt8]>([])
        var merge = BlockMerge(blocks)
        _ = try merge.write { bytes in merged.withLock { $0 += bytes } }
        blocks.append(try BlockFixture.open(merged.withLock { $0 }))
        for block in blocks {
            let check = BlockCheck(block) { _ in }
            #expect(check.failures.isEmpty, "\(check.failures)")
        }
    }

    @Test(arguments: ["catalog", "log/", "blocks/"])
    func `a flipped bit is found at every offset`(kind: String) async throws {
        let disk = try await M.filledDisk(seed: 3, spansEach: 2)
        let path = try #require(disk.paths.last { $0.hasPrefix("/data/" + kind) })
        for offset in try #require(disk[path]).indices {
            let copy = disk.copy()
            M.flip(copy, path, at: offset)
            let report: FolderReport
            do throws(StoreError) {
                report = try M.folder(copy).verify()
            } catch {
                #expect(error.code == .unusable && error.message.contains("version"), "byte \(offset): \(error)")
                continue
            }
            #expect(report.findings.first?.file == String(path.dropFirst(6)), "byte \(offset)")
            if kind == "blocks/" { #expect(!report.isGood, "byte \(offset)") }
        }
    }

    @Test(arguments: ["catalog", "log/", "blocks/"])
    func `bytes overwritten at random never trap`(kind: String) async throws {
        let disk = try await M.filledDisk(seed: 4, spansEach: 6)
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/" + kind) })
        var random = SeededRandom(seed: 5)
        for _ in 0..<60 {
            let copy = disk.copy()
            let size = try #require(copy[path]).count
            let start = Int.random(in: 0..<size, using: &random)
            for offset in start..<min(size, start + 64) {
                copy[path]?[offset] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? M.folder(copy).verify()
        }
    }

    @Test func `a damaged place is named with its file, its offset and what comes of it`() async throws {
        let disk = try await M.filledDisk(seed: 6)
        let path = try blockPath(disk)
        M.flip(disk, path, at: 40)
        let finding = try #require(try M.folder(disk).verify().findings.first)
        #expect(finding.isDamage)
        #expect("/data/" + finding.file == path)
        #expect(try #require(finding.offset) <= 40)
        #expect(finding.message == "The block is damaged: the checksum of a chunk does not match.")
        #expect(finding.consequence.hasPrefix("The next start does not notice."))
    }

    @Test func `one bad group does not hide another`() async throws {
        var nasty = NastySpans(seed: 7, traceCount: 40)
        var bytes = try BlockFixture.bytes([SpanBatch(spans: nasty.spans(300))], groupRows: 20)
        let groups = try BlockFixture.open(bytes).footer.groups
        try #require(groups.count > 6)
        for index in [1, 4] { bytes[groups[index].offset + 3] ^= 1 }
        let check = BlockCheck(try BlockFixture.open(bytes)) { _ in }
        #expect(check.failures.map(\.offset) == [1, 4].map { groups[$0].offset })
    }

    @Test func `an end that is cut off is what a stop leaves, and no damage`() async throws {
        let disk = SimulatedDisk(seed: 8)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        try await store.append(S.batch(S.span(2, 2)))
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/log/") })
        disk[path]?.removeLast(3)
        let report = try M.folder(disk).verify()
        #expect(report.isGood && report.findings.count == 1)
        #expect(report.findings.first?.consequence.hasPrefix("The next start cuts them off") == true)
        await store.close()
    }

    @Test func `damage in what another block holds too is no loss`() async throws {
        let disk = SimulatedDisk(seed: 9)
        let store = try await S.open(disk)
        for number in 1...8 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number)))
            try await store.seal()
        }
        let single = try blockPath(disk)
        let bytes = disk[single]
        try await store.compact()
        await store.close()
        disk["/data/catalog"] = nil
        disk[single] = bytes
        M.flip(disk, single, at: 30)
        let findings = try M.folder(disk).verify().findings
        #expect(findings.filter(\.isDamage).map(\.file) == ["catalog"])
        #expect(findings.last?.consequence.contains("in another block") == true)
    }

    @Test func `a block that the catalog names and nobody has is missed`() async throws {
        let disk = try await M.filledDisk(seed: 10)
        disk[try blockPath(disk)] = nil
        let findings = try M.folder(disk).verify().findings
        #expect(findings.map(\.message) == ["The catalog names a block that is missing."])
        #expect(findings.first?.isDamage == true)
    }

    @Test func `other files are read too, and unfinished ones left alone`() async throws {
        let disk = try await M.filledDisk(seed: 11)
        disk["/data/rollups/words"] = [1, 2, 3]
        disk["/data/blocks/0000000000000099-0000000000000099.block.new"] = [1]
        let before = try M.folder(try await M.filledDisk(seed: 11)).verify()
        let report = try M.folder(disk).verify()
        #expect(report.findings.isEmpty)
        #expect(report.fileCount == before.fileCount + 1 && report.byteCount == before.byteCount + 3)
    }

    @Test func `a rollup that does not check is found, wherever the damage is`() async throws {
        let disk = try await M.filledDisk(seed: 13)
        let path = try #require(disk.paths.first { $0.hasSuffix(".rollup") })
        let good = try #require(disk[path])
        for offset in good.indices {
            var bytes = good
            bytes[offset] ^= 0x10
            disk[path] = bytes
            let findings = try M.folder(disk).verify().findings
            #expect(
                findings.count == 1 && findings.first?.isDamage == true
                    && findings.first?.file == String(path.dropFirst(6))
            )
        }
    }

    @Test func `nothing is checked where there is no data folder`() throws {
        let disk = SimulatedDisk(seed: 12)
        try disk.createDirectory("/data")
        for path in ["/data", "/nowhere"] {
            #expect {
                try DataFolder(path, disk: disk).verify()
            } throws: {
                ($0 as? StoreError)?.code == .unusable
            }
        }
    }

    @Test func `progress ends at the total`() async throws {
        let disk = try await M.filledDisk(seed: 13)
        var last = DataFolder.Progress()
        _ = try M.folder(disk).verify { last = $0 }
        #expect(last.byteCount == last.totalByteCount && last.byteCount > 0)
    }
}
