// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore
import SkeinWire

/// What the engine costs without sockets: appending, restarting, sealing, merging, and the usual questions.
struct EngineBenchmark {
    let batches: [SpanBatch]
    private let spanCount: Int
    private let folder: String
    /// Requests that are in memory when the last questions are asked.
    private static let residueCount = 20

    /// Spans of the requests, `passes` times, each time as other traces a minute later. `folder` must not exist.
    init(_ requests: [UnsafeRawBufferPointer], passes: Int, folder: String) throws {
        self.folder = folder
        var decoder = OTLP.ProtobufDecoder()
        var batches: [SpanBatch] = []
        for pass in 0..<passes {
            for request in requests {
                var batch = try decoder.decode(request, receivedUnixNanos: 1).batch
                for row in 0..<batch.count {
                    batch.traceIDs[row].high ^= UInt64(pass) << 32
                    batch.startUnixNanos[row] += UInt64(pass) * 60_000_000_000
                }
                batches.append(batch)
            }
        }
        self.batches = batches
        spanCount = batches.reduce(0) { $0 + $1.count }
    }

    /// Runs all stages and prints a line for each.
    func run() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await runLog()
        try FileManager.default.removeItem(atPath: folder)
        try await runBlocks()
    }

    private func runLog() async throws {
        var configuration = EmbeddedStore.Configuration(directory: folder)
        configuration.durability = .os
        configuration.headSpanCount = .max
        configuration.headByteCount = 1 << 40
        var watch = Stopwatch(spanCount: spanCount)
        let store = try await EmbeddedStore.open(configuration)
        for batch in batches { try await store.append(batch) }
        watch.lap("append: pack, log, head")
        let figures = await store.status().figures
        print("  log \(perSpan(figures["log_bytes"])) bytes a span, head \(perSpan(figures["head_bytes"])) in memory")
        watch.skip()
        _ = try await store.rollup(.all, step: nil)
        watch.lap("rollup of the head, asked for the first time")
        try await time("rollup of the head after another request") { index in
            try await store.append(batches[index % batches.count])
            _ = try await store.rollup(.all, step: nil)
        }
        await store.close()
        watch.skip()
        let replayed = try await EmbeddedStore.open(configuration)
        watch.lap("restart: replay the log")
        await replayed.close()
    }

    private func runBlocks() async throws {
        let configuration = EmbeddedStore.Configuration(directory: folder)
        // The last requests come when all else is merged, as they do in a store at work.
        let sealedCount = max(1, batches.count - Self.residueCount)
        var watch = Stopwatch(spanCount: spanCount)
        let store = try await EmbeddedStore.open(configuration)
        try await withThrowingTaskGroup { [batches] group in
            for lane in 0..<8 {
                group.addTask {
                    for index in stride(from: lane, to: sealedCount, by: 8) { try await store.append(batches[index]) }
                }
            }
            try await group.waitForAll()
        }
        try await store.seal()
        watch.lap("append and seal, durability always, 8 senders")
        let figures = await store.status().figures
        print(
            "  \(figures["blocks"] ?? 0) blocks, \(perSpan(figures["block_bytes"])) bytes a span, "
                + "\(figures["log_syncs"] ?? 0) syncs; rollups \(rollupBytes(figures)) bytes a span"
        )
        try await ask(store)
        watch.skip()
        try await store.compact()
        watch.lap("merge")
        let merged = await store.status().figures
        print(
            "  \(merged["merges"] ?? 0) merges of \(merged["merged_spans"] ?? 0) spans, "
                + "\(merged["merged_spans_copied"] ?? 0) of them copied; "
                + "\(merged["blocks"] ?? 0) blocks, \(perSpan(merged["block_bytes"])) bytes a span, "
                + "rollups \(rollupBytes(merged))"
        )
        try await ask(store)
        for batch in batches[sealedCount...] { try await store.append(batch) }
        print("  with the newest \(batches.count - sealedCount) requests in memory")
        try await ask(store)
        await store.close()
        watch.skip()
        let reopened = try await EmbeddedStore.open(configuration)
        watch.lap("restart: open blocks")
        let count = min(200, batches.count)
        let ids = (0..<count).map { batches[$0 * (batches.count / count)].traceIDs[0] }
        try await time("trace by id, each for the first time") { index in
            _ = try await reopened.trace(ids[index % count])
        }
        await reopened.close()
    }

    private func perSpan(_ byteCount: Int?) -> Int { (byteCount ?? 0) / spanCount }

    private func rollupBytes(_ figures: [String: Int]) -> String {
        String(format: "%.3f", Double(figures["rollup_bytes"] ?? 0) / Double(spanCount))
    }

    // MARK: Questions

    private func ask(_ store: EmbeddedStore) async throws {
        let ids = stride(from: 0, to: batches.count, by: max(1, batches.count / 50)).map { batches[$0].traceIDs[0] }
        try await time("trace by id") { index in _ = try await store.trace(ids[index % ids.count]) }
        try await time("missing trace id") { index in _ = try await store.trace(TraceID(high: 1, low: UInt64(index))) }
        let isError = SpanPredicate.compare(.status, .equal, .status(.error))
        func service(_ name: String) -> SpanPredicate { .compare(.serviceName, .equal, .string(name)) }
        func slower(_ millis: Int64) -> SpanPredicate { .compare(.duration, .greater, .int(millis * 1_000_000)) }
        let searches: [(name: String, predicate: SpanPredicate, limit: Int)] = [
            ("newest 20", .true, 20),
            ("newest 20 of a service", service("checkout"), 20),
            ("slower than 500 ms", slower(500), 20),
            ("errors", isError, 20),
            ("errors, all of them", isError, 10_000),
            ("errors of a service", .and([isError, service("payment")]), 20),
            ("slow spans of a service", .and([service("checkout"), slower(300)]), 20),
            ("an absent value", .compare(.attribute(.any, "user.id"), .equal, .string("nobody")), 20),
        ]
        for (name, predicate, limit) in searches {
            let query = SpanQuery(predicate: predicate, limit: limit)
            let page = try await store.search(query)
            let found = "\(page.traces.count) traces, \(page.inspected.spanCount) spans inspected"
            try await time("\(name) (\(found))") { _ in _ = try await store.search(query) }
        }
        try await time("rollup of all time") { _ in _ = try await store.rollup(.all, step: nil) }
        try await time("rollup of all time by the minute") { _ in
            _ = try await store.rollup(.all, step: 60_000_000_000)
        }
        try await time("services") { _ in _ = try await store.services() }
        try await time("operations") { _ in _ = try await store.operations(ofService: "checkout") }
        try await time("values of user.id") { _ in
            _ = try await store.values(of: .attribute(.span, "user.id"), prefix: "", limit: 10)
        }
    }

    /// Asks until a second or 200 answers have passed.
    private func time(_ name: String, _ body: @Sendable (Int) async throws -> Void) async throws {
        var walls: [Double] = []
        let cpu = cpuSeconds()
        while walls.count < 200, walls.reduce(0, +) < 1_000 {
            let start = SystemClock().monotonicNanos
            try await body(walls.count)
            walls.append(Double(SystemClock().monotonicNanos - start) / 1e6)
        }
        walls.sort()
        let cpuMillis = (cpuSeconds() - cpu) / Double(walls.count) * 1e3
        print(String(format: "%8.2f ms p50 %8.2f ms CPU  ", walls[walls.count / 2], cpuMillis) + name)
    }
}

/// CPU and wall time from lap to lap.
private struct Stopwatch {
    let spanCount: Int
    private var cpu = cpuSeconds()
    private var wall = SystemClock().monotonicNanos

    init(spanCount: Int) { self.spanCount = spanCount }

    /// Starts the lap here.
    mutating func skip() {
        cpu = cpuSeconds()
        wall = SystemClock().monotonicNanos
    }

    /// Prints what the lap took.
    mutating func lap(_ name: String) {
        let perMillion = (cpuSeconds() - cpu) / Double(spanCount) * 1e6
        let seconds = Double(SystemClock().monotonicNanos - wall) / 1e9
        print(String(format: "%7.3f CPU-s per million spans %7.3f s  ", perMillion, seconds) + name)
        skip()
    }
}
