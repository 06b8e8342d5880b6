// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinPipeline
import SkeinStore

/// What late sampling costs beside merging: the traces of ``SamplingBenchmark`` in blocks as the head makes them, merged, and
/// thinned by the same policies once they have left the hot window.
struct LateBenchmark {
    let traceCount: Int
    /// Must not exist.
    let folder: String

    func run() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let batches = SamplingBenchmark(traceCount: traceCount).makeBatches()
        let spanCount = batches.reduce(0) { $0 + $1.count }
        let clock = SamplingBenchmark.Clock()
        clock.advance(nanos: 100 * 86_400_000_000_000)
        var configuration = EmbeddedStore.Configuration(directory: folder)
        configuration.durability = .os
        configuration.clock = clock
        configuration.lateSampling = LateSampling(
            hotWindow: .seconds(86_400),
            sampler: LatePolicies(try SamplingBenchmark.policies(), telemetry: Telemetry())
        )
        let store = try await EmbeddedStore.open(configuration)
        for var batch in batches {
            batch.receivedUnixNanos = clock.unixNanos
            try await store.append(batch)
        }
        try await store.seal()
        try await lap("merge", spanCount) { try await store.compact() }
        clock.advance(nanos: 3 * 86_400_000_000_000)
        try await lap("decide and write anew", spanCount) { await store.thin() }
        try await lap("look again", spanCount) { await store.thin() }
        let status = await store.status()
        print("\(status.spanCount) of \(spanCount) spans are left in \(status.figures["blocks"] ?? 0) blocks")
        await store.close()
    }

    private func lap(_ name: String, _ spanCount: Int, _ body: () async throws -> Void) async throws {
        let start = cpuSeconds()
        try await body()
        print(name + String(format: ": %.3f CPU-s per million spans", (cpuSeconds() - start) / Double(spanCount) * 1e6))
    }
}
