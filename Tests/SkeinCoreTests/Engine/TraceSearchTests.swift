// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

@Suite struct TraceSearchTests {
    typealias S = EngineSupport

    /// Two blocks that share a hundred traces, and no cache.
    static func store(_ disk: SimulatedDisk) async throws -> EmbeddedStore {
        let store = try await S.open(disk) { $0.cacheByteCount = 0 }
        for part in 0..<2 as Range<UInt64> {
            let spans = (1...100).map { S.span($0, $0 + 1_000 * part, start: 1_000 * $0 + part) }
            try await store.append(SpanBatch(spans: spans))
            try await store.seal()
        }
        return store
    }

    @Test(arguments: [0, 5, 40, 200]) func `a search stops at the step at which it is cancelled`(
        reads: Int
    ) async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await Self.store(disk)
        let cancellation = Cancellation()
        let count = Mutex(0)
        disk.onRead = {
            let count = count.withLock { count in
                count += 1
                return count
            }
            if count > reads { cancellation.cancel() }
        }
        var search = TraceSearch(SpanQuery(limit: 10_000), in: store.contents.snapshot(), cancellation)
        do {
            _ = try search.run()
            Issue.record("a cancelled search ended")
        } catch {
            #expect(error.code == .cancelled)
        }
        // A step reads some dozen chunks; all of them together some thousand.
        #expect(count.withLock { $0 } < reads + 60)
    }

    @Test func `a trace larger than the limits is refused with the remedy, and still found`() async throws {
        func refusal(_ change: (inout EmbeddedStore.Configuration) -> Void) async throws -> StoreError? {
            let store = try await S.open(SimulatedDisk(seed: 2), change)
            try await store.append(S.batch(S.span(1, 1), S.span(1, 2)))
            try await store.seal()
            try await store.append(S.batch(S.span(1, 3), S.span(2, 4)))
            #expect(try await store.search(SpanQuery()).traces.map(\.spanCount).sorted() == [1, 3])
            #expect(try await S.trace(2, of: store).count == 1)
            do throws(StoreError) {
                _ = try await store.trace(TraceID(high: 1, low: 1))
                return nil
            } catch {
                return error
            }
        }
        #expect(try await refusal { _ in } == nil)
        let spans = try await refusal { $0.traceSpanCountMax = 2 }
        #expect(spans?.code == .limit && spans?.message.contains("has 3 stored spans, at most 2") ?? false)
        let bytes = try await refusal { $0.traceByteCountMax = 100 }
        #expect(bytes?.code == .limit && bytes?.message.contains("traceByteCountMax") ?? false)
    }

    @Test(arguments: [3, 31, 32, 33, 700])
    func `a trace of many services is summed up by each of them`(serviceCount: UInt64) async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        let spans = (0..<3 * serviceCount + 1).map { number in
            var span = S.span(1, number + 1, service: "s\(number % serviceCount)")
            // Two resources for each service.
            span.resource.attributes.append(Attribute("host", .int(Int64(number % 2))))
            return span
        }
        try await store.append(SpanBatch(spans: spans))
        let inMemory = try await store.search(SpanQuery()).traces
        try await store.seal()
        let inBlock = try await store.search(SpanQuery()).traces
        #expect(inBlock == inMemory && inBlock[0].services.count == Int(serviceCount))
        #expect(inBlock[0].services[0] == .init(name: "s0", spanCount: 4, errorCount: 0))
        await store.close()
    }

    @Test func `the value used longest ago goes first`() {
        var few = RecentlyUsed<Int, String>(countMax: 2)
        few.keep("a", of: 1)
        few.keep("b", of: 2)
        #expect(few.value(of: 1) == "a")
        few.keep("c", of: 3)
        #expect(few.value(of: 2) == nil && few.value(of: 1) == "a" && few.value(of: 3) == "c")
        #expect(few.count == 2)
    }
}
