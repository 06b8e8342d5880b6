// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinTestKit
import Testing

@Suite("Adaptive sampling")
struct AdaptiveSamplingTests {
    private static let source = IntakeSource(protocolName: "test")

    private static func root(_ service: String, _ name: String, _ number: UInt64, weight: Double = 1) -> Span {
        var span = Span(
            traceID: TraceID(high: 1, low: number),
            spanID: SpanID(number),
            name: name,
            startUnixNanos: number,
            durationNanos: 1000
        )
        span.resource = Resource(attributes: [Attribute("service.name", .string(service))])
        span.weight = weight
        return span
    }

    /// A service that asks for its share once a minute, half a minute after the intervals end, and samples by it.
    private struct Client {
        let clock = SimulatedClock()
        let adaptive: AdaptiveSampling
        let saysWeight: Bool
        var random = SeededRandom(seed: 7)
        var probability = 0.001
        var number: UInt64 = 0
        /// Traces sampled in the last minute.
        var sampledCount = 0

        init(target: Double, saysWeight: Bool) {
            adaptive = AdaptiveSampling(.init(targetPerSecond: target), clock: clock, telemetry: Telemetry())
            self.saysWeight = saysWeight
        }

        mutating func run(minutes: Int, tracesPerSecond: Int) {
            for _ in 0..<minutes {
                sampledCount = 0
                for second in 0..<60 {
                    if second == 30 {
                        probability = adaptive.probabilities(of: "shop").first?.probability ?? 0.001
                    }
                    var spans: [Span] = []
                    for _ in 0..<tracesPerSecond {
                        number += 1
                        guard Double(random.next() >> 11) * 0x1p-53 < probability else { continue }
                        spans.append(root("shop", "GET /", number, weight: saysWeight ? 1 / probability : 1))
                    }
                    sampledCount += spans.count
                    _ = adaptive.process(SpanBatch(spans: spans), from: source)
                    clock.advance(by: .seconds(1))
                }
            }
        }

        /// Sampled traces a second in the last minute.
        var rate: Double { Double(sampledCount) / 60 }
    }

    @Test("Shares converge to the target, and follow a load that changes", arguments: [true, false])
    func converges(_ saysWeight: Bool) {
        var client = Client(target: 2, saysWeight: saysWeight)
        client.run(minutes: 15, tracesPerSecond: 200)
        #expect(abs(client.rate - 2) < 0.8, "200 a second: \(client.rate)")
        client.run(minutes: 4, tracesPerSecond: 1000)
        #expect(abs(client.rate - 2) < 0.8, "1000 a second: \(client.rate)")
        client.run(minutes: 12, tracesPerSecond: 20)
        #expect(abs(client.rate - 2) < 0.8, "20 a second: \(client.rate)")
        client.run(minutes: 12, tracesPerSecond: 1)
        #expect(client.probability == 1)
    }

    @Test("Each operation of each service has a share of its own, and children count nothing")
    func operations() {
        let clock = SimulatedClock()
        let adaptive = AdaptiveSampling(.init(targetPerSecond: 1), clock: clock, telemetry: Telemetry())
        var child = Self.root("shop", "child", 9)
        child.parentSpanID = SpanID(1)
        let spans = [
            Self.root("shop", "busy", 1, weight: 60_000), Self.root("shop", "calm", 2, weight: 60_000 / 4),
            Self.root("cart", "busy", 3, weight: 60), child,
        ]
        _ = adaptive.process(SpanBatch(spans: spans), from: Self.source)
        clock.advance(by: .seconds(60))
        #expect(adaptive.probabilities(of: "shop").map(\.operation) == ["busy", "calm"])
        #expect(adaptive.probabilities(of: "shop").map(\.probability) == [0.001, 0.002])
        #expect(adaptive.probabilities(of: "cart").map(\.probability) == [0.002])
        #expect(adaptive.probabilities(of: "none").isEmpty)
    }

    @Test("A root that says that it stands for itself alone counts once, one beside the share not at all")
    func says() {
        let clock = SimulatedClock()
        let adaptive = AdaptiveSampling(.init(targetPerSecond: 1), clock: clock, telemetry: Telemetry())
        let spans = (1...60).flatMap { (number: UInt64) in
            var byState = Self.root("shop", "state", 4 * number)
            byState.traceState = "ot=th:0"
            var byTag = Self.root("shop", "tag", 4 * number + 1)
            byTag.attributes = [Attribute("sampler.type", "const"), Attribute("sampler.param", true)]
            var beside = Self.root("shop", "beside", 4 * number + 2)
            beside.attributes = [Attribute("sampler.type", "lowerbound"), Attribute("sampler.param", 0.016)]
            return [byState, byTag, beside, Self.root("shop", "silent", 4 * number + 3)]
        }
        _ = adaptive.process(SpanBatch(spans: spans), from: Self.source)
        clock.advance(by: .seconds(60))
        // One a second is the target; a thousand a second are what sixty silent roots under a thousandth stand for.
        let shares = Dictionary(uniqueKeysWithValues: adaptive.probabilities(of: "shop"))
        #expect(shares == ["state": 0.002, "tag": 0.002, "beside": 0.001, "silent": 0.001])
    }

    @Test("Names that are too long are counted and not known")
    func longNames() {
        let telemetry = Telemetry()
        let adaptive = AdaptiveSampling(.init(targetPerSecond: 1), clock: SimulatedClock(), telemetry: telemetry)
        let long = Self.root("shop", String(repeating: "x", count: 600), 1)
        _ = adaptive.process(SpanBatch(spans: [long, Self.root("shop", "short", 2)]), from: Self.source)
        #expect(adaptive.probabilities(of: "shop").map(\.operation) == ["short"])
        var text = PrometheusText()
        telemetry.write(to: &text)
        #expect(text.text.contains("skein_adaptive_sampling_overflow_roots_total 1\n"))
    }

    @Test("A share falls at once and never below its minimum, and rises to the double at most")
    func bounds() {
        let clock = SimulatedClock()
        let adaptive = AdaptiveSampling(.init(targetPerSecond: 1), clock: clock, telemetry: Telemetry())
        func minute(_ weight: Double) -> Double? {
            _ = adaptive.process(SpanBatch(spans: [Self.root("a", "b", 1, weight: weight)]), from: Self.source)
            clock.advance(by: .seconds(60))
            return adaptive.probabilities(of: "a").first?.probability
        }
        #expect(minute(60e9) == 1e-5)
        #expect(minute(2) == 2e-5)
        #expect(minute(2) == 4e-5)
    }

    @Test("An operation without roots keeps its share for an hour, and is then forgotten")
    func idle() {
        let clock = SimulatedClock()
        let adaptive = AdaptiveSampling(.init(targetPerSecond: 1), clock: clock, telemetry: Telemetry())
        _ = adaptive.process(SpanBatch(spans: [Self.root("a", "b", 1, weight: 600_000)]), from: Self.source)
        for _ in 0..<60 {
            clock.advance(by: .seconds(60))
            #expect(abs((adaptive.probabilities(of: "a").first?.probability ?? 0) - 1e-4) < 1e-12)
        }
        clock.advance(by: .seconds(120))
        #expect(adaptive.probabilities(of: "a").isEmpty)
    }

    @Test("Operations without end take bounded memory, and roots without room are counted")
    func overflow() {
        let telemetry = Telemetry()
        let adaptive = AdaptiveSampling(.init(targetPerSecond: 1), clock: SimulatedClock(), telemetry: telemetry)
        let spans = (1...UInt64(AdaptiveSampling.operationCountMax + 5)).map { Self.root("a", "op \($0)", $0) }
        _ = adaptive.process(SpanBatch(spans: spans), from: Self.source)
        #expect(adaptive.probabilities(of: "a").count == AdaptiveSampling.operationCountMax)
        var text = PrometheusText()
        telemetry.write(to: &text)
        #expect(text.text.contains("skein_adaptive_sampling_overflow_roots_total 5\n"))
    }
}
