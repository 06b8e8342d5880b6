// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct MergeRetryTests {
    typealias S = EngineSupport

    private static let second: UInt64 = 1_000_000_000
    private static let a = BlockID(firstSegment: 1, lastSegment: 1)
    private static let b = BlockID(firstSegment: 2, lastSegment: 2)

    private func error(_ code: StoreError.Code, place: String? = nil) -> StoreError {
        StoreError(code, "it failed", place: place)
    }

    private func note(_ retry: inout MergeRetry, _ error: StoreError, at now: UInt64) {
        retry.note(error, of: [Self.a, Self.b], at: now) { $0.fileName }
    }

    @Test func `after a full disk everything rests, twice as long each time and a minute at most`() {
        var retry = MergeRetry()
        var now: UInt64 = 0
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] as [UInt64] {
            note(&retry, error(.full), at: now)
            now += seconds * Self.second - 1
            #expect(retry.isResting(now) && !retry.isResting(Self.a, now))
            now += 1
            #expect(!retry.isResting(now))
        }
        #expect(retry.failure?.code == .full)
        retry.noteSuccess(of: [Self.a])
        #expect(retry.failure == nil)
        note(&retry, error(.full), at: now)
        #expect(!retry.isResting(now + Self.second))
    }

    @Test func `after a failing device only the blocks rest that it was about, an hour at most`() {
        var retry = MergeRetry()
        var now: UInt64 = 0
        for seconds in [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600] as [UInt64] {
            note(&retry, error(.io, place: Self.b.fileName), at: now)
            #expect(!retry.isResting(now) && !retry.isResting(Self.a, now))
            now += seconds * Self.second - 1
            #expect(retry.isResting(Self.b, now))
            now += 1
            #expect(!retry.isResting(Self.b, now))
        }
        // A failure of some other file is that of all.
        note(&retry, error(.io, place: "catalog"), at: now)
        #expect(retry.isResting(Self.a, now) && retry.isResting(Self.b, now))
        retry.wake(at: now)
        #expect(!retry.isResting(Self.a, now) && !retry.isResting(Self.b, now))
        retry.noteSuccess(of: [Self.a, Self.b])
        #expect(retry.failure == nil)
    }

    @Test func `a damaged block is left alone as long as it is there`() {
        var retry = MergeRetry()
        note(&retry, error(.corrupt, place: Self.a.fileName), at: 0)
        retry.wake(at: 0)
        retry.keep([Self.a, Self.b], at: .max)
        #expect(retry.isResting(Self.a, .max - 1) && !retry.isResting(Self.b, 0))
        #expect(retry.failure?.code == .corrupt)
        retry.keep([Self.b], at: 1)
        #expect(!retry.isResting(Self.a, 1) && retry.failure == nil)
    }

    @Test func `what there was no reason to try again is forgotten`() {
        var retry = MergeRetry()
        note(&retry, error(.full), at: 0)
        note(&retry, error(.io), at: 0)
        retry.keep([Self.a, Self.b], at: 8 * Self.second)
        #expect(retry.failure?.code == .io && !retry.isResting(8 * Self.second))
        retry.keep([Self.a, Self.b], at: 26 * Self.second)
        #expect(retry.failure == nil)
    }

    @Test func `a merge that failed is tried again by itself when the device works again`() async throws {
        let clock = SimulatedClock()
        let disk = SimulatedDisk(seed: 1)
        let store = try await EmbeddedStore.open(S.configuration(disk, clock))
        for number in 1...8 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number)))
            try await store.seal()
        }
        let running = Task { await store.run() }
        defer { running.cancel() }
        func tick(_ count: Int) async throws {
            for _ in 0..<count {
                while clock.sleeperCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
                clock.advance(by: .seconds(1))
            }
        }
        disk.faults.readsFailing = 1_000
        try await tick(40)
        while await store.status().problems.isEmpty { try await tick(1) }
        let tries = disk.operationCount
        disk.faults = .init()
        var waited = 0
        func isMended() async -> Bool {
            let status = await store.status()
            // The block is there a moment before what failed is forgotten.
            return status.figures["blocks"] == 1 && status.problems.isEmpty
        }
        while await !isMended(), waited < 200 {
            try await tick(1)
            try await Task.sleep(for: .milliseconds(2))
            waited += 1
        }
        #expect(await store.status().figures["blocks"] == 1)
        #expect(await store.status().problems.isEmpty)
        #expect(waited > 1 && tries < 2_000)
        running.cancel()
        await running.value
        await store.close()
    }

    @Test func `merging leaves room for the log on a disk that is nearly full`() async throws {
        let disk = SimulatedDisk(seed: 2)
        let store = try await S.open(disk)
        for number in 1...8 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number)))
            try await store.seal()
        }
        let blocks = await store.status().figures["block_bytes"] ?? 0
        disk.capacity = disk.usedByteCount + blocks + blocks / 2
        await #expect(throws: StoreError.self) { try await store.compact() }
        #expect(await store.status().problems.contains { $0.contains("free bytes") && $0.contains("make space") })
        #expect(disk.usedByteCount <= disk.capacity - blocks)
        disk.capacity += blocks
        try await store.compact()
        #expect(await store.status().problems.isEmpty)
        await store.close()
    }
}
