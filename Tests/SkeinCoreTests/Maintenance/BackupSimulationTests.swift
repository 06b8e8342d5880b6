// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

/// Backups of a store that works on, one step of the store between any two of the backup, chosen by a seed. One at a time,
/// since each holds a thread that the store's own queues may need.
@Suite(.serialized) struct BackupSimulationTests {
    typealias S = EngineSupport

    /// Lets somebody else work before some of its operations, and waits for that.
    private struct TurnsDisk: Disk {
        let disk: SimulatedDisk
        let turns: AsyncStream<DispatchSemaphore>.Continuation
        let random: Random

        final class Random: Sendable {
            let state: Mutex<SeededRandom>
            init(seed: UInt64) { state = Mutex(SeededRandom(seed: seed)) }
        }

        private func turn() {
            while random.state.withLock({ Int.random(in: 0..<3, using: &$0) }) == 0 {
                let done = DispatchSemaphore(value: 0)
                turns.yield(done)
                done.wait()
            }
        }

        func createDirectory(_ path: String) throws(DiskError) { try disk.createDirectory(path) }

        func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
            turn()
            return try disk.open(path, mode)
        }

        func list(_ path: String) throws(DiskError) -> [String] {
            turn()
            return try disk.list(path)
        }

        func kind(of path: String) throws(DiskError) -> DiskEntryKind { try disk.kind(of: path) }
        func rename(_ path: String, to target: String) throws(DiskError) { try disk.rename(path, to: target) }
        func remove(_ path: String) throws(DiskError) { try disk.remove(path) }
        func removeDirectory(_ path: String) throws(DiskError) { try disk.removeDirectory(path) }

        func link(_ path: String, to target: String) throws(DiskError) {
            turn()
            try disk.link(path, to: target)
        }

        func syncDirectory(_ path: String) throws(DiskError) { try disk.syncDirectory(path) }
        func freeBytes(_ path: String) throws(DiskError) -> Int { try disk.freeBytes(path) }
        func lock(_ path: String) throws(DiskError) -> any DiskLock { try disk.lock(path) }
    }

    /// A store at work and what it acknowledged.
    private struct Work {
        let store: EmbeddedStore
        var random: SeededRandom
        var sent: [SkeinModel.Span] = []

        mutating func step() async throws {
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1: try await store.seal()
            case 2: try await store.compact()
            default:
                let span = S.span(UInt64.random(in: 1...9, using: &random), UInt64(sent.count + 1))
                try await store.append(S.batch(span))
                sent.append(span)
            }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `every span acknowledged before the backup is restored, once`(seed: UInt64) async throws {
        let disk = SimulatedDisk(seed: seed)
        var work = Work(
            store: try await S.open(disk) { $0.headSpanCount = 12 },
            random: SeededRandom(seed: seed)
        )
        for _ in 0..<Int.random(in: 0...60, using: &work.random) { try await work.step() }
        let before = Set(work.sent.map(\.spanID))
        let copies = seed % 3 == 0

        let (turns, continuation) = AsyncStream.makeStream(of: DispatchSemaphore.self)
        let slow = TurnsDisk(disk: disk, turns: continuation, random: .init(seed: seed))
        async let backup: BackupReport = withCheckedThrowingContinuation { done in
            DispatchQueue.global().async {
                done.resume(
                    with: Result {
                        try DataFolder(S.directory, disk: slow)
                            .backUp(to: "/backup", copies: copies, clock: SimulatedClock())
                    }
                )
                continuation.finish()
            }
        }
        for await turn in turns {
            try await work.step()
            turn.signal()
        }
        #expect(try await backup.problems.isEmpty)
        await work.store.close()
        #expect(try DataFolder(S.directory, disk: disk).verify().findings.isEmpty)
        #expect(try DataFolder("/backup", disk: disk).verify().isGood)

        let restored = try await DataFolder("/restored", disk: disk).restore(from: "/backup")
        #expect(restored.recovery.problems.isEmpty, "seed \(seed)")
        let store = try await S.open(disk) { $0.directory = "/restored" }
        let found = try await S.everything(in: store)
        await store.close()
        let ids = Set(found.map(\.spanID))
        #expect(ids.count == found.count, "seed \(seed) shows a span twice")
        #expect(before.subtracting(ids).isEmpty, "seed \(seed) lost spans")
        let sent = Set(work.sent)
        #expect(found.allSatisfy(sent.contains), "seed \(seed) shows what was never sent")
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `a folder at work is never called damaged`(seed: UInt64) async throws {
        let disk = SimulatedDisk(seed: seed)
        var work = Work(
            store: try await S.open(disk) { $0.headSpanCount = 12 },
            random: SeededRandom(seed: seed)
        )
        for _ in 0..<30 { try await work.step() }
        let (turns, continuation) = AsyncStream.makeStream(of: DispatchSemaphore.self)
        let slow = TurnsDisk(disk: disk, turns: continuation, random: .init(seed: seed))
        async let report: FolderReport = withCheckedThrowingContinuation { done in
            DispatchQueue.global().async {
                done.resume(with: Result { try DataFolder(S.directory, disk: slow).verify() })
                continuation.finish()
            }
        }
        for await turn in turns {
            try await work.step()
            turn.signal()
        }
        #expect(try await report.isGood, "seed \(seed)")
        await work.store.close()
    }
}
