// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct BackupTests {
    typealias S = EngineSupport
    typealias M = MaintenanceSupport

    private func backUp(_ disk: SimulatedDisk, copies: Bool = false) throws -> BackupReport {
        try M.folder(disk).backUp(to: "/backup", copies: copies, clock: SimulatedClock())
    }

    private func restore(_ disk: SimulatedDisk, to path: String = "/restored") async throws -> RestoreReport {
        try await DataFolder(path, disk: disk).restore(from: "/backup")
    }

    private func spans(_ disk: SimulatedDisk, in path: String) async throws -> [SkeinModel.Span] {
        let store = try await S.open(disk) { $0.directory = path }
        let spans = try await S.everything(in: store)
        await store.close()
        return spans
    }

    @Test(arguments: [false, true]) func `what is restored is what was backed up`(copies: Bool) async throws {
        let disk = try await M.filledDisk(seed: 1)
        let wanted = try await spans(disk.copy(), in: "/data")
        let report = try backUp(disk, copies: copies)
        #expect(report.problems.isEmpty)
        #expect(report.linkedFileCount == (copies ? 0 : 7))
        #expect(report.copiedFileCount == (copies ? 8 : 1))
        #expect(try DataFolder("/backup", disk: disk).verify().findings.isEmpty)
        let restored = try await restore(disk)
        #expect(restored.recovery.problems.isEmpty && restored.recovery.blockCount == 3)
        #expect(restored.source == "/data")
        #expect(try await spans(disk, in: "/restored") == wanted)
        #expect(try await spans(disk, in: "/data") == wanted)
    }

    @Test func `what happens to the data folder later does not reach the backup`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let store = try await S.open(disk)
        for number in 1...8 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number)))
            if number < 8 { try await store.seal() }
        }
        _ = try backUp(disk)
        try await store.append(S.batch(S.span(9, 9)))
        try await store.seal()
        try await store.compact()
        await store.close()
        _ = try await restore(disk)
        #expect(try await spans(disk, in: "/restored").map(\.spanID.rawValue).sorted() == Array(1...8))
    }

    @Test func `a backup for which there is no room says what is missing and leaves nothing`() async throws {
        let disk = try await M.filledDisk(seed: 3)
        let all = disk.usedByteCount
        disk.capacity = all + all / 2
        let before = disk.paths
        do throws(StoreError) {
            _ = try M.folder(disk).backUp(to: "/backup", copies: true, clock: SimulatedClock())
            Issue.record("the backup found room")
        } catch {
            #expect(error.code == .full)
            #expect(
                error.message.hasPrefix("the backup needs \(all) bytes and the disk of /backup.new has \(all / 2) free")
            )
            #expect(error.message.contains("make room for \(all - all / 2) more") && error.message.contains("--copy"))
        }
        #expect(disk.paths == before && !disk.hasFolder("/backup.new"))
        // Second names take no room.
        #expect(try backUp(disk).copiedByteCount < all / 2)
        do throws(StoreError) {
            _ = try await DataFolder("/restored/here", disk: disk).restore(from: "/backup")
            Issue.record("the restore found room")
        } catch {
            #expect(error.code == .full && error.message.contains("make room for"))
        }
        #expect(!disk.hasFolder("/restored"))
        disk.capacity = 4 * all
        _ = try await restore(disk)
    }

    @Test func `where files cannot have two names they are copied`() async throws {
        let disk = try await M.filledDisk(seed: 3)
        disk.canLink = false
        let report = try backUp(disk)
        #expect(report.linkedFileCount == 0 && report.copiedFileCount == 8)
        _ = try await restore(disk)
    }

    @Test func `files beside the blocks come along, and those of unfinished work do not`() async throws {
        let disk = try await M.filledDisk(seed: 4)
        disk["/data/rollups/words"] = [4]
        disk["/data/rollups/0000000000000009-0000000000000009.rollup.new"] = [5]
        let report = try backUp(disk)
        #expect(report.linkedFileCount == 7 && report.copiedFileCount == 2)
        _ = try await restore(disk)
        #expect(disk.paths.filter { $0.hasPrefix("/restored/rollups/") }.count == 4)
        #expect(disk["/restored/rollups/words"] == [4])
    }

    @Test func `a destination that is there, or lies in the folder, is refused`() async throws {
        let disk = try await M.filledDisk(seed: 5)
        let paths = disk.paths
        try disk.createDirectory("/there")
        for path in ["/there", "/there/", "/data", "/data/backup"] {
            #expect {
                try M.folder(disk).backUp(to: path)
            } throws: {
                ($0 as? StoreError)?.code == .unusable
            }
        }
        #expect(disk.paths == paths)
    }

    @Test func `a folder that is not empty is not restored into, and a backup not opened`() async throws {
        let disk = try await M.filledDisk(seed: 6)
        _ = try backUp(disk)
        let paths = disk.paths
        await #expect(throws: StoreError.self) { try await restore(disk, to: "/data") }
        await #expect(throws: StoreError.self) { try await S.open(disk) { $0.directory = "/backup" } }
        #expect(throws: StoreError.self) { try DataFolder("/backup", disk: disk).backUp(to: "/second") }
        #expect(disk.paths == paths)
    }

    @Test func `a corrupt byte anywhere in a backup is found and nothing restored`() async throws {
        let disk = try await M.filledDisk(seed: 7, spansEach: 1)
        _ = try backUp(disk, copies: true)
        var random = SeededRandom(seed: 8)
        for path in disk.paths where path.hasPrefix("/backup/") {
            for offset in try #require(disk[path]).indices {
                // Every byte of the beginnings, some of the rest.
                guard offset < 200 || Int.random(in: 0..<12, using: &random) == 0 else { continue }
                let copy = disk.copy()
                M.flip(copy, path, at: offset)
                do throws(StoreError) {
                    _ = try await DataFolder("/restored", disk: copy).restore(from: "/backup")
                    Issue.record("byte \(offset) of \(path) went unnoticed")
                } catch {
                    #expect(error.code == .corrupt || error.code == .unusable, "\(path) \(offset): \(error)")
                }
                #expect(!copy.hasFolder("/restored"))
            }
        }
    }

    @Test func `a shorter, longer or missing file is found`() async throws {
        let disk = try await M.filledDisk(seed: 9)
        _ = try backUp(disk, copies: true)
        for path in disk.paths where path.hasPrefix("/backup/") {
            for change in [{ $0.dropLast() }, { $0 + [0] }, { _ in nil }] as [([UInt8]) -> [UInt8]?] {
                let copy = disk.copy()
                copy[path] = try change(#require(copy[path]))
                await #expect(throws: StoreError.self, "\(path)") { try await restore(copy) }
                #expect(!copy.hasFolder("/restored"))
            }
        }
    }

    @Test func `a manifest of a later version, or of later files, is refused`() throws {
        var manifest = BackupManifest(folder: "/data")
        manifest.formats["block"] = 2
        #expect(
            throws: BackupManifest.Failure.newer(
                "its block files have format version 2, this Skein knows versions up to 1"
            )
        ) {
            try BackupManifest(parsing: manifest.bytes)
        }
        manifest.formats = ["shadow": 1]
        #expect(throws: BackupManifest.Failure.self) { try BackupManifest(parsing: manifest.bytes) }
        let later = String(decoding: BackupManifest(folder: "/").bytes, as: UTF8.self)
            .replacing("skein-backup 1", with: "skein-backup 2")
        #expect(throws: BackupManifest.Failure.newer("the manifest has version 2, this Skein knows versions up to 1")) {
            try BackupManifest(parsing: Array(later.utf8))
        }
    }

    @Test func `lengths that no file has are refused`() throws {
        var manifest = BackupManifest(folder: "/data")
        manifest.files["blocks/a"] = FileSum(byteCount: .max, checksum: 0)
        #expect(throws: BackupManifest.Failure.self) { try BackupManifest(parsing: manifest.bytes) }
    }

    @Test func `a manifest keeps strange paths and refuses those that lead out`() throws {
        var manifest = BackupManifest(folder: "/a b\n%41")
        manifest.files = ["x y%\n": FileSum(byteCount: 1, checksum: 2), "blocks/ü": FileSum()]
        #expect(try BackupManifest(parsing: manifest.bytes) == manifest)
        for path in ["../x", "/x", "a/../x", "a/b/c", ""] {
            manifest.files = [path: FileSum()]
            #expect(throws: BackupManifest.Failure.self) { try BackupManifest(parsing: manifest.bytes) }
        }
    }

    @Test(arguments: 0..<60) func `a stop leaves the whole backup or none`(operations: Int) async throws {
        let disk = try await M.filledDisk(seed: UInt64(operations), spansEach: 3)
        let wanted = try await spans(disk.copy(), in: "/data")
        disk.stop(afterOperations: operations)
        let isDone = (try? backUp(disk)) != nil
        let after = disk.crash()
        if isDone { #expect(after.hasFolder("/backup")) }
        guard after.hasFolder("/backup") else { return }
        _ = try await restore(after)
        #expect(try await spans(after, in: "/restored") == wanted)
    }

    @Test(arguments: 0..<40) func `a stop leaves the whole restored folder or none that opens`(
        operations: Int
    ) async throws {
        let disk = try await M.filledDisk(seed: UInt64(operations), spansEach: 3)
        let wanted = try await spans(disk.copy(), in: "/data")
        _ = try backUp(disk)
        disk.stop(afterOperations: operations)
        _ = try? await restore(disk)
        let after = disk.crash()
        guard after.paths.contains(where: { $0.hasPrefix("/restored/") }) else { return }
        guard let found = try? await spans(after, in: "/restored") else { return }
        #expect(found == wanted)
    }

    @Test func `a block put back from a backup counts again`() async throws {
        let disk = try await M.filledDisk(seed: 11)
        let wanted = try await spans(disk.copy(), in: "/data")
        _ = try backUp(disk, copies: true)
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/blocks/") })
        let whole = try #require(disk[path])
        disk[path]?.removeLast()
        #expect(try await spans(disk, in: "/data") != wanted)
        #expect(disk[path] == nil)
        disk[path] = try #require(disk[path.replacing("/data/", with: "/backup/")])
        #expect(disk[path] == whole)
        #expect(try await spans(disk, in: "/data") == wanted)
    }

    @Test func `a full disk leaves nothing behind`() async throws {
        let disk = try await M.filledDisk(seed: 10)
        let paths = disk.paths
        disk.capacity = disk.usedByteCount + 2_000
        #expect {
            try backUp(disk, copies: true)
        } throws: {
            ($0 as? StoreError)?.code == .full
        }
        #expect(disk.paths == paths && !disk.hasFolder("/backup.new"))
    }
}
