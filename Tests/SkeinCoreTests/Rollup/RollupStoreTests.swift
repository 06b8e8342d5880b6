// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Rollups on their way through log, blocks, merges and retention, on a simulated disk.
@Suite struct RollupStoreTests {
    typealias S = EngineSupport
    static let minute: UInt64 = 60_000_000_000
    static let day: UInt64 = 86_400_000_000_000

    /// Late enough that every window has passed and all neighbours are merged.
    private static func open(_ disk: SimulatedDisk, unixNanos: UInt64 = 10 * day) async throws -> EmbeddedStore {
        try await EmbeddedStore.open(S.configuration(disk, SimulatedClock(unixNanos: unixNanos)))
    }

    /// Sums by the minute, without the traces that they show.
    static func sums(_ store: any SpanStore) async throws -> [RollupSlice] {
        try await store.rollup(.all, step: minute).map { slice in
            var slice = slice
            for index in slice.operations.indices { slice.operations[index].durations.exemplar = nil }
            for index in slice.edges.indices {
                slice.edges[index].serverDurations.exemplar = nil
                slice.edges[index].clientDurations.exemplar = nil
            }
            return slice
        }
    }

    /// A client of one service and the server that it calls, in another.
    private static func call(_ trace: UInt64, _ id: UInt64, minute: UInt64 = 1) -> [SkeinModel.Span] {
        var client = S.span(trace, id, start: minute * Self.minute, service: "web")
        client.kind = .client
        client.attributes = [Attribute("server.address", "cart.example")]
        var server = S.span(trace, id + 1, start: minute * Self.minute + 5, service: "cart")
        server.parentSpanID = SpanID(id)
        return [client, server]
    }

    private static func edges(_ store: EmbeddedStore) async throws -> [String] {
        try await store.rollup(.all, step: nil).flatMap(\.edges).map {
            "\($0.client ?? "?")>\($0.server ?? "?") \($0.callCount)"
        }
    }

    private func rollupFiles(_ disk: SimulatedDisk) -> [String] { disk.paths.filter { $0.hasPrefix("/data/rollups/") } }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `once all is merged, sums are those of the whole traces`(seed: UInt64) async throws {
        let store = try await Self.open(SimulatedDisk(seed: seed))
        let model = MemoryStore()
        var nasty = NastySpans(seed: seed, traceCount: 2 + seed * 2)
        var sent: [SkeinModel.Span] = []
        for _ in 0..<(3 + nasty.below(12)) {
            var spans = nasty.spans(1 + Int(nasty.below(30)))
            for _ in 0..<nasty.below(6) {
                guard var again = nasty.pick(sent) else { break }
                if nasty.below(2) == 0 { again.durationNanos = min(nasty.moment(), .max - again.startUnixNanos) }
                spans.append(again)
            }
            sent += spans
            let batch = SpanBatch(spans: spans, receivedUnixNanos: 1)
            try await store.append(batch)
            try await model.append(batch)
            if nasty.below(2) == 0 { try await store.seal() }
            if nasty.below(5) == 0 { try await store.compact() }
            if nasty.below(2) == 0 { _ = try await store.rollup(.all, step: nil) }
        }
        try await store.seal()
        try await store.compact()
        #expect(await store.status().figures["blocks"] == 1)
        #expect(try await Self.sums(store) == Self.sums(model))
    }

    @Test func `a call is known once both its ends are in one place`() async throws {
        let store = try await Self.open(SimulatedDisk(seed: 1))
        let call = Self.call(1, 10)
        try await store.append(S.batch(call[0]))
        #expect(try await Self.edges(store) == ["web>cart.example 1.0"])
        try await store.append(S.batch(call[1]))
        // Both are in the head.
        #expect(try await Self.edges(store) == ["web>cart 1.0"])
        let late = Self.call(2, 20)
        try await store.append(S.batch(late[0]))
        try await store.seal()
        try await store.append(S.batch(late[1]))
        try await store.seal()
        #expect(try await Self.edges(store) == ["web>cart 1.0", "web>cart.example 1.0"])
        try await store.compact()
        #expect(try await Self.edges(store) == ["web>cart 2.0"])
    }

    @Test(arguments: 0..<70)
    func `a stop at any step of sealing and merging counts nothing twice`(operations: Int) async throws {
        let disk = SimulatedDisk(seed: UInt64(operations))
        let store = try await Self.open(disk)
        let model = MemoryStore()
        for number in 1...3 as ClosedRange<UInt64> {
            let call = Self.call(number, number * 10)
            for span in call {
                try await store.append(S.batch(span))
                try await model.append(S.batch(span))
                if number < 3 { try await store.seal() }
            }
        }
        disk.stop(afterOperations: operations)
        try? await store.seal()
        try? await store.compact()
        let reopened = try await Self.open(disk.crash())
        let slices = try await reopened.rollup(.all, step: nil)
        #expect(slices.flatMap(\.operations).reduce(0) { $0 + $1.durations.count } == 6)
        #expect(slices.flatMap(\.edges).reduce(0) { $0 + $1.callCount } == 3)
        #expect(reopened.recovery.problems.isEmpty)
        try await reopened.seal()
        try await reopened.compact()
        #expect(try await Self.sums(reopened) == Self.sums(model))
    }

    @Test func `each block has its rollup and no other is left`() async throws {
        let disk = SimulatedDisk(seed: 3)
        let store = try await Self.open(disk)
        for number in 1...4 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number)))
            try await store.seal()
        }
        #expect(rollupFiles(disk).count == 4)
        try await store.compact()
        #expect(rollupFiles(disk) == ["/data/rollups/0000000000000001-0000000000000004.rollup"])
    }

    @Test func `a rollup that is missing or damaged at any byte is made anew`() async throws {
        let disk = SimulatedDisk(seed: 4)
        let store = try await Self.open(disk)
        var spans: [SkeinModel.Span] = []
        for number in 1...4 as ClosedRange<UInt64> { spans += Self.call(number, number * 10, minute: number * 50) }
        try await store.append(SpanBatch(spans: spans))
        try await store.seal()
        let wanted = try await Self.sums(store)
        await store.close()
        let path = try #require(rollupFiles(disk).first)
        let bytes = try disk.contents(of: path, limit: .max)
        for offset in 0..<(bytes.count + 1) {
            let copy = disk.copy(seed: 1)
            try copy.remove(path)
            if offset < bytes.count {
                var damaged = bytes
                damaged[offset] ^= 0x10
                let file = try copy.open(path, .create)
                try damaged.withUnsafeBufferPointer { bytes throws(DiskError) in
                    try file.append(UnsafeRawBufferPointer(bytes))
                }
                try file.sync()
            }
            let reopened = try await Self.open(copy)
            let found = try await Self.sums(reopened)
            #expect(found == wanted, "byte \(offset)")
            let hourly = try await reopened.rollup(.all, step: 60 * Self.minute)
            #expect(hourly.count == 4 && hourly.flatMap(\.operations).reduce(0) { $0 + $1.durations.count } == 8)
            await reopened.close()
        }
    }

    @Test func `sums of hours and of all are those of their minutes`() async throws {
        let store = try await Self.open(SimulatedDisk(seed: 5))
        let model = MemoryStore()
        var random = SeededRandom(seed: 5)
        for number in 1...600 as ClosedRange<UInt64> {
            let batch = S.batch(S.span(number, number, start: random.next() % (9_000 * Self.minute)))
            try await store.append(batch)
            try await model.append(batch)
            if number % 100 == 0 { try await store.seal() }
        }
        try await store.compact()
        for step in [nil, 1, 7, 60, 90, 120, 1_440] as [UInt64?] {
            for (first, end) in [(0, 9_000), (61, 7_000), (119, 121), (60, 120), (59, 61), (8_000, 100_000)] {
                let range = TimeRange(start: UInt64(first) * Self.minute, end: UInt64(end) * Self.minute)
                let step = step.map { $0 * Self.minute }
                #expect(try await store.rollup(range, step: step) == model.rollup(range, step: step))
            }
        }
    }

    @Test func `sums outlive the spans, and are removed in their own time`() async throws {
        let clock = SimulatedClock(unixNanos: 100 * Self.day)
        var disk = SimulatedDisk(seed: 6)
        func open() async throws -> EmbeddedStore {
            var configuration = S.configuration(disk, clock)
            configuration.retentionAge = .seconds(3_600)
            configuration.rollupRetention = .seconds(10 * 86_400)
            return try await EmbeddedStore.open(configuration)
        }
        var store = try await open()
        for number in 1...5 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number), received: clock.unixNanos))
            try await store.seal()
        }
        let wanted = try await Self.sums(store)
        clock.advance(by: .seconds(7_200))
        await store.removeExpired()
        #expect(await store.status().figures["blocks"] == 0)
        #expect(try await Self.sums(store) == wanted)
        #expect(rollupFiles(disk).count == 5)

        disk = disk.crash()
        store = try await open()
        #expect(try await Self.sums(store) == wanted)
        // Once their day is over they become one.
        clock.advance(by: .seconds(86_400))
        await store.removeExpired()
        #expect(rollupFiles(disk).count == 1)
        try await store.append(S.batch(S.span(9, 9), received: clock.unixNanos))
        try await store.seal()
        disk = disk.crash()
        store = try await open()
        #expect(try await store.rollup(.all, step: nil).flatMap(\.operations).count == 6)
        clock.advance(by: .seconds(86_400 * 9))
        await store.removeExpired()
        #expect(rollupFiles(disk).count == 1)
        #expect(try await store.rollup(.all, step: nil).flatMap(\.operations).map(\.operation) == ["work 9"])
        #expect(store.recovery.problems.isEmpty)
    }

    @Test(arguments: 0..<40)
    func `a stop while old sums are merged counts nothing twice`(operations: Int) async throws {
        let clock = SimulatedClock(unixNanos: 100 * Self.day)
        let disk = SimulatedDisk(seed: UInt64(operations))
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(3_600)
        let store = try await EmbeddedStore.open(configuration)
        for number in 1...3 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number), received: clock.unixNanos))
            try await store.seal()
        }
        let wanted = try await Self.sums(store)
        clock.advance(by: .seconds(86_400 * 2))
        disk.stop(afterOperations: operations)
        await store.removeExpired()
        configuration.disk = disk.crash()
        let reopened = try await EmbeddedStore.open(configuration)
        #expect(try await Self.sums(reopened) == wanted)
        await reopened.removeExpired()
        #expect(try await Self.sums(reopened) == wanted)
        #expect(reopened.recovery.problems.isEmpty)
    }

    @Test func `numbers of removed blocks are not given again without a catalog`() async throws {
        let clock = SimulatedClock(unixNanos: 100 * Self.day)
        let disk = SimulatedDisk(seed: 8)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(3_600)
        let store = try await EmbeddedStore.open(configuration)
        try await store.append(S.batch(S.span(1, 1), received: clock.unixNanos))
        try await store.seal()
        clock.advance(by: .seconds(7_200))
        await store.removeExpired()
        try disk.remove("/data/catalog")
        try disk.syncDirectory("/data")
        configuration.disk = disk.crash()
        let reopened = try await EmbeddedStore.open(configuration)
        try await reopened.append(S.batch(S.span(2, 2), received: clock.unixNanos))
        try await reopened.seal()
        #expect(try await reopened.rollup(.all, step: nil).flatMap(\.operations).count == 2)
        await reopened.close()
        let again = try await EmbeddedStore.open(configuration)
        #expect(try await again.rollup(.all, step: nil).flatMap(\.operations).count == 2)
    }
}
