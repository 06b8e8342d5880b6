// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

/// How much the data folder takes, and that it is no more than it may.
@Suite struct QuotaTests {
    typealias S = EngineSupport

    private static let quota = 1 << 20
    /// What one request, and what is on its way in a file that has no whole page, may add.
    private static let margin = 64 << 10

    /// A batch of spans whose text does not compress.
    private func batch(_ first: UInt64, count: Int, _ random: inout SeededRandom) -> SpanBatch {
        let spans = (0..<count).map { index -> SkeinModel.Span in
            var span = S.span(first / 4 + UInt64(index) / 8, first * 1_000 + UInt64(index) + 1)
            let noise = (0..<8).map { _ in "\(random.next())" }.joined()
            span.attributes = [Attribute("noise", .string(noise))]
            return span
        }
        return SpanBatch(spans: spans, receivedUnixNanos: first)
    }

    private func folderByteCount(_ disk: SimulatedDisk) -> Int {
        disk.fileByteCounts.reduce(0) { $0 + MeteredDisk.taken($1) }
    }

    @Test(arguments: [1, 40]) func `a folder never takes more than its quota under load`(spans: Int) async throws {
        let disk = SimulatedDisk(seed: 1)
        let clock = SimulatedClock(unixNanos: 1)
        var configuration = S.configuration(disk, clock)
        configuration.retentionByteCount = Self.quota
        let store = try await EmbeddedStore.open(configuration)
        let most = Atomic<Int>(0)
        disk.onSync = {
            let now = folderByteCount(disk)
            if now > most.load(ordering: .relaxed) { most.store(now, ordering: .relaxed) }
        }
        let merging = Task {
            while !Task.isCancelled {
                try? await store.compact()
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
        let senders = 4 as UInt64
        try await withThrowingTaskGroup { group in
            for sender in 0..<senders {
                group.addTask {
                    var random = SeededRandom(seed: sender)
                    for number in 0..<UInt64(3_000 / spans) {
                        try await store.append(batch(number * senders + sender + 1, count: spans, &random))
                    }
                }
            }
            try await group.waitForAll()
        }
        merging.cancel()
        await merging.value
        disk.onSync = nil
        #expect(most.load(ordering: .relaxed) <= Self.quota + Self.margin)
        // And it is used, not only kept free.
        #expect(most.load(ordering: .relaxed) > Self.quota / 2)
        let status = await store.status()
        #expect(status.problems.isEmpty)
        #expect(status.figures["folder_bytes"] == folderByteCount(disk))
        #expect((status.figures["blocks_removed"] ?? 0) > 0 && (status.figures["merges"] ?? 0) > 0)
        await store.close()
    }

    @Test func `what lies in quarantine does not push good blocks out`() async throws {
        let disk = SimulatedDisk(seed: 4)
        var random = SeededRandom(seed: 4)
        var configuration = S.configuration(disk)
        configuration.retentionByteCount = Self.quota
        let store = try await EmbeddedStore.open(configuration)
        for number in 1...20 as ClosedRange<UInt64> {
            try await store.append(batch(number, count: 40, &random))
            try await store.seal()
        }
        let blockCount = store.contents.blocks.count
        disk["/data/quarantine/x.block"] = [UInt8](repeating: 1, count: Self.quota)
        await store.removeExpired()
        #expect(store.contents.blocks.count == blockCount)
        let problems = await store.status().problems
        let excess = Self.quota - Self.quota / 8
        #expect(problems.count == 1 && problems[0].contains("quarantine/ take \(excess) bytes more"))
        disk["/data/quarantine/x.block"] = nil
        await store.removeExpired()
        #expect(await store.status().problems.isEmpty)
    }

    @Test func `a folder that is over a new quota is brought below it, the oldest spans first`() async throws {
        let disk = SimulatedDisk(seed: 2)
        var random = SeededRandom(seed: 1)
        let store = try await S.open(disk)
        for number in 1...40 as ClosedRange<UInt64> {
            try await store.append(batch(number * 100, count: 350, &random))
            try await store.seal()
        }
        await store.close()
        #expect(folderByteCount(disk) > 1 << 20)
        let smaller = try await S.open(disk) { $0.retentionByteCount = 1 << 20 }
        await smaller.removeExpired()
        #expect(folderByteCount(disk) < 1 << 20)
        let left = try await smaller.search(SpanQuery(limit: 1_000)).traces
        #expect(!left.isEmpty && left.allSatisfy { $0.traceID.low >= 500 / 4 })
        #expect(left.first { $0.traceID.low == 4_000 / 4 } != nil)
        #expect(await smaller.status().problems.isEmpty)
        await smaller.close()
    }

    @Test func `a quota for which other files leave no room says what to do`() async throws {
        let disk = SimulatedDisk(seed: 3)
        try await S.open(disk).close()
        disk["/data/large"] = [UInt8](repeating: 1, count: 1 << 20)
        let store = try await S.open(disk) { $0.retentionByteCount = 1 << 20 }
        await store.removeExpired()
        let problem = try #require(await store.status().problems.first)
        #expect(problem.contains("retention-bytes is 1048576") && problem.contains("raise retention-bytes to at least"))
        try await store.append(S.batch(S.span(1, 1)))
        await store.close()
        disk["/data/large"] = nil
        let reopened = try await S.open(disk) { $0.retentionByteCount = 1 << 20 }
        await reopened.removeExpired()
        #expect(await reopened.status().problems.isEmpty)
        #expect(try await S.everything(in: reopened).count == 1)
        await reopened.close()
    }

    @Test func `what a folder takes is known without looking`() throws {
        let disk = SimulatedDisk(seed: 4)
        try disk.createDirectory("/data/log")
        disk["/data/log/old"] = [UInt8](repeating: 1, count: 5_000)
        let metered = MeteredDisk(disk, folders: ["/data", "/data/log"])
        #expect(metered.byteCount == 8_192)
        let file = try metered.open("/data/new", .create)
        func append(_ count: Int) throws {
            let bytes = [UInt8](repeating: 2, count: count)
            try bytes.withUnsafeBufferPointer { bytes throws(DiskError) in
                try file.append(UnsafeRawBufferPointer(bytes))
            }
        }
        try append(4_096)
        #expect(metered.byteCount == 12_288)
        try append(1)
        #expect(metered.byteCount == 16_384 && metered.byteCount(in: "/data/log") == 8_192)
        try file.truncate(to: 10)
        try metered.rename("/data/new", to: "/data/log/old")
        #expect(metered.byteCount == 4_096 && metered.byteCount(in: "/data") == 0)
        disk.capacity = disk.usedByteCount + 5_000
        #expect(throws: DiskError.self) { try append(100_000) }
        #expect(metered.byteCount == MeteredDisk.taken(disk["/data/log/old"]?.count ?? 0))
        try metered.remove("/data/log/old")
        #expect(metered.byteCount == 0)
        try? append(1)
        #expect(metered.byteCount == 0)
    }
}
