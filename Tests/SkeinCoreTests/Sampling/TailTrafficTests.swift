// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinTestKit
import Testing

/// Ten thousand traces of a seed through errors, slow ones and a share of the rest.
@Suite struct TailTrafficTests {
    private static let errors = SamplingPolicy.Rule.condition(.status(in: [.error]))

    @Test func `errors and slow traces are kept, others at a share, whole and with exact counts`() async throws {
        let bench = try TailSamplerTests.Bench(
            Self.errors,
            .latency(millis: 1_000, upToMillis: nil),
            .probabilistic(0.25)
        )
        var generator = TraceGenerator(seed: 11)
        var random = SeededRandom(seed: 12)
        var traces: [TraceID: [Span]] = [:]
        var window: [Span] = []
        for _ in 0..<10_000 {
            let spans = generator.trace()
            traces[spans[0].traceID] = spans
            window += spans
            // Spans of many traces come mixed, in requests of a few hundred.
            if window.count >= 2_000 {
                window.shuffle(using: &random)
                for start in stride(from: 0, to: window.count, by: 300) {
                    try await bench.take(Array(window[start..<min(start + 300, window.count)]))
                }
                window = []
                await bench.wait(0.5)
            }
        }
        try await bench.take(window)
        await bench.wait(10)
        #expect(bench.sampler.byteCount == 0)
        let kept = Dictionary(grouping: bench.spans, by: \.traceID)
        var exact: [String: Double] = [:]
        var weighted: [String: Double] = [:]
        for (id, spans) in traces {
            let isError = spans.contains { $0.status.code == .error }
            let start = spans.map(\.startUnixNanos).min() ?? 0
            let end = spans.map(\.endUnixNanos).max() ?? 0
            let isSlow = (end - start) / 1_000_000 >= 1_000
            for span in spans { exact[span.resource.serviceName, default: 0] += 1 }
            guard let passed = kept[id] else {
                #expect(!isError && !isSlow)
                continue
            }
            #expect(Set(passed.map(\.spanID)) == Set(spans.map(\.spanID)), "a part of a trace")
            #expect(passed.count == spans.count)
            #expect(passed.allSatisfy { $0.weight == (isError || isSlow ? 1 : 4) })
            for span in passed { weighted[span.resource.serviceName, default: 0] += span.weight }
        }
        for (service, count) in exact {
            #expect(
                abs((weighted[service] ?? 0) - count) <= 0.01 * count,
                "\(service): \(weighted[service] ?? 0) of \(count)"
            )
        }
    }

    @Test func `whatever the order of requests, the same traces are kept`() async throws {
        var generator = TraceGenerator(seed: 5)
        let spans = generator.spans(3_000)
        var outcomes: [[SpanID]] = []
        for seed in 0..<3 as Range<UInt64> {
            let bench = try TailSamplerTests.Bench(Self.errors, .probabilistic(0.1))
            var random = SeededRandom(seed: seed)
            let shuffled = spans.shuffled(using: &random)
            for start in stride(from: 0, to: shuffled.count, by: 170) {
                try await bench.take(Array(shuffled[start..<min(start + 170, shuffled.count)]))
            }
            await bench.wait(10)
            outcomes.append(bench.spans.map(\.spanID).sorted())
        }
        #expect(outcomes[0] == outcomes[1])
        #expect(outcomes[0] == outcomes[2])
        #expect(outcomes[0].count < spans.count)
    }
}
