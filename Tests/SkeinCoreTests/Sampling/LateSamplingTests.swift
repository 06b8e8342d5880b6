// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Late sampling, a few spans at a time.
@Suite struct LateSamplingTests {
    /// A trace of which a share of 0.1 keeps, or does not keep, everything.
    private func trace(_ number: UInt64, isLucky: Bool, spans: Int = 2) -> [SkeinModel.Span] {
        var trace = TraceSketch(number)
        trace.id = TraceID(high: number, low: isLucky ? 0xff_ffff_ffff_ff00 + number : number)
        for _ in 0..<spans { trace.add() }
        return trace.spans
    }

    private func stored(_ spans: [SkeinModel.Span], in bench: LateBench) async throws -> [SkeinModel.Span] {
        try await bench.store.trace(spans[0].traceID)?.spans ?? []
    }

    private func weights(_ spans: [SkeinModel.Span], in bench: LateBench) async throws -> [Double] {
        try await stored(spans, in: bench).map { ($0.weight * 1_000).rounded() / 1_000 }
    }

    @Test func `a kept trace says why, how much it weighs and what threshold it passed`() async throws {
        let bench = try await LateBench(LateBench.errors, .probabilistic(0.1), .always)
        let spans = trace(1, isLucky: true)
        try await bench.block(spans)
        bench.wait(hours: 25)
        await bench.store.thin()
        // Of what several keep, the one that keeps most counts.
        let kept = try await stored(spans, in: bench)
        #expect(kept.map(\.weight) == [1, 1])
        #expect(kept[0].attributes == [Attribute("skein.sampling.reason", "late: policy-2")])
        #expect(bench.metric(#"skein_late_sampling_traces_total{policy="policy-2",decision="kept"} 1"#))
        let tenth = try await LateBench(.probabilistic(0.1))
        try await tenth.block(spans)
        tenth.wait(hours: 25)
        await tenth.store.thin()
        #expect(try await weights(spans, in: tenth) == [10, 10])
        #expect(try await stored(spans, in: tenth).allSatisfy { $0.traceState.hasPrefix("ot=th:e666") })
        #expect(try await stored(spans, in: tenth)[1].attributes.isEmpty)
    }

    @Test func `a trace waits for its youngest spans, wherever they are`() async throws {
        let bench = try await LateBench(.probabilistic(0.1))
        let (lucky, unlucky) = (trace(1, isLucky: true, spans: 4), trace(2, isLucky: false, spans: 4))
        try await bench.block([lucky[0], unlucky[0]])
        bench.wait(hours: 13)
        try await bench.block([lucky[1], unlucky[1]])
        bench.wait(hours: 13)
        await bench.store.thin()
        #expect(try await stored(unlucky, in: bench).count == 2, "the second block is hot")
        // Rows in memory make a trace wait, too.
        try await bench.store.append(
            SpanBatch(spans: [lucky[2], unlucky[2]], receivedUnixNanos: bench.clock.unixNanos)
        )
        bench.wait(hours: 20)
        await bench.store.thin()
        #expect(try await stored(unlucky, in: bench).count == 3)
        #expect(try await weights(lucky, in: bench) == [1, 1, 1])
        try await bench.store.seal()
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await stored(unlucky, in: bench).isEmpty)
        #expect(try await weights(lucky, in: bench) == [10, 10, 10])
        #expect(bench.metric(#"skein_late_sampling_spans_total{policy="none",decision="dropped"} 3"#))
    }

    @Test func `spans that come late follow the decision, whatever else it was made of`() async throws {
        let bench = try await LateBench(.probabilistic(0.25, salt: "late"))
        let traces = (1..<40).map { trace($0, isLucky: false, spans: 3) }
        try await bench.block(traces.flatMap { $0.prefix(2) })
        bench.wait(hours: 25)
        await bench.store.thin()
        var kept: [[SkeinModel.Span]] = []
        for trace in traces where try await !stored(trace, in: bench).isEmpty { kept.append(trace) }
        #expect((2...20).contains(kept.count))
        try await bench.block(kept.map { $0[2] })
        for trace in kept { #expect(try await weights(trace, in: bench) == [4, 4, 1]) }
        try await bench.store.compact()
        bench.wait(hours: 25)
        try await bench.store.compact()
        await bench.store.thin()
        for trace in kept { #expect(try await weights(trace, in: bench) == [4, 4, 4]) }
    }

    @Test func `spans that come late weigh what was decided, not what a client says was`() async throws {
        let bench = try await LateBench(.probabilistic(0.1))
        var spans = trace(1, isLucky: true, spans: 4)
        (spans[0].traceState, spans[0].weight) = ("ot=th:fc", 64)
        for index in spans.indices {
            spans[index].attributes = [
                Attribute("skein.sampling.factor", 1_000.0), Attribute("skein.sampling.threshold", .int(1 << 55)),
            ]
        }
        try await bench.block(Array(spans.prefix(2)))
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await weights(spans, in: bench) == [64, 10])
        let root = try await stored(spans, in: bench)[0]
        #expect(root.attributes.map(\.key) == ["skein.sampling.reason", "skein.sampling.threshold"])
        for late in 2...3 {
            try await bench.block([spans[late]])
            bench.wait(hours: 25)
            await bench.store.thin()
        }
        #expect(try await weights(spans, in: bench) == [64, 10, 10, 10])
        #expect(try await stored(spans, in: bench).dropFirst().allSatisfy(\.attributes.isEmpty))
    }

    @Test func `log records of dropped traces go, others stay`() async throws {
        var bench = try await LateBench(.probabilistic(0.1))
        let (lucky, unlucky) = (trace(1, isLucky: true), trace(2, isLucky: false))
        try await bench.block(lucky + unlucky)
        let records = [lucky, unlucky].map { spans in
            LogRecord(
                traceID: spans[0].traceID,
                spanID: spans[0].spanID,
                timeUnixNanos: 5,
                body: .string("text")
            )
        }
        try await bench.store.logRecords?.append(LogBatch(records: records))
        try await bench.reopen(on: bench.disk.kill())
        bench.wait(hours: 25)
        await bench.store.thin()
        func count(_ spans: [SkeinModel.Span]) async throws -> Int? {
            try await bench.store.logRecords?.logRecords(ofTrace: spans[0].traceID, span: nil, limit: 10).batch.count
        }
        #expect(try await count(lucky) == 1)
        #expect(try await count(unlucky) == 0)
    }

    @Test func `weights of clients are multiplied, and what thinned as much before is not thinned again`() async throws
    {
        let bench = try await LateBench(.probabilistic(0.1))
        var half = trace(1, isLucky: true)
        var twentieth = trace(2, isLucky: true)
        for index in half.indices {
            (half[index].traceState, half[index].weight) = ("ot=th:8", 2)
            (twentieth[index].traceState, twentieth[index].weight) = ("ot=th:f333333333333", 20)
        }
        try await bench.block(half + twentieth)
        bench.wait(hours: 25)
        await bench.store.thin()
        #expect(try await weights(half, in: bench) == [10, 10])
        #expect(try await weights(twentieth, in: bench) == [20, 20])
    }

    @Test func `sums that are made anew of a thinned block count weights`() async throws {
        var bench = try await LateBench(.probabilistic(0.1))
        try await bench.block(trace(1, isLucky: true) + trace(2, isLucky: false))
        bench.wait(hours: 25)
        await bench.store.thin()
        func count() async throws -> Double {
            try await bench.store.rollup(.all, step: nil).flatMap(\.operations).reduce(0) { $0 + $1.durations.count }
        }
        #expect(try await count() == 4)
        let disk = bench.disk.kill()
        for path in disk.paths where path.hasPrefix("/data/rollups/") { disk[path] = nil }
        try await bench.reopen(on: disk)
        #expect(abs(try await count() - 20) < 0.001)
    }

    @Test(arguments: 0..<60)
    func `a stop on the way leaves traces whole or gone, and weighed once`(operations: Int) async throws {
        var bench = try await LateBench(.probabilistic(0.1), seed: UInt64(operations))
        let (lucky, unlucky) = (trace(1, isLucky: true, spans: 3), trace(2, isLucky: false, spans: 3))
        for index in 0..<3 { try await bench.block([lucky[index], unlucky[index]]) }
        bench.wait(hours: 25)
        bench.disk.stop(afterOperations: operations)
        await bench.store.thin()
        try await bench.reopen(on: operations % 2 == 0 ? bench.disk.crash() : bench.disk.kill())
        await bench.store.thin()
        #expect(try await stored(unlucky, in: bench).isEmpty)
        #expect(try await weights(lucky, in: bench) == [10, 10, 10])
        #expect(!bench.disk.paths.contains("/data/late-sampling"))
        #expect(await bench.store.status().problems.isEmpty)
    }

    @Test func `a record that does not check is put aside and told`() async throws {
        var bench = try await LateBench(.probabilistic(0.1))
        let disk = bench.disk.kill()
        disk["/data/late-sampling"] = [1, 2, 3]
        let findings = try DataFolder("/data", disk: disk).verify().findings
        #expect(findings.contains { $0.isDamage && $0.file == "late-sampling" })
        try await bench.reopen(on: disk)
        #expect(await bench.store.status().problems.contains { $0.contains("late-sampling") })
        try await bench.reopen(on: disk.kill())
        #expect(await bench.store.status().problems.isEmpty)
    }
}
