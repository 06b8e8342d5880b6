// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct LargeTraceSearchTests {
    typealias S = EngineSupport

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `a trace looked at in windows is summed up like one put together`(seed: UInt64) async throws {
        var nasty = NastySpans(seed: seed, traceCount: 3)
        let store = try await S.open(SimulatedDisk(seed: seed))
        for _ in 0..<4 {
            let batch = SpanBatch(spans: nasty.spans(1 + Int(nasty.below(60))))
            try await store.append(batch)
            if nasty.below(2) == 0 { try await store.seal() }
        }
        if seed % 2 == 0 { try await store.compact() }
        for _ in 0..<20 {
            let query = SpanQuery(predicate: nasty.predicate(), limit: 100)
            var search = TraceSearch(query, in: store.contents.snapshot(), Cancellation(), largeTraceSpanCount: 0)
            let found = try search.run()
            #expect(try await store.search(query).traces == found.traces)
        }
    }
}
