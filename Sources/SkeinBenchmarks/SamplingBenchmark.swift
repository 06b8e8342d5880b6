// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import Synchronization

/// What sampling costs: CPU by span, of a tail sampler also memory with a number of traces waiting.
///
/// Traces have six spans with ten attributes each, which come in six requests, in each of which a span of many traces stands.
/// Policies: errors, which are one span in fifty, slow ones, a pattern, a share of 5 %.
struct SamplingBenchmark {
    /// Traces that wait at once.
    let traceCount: Int
    private static let spansOfTrace = 6
    private static let batchSpanCount = 500
    private static let passes = 5

    /// A clock that this benchmark moves.
    final class Clock: WallClock {
        private let nanos = Atomic<UInt64>(1)
        var unixNanos: UInt64 { monotonicNanos }
        var monotonicNanos: UInt64 { nanos.load(ordering: .relaxed) }
        func sleep(nanos: UInt64) async throws {}
        func advance(nanos: UInt64) { self.nanos.wrappingAdd(nanos, ordering: .relaxed) }
    }

    func run() async throws {
        let batches = makeBatches()
        let byteCount = batches.reduce(0) { $0 + $1.byteCount }
        print("\(batches.count) requests of \(byteCount >> 20) MiB together")
        for _ in 0..<Self.passes {
            atTheDoor(batches)
            try await run(batches)
        }
    }

    /// What the stages before the tail sampler cost.
    private func atTheDoor(_ batches: [SpanBatch]) {
        let telemetry = Telemetry()
        let clock = Clock()
        var health = HeadRule.Match()
        health.operation = Wildcard("GET /health*")
        let stages: [(String, any IntakeStage)] = [
            ("weights, none said", SpanWeights(attribute: WeightAttribute(key: "sampling.ratio"))),
            (
                "adaptive",
                AdaptiveSampling(.init(targetPerSecond: 1), clock: clock, telemetry: telemetry)
            ),
            (
                "head, a rule about no span",
                HeadSampler(
                    [HeadRule(name: "a", match: health, sampler: .alwaysOff)],
                    clock: clock,
                    telemetry: telemetry
                )
            ),
            (
                "head, a tenth",
                HeadSampler([HeadRule(name: "b", sampler: .probabilistic(0.1))], clock: clock, telemetry: telemetry)
            ),
            (
                "head, by rate",
                HeadSampler([HeadRule(name: "c", sampler: .rateLimiting(1000))], clock: clock, telemetry: telemetry)
            ),
        ]
        let spans = batches.reduce(0) { $0 + $1.count }
        for (name, stage) in stages {
            report(name, spans: spans, bytes: 0) {
                for batch in batches { _ = try? stage.process(batch, from: IntakeSource(protocolName: "benchmark")) }
            }
        }
    }

    static func policies() throws -> SamplingPolicySet {
        try SamplingPolicySet([
            SamplingPolicy("errors", .condition(.status(in: [.error]))),
            SamplingPolicy("slow", .latency(millis: 1_000, upToMillis: nil)),
            SamplingPolicy("vip", .condition(try .text("http.route", containing: ["^/pay/vip"]))),
            SamplingPolicy("rest", .probabilistic(0.05)),
        ])
    }

    private func run(_ batches: [SpanBatch]) async throws {
        let clock = Clock()
        let kept = Counter()
        var settings = TailSamplingSettings()
        settings.traceCountMax = traceCount
        let policies = try Self.policies()
        let budget = ByteBudget(limit: 1 << 34)
        let sampler = TailSampler(policies, settings, budget: budget, clock: clock, telemetry: Telemetry()) {
            batch throws(Refusal) in
            kept.add(batch.count)
        }
        let spans = batches.reduce(0) { $0 + $1.count }
        func perMillion(_ seconds: Double) -> String { String(format: "%.3f", seconds / Double(spans) * 1e6) }
        let resident = Self.residentBytes
        let start = cpuSeconds()
        for batch in batches { try await sampler.take(batch) }
        let taken = cpuSeconds() - start
        print(
            "\(sampler.waitingTraceCount) traces wait: \(sampler.byteCount >> 20) MiB counted, of which "
                + "\((Self.residentBytes - resident) >> 20) MiB beside the requests"
        )
        clock.advance(nanos: settings.decisionWaitNanos)
        let middle = cpuSeconds()
        await sampler.tick()
        let decided = cpuSeconds() - middle
        print(
            "taken \(perMillion(taken)), decided and passed on \(perMillion(decided)) CPU-s per million spans; "
                + "\(kept.value) of \(spans) spans kept"
        )
    }

    /// Requests in which the spans of as many traces as wait at once stand.
    func makeBatches() -> [SpanBatch] {
        var batches: [SpanBatch] = []
        var random = SeededRandom(seed: 1)
        let ids = (0..<traceCount).map { _ in TraceID(high: random.next(), low: random.next()) }
        for start in stride(from: 0, to: traceCount, by: Self.batchSpanCount) {
            for index in 0..<Self.spansOfTrace {
                var builder = SpanBatchBuilder()
                for id in ids[start..<min(start + Self.batchSpanCount, traceCount)] {
                    add(id, index, &random, to: &builder)
                }
                batches.append(builder.finish(receivedUnixNanos: 1))
            }
        }
        return batches
    }

    private func add(
        _ id: TraceID,
        _ index: Int,
        _ random: inout SeededRandom,
        to builder: inout SpanBatchBuilder
    ) {
        let service = random.next() % 12
        builder.addResourceAttribute(
            key: builder.intern("service.name"),
            value: builder.intern(.string("service-\(service)"))
        )
        var fields = SpanBatchBuilder.SpanFields()
        fields.resource = builder.addResource(serviceName: builder.intern("service-\(service)"))
        fields.scope = builder.addScope(name: builder.intern("library"))
        let attributes: [(String, AttributeValue)] = [
            ("http.request.method", "GET"), ("http.response.status_code", 200),
            ("http.route", .string("/pay/\(service)")),
            ("user.id", .string("user-\(random.next() % 100_000)")), ("order.id", .string(Hex.string(random.next()))),
            ("server.address", "shop.example"), ("server.port", 443), ("network.protocol.version", "1.1"),
            ("url.path", .string("/pay/\(service)/\(random.next() % 1_000)")),
            ("session.id", .string(Hex.string(random.next()))),
        ]
        for (key, value) in attributes {
            builder.addSpanAttribute(key: builder.intern(key), value: builder.intern(value))
        }
        fields.traceID = id
        fields.spanID = SpanID(random.next() | 1)
        fields.parentSpanID = index == 0 ? .zero : SpanID(1)
        fields.name = builder.intern("GET /pay/\(service)")
        fields.kind = 2
        fields.statusCode = random.next() % 300 == 0 ? 2 : 0
        fields.startUnixNanos = 1_700_000_000_000_000_000
        fields.endUnixNanos = fields.startUnixNanos + random.next() % 500_000_000
        builder.addSpan(fields)
    }

    /// Bytes of memory that the process has.
    private static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4096
    }
}
