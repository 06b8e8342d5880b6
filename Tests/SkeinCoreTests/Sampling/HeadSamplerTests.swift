// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinTestKit
import Testing

@Suite("Sampling at the door")
struct HeadSamplerTests {
    private static let source = IntakeSource(protocolName: "test")

    private let clock = SimulatedClock()
    private let telemetry = Telemetry()

    private func sampler(_ rules: [HeadRule]) -> HeadSampler { HeadSampler(rules, clock: clock, telemetry: telemetry) }

    private static func span(
        _ number: UInt64 = 1,
        of trace: TraceID,
        service: String = "shop",
        _ name: String = "work",
        state: String = "",
        _ attributes: [Attribute] = []
    ) -> Span {
        var span = Span(
            traceID: trace,
            spanID: SpanID(number),
            name: name,
            startUnixNanos: number,
            durationNanos: 1000
        )
        span.resource = Resource(attributes: [Attribute("service.name", .string(service))])
        span.traceState = state
        span.attributes = attributes
        span.weight = Array(state.utf8).withUnsafeBytes { SamplingThreshold.weight(ofTraceState: $0) }
        return span
    }

    private static func kept(_ sampler: HeadSampler, _ spans: [Span]) -> [Span] {
        sampler.process(SpanBatch(spans: spans), from: source).spans
    }

    private var metrics: String {
        var text = PrometheusText()
        telemetry.write(to: &text)
        return text.text
    }

    @Test("Of ten thousand traces in ten thousand orders a tenth stays, each whole, and weights add up to all")
    func tenth() {
        let sampler = sampler([HeadRule(name: "tenth", sampler: .probabilistic(0.1))])
        var random = SeededRandom(seed: 5)
        var spans: [Span] = []
        var sent: [String: Double] = [:]
        for _ in 0..<10_000 {
            let trace = TraceID(high: random.next(), low: random.next())
            for (number, service) in ["shop", "cart", "cart"].enumerated() {
                spans.append(Self.span(UInt64(number + 1), of: trace, service: service))
                sent[service, default: 0] += 1
            }
        }
        spans.shuffle(using: &random)
        var kept: [TraceID: Int] = [:]
        var weights: [String: Double] = [:]
        for first in stride(from: 0, to: spans.count, by: 500) {
            for span in Self.kept(sampler, Array(spans[first..<first + 500])) {
                kept[span.traceID, default: 0] += 1
                weights[span.resource.serviceName, default: 0] += span.weight
                #expect(span.traceState == "ot=th:e6666666666666")
                #expect(abs(span.weight - 10) < 1e-9)
            }
        }
        // The seed is one of many that keep 1,000 or nearly. Three standard deviations of a binomial distribution: 3 × √(10,000 × 0.1 × 0.9).
        #expect(abs(kept.count - 1000) <= 90, "\(kept.count)")
        #expect(kept.values.allSatisfy { $0 == 3 })
        for (service, count) in sent {
            #expect(abs((weights[service] ?? 0) / count - 1) < 0.01, "\(service): \(weights[service] ?? 0) of \(count)")
        }
        #expect(metrics.contains("skein_sampled_out_spans_total{rule=\"tenth\"} \(30_000 - 3 * kept.count)\n"))
    }

    @Test("A larger share keeps all that a smaller one keeps")
    func nested() {
        let small = sampler([HeadRule(name: "small", sampler: .probabilistic(0.2))])
        let large = sampler([HeadRule(name: "large", sampler: .probabilistic(0.3))])
        var random = SeededRandom(seed: 5)
        let spans = (1...2000).map { Self.span($0, of: TraceID(high: 0, low: random.next())) }
        let (few, many) = (Set(Self.kept(small, spans).map(\.traceID)), Set(Self.kept(large, spans).map(\.traceID)))
        #expect(few.isSubset(of: many) && few.count < many.count)
    }

    @Test("What was sampled before counts: a quarter of a half is an eighth, decided by the randomness the trace names")
    func afterOthers() {
        let sampler = sampler([HeadRule(name: "quarter", sampler: .probabilistic(0.25))])
        let id = TraceID(high: 1, low: 1)
        let stays = Self.span(1, of: id, state: "a=b,ot=th:8;rv:e0000000000000")
        let goes = Self.span(2, of: id, state: "ot=th:8;rv:dfffffffffffff")
        let kept = Self.kept(sampler, [stays, goes])
        #expect(kept.map(\.spanID) == [SpanID(1)])
        #expect(kept.first?.weight == 8)
        #expect(kept.first?.traceState == "ot=th:e;rv:e0000000000000,a=b")
    }

    @Test("Of ids that are not random a hash keeps the share, whole traces, and leaves the tracestate")
    func hashed() {
        let sampler = sampler([HeadRule(name: "hashed", sampler: .hashed(0.25, salt: "a"))])
        let spans = (0..<8000).map { Self.span($0 & 1 + 1, of: TraceID(high: 0, low: $0 / 2 + 1), state: "a=b") }
        let kept = Self.kept(sampler, spans)
        // Four standard deviations of a binomial distribution.
        #expect(abs(kept.count / 2 - 1000) < 110 && kept.allSatisfy { $0.weight == 4 && $0.traceState == "a=b" })
        #expect(Set(kept.map(\.traceID)).count * 2 == kept.count)
    }

    @Test("All and nothing", arguments: [(1.0, 2), (0.0, 0)])
    func extremes(_ share: Double, _ count: Int) {
        let sampler = sampler([HeadRule(name: "a", sampler: .probabilistic(share))])
        let spans = [UInt64(0), .max].map { Self.span(1, of: TraceID(high: 1, low: $0)) }
        let kept = Self.kept(sampler, spans)
        #expect(kept.count == count && kept.allSatisfy { $0.weight == 1 && $0.traceState.isEmpty })
    }

    @Test("The first rule that is about a span decides, and without one it stays")
    func firstRule() {
        func rule(_ name: String, _ sampler: HeadRule.Sampler, _ set: (inout HeadRule.Match) -> Void) -> HeadRule {
            var match = HeadRule.Match()
            set(&match)
            return HeadRule(name: name, match: match, sampler: sampler)
        }
        let sampler = sampler([
            rule("wanted", .alwaysOn) { $0.priority = 1...Double.infinity },
            rule("health", .alwaysOff) { $0.operation = Wildcard("GET /health*") },
            rule("mobile", .alwaysOff) { $0.attributes = [.init(key: "client", value: "mobile")] },
            rule("test", .alwaysOff) { match in
                match.service = Wildcard("*-test")
                match.operation = Wildcard("work")
            },
        ])
        let id = TraceID(high: 1, low: 1)
        let priority = { (value: AttributeValue) in Attribute("sampling.priority", value) }
        let spans: [(Bool, Span)] = [
            (true, Self.span(1, of: id)),
            (false, Self.span(2, of: id, "GET /healthz")),
            (true, Self.span(3, of: id, "GET /health", [priority(.int(1))])),
            (true, Self.span(4, of: id, "GET /health", [priority(.string("2.5"))])),
            (false, Self.span(5, of: id, "GET /health", [priority(.double(0))])),
            (false, Self.span(6, of: id, "work", [Attribute("client", .string("mobile"))])),
            (true, Self.span(7, of: id, "work", [Attribute("client", .string("mobil"))])),
            (false, Self.span(8, of: id, service: "shop-test")),
            (true, Self.span(9, of: id, service: "shop-test", "other")),
        ]
        #expect(Self.kept(sampler, spans.map(\.1)).map(\.spanID) == spans.filter(\.0).map(\.1.spanID))
        #expect(metrics.contains("skein_sampled_out_spans_total{rule=\"health\"} 2\n"))
        #expect(metrics.contains("skein_sampled_out_spans_total{rule=\"mobile\"} 1\n"))
        #expect(metrics.contains("skein_sampled_out_spans_total{rule=\"wanted\"} 0\n"))
    }

    @Test("A rate lets whole traces through, and their weights add up to all that came")
    func rate() {
        let sampler = sampler([HeadRule(name: "rate", sampler: .rateLimiting(10))])
        var weights = 0.0
        var keptCount = 0
        var last = 0.0
        var trace: UInt64 = 0
        for _ in 0..<60 {
            for _ in 0..<100 {
                trace += 1
                let id = TraceID(high: 0, low: trace)
                let first = Self.kept(sampler, [Self.span(1, of: id)])
                let second = Self.kept(sampler, [Self.span(2, of: id)])
                #expect(first.count == second.count && first.first?.weight == second.first?.weight)
                if let weight = first.first?.weight {
                    (weights, keptCount, last) = (weights + weight, keptCount + 1, Double(trace))
                }
                clock.advance(by: .milliseconds(10))
            }
        }
        // A second's worth at once, and then ten a second.
        #expect((600...610).contains(keptCount), "\(keptCount)")
        #expect(weights == last)
    }

    @Test(
        "A star stands for any text",
        arguments: [
            ("abc", "abc", true), ("abc", "abcd", false), ("", "", true), ("", "a", false), ("*", "", true),
            ("*", "abc", true), ("a*", "abc", true), ("a*", "bc", false), ("*c", "abc", true), ("a*c", "ac", true),
            ("a*a", "a", false), ("a*b*c", "a-b-b-c", true), ("a*b*c", "a-c", false), ("*a*", "xax", true),
            ("ab*bc", "abc", false), ("**", "x", true), ("a*bc*d", "abbcd", true),
        ]
    )
    func wildcard(_ pattern: String, _ text: String, _ isMatch: Bool) {
        let bytes = Array(text.utf8)
        #expect(bytes.withUnsafeBytes { Wildcard(pattern).matches($0) } == isMatch, "\(pattern) \(text)")
    }
}
