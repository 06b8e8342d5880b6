// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct RetentionTests {
    typealias S = EngineSupport

    static func block(_ number: UInt64, received: UInt64, bytes: Int = 10) -> Retention.Candidate {
        .init(
            id: BlockID(firstSegment: number, lastSegment: number),
            receivedUnixNanos: received,
            byteCount: bytes
        )
    }

    @Test func `age is counted from what a block received last`() {
        let rule = Retention(ageNanos: 100, byteCount: nil)
        let blocks = [Self.block(1, received: 899), Self.block(2, received: 900), Self.block(3, received: 5_000)]
        let expired = rule.expired(blocks, nowUnixNanos: 1_000)
        #expect(expired.blocks.map(\.firstSegment) == [1])
    }

    @Test func `too many bytes take the oldest blocks first, all other files counted`() {
        let rule = Retention(ageNanos: nil, byteCount: 25)
        let blocks = [Self.block(1, received: 30), Self.block(2, received: 10), Self.block(3, received: 20)]
        #expect(rule.expired(blocks, nowUnixNanos: 0).blocks.map(\.firstSegment) == [2])
        #expect(
            rule.expired(blocks, otherByteCount: 10, nowUnixNanos: 0).blocks.map(\.firstSegment).sorted() == [2, 3]
        )
        #expect(Retention().expired(blocks, otherByteCount: 10, nowUnixNanos: 0).blocks.isEmpty)
    }

    @Test func `sums of spans that are gone go before spans when they are many, and after them when they are few`() {
        let rule = Retention(ageNanos: nil, byteCount: 40, pastByteCount: 10)
        let blocks = [Self.block(5, received: 50), Self.block(6, received: 60)]
        let many = (1...4).map { Self.block($0, received: $0 * 10) }
        let fewer = rule.expired(blocks, past: many, nowUnixNanos: 0)
        #expect(fewer.blocks.isEmpty && fewer.rollups.map(\.firstSegment).sorted() == [1, 2])
        let least = rule.expired(blocks, past: many, otherByteCount: 20, nowUnixNanos: 0)
        #expect(least.blocks.map(\.firstSegment) == [5] && least.rollups.map(\.firstSegment).sorted() == [1, 2, 3])
        #expect(least.excessByteCount == 0)
        let none = rule.expired(blocks, past: many, otherByteCount: 45, nowUnixNanos: 0)
        #expect(none.blocks.count == 2 && none.rollups.count == 4 && none.excessByteCount == 5)
    }

    @Test func `old blocks go, and stay gone`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let disk = SimulatedDisk(seed: 1)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(60)
        let store = try await EmbeddedStore.open(configuration)
        try await store.append(S.batch(S.span(1, 1), received: clock.unixNanos))
        try await store.seal()
        clock.advance(by: .seconds(40))
        try await store.append(S.batch(S.span(2, 2), received: clock.unixNanos))
        try await store.seal()
        await store.removeExpired()
        #expect(await store.status().figures["blocks"] == 2)
        clock.advance(by: .seconds(30))
        await store.removeExpired()
        #expect(try await S.trace(1, of: store).isEmpty)
        #expect(try await S.trace(2, of: store).count == 1)
        #expect(disk.paths.filter { $0.hasPrefix("/data/blocks/") }.count == 1)
        let reopened = try await EmbeddedStore.open(S.configuration(disk.crash(), clock))
        #expect(try await S.everything(in: reopened).count == 1)
        #expect(reopened.recovery.problems.isEmpty)
    }

    @Test func `a block whose file could not be removed does not come back`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let disk = SimulatedDisk(seed: 3)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(60)
        let store = try await EmbeddedStore.open(configuration)
        try await store.append(S.batch(S.span(1, 1), received: clock.unixNanos))
        try await store.seal()
        let path = try #require(disk.paths.first { $0.hasPrefix("/data/blocks/") })
        clock.advance(by: .seconds(90))
        disk.brokenFolder = path
        await store.removeExpired()
        #expect(try await S.everything(in: store).isEmpty && disk.paths.contains(path))
        // Catalogs that are written anew, by this start and by those after it.
        var last = disk
        for id in 2...4 as ClosedRange<UInt64> {
            last = last.kill()
            last.brokenFolder = path
            let next = try await EmbeddedStore.open(S.configuration(last, clock))
            #expect(next.contents.blocks.count == Int(id) - 2)
            try await next.append(S.batch(S.span(id, id), received: clock.unixNanos))
            try await next.seal()
        }
        #expect(last.paths.contains(path))
        last.brokenFolder = nil
        let mended = try await EmbeddedStore.open(S.configuration(last.kill(), clock))
        #expect(try await S.everything(in: mended).map(\.spanID.rawValue) == [4, 3, 2].sorted())
    }

    @Test func `a file that could not be removed is removed later`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let disk = SimulatedDisk(seed: 3)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(60)
        let store = try await EmbeddedStore.open(configuration)
        try await store.append(S.batch(S.span(1, 1), received: clock.unixNanos))
        try await store.seal()
        clock.advance(by: .seconds(90))
        disk.brokenFolder = "/data/blocks/"
        await store.removeExpired()
        #expect(disk.paths.contains { $0.hasPrefix("/data/blocks/") })
        disk.brokenFolder = nil
        await store.removeExpired()
        #expect(!disk.paths.contains { $0.hasPrefix("/data/blocks/") })
    }

    @Test(arguments: [false, true]) func `old blocks go from a disk that is full`(isRead: Bool) async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let disk = SimulatedDisk(seed: 4)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(60)
        let store = try await EmbeddedStore.open(configuration)
        for id in 1...3 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(id, id), received: clock.unixNanos))
            try await store.seal()
            clock.advance(by: .seconds(20))
        }
        clock.advance(by: .seconds(10))
        disk.capacity = disk.usedByteCount
        var reader = isRead ? store.contents.snapshot() : nil
        for _ in 0..<2 {
            await store.removeExpired()
            #expect(await store.status().problems.isEmpty != isRead)
            #expect(try await S.everything(in: store).map(\.spanID.rawValue).sorted() == [2, 3])
        }
        #expect(reader?.blocks.count == (isRead ? 3 : nil))
        reader = nil
        await store.removeExpired()
        #expect(await store.status().problems.isEmpty)
        let reopened = try await EmbeddedStore.open(S.configuration(disk.crash(), clock))
        #expect(try await S.everything(in: reopened).count == 2)
        #expect(reopened.recovery.problems.isEmpty)
    }

    /// A disk without room on which the oldest of three blocks is past its time.
    private func fullDisk(_ clock: SimulatedClock) async throws -> (SimulatedDisk, EmbeddedStore) {
        let disk = SimulatedDisk(seed: 5)
        let store = try await EmbeddedStore.open(configuration(disk, clock))
        var random = SeededRandom(seed: 1)
        for id in 1...3 as ClosedRange<UInt64> {
            var span = S.span(id, id)
            span.attributes = [Attribute("noise", .string((0..<100).map { _ in "\(random.next())" }.joined()))]
            try await store.append(S.batch(span, received: clock.unixNanos))
            try await store.seal()
            clock.advance(by: .seconds(20))
        }
        clock.advance(by: .seconds(10))
        disk.capacity = disk.usedByteCount
        return (disk, store)
    }

    private func configuration(_ disk: SimulatedDisk, _ clock: SimulatedClock) -> EmbeddedStore.Configuration {
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(60)
        return configuration
    }

    @Test(arguments: [false, true])
    func `a block removed from a full disk is not called missing after a stop`(isCrash: Bool) async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let (disk, store) = try await fullDisk(clock)
        // A reader keeps the bytes of the file, so that there is no room for the catalog to learn of it.
        let reader = store.contents.snapshot()
        await store.removeExpired()
        #expect(await store.status().problems.count == 1)
        #expect(try await DataFolder(S.directory, disk: disk).verify().isGood)
        let next = isCrash ? disk.crash() : disk.kill()
        #expect(reader.blocks.count == 3)
        for _ in 0..<2 {
            let reopened = try await EmbeddedStore.open(configuration(next, clock))
            #expect(reopened.recovery.problems.isEmpty)
            #expect(try await S.everything(in: reopened).map(\.spanID.rawValue).sorted() == [2, 3])
            #expect(!next.paths.contains { $0.hasSuffix(".removed") })
            await reopened.close()
        }
    }

    @Test func `sums of what goes from a full disk count once`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let (_, store) = try await fullDisk(clock)
        let wanted = try await store.rollup(.all, step: nil)
        await store.removeExpired()
        #expect(await store.status().figures["blocks"] == 2)
        #expect(try await store.rollup(.all, step: nil) == wanted)
        await store.close()
    }

    @Test func `a store opens on a full disk, and retention makes room`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let (served, store) = try await fullDisk(clock)
        await store.close()
        let disk = served.kill()
        // Without a catalog the start has something to write.
        disk["/data/catalog"] = nil
        disk.capacity = disk.usedByteCount
        let reopened = try await EmbeddedStore.open(configuration(disk, clock))
        await #expect(throws: StoreError.self) { try await reopened.append(S.batch(S.span(4, 4))) }
        #expect(try await S.everything(in: reopened).count == 3)
        await reopened.removeExpired()
        try await reopened.append(S.batch(S.span(4, 4)))
        #expect(try await S.everything(in: reopened).map(\.spanID.rawValue).sorted() == [2, 3, 4])
        #expect(await reopened.status().problems.isEmpty)
        let again = try await EmbeddedStore.open(configuration(disk.crash(), clock))
        #expect(try await S.everything(in: again).count == 3)
        #expect(again.recovery.problems.isEmpty)
    }

    @Test func `a service keeps its number over restarts`() async throws {
        let disk = SimulatedDisk(seed: 2)
        var store = try await S.open(disk)
        for (id, name) in ["c", "a", "b"].enumerated() {
            try await store.append(S.batch(S.span(1, UInt64(id + 1), service: name)))
        }
        let before = try await store.services().names
        #expect(before.map(\.name) == ["a", "b", "c"] && before.map(\.ordinal) == [1, 2, 0])
        store = try await S.open(disk.copy())
        #expect(try await store.services().names == before)
        try await store.seal()
        #expect(try await store.services().names == before)
    }

    @Test func `traces that lie in several blocks and the head are shown whole and once`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 3))
        try await store.append(S.batch(S.span(1, 1, start: 500), S.span(2, 2, start: 900)))
        try await store.seal()
        try await store.append(S.batch(S.span(1, 1, start: 500), S.span(1, 3, start: 2_000)))
        try await store.seal()
        try await store.append(S.batch(S.span(1, 4, start: 100), S.span(3, 5, start: 700)))
        #expect(try await S.trace(1, of: store).map(\.spanID.rawValue) == [4, 1, 3])
        let page = try await store.search(SpanQuery())
        #expect(page.traces.map(\.traceID.low) == [2, 3, 1])
        #expect(page.traces.map(\.spanCount) == [1, 1, 3])
        #expect(page.traces.map(\.matchedSpanCount) == [1, 1, 3])
        let newest = try await store.search(SpanQuery(limit: 1))
        #expect(newest.traces.map(\.traceID.low) == [2])
        let second = try await store.search(SpanQuery(limit: 1, cursor: newest.next))
        #expect(second.traces.map(\.traceID.low) == [3])
        let last = try await store.search(SpanQuery(limit: 1, cursor: second.next))
        #expect(last.traces.map(\.traceID.low) == [1] && last.next == nil)
    }
}
