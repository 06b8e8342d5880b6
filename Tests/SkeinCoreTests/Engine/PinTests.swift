// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Pinned traces: what they survive, and what they do not.
@Suite struct PinTests {
    typealias S = EngineSupport

    private let day: UInt64 = 86_400_000_000_000

    private func id(_ number: UInt64) -> TraceID { TraceID(high: 1, low: number) }

    private func numbers(in store: EmbeddedStore) async throws -> [UInt64] {
        try await store.search(SpanQuery(limit: 100)).traces.map(\.traceID.low).sorted()
    }

    @Test func `a pinned trace survives late sampling as it is, and is decided once it is unpinned`() async throws {
        var bench = try await LateBench(.probabilistic(0.000_001))
        try await bench.block([S.span(1, 1), S.span(2, 2)])
        try await bench.block([S.span(1, 3), S.span(3, 4)])
        _ = try bench.store.pins.pin(id(1), atUnixNanos: 5)
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await numbers(in: bench.store) == [1])
        #expect(try await S.trace(1, of: bench.store).map(\.weight) == [1, 1])
        try await bench.reopen(on: bench.disk.crash())
        await bench.store.thin()
        #expect(bench.store.pins.all() == [PinnedTrace(traceID: id(1), pinnedUnixNanos: 5)])
        #expect(try await numbers(in: bench.store) == [1])
        #expect(try bench.store.pins.unpin(id(1)))
        await bench.store.thin()
        #expect(try await numbers(in: bench.store).isEmpty)
        #expect(try !bench.store.pins.unpin(id(1)))
    }

    @Test func `a pinned trace outlives its age, and nothing beside it does`() async throws {
        let (disk, clock) = (SimulatedDisk(seed: 1), SimulatedClock(unixNanos: 1_000 * day))
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(86_400)
        let store = try await EmbeddedStore.open(configuration)
        for spans in [[S.span(1, 1), S.span(2, 2)], [S.span(1, 3), S.span(3, 4)], [S.span(4, 5)]] {
            try await store.append(SpanBatch(spans: spans, receivedUnixNanos: clock.unixNanos))
            try await store.seal()
        }
        let record = LogRecord(traceID: id(1), spanID: SpanID(1), timeUnixNanos: 5, body: .string("text"))
        try await store.logRecords?.append(LogBatch(records: [record]))
        _ = try store.pins.pin(id(1), atUnixNanos: 0)
        clock.advance(by: .seconds(2 * 86_400))
        func tend() async {
            await store.removeExpired()
            await store.thin()
            try? await store.compact()
        }
        await tend()
        #expect(try await numbers(in: store) == [1])
        #expect(try await S.trace(1, of: store).count == 2)
        #expect(try await store.logRecords?.logRecords(ofTrace: id(1), span: nil, limit: 5).batch.count == 1)
        #expect(await store.status().spanCount == 2)
        #expect(try store.pins.unpin(id(1)))
        await tend()
        #expect(await store.status().figures["blocks"] == 0)
    }

    @Test func `a pinned trace survives rules of retention`() async throws {
        let (disk, clock) = (SimulatedDisk(seed: 1), SimulatedClock(unixNanos: 1_000 * day))
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(30 * 86_400)
        configuration.retentionRules = [
            RetentionRule(predicate: .compare(.serviceName, .equal, .string("health")), ageNanos: day)
        ]
        let store = try await EmbeddedStore.open(configuration)
        let spans = [S.span(1, 1, service: "health"), S.span(2, 2, service: "health"), S.span(3, 3)]
        try await store.append(SpanBatch(spans: spans, receivedUnixNanos: clock.unixNanos))
        try await store.seal()
        _ = try store.pins.pin(id(1), atUnixNanos: 0)
        clock.advance(by: .seconds(2 * 86_400))
        await store.thin()
        #expect(try await numbers(in: store) == [1, 3])
        _ = try store.pins.unpin(id(1))
        await store.thin()
        #expect(try await numbers(in: store) == [3])
    }

    @Test func `a deletion takes a pinned trace, and its pin`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        try await store.append(S.batch(S.span(1, 1), S.span(2, 2)))
        _ = try store.pins.pin(id(1), atUnixNanos: 0)
        _ = try store.pins.pin(id(2), atUnixNanos: 0)
        _ = try await store.remove(Removal(.delete, predicate: .compare(.name, .equal, .string("work 1"))))
        #expect(try await numbers(in: store) == [2])
        #expect(store.pins.all().map(\.traceID) == [id(2)])
    }

    @Test(arguments: 0..<16) func `a pin that was acknowledged survives a power cut`(operations: Int) async throws {
        let disk = SimulatedDisk(seed: UInt64(operations))
        let store = try await S.open(disk)
        _ = try store.pins.pin(id(1), atUnixNanos: 1)
        disk.stop(afterOperations: operations)
        let isPinned = (try? store.pins.pin(id(2), atUnixNanos: 2)) != nil
        let reopened = try await S.open(disk.crash())
        #expect(reopened.pins.isPinned(id(1)))
        #expect(reopened.pins.isPinned(id(2)) || !isPinned)
        #expect(await reopened.status().problems.isEmpty)
    }

    @Test func `while the file of pins is damaged nothing goes that may be pinned, at no start`() async throws {
        var bench = try await LateBench(.probabilistic(0.000_001)) { configuration in
            configuration.retentionAge = .seconds(2 * 86_400)
            configuration.retentionRules = [
                RetentionRule(predicate: .compare(.serviceName, .equal, .string("health")), ageNanos: 3_600_000_000_000)
            ]
        }
        try await bench.block([S.span(1, 1, service: "health"), S.span(2, 2)])
        _ = try bench.store.pins.pin(id(1), atUnixNanos: 1)
        let damaged = bench.disk.kill()
        damaged.flip("/data/pins", byte: 50, bit: 1)
        #expect(try DataFolder("/data", disk: damaged).verify().findings.contains { $0.isDamage && $0.file == "pins" })
        bench.wait(hours: 100)
        for _ in 0..<2 {
            try await bench.reopen(on: bench.disk === damaged ? damaged.kill() : damaged)
            await bench.store.removeExpired()
            await bench.store.thin()
            #expect(try await numbers(in: bench.store) == [1, 2])
            #expect(bench.store.recovery.problems.contains { $0.contains("pins is damaged") })
            #expect(await bench.store.status().problems == bench.store.recovery.problems)
            #expect(throws: StoreError.self) { _ = try bench.store.pins.pin(id(2), atUnixNanos: 1) }
        }
        let settled = bench.disk.kill()
        settled["/data/pins"] = nil
        try await bench.reopen(on: settled)
        await bench.store.removeExpired()
        #expect(try await numbers(in: bench.store).isEmpty)
    }

    @Test func `what several are dropping can be pinned when the last is done`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        _ = try store.pins.pin(id(3), atUnixNanos: 1)
        let (first, pinned) = store.pinFile.letGo([id(1), id(2), id(3)])
        #expect(pinned == [id(3)])
        let second = store.pinFile.letGo { $0.low < 2 }
        #expect(throws: StoreError.self) { _ = try store.pins.pin(id(2), atUnixNanos: 1) }
        store.pinFile.noteGone(first)
        _ = try store.pins.pin(id(2), atUnixNanos: 1)
        #expect(throws: StoreError.self) { _ = try store.pins.pin(id(1), atUnixNanos: 1) }
        store.pinFile.noteGone(second)
        _ = try store.pins.pin(id(1), atUnixNanos: 1)
    }

    @Test func `there is a limit, and it is named`() throws {
        var table = PinnedTraceTable()
        for number in 0..<UInt64(PinnedTrace.countMax) { _ = try table.pin(id(number + 1), atUnixNanos: 0) }
        #expect(throws: StoreError.self) { _ = try table.pin(id(0), atUnixNanos: 0) }
        _ = try table.pin(id(1), atUnixNanos: 0)
    }

    @Test func `a trace that is being dropped cannot be pinned any more`() async throws {
        let bench = try await LateBench(.probabilistic(0.000_001))
        try await bench.block([S.span(1, 1)])
        bench.wait(hours: 25)
        // Decided, and not yet taken out of the block.
        #expect(try await bench.store.sampleLateOnce())
        #expect(throws: StoreError.self) { _ = try bench.store.pins.pin(id(1), atUnixNanos: 1) }
        await bench.store.thin()
        #expect(try await numbers(in: bench.store).isEmpty)
        _ = try bench.store.pins.pin(id(1), atUnixNanos: 1)
    }

    @Test func `a backup in the middle of late sampling has the pins, and goes on where it was restored`() async throws
    {
        let bench = try await LateBench(.probabilistic(0.000_001))
        for number in 1...3 as ClosedRange<UInt64> {
            try await bench.block([S.span(1, number), S.span(2, 10 + number)])
        }
        _ = try bench.store.pins.pin(id(2), atUnixNanos: 1)
        bench.wait(hours: 25)
        // The first block cannot be written anew for now, the others can.
        #expect(try await bench.store.sampleLateOnce())
        bench.disk.brokenFolder = "/data/blocks/0000000000000001"
        await bench.store.thin()
        bench.disk.brokenFolder = nil
        #expect(try await S.trace(1, of: bench.store).map(\.spanID.rawValue) == [1])
        _ = try DataFolder("/data", disk: bench.disk).backUp(to: "/backup", copies: true, clock: bench.clock)
        #expect(try DataFolder("/backup", disk: bench.disk).verify().findings.isEmpty)
        _ = try await DataFolder("/restored", disk: bench.disk).restore(from: "/backup")
        // What was decided is done although the policies are gone.
        var configuration = S.configuration(bench.disk, bench.clock)
        configuration.directory = "/restored"
        let restored = try await EmbeddedStore.open(configuration)
        await restored.thin()
        #expect(try await numbers(in: restored) == [2])
        #expect(restored.pins.all().map(\.traceID) == [id(2)])
        await restored.close()
    }

    @Test func `a backup has the last of what was replaced while it was taken`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        try await store.seal()
        _ = try store.pins.pin(id(1), atUnixNanos: 1)
        disk["/data/late-sampling"] = [1]
        _ = try DataFolder("/data", disk: disk).backUp(to: "/backup", copies: true, clock: SimulatedClock()) { _ in
            if disk.paths.contains("/backup.new/pins") { disk["/data/late-sampling"] = [2, 3] }
        }
        #expect(disk["/backup/late-sampling"] == [2, 3])
        _ = try DataFolder("/data", disk: disk).backUp(to: "/other", copies: true, clock: SimulatedClock()) { _ in
            if disk.paths.contains("/other.new/pins") { disk["/data/late-sampling"] = nil }
        }
        #expect(!disk.paths.contains("/other/late-sampling"))
        #expect(disk.paths.contains("/other/pins"))
    }
}
