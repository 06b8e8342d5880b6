// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Sums that are so old that only hours are kept of them.
@Suite struct OldRollupTests {
    typealias S = EngineSupport
    static let minute: UInt64 = 60_000_000_000
    static let day: UInt64 = 86_400_000_000_000

    private static func configuration(_ disk: SimulatedDisk, _ clock: SimulatedClock) -> EmbeddedStore.Configuration {
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(3_600)
        return configuration
    }

    /// A store that got spans in each of the first minutes of day 100, whose blocks are gone; and a model of it.
    private static func filled(
        _ disk: SimulatedDisk,
        _ clock: SimulatedClock,
        minutes: UInt64 = 300
    ) async throws -> (store: EmbeddedStore, model: MemoryStore) {
        let (store, model) = (try await EmbeddedStore.open(configuration(disk, clock)), MemoryStore())
        for part in 0..<3 as Range<UInt64> {
            let spans = (part * minutes / 3..<(part + 1) * minutes / 3).map { number in
                S.span(number + 1, 1, start: (100 * 1_440 + number) * minute + 7, service: "s\(number % 3)")
            }
            let batch = SpanBatch(spans: spans, receivedUnixNanos: clock.unixNanos)
            try await store.append(batch)
            try await model.append(batch)
            try await store.seal()
        }
        clock.advance(by: .seconds(86_400 * 2))
        await store.removeExpired()
        #expect(await store.status().figures["blocks"] == 0)
        return (store, model)
    }

    private static func count(_ slices: [RollupSlice]) -> Double {
        slices.flatMap(\.operations).reduce(0) { $0 + $1.durations.count }
    }

    private static func range(_ first: UInt64, _ end: UInt64) -> TimeRange {
        TimeRange(start: (100 * 1_440 + first) * minute, end: (100 * 1_440 + end) * minute)
    }

    private static func starts(_ slices: [RollupSlice]) -> [UInt64] {
        slices.map { $0.startUnixNanos / minute - 100 * 1_440 }
    }

    @Test func `after thirty days hours are left, and answers say that they are hours`() async throws {
        let clock = SimulatedClock(unixNanos: 100 * Self.day)
        var disk = SimulatedDisk(seed: 1)
        var (store, model) = try await Self.filled(disk, clock)
        let bytes = await store.status().figures["rollup_bytes"] ?? 0
        #expect(try await Self.starts(store.rollup(Self.range(0, 30), step: 7 * Self.minute)) == [0, 4, 11, 18, 25])
        clock.advance(by: .seconds(86_400 * 30))
        await store.removeExpired()
        #expect(await store.status().figures["rollups"] == 1)
        #expect(await store.status().figures["rollup_bytes"] ?? 0 < bytes / 2)
        for _ in 0..<2 {
            // By hours and in all nothing has changed.
            for step in [nil, 60, 120, 1_440] as [UInt64?] {
                for (first, end) in [(0, 300), (60, 180), (120, 1_000)] as [(UInt64, UInt64)] {
                    let (range, step) = (Self.range(first, end), step.map { $0 * Self.minute })
                    #expect(try await store.rollup(range, step: step) == model.rollup(range, step: step))
                }
            }
            // A shorter step gives hours, and a range grows to whole ones.
            for step in [1, 7, 90] as [UInt64] {
                let slices = try await store.rollup(Self.range(70, 130), step: step * Self.minute)
                #expect(Self.starts(slices) == [60, 120] && Self.count(slices) == 120)
                #expect(slices.map(\.endUnixNanos) == [120, 180].map { (100 * 1_440 + $0) * Self.minute })
            }
            let whole = try await store.rollup(Self.range(61, 62), step: nil)
            #expect(Self.starts(whole) == [60] && Self.count(whole) == 60)
            #expect(whole[0].endUnixNanos == (100 * 1_440 + 120) * Self.minute)
            // Nothing more becomes of it.
            await store.removeExpired()
            disk = disk.crash()
            store = try await EmbeddedStore.open(Self.configuration(disk, clock))
            #expect(store.recovery.problems.isEmpty)
        }
        await store.close()
    }

    @Test func `minutes that came later stand beside old hours`() async throws {
        let clock = SimulatedClock(unixNanos: 100 * Self.day)
        let (store, model) = try await Self.filled(SimulatedDisk(seed: 2), clock)
        clock.advance(by: .seconds(86_400 * 31))
        await store.removeExpired()
        // Some of them in an hour that is known already, others in one that is not.
        let late = SpanBatch(
            spans: [290, 310, 311, 365].map { S.span($0 + 1_000, 1, start: (100 * 1_440 + $0) * Self.minute) },
            receivedUnixNanos: clock.unixNanos
        )
        try await store.append(late)
        try await model.append(late)
        let fine = try await store.rollup(Self.range(230, 1_000), step: 10 * Self.minute)
        #expect(Self.starts(fine) == [180, 240, 310, 360] && Self.count(fine) == 60 + 60 + 1 + 2 + 1)
        // In steps of ninety minutes the hours before 300 are their own slices, and no two slices overlap.
        let coarse = try await store.rollup(Self.range(0, 1_000), step: 90 * Self.minute)
        #expect(Self.starts(coarse) == [0, 60, 120, 180, 240, 300, 360])
        for (slice, next) in zip(coarse, coarse.dropFirst()) { #expect(slice.endUnixNanos <= next.startUnixNanos) }
        for step in [nil, 60 * Self.minute] {
            #expect(try await store.rollup(.all, step: step) == model.rollup(.all, step: step))
        }
        await store.close()
    }

    @Test func `hours of several days become one file`() async throws {
        let clock = SimulatedClock(unixNanos: 90 * Self.day)
        let disk = SimulatedDisk(seed: 3)
        let store = try await EmbeddedStore.open(Self.configuration(disk, clock))
        let model = MemoryStore()
        for day in 0..<12 as Range<UInt64> {
            let batch = S.batch(S.span(day + 1, 1, start: clock.unixNanos), received: clock.unixNanos)
            try await store.append(batch)
            try await model.append(batch)
            try await store.seal()
            clock.advance(by: .seconds(86_400))
            await store.removeExpired()
        }
        #expect(await store.status().figures["rollups"] == 12)
        clock.advance(by: .seconds(86_400 * 31))
        await store.removeExpired()
        #expect(await store.status().figures["rollups"] == 1)
        #expect(try await store.rollup(.all, step: Self.day) == model.rollup(.all, step: Self.day))
        await store.close()
    }

    @Test(arguments: 0..<24)
    func `a stop while minutes are left out counts nothing twice`(operations: Int) async throws {
        let clock = SimulatedClock(unixNanos: 100 * Self.day)
        let disk = SimulatedDisk(seed: UInt64(operations))
        let (store, model) = try await Self.filled(disk, clock, minutes: 130)
        clock.advance(by: .seconds(86_400 * 31))
        disk.stop(afterOperations: operations)
        await store.removeExpired()
        let reopened = try await EmbeddedStore.open(Self.configuration(disk.crash(), clock))
        #expect(reopened.recovery.problems.isEmpty)
        for _ in 0..<2 {
            for step in [nil, 60 * Self.minute] {
                #expect(try await reopened.rollup(.all, step: step) == model.rollup(.all, step: step))
            }
            await reopened.removeExpired()
        }
        #expect(await reopened.status().figures["rollups"] == 1)
        #expect(try await reopened.rollup(.all, step: Self.minute).count == 3)
        await reopened.close()
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `slices of any grid are whole, in order and apart`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func below(_ bound: UInt64) -> UInt64 { random.next() % bound }
        let first = below(400)
        let steps: [UInt64?] = [nil, 1, 7, 45, 60, 90, 120, 600]
        let step = steps[Int(below(8))]
        let range = TimeRange(start: first * Self.minute, end: (first + 1 + below(500)) * Self.minute)
        let wanted = RollupGrid(range, stepNanos: step.map { $0 * Self.minute })
        let known = Set((0..<16 as Range<UInt64>).filter { _ in below(3) == 0 }.map { $0 * 60 })
        let asked = known.filter { hour in wanted.divided.contains { $0.contains(hour) } }
        let grid = wanted.knowing(onlyHours: asked)
        #expect(grid.minutes.lowerBound <= wanted.minutes.lowerBound)
        #expect(grid.minutes.upperBound >= wanted.minutes.upperBound)
        var minute = grid.minutes.lowerBound
        while minute < grid.minutes.upperBound {
            let slice = grid.slice(at: minute)
            let end = slice.endUnixNanos / Self.minute
            #expect(slice.startUnixNanos == minute * Self.minute && end > minute && end <= grid.minutes.upperBound)
            #expect((minute..<end).allSatisfy { grid.slice(of: $0) == minute })
            // A known hour that the range touches lies in one slice.
            minute = end
        }
        for hour in known where hour < grid.minutes.upperBound && hour + 60 > grid.minutes.lowerBound {
            let place = max(hour, grid.minutes.lowerBound)
            #expect(place == hour && grid.slice(of: hour) == grid.slice(of: hour + 59))
        }
    }
}
