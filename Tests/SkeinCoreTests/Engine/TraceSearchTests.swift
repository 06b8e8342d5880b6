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
