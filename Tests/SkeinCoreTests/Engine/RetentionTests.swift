// SPDX-License-Identifier: Apache-2.0
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
        let expired = rule.expired(blocks, otherByteCount: 0, nowUnixNanos: 1_000)
        #expect(expired.map(\.firstSegment) == [1])
    }

    @Test func `too many bytes take the oldest blocks first, the log counted`() {
        let rule = Retention(ageNanos: nil, byteCount: 25)
        let blocks = [Self.block(1, received: 30), Self.block(2, received: 10), Self.block(3, received: 20)]
        #expect(rule.expired(blocks, otherByteCount: 0, nowUnixNanos: 0).map(\.firstSegment) == [2])
        #expect(rule.expired(blocks, otherByteCount: 10, nowUnixNanos: 0).map(\.firstSegment).sorted() == [2, 3])
        #expect(Retention().expired(blocks, otherByteCount: 10, nowUnixNanos: 0).isEmpty)
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
