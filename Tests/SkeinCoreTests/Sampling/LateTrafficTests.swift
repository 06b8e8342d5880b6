// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Ten thousand known traces in many blocks, across whose seams they lie, through late policies.
@Suite struct LateTrafficTests {
    private static let minute: UInt64 = 60_000_000_000

    /// What is stored of each trace.
    private func stored(_ traffic: LateTraffic, in store: EmbeddedStore) async throws -> [[SkeinModel.Span]] {
        let listed = Set(try await store.search(SpanQuery(limit: 10_000)).traces.map(\.traceID))
        var stored: [[SkeinModel.Span]] = []
        for trace in traffic.traces {
            let id = trace[0].traceID
            stored.append(listed.contains(id) ? try await store.trace(id)?.spans ?? [] : [])
        }
        return stored
    }

    /// Sums by the minute, without the traces that they show.
    private func sums(_ store: any SpanStore) async throws -> [RollupSlice] {
        try await store.rollup(.all, step: Self.minute).map { slice in
            var slice = slice
            for index in slice.operations.indices { slice.operations[index].durations.exemplar = nil }
            return slice
        }
    }

    private func check(
        _ rules: SamplingPolicy.Rule...,
        share: Double,
        isKeptAnyway: (UInt64) -> Bool
    ) async throws {
        let traffic = LateTraffic(count: 10_000)
        let bench = rules.count == 1 ? try await LateBench(rules[0]) : try await LateBench(rules[0], rules[1], rules[2])
        let truth = MemoryStore()
        var random = SeededRandom(seed: 12)
        for (number, spans) in traffic.requests(&random).enumerated() {
            let batch = SpanBatch(spans: spans, receivedUnixNanos: bench.clock.unixNanos)
            try await bench.store.append(batch)
            try await truth.append(batch)
            // Seven requests to a block, so that most blocks end within a thousand mixed traces.
            if number % 7 == 6 { try await bench.store.seal() }
        }
        try await bench.store.seal()
        await bench.store.thin()
        #expect(await bench.store.status().spanCount == 30_000, "nothing has left the window")
        bench.wait(hours: 25)
        let sums = try await sums(truth)
        #expect(try await self.sums(bench.store) == sums)
        await bench.store.thin()
        let kept = try await stored(traffic, in: bench.store)
        var weights: [String: Double] = [:]
        var sharedCount = 0
        for (number, spans) in traffic.traces.enumerated() {
            let isKeptAnyway = isKeptAnyway(UInt64(number))
            guard !kept[number].isEmpty else {
                #expect(!isKeptAnyway, "trace \(number)")
                continue
            }
            if !isKeptAnyway { sharedCount += 1 }
            #expect(kept[number].map(\.spanID).sorted() == spans.map(\.spanID).sorted(), "a part of trace \(number)")
            #expect(kept[number].allSatisfy { abs($0.weight - (isKeptAnyway ? 1 : 1 / share)) < 1e-9 })
            for span in kept[number] { weights[span.resource.serviceName, default: 0] += span.weight }
        }
        let candidates = Double((0..<10_000 as Range<UInt64>).count { !isKeptAnyway($0) })
        let deviation = (candidates * share * (1 - share)).squareRoot()
        #expect(abs(Double(sharedCount) - candidates * share) < 4 * deviation)
        for service in 0..<4 {
            let counted = weights["service-\(service)"] ?? 0
            #expect(abs(counted - 7_500) <= 75, "service-\(service): \(counted)")
        }
        #expect(try await self.sums(bench.store) == sums)
        // Whatever is merged and looked at again, nothing is decided twice.
        try await bench.store.compact()
        bench.wait(hours: 48)
        try await bench.store.compact()
        await bench.store.thin()
        #expect(await bench.store.status().figures["blocks"] == 1)
        #expect(try await stored(traffic, in: bench.store) == kept)
        #expect(try await self.sums(bench.store) == sums)
        #expect(await bench.store.status().problems.isEmpty)
        #expect(!bench.disk.paths.contains("/data/late-sampling"))
    }

    @Test func `errors and slow traces are kept, others at a share, whole and with exact counts`() async throws {
        try await check(LateBench.errors, .latency(millis: 1_000, upToMillis: nil), .probabilistic(0.05), share: 0.05) {
            LateTraffic.isWrong($0) || LateTraffic.isSlow($0)
        }
    }

    @Test func `a share of all traces is kept, whole and with exact counts`() async throws {
        try await check(.probabilistic(0.1), share: 0.1) { _ in false }
    }
}
