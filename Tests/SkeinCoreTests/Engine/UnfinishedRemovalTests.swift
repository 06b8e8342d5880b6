// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Removals that a failure or a stop ended on the way, and the files that know of them.
@Suite struct UnfinishedRemovalTests {
    typealias S = EngineSupport

    private static let removals = "/data/removals"
    private let even = Removal(
        .delete,
        predicate: .compare(.serviceName, .equal, .string("even")),
        queryText: "service = \"even\""
    )

    /// A store with a trace of three blocks, of which the first alone matches ``even``.
    private func filled(_ disk: SimulatedDisk, _ clock: SimulatedClock = .init()) async throws -> EmbeddedStore {
        let store = try await EmbeddedStore.open(S.configuration(disk, clock))
        for (id, service) in [(1, "even"), (2, "odd"), (3, "odd")] as [(UInt64, String)] {
            try await store.append(S.batch(S.span(1, id, service: service), S.span(10 + id, id)))
            try await store.seal()
        }
        return store
    }

    private func foundFiles(_ disk: SimulatedDisk) -> [String] { disk.paths.filter { $0.hasPrefix("/data/removals.") } }

    @Test func `a deletion that failed on the way is told, and finished by itself`() async throws {
        let (disk, clock) = (SimulatedDisk(seed: 1), SimulatedClock())
        let store = try await filled(disk, clock)
        disk.brokenFolder = "/data/blocks/0000000000000002"
        await #expect(throws: StoreError.self) { _ = try await store.remove(even) }
        #expect(try await S.trace(1, of: store).map(\.spanID.rawValue) == [2, 3])
        #expect(await store.status().problems.contains { $0.contains("goes on being deleted") })
        #expect(foundFiles(disk).count == 1)
        disk.brokenFolder = nil
        // Spans that come meanwhile are a trace again, whatever is merged.
        try await store.append(S.batch(S.span(1, 9)))
        try await store.seal()
        try await store.compact()
        clock.advance(by: .seconds(60))
        await store.thin()
        #expect(try await S.trace(1, of: store).map(\.spanID.rawValue) == [9])
        #expect(await store.status().problems.isEmpty)
        let record = try #require(try await store.removalRecords().last)
        #expect(record.failure.isEmpty && record.finishedUnixNanos != nil && record.outcome.traceCount == 1)
        #expect(foundFiles(disk).isEmpty)
        try await store.compact()
        #expect(await store.status().figures["blocks"] == 1)
    }

    @Test func `asking again finishes what failed on the way`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let store = try await filled(disk)
        disk.brokenFolder = "/data/blocks/0000000000000003"
        await #expect(throws: StoreError.self) { _ = try await store.remove(even) }
        disk.brokenFolder = nil
        _ = try await store.remove(even)
        #expect(try await S.trace(1, of: store).isEmpty)
        #expect(await store.status().problems.isEmpty)
        #expect(try await store.removalRecords().allSatisfy { $0.failure.isEmpty })
        #expect(foundFiles(disk).isEmpty)
    }

    @Test(arguments: 0..<70)
    func `a deletion that a stop ended goes on after the start, and leaves a trace whole or gone`(
        operations: Int
    ) async throws {
        let disk = SimulatedDisk(seed: UInt64(operations))
        let store = try await filled(disk)
        disk.stop(afterOperations: operations)
        let isDone = (try? await store.remove(even)) != nil
        let next = operations % 2 == 0 ? disk.crash() : disk.kill()
        let reopened = try await S.open(next)
        try await reopened.append(S.batch(S.span(1, 9)))
        try await reopened.seal()
        await reopened.thin()
        let left = try await S.trace(1, of: reopened).map(\.spanID.rawValue)
        #expect(left == [9] || left == [1, 2, 3, 9] && !isDone)
        #expect(foundFiles(next).isEmpty)
        #expect(try await S.everything(in: reopened).count == left.count + 3)
    }

    @Test func `a redaction that failed on the way is told, and asked for again masks what no longer matches`()
        async throws
    {
        let disk = SimulatedDisk(seed: 3)
        let store = try await S.open(disk)
        // The second block has a copy that does not count: it matches only as long as the first one does.
        for duration in [20, 10] as [UInt64] {
            var span = S.span(1, 1)
            span.durationNanos = duration
            span.attributes = [Attribute("card", .int(7))]
            try await store.append(S.batch(span))
            try await store.seal()
        }
        let redaction = Removal(
            .redact(keys: ["card"]),
            predicate: .compare(.attribute(.span, "card"), .equal, .int(7)),
            queryText: "card = 7"
        )
        disk.brokenFolder = "/data/blocks/0000000000000002"
        await #expect(throws: StoreError.self) { _ = try await store.remove(redaction) }
        #expect(await store.status().problems.contains { $0.contains("ask for it again") })
        disk.brokenFolder = nil
        _ = try await store.remove(redaction)
        #expect(await store.status().problems.isEmpty)
        for block in store.contents.blocks {
            let batch = try block.block.batch(rows: 0..<block.footer.spanCount, columns: .all)
            #expect(batch.spans.allSatisfy { $0.attributes.map(\.value) == [.string(Removal.mask)] })
        }
    }

    @Test func `found traces that do not check are put aside and told`() async throws {
        let disk = SimulatedDisk(seed: 4)
        let store = try await filled(disk)
        disk.brokenFolder = "/data/blocks/0000000000000002"
        await #expect(throws: StoreError.self) { _ = try await store.remove(even) }
        let next = disk.kill()
        let path = try #require(foundFiles(next).first)
        var bytes = try #require(next[path])
        bytes[bytes.count - 3] ^= 1
        next[path] = bytes
        let reopened = try await S.open(next)
        #expect(await reopened.status().problems.contains { $0.contains("ask for that removal again") })
        #expect(foundFiles(next).isEmpty && next.paths.contains { $0.hasPrefix("/data/quarantine/removals.") })
    }

    // MARK: The file of records

    /// A folder whose file of records has one, changed by `change`.
    private func folder(_ change: (inout [UInt8]) -> Void) async throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 5)
        let store = try await S.open(disk)
        _ = try await store.remove(even)
        await store.close()
        let copy = disk.copy(seed: 6)
        var bytes = try #require(copy[Self.removals])
        change(&bytes)
        copy[Self.removals] = bytes
        return copy
    }

    private func isQuarantined(_ disk: SimulatedDisk) -> Bool { disk.paths.contains("/data/quarantine/removals") }

    /// Whether records that are written from now on are read back.
    private func keepsRecords(_ disk: SimulatedDisk, _ store: EmbeddedStore) async throws -> Bool {
        let before = try await store.removalRecords().count
        _ = try await store.remove(even)
        await store.close()
        let next = try await S.open(disk.kill())
        let isQuiet = await next.status().problems.isEmpty
        return try await next.removalRecords().count == before + 1 && isQuiet
    }

    @Test func `a file of records of which nothing can be read is put aside and told`() async throws {
        let disk = try await folder { bytes in for index in bytes.indices { bytes[index] = 0xaa } }
        let store = try await S.open(disk)
        #expect(isQuarantined(disk))
        #expect(await store.status().problems.contains { $0.contains("records of removals may be missing") })
        #expect(try await keepsRecords(disk, store))
    }

    @Test func `a damaged only record is put aside and told`() async throws {
        let disk = try await folder { bytes in
            // The first of two records goes on as if it were the only one.
            let length = Int(bytes[RecordFile.headerByteCount + 12])
            bytes = Array(bytes.prefix(RecordFile.headerByteCount + RecordFile.recordHeaderByteCount + length))
            bytes[bytes.count - 2] ^= 1
        }
        let store = try await S.open(disk)
        #expect(isQuarantined(disk))
        #expect(await store.status().problems.contains { $0.contains("its only record does not check") })
        #expect(try await keepsRecords(disk, store))
    }

    @Test func `a torn end is cut off also when nothing stands before it`() async throws {
        let disk = try await folder { bytes in bytes = Array(bytes.prefix(RecordFile.headerByteCount + 7)) }
        let store = try await S.open(disk)
        #expect(await store.status().problems.isEmpty && !isQuarantined(disk))
        #expect(disk[Self.removals]?.count == RecordFile.headerByteCount)
        #expect(try await keepsRecords(disk, store))
    }

    @Test func `a record with a number that nobody gives is refused`() async throws {
        let disk = try await folder { bytes in
            let record = RecordFile.record(type: RemovalLog.askedType) { out in
                for number in [UInt64(Int.max), 1, 0, .max] { out.appendVarint(number) }
                for _ in 0..<4 { out.append(0) }
            }
            bytes = Array(bytes.prefix(RecordFile.headerByteCount)) + record.array()
        }
        let store = try await S.open(disk)
        #expect(await store.status().problems.contains { $0.contains("cannot be") })
        #expect(try await keepsRecords(disk, store))
    }
}
