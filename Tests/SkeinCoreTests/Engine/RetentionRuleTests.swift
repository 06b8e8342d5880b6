// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

@Suite struct RetentionRuleTests {
    typealias S = EngineSupport

    private let day: UInt64 = 86_400_000_000_000

    private func rule(_ service: String, days: UInt64?) -> RetentionRule {
        RetentionRule(
            predicate: .compare(.serviceName, .equal, .string(service)),
            ageNanos: days.map { $0 * day }
        )
    }

    private func numbers(in store: EmbeddedStore) async throws -> [UInt64] {
        try await store.search(SpanQuery(limit: 100)).traces.map(\.traceID.low).sorted()
    }

    @Test func `each trace goes at the age of the first rule that it satisfies`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000 * day)
        let disk = SimulatedDisk(seed: 1)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(30 * 86_400)
        configuration.retentionRules = [rule("ledger", days: nil), rule("health", days: 1), rule("audit", days: 90)]
        let store = try await EmbeddedStore.open(configuration)
        try await store.append(
            S.batch(
                S.span(1, 1, service: "health"),
                S.span(2, 2, service: "shop"),
                S.span(3, 3, service: "audit"),
                S.span(4, 4, service: "ledger"),
                // A span of each: the first rule decides.
                S.span(5, 5, service: "health"),
                S.span(5, 6, service: "ledger"),
                received: clock.unixNanos
            )
        )
        try await store.seal()
        func after(_ days: Int) async throws -> [UInt64] {
            clock.advance(by: .seconds(days * 86_400))
            await store.removeExpired()
            await store.thin()
            return try await numbers(in: store)
        }
        #expect(try await after(0) == [1, 2, 3, 4, 5])
        #expect(try await after(2) == [2, 3, 4, 5])
        #expect(try await after(29) == [3, 4, 5])
        #expect(try await after(60) == [4, 5])
        #expect(try await after(5_000) == [4, 5])
        #expect(await store.status().figures["spans_thinned"] == 3)
        let reopened = try await EmbeddedStore.open(S.configuration(disk.crash(), clock))
        #expect(try await numbers(in: reopened) == [4, 5])
        #expect(reopened.recovery.problems.isEmpty)
    }

    @Test func `a block is dropped whole once the longest age has passed`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000 * day)
        let disk = SimulatedDisk(seed: 2)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(86_400)
        configuration.retentionRules = [rule("audit", days: 3)]
        let store = try await EmbeddedStore.open(configuration)
        let spans = S.batch(S.span(1, 1, service: "audit"), S.span(2, 2), received: clock.unixNanos)
        try await store.append(spans)
        try await store.seal()
        clock.advance(by: .seconds(2 * 86_400))
        await store.removeExpired()
        await store.thin()
        #expect(try await numbers(in: store) == [1])
        clock.advance(by: .seconds(2 * 86_400))
        await store.removeExpired()
        #expect(await store.status().figures["blocks"] == 0)
    }

    @Test func `what a full disk kept from being taken out goes later`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000 * day)
        let disk = SimulatedDisk(seed: 7)
        var configuration = S.configuration(disk, clock)
        configuration.retentionRules = [rule("health", days: 1)]
        let store = try await EmbeddedStore.open(configuration)
        let spans = S.batch(S.span(1, 1, service: "health"), S.span(2, 2), received: clock.unixNanos)
        try await store.append(spans)
        try await store.seal()
        clock.advance(by: .seconds(2 * 86_400))
        disk.faults.appendsFull = 1_000
        await store.thin()
        #expect(try await numbers(in: store) == [1, 2])
        #expect(await store.status().problems.isEmpty == false)
        disk.faults = .init()
        await store.thin()
        #expect(try await numbers(in: store) == [1, 2], "it rests a while")
        clock.advance(by: .seconds(1))
        await store.thin()
        #expect(try await numbers(in: store) == [2])
        #expect(await store.status().problems.isEmpty)
    }

    @Test func `a span anywhere else in the trace counts for the rule`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000 * day)
        var configuration = S.configuration(SimulatedDisk(seed: 3), clock)
        configuration.retentionAge = .seconds(86_400)
        configuration.retentionRules = [rule("audit", days: nil)]
        let store = try await EmbeddedStore.open(configuration)
        try await store.append(S.batch(S.span(1, 1), S.span(2, 3), received: clock.unixNanos))
        try await store.seal()
        try await store.append(S.batch(S.span(1, 2, service: "audit"), received: clock.unixNanos))
        clock.advance(by: .seconds(2 * 86_400))
        await store.thin()
        #expect(try await S.trace(1, of: store).count == 2)
        #expect(try await S.trace(2, of: store).isEmpty)
    }

    @Test func `a trace goes from all its blocks or from none`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000 * day)
        let disk = SimulatedDisk(seed: 5)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(30 * 86_400)
        configuration.retentionRules = [rule("health", days: 1)]
        let store = try await EmbeddedStore.open(configuration)
        func advance(hours: Int) async {
            clock.advance(by: .seconds(hours * 3_600))
            await store.thin()
        }
        try await store.append(S.batch(S.span(1, 1, service: "health"), S.span(2, 2), received: clock.unixNanos))
        try await store.seal()
        await advance(hours: 12)
        try await store.append(S.batch(S.span(1, 3), S.span(3, 4), received: clock.unixNanos))
        try await store.seal()
        // Only its older block has passed the age.
        await advance(hours: 18)
        #expect(try await S.trace(1, of: store).count == 2)
        await advance(hours: 9)
        // The span that the rule is about goes last, so that a stop in between does not hide the others from it.
        let reopened = try await EmbeddedStore.open(
            {
                var changed = configuration
                changed.disk = disk.kill()
                return changed
            }()
        )
        await reopened.thin()
        clock.advance(by: .seconds(11))
        await reopened.thin()
        #expect(try await numbers(in: reopened) == [2, 3])
    }

    @Test func `the head becomes a block soon enough for the shortest age of a rule`() async throws {
        let clock = SimulatedClock()
        var configuration = S.configuration(SimulatedDisk(seed: 6), clock)
        configuration.retentionRules = [
            RetentionRule(predicate: .compare(.serviceName, .equal, .string("health")), ageNanos: 60_000_000_000)
        ]
        let store = try await EmbeddedStore.open(configuration)
        let running = Task { await store.run() }
        try await store.append(S.batch(S.span(1, 1, service: "health"), received: clock.unixNanos))
        for _ in 0..<90 {
            while clock.sleeperCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
            clock.advance(by: .seconds(1))
        }
        while clock.sleeperCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
        running.cancel()
        await running.value
        await store.thin()
        #expect(try await numbers(in: store).isEmpty)
    }

    @Test func `what time asks for does not wait for blocks that are written anew`() async throws {
        let clock = SimulatedClock()
        var configuration = S.configuration(SimulatedDisk(seed: 8), clock)
        configuration.retentionRules = [rule("health", days: 1)]
        let store = try await EmbeddedStore.open(configuration)
        // As a merge that takes long.
        let gate = DispatchSemaphore(value: 0)
        store.compactor.thread.async { gate.wait() }
        let running = Task { await store.run() }
        for _ in 0..<3 {
            var waited = 0
            while clock.sleeperCount == 0, waited < 3_000 {
                try await Task.sleep(for: .milliseconds(1))
                waited += 1
            }
            #expect(clock.sleeperCount == 1)
            clock.advance(by: .seconds(1))
        }
        running.cancel()
        let isOver = Atomic<Bool>(false)
        let watched = Task {
            await running.value
            isOver.store(true, ordering: .relaxed)
        }
        var waited = 0
        while !isOver.load(ordering: .relaxed), waited < 3_000 {
            try await Task.sleep(for: .milliseconds(1))
            waited += 1
        }
        let hasReturned = isOver.load(ordering: .relaxed)
        #expect(hasReturned, "a cancelled run returns at once")
        gate.signal()
        await watched.value
        await store.close()
    }

    @Test(arguments: 0..<50)
    func `a stop while something is removed leaves each trace whole or gone`(operations: Int) async throws {
        let disk = SimulatedDisk(seed: UInt64(operations))
        let store = try await S.open(disk)
        for number in 1...6 as ClosedRange<UInt64> {
            try await store.append(S.batch(S.span(number, number, service: number % 2 == 0 ? "even" : "odd")))
            try await store.seal()
        }
        disk.stop(afterOperations: operations)
        let even = SpanPredicate.compare(.serviceName, .equal, .string("even"))
        let outcome = try? await store.remove(Removal(.delete, predicate: even, queryText: "even"))
        let reopened = try await S.open(disk.crash())
        let left = try await numbers(in: reopened)
        #expect(left.filter { $0 % 2 == 1 } == [1, 3, 5])
        if outcome != nil { #expect(left == [1, 3, 5]) }
        let records = try await reopened.removalRecords()
        if left.count < 6 { #expect(records.count == 1) }
        let isUnfinished = records.contains { $0.finishedUnixNanos == nil }
        #expect(await reopened.status().problems.count == (isUnfinished ? 1 : 0))
        _ = try await reopened.remove(Removal(.delete, predicate: even, queryText: "even"))
        #expect(try await numbers(in: reopened) == [1, 3, 5])
        #expect(await reopened.status().problems.isEmpty, "it was asked for again")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a record that was not written whole hides no later one`(seed: UInt64) async throws {
        let disk = SimulatedDisk(seed: seed)
        let store = try await S.open(disk)
        let removal = Removal(.delete, predicate: .true, queryText: "true")
        _ = try await store.remove(removal)
        disk.faults.appendsFailing = 1_000
        await #expect(throws: StoreError.self) { _ = try await store.remove(removal) }
        disk.faults = .init()
        _ = try await store.remove(removal)
        let path = "/data/removals"
        let reopened = try await S.open(disk.crash())
        #expect(try await reopened.removalRecords().count == 2)
        #expect(await reopened.status().problems.isEmpty)
        await reopened.close()
        // As a cut of the power leaves it.
        let torn = disk.copy(seed: seed)
        torn[path] = (torn[path] ?? []) + [1, 2, 3]
        let mended = try await S.open(torn)
        _ = try await mended.remove(removal)
        await mended.close()
        let last = try await S.open(torn.crash())
        #expect(try await last.removalRecords().count == 3)
        #expect(await last.status().problems.isEmpty)
    }

    @Test func `removals stay on record over restarts`() async throws {
        let disk = SimulatedDisk(seed: 9)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        let removal = Removal(
            .redact(keys: ["a", "b"]),
            range: TimeRange(start: 5, end: 5_000),
            predicate: .true,
            queryText: "true",
            requestedBy: "Ann, ticket 7"
        )
        _ = try await store.remove(removal)
        let records = try await store.removalRecords()
        #expect(records.count == 1 && records[0].finishedUnixNanos != nil && records[0].requestedBy == "Ann, ticket 7")
        let reopened = try await S.open(disk.crash())
        #expect(try await reopened.removalRecords() == records)
    }
}
