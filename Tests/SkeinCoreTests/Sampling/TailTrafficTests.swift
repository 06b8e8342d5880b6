// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinTestKit
import Testing

/// Many traces of a seed through errors, slow ones and a share of the rest.
@Suite struct TailTrafficTests {
    private static let errors = SamplingPolicy.Rule.condition(.status(in: [.error]))

    /// Trace `number`: three spans of one service, one in fifty with an error, one in forty slow. Its randomness is evenly
    /// spread over the traces of each service, as it is over many more by chance.
    private func trace(_ number: UInt64) -> [Span] {
        let service = number % 4
        let isSlow = number % 40 == 7
        var trace = TraceSketch(number)
        trace.id = TraceID(high: number + 1, low: (number / 4) &* 0x9e_3779_b97f_4a7d)
        for index in 0..<3 {
            trace.add(
                resource: [Attribute("service.name", .string("service-\(service)"))],
                millis: 0...(isSlow && index == 2 ? 1_000 : 5),
                status: number % 50 == 3 && index == 1 ? .error : .unset
            )
        }
        return trace.spans
    }

    @Test func `errors and slow traces are kept, others at a share, whole and with exact counts`() async throws {
        let bench = try TailSamplerTests.Bench(
            Self.errors,
            .latency(millis: 1_000, upToMillis: nil),
            .probabilistic(0.05)
        )
        var random = SeededRandom(seed: 12)
        let traces = (0..<10_000).map { trace($0) }
        for first in stride(from: 0, to: traces.count, by: 1_000) {
            // Spans of many traces come mixed, in requests of a few hundred.
            let spans = traces[first..<first + 1_000].flatMap(\.self).shuffled(using: &random)
            for start in stride(from: 0, to: spans.count, by: 300) {
                try await bench.take(Array(spans[start..<min(start + 300, spans.count)]))
            }
            await bench.wait(3)
        }
        await bench.wait(10)
        #expect(bench.waitingByteCount == 0)
        let kept = Dictionary(grouping: bench.spans, by: \.traceID)
        var weights: [String: Double] = [:]
        for (number, spans) in traces.enumerated() {
            let isKeptAnyway = number % 50 == 3 || number % 40 == 7
            guard let passed = kept[spans[0].traceID] else {
                #expect(!isKeptAnyway, "trace \(number)")
                continue
            }
            #expect(passed.map(\.spanID).sorted() == spans.map(\.spanID).sorted(), "a part of trace \(number)")
            #expect(passed.allSatisfy { abs($0.weight - (isKeptAnyway ? 1 : 20)) < 1e-9 })
            for span in passed { weights[span.resource.serviceName, default: 0] += span.weight }
        }
        #expect(kept.count < 1_200)
        for service in 0..<4 {
            let counted = weights["service-\(service)"] ?? 0
            #expect(abs(counted - 7_500) <= 75, "service-\(service): \(counted)")
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
