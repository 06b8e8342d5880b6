// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import Testing

/// What is kept has the weight of what came, whatever policies stand beside or in each other.
@Suite struct SamplingWeightTests {
    /// Policies side by side, and how far from the truth the sum of weights may be, as a share of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rules: [SamplingPolicy.Rule]
        var tolerance: Double
        /// The share of all traces that an earlier sampler has left.
        var left = 1.0

        init(_ name: String, within tolerance: Double, left: Double = 1, _ rules: SamplingPolicy.Rule...) {
            testDescription = name
            self.rules = rules
            self.tolerance = tolerance
            self.left = left
        }
    }

    private static func part(_ name: String, _ rule: SamplingPolicy.Rule) -> SamplingPolicy { .init(name, rule) }
    private static let isError = SamplingPolicy.Rule.condition(.status(in: [.error]))

    static let cases: [Case] = [
        Case("a share", within: 0.12, .probabilistic(0.1)),
        Case("errors and a share", within: 0.12, isError, .probabilistic(0.1)),
        Case("two shares by threshold", within: 0.1, .probabilistic(0.25), .probabilistic(0.1)),
        Case("two salts", within: 0.08, .probabilistic(0.25, salt: "a"), .probabilistic(0.25, salt: "b")),
        Case("a salt twice", within: 0.08, .probabilistic(0.25, salt: "a"), .probabilistic(0.5, salt: "a")),
        Case("a salt beside a threshold", within: 0.08, .probabilistic(0.25), .probabilistic(0.25, salt: "a")),
        Case(
            "a salt beside a threshold that was passed before",
            within: 0.1,
            left: 0.25,
            .probabilistic(0.25),
            .probabilistic(0.1, salt: "a")
        ),
        Case(
            "both of two salts, one of them elsewhere too",
            within: 0.12,
            .and([part("a", .probabilistic(0.5, salt: "a")), part("b", .probabilistic(0.5, salt: "b"))]),
            .probabilistic(0.1, salt: "a")
        ),
        Case(
            "both of one salt",
            within: 0.12,
            .and([part("a", .probabilistic(0.5, salt: "a")), part("b", .probabilistic(0.2, salt: "a"))])
        ),
        Case("a rate", within: 0.02, .rateLimiting(spansPerSecond: 200, burst: 200)),
        Case("bytes", within: 0.02, .bytesLimiting(bytesPerSecond: 20_000, burst: 20_000)),
        Case(
            "a share beside a rate",
            within: 0.03,
            .probabilistic(0.1),
            .rateLimiting(spansPerSecond: 100, burst: 100)
        ),
        Case(
            "errors beside two rates",
            within: 0.03,
            isError,
            .rateLimiting(spansPerSecond: 50, burst: 50),
            .rateLimiting(spansPerSecond: 100, burst: 100)
        ),
        Case(
            "a rate of a share",
            within: 0.12,
            .and([part("a", .probabilistic(0.2)), part("b", .rateLimiting(spansPerSecond: 40, burst: 40))])
        ),
        Case(
            "a rate of a share of what was thinned before",
            within: 0.12,
            left: 0.5,
            .and([part("a", .probabilistic(0.2)), part("b", .rateLimiting(spansPerSecond: 40, burst: 40))])
        ),
        Case(
            "a composite without shares",
            within: 0.03,
            .composite(
                .init(
                    maxSpansPerSecond: 200,
                    parts: [
                        .init(part("a", .always)), .init(part("b", .always)), .init(part("c", .always)),
                    ]
                )
            )
        ),
        Case(
            "a composite with shares",
            within: 0.12,
            .composite(
                .init(
                    maxSpansPerSecond: 200,
                    parts: [.init(part("a", isError), share: 0.2), .init(part("b", .probabilistic(0.2)), share: 0.6)]
                )
            ),
            .probabilistic(0.1)
        ),
        Case(
            "two rates of which one is too small for some",
            within: 0.03,
            .rateLimiting(spansPerSecond: 10, burst: 10),
            .rateLimiting(spansPerSecond: 100, burst: 100)
        ),
        Case(
            "a drop of what is beyond a rate",
            within: 0.03,
            .always,
            .drop([part("a", .not(part("b", .rateLimiting(spansPerSecond: 100, burst: 100))))])
        ),
        Case(
            "a drop of what is within a rate",
            within: 0.03,
            .always,
            .drop([part("a", .rateLimiting(spansPerSecond: 100, burst: 100))])
        ),
        Case("a share that is dropped", within: 0.12, .always, .drop([part("a", .probabilistic(0.9))])),
        Case("not a share", within: 0.1, .not(part("a", .probabilistic(0.8)))),
        Case(
            "not both of two",
            within: 0.1,
            .not(part("a", .and([part("b", .probabilistic(0.8)), part("c", .always)])))
        ),
        Case("not what is not a share", within: 0.12, .not(part("a", .not(part("b", .probabilistic(0.1)))))),
        Case(
            "not what there is room for",
            within: 0.03,
            .not(part("a", .rateLimiting(spansPerSecond: 500, burst: 500)))
        ),
        Case(
            "a share by rules",
            within: 0.12,
            .rules([
                .init("errors", .status(in: [.error]), .keep(.always)), .init("rest", nil, .keep(.probabilistic(0.1))),
            ])
        ),
        Case(
            "the same number of each kind",
            within: 0.12,
            .dynamic(
                {
                    var dynamic = DynamicSampling(.rate(10), fields: [.serviceName])
                    dynamic.intervalNanos = 100_000_000
                    dynamic.initialRate = 10
                    return dynamic
                }()
            )
        ),
    ]

    /// Traces of two services, large and small ones, of which an earlier sampler has left a share.
    struct Traffic: Sendable {
        let batch: SpanBatch
        private(set) var traces: [Range<Int>] = []
        /// What each span weighs by the earlier sampler.
        let weight: Double

        init(left share: Double) {
            let threshold = SamplingThreshold.threshold(ofProbability: share)
            weight = SamplingThreshold.weight(ofThreshold: threshold)
            var spans: [Span] = []
            for number in 1...4_000 {
                let hash = Hash.of(UInt64(number))
                let randomness = Hash.of(hash) & (SamplingThreshold.end - 1)
                guard randomness >= threshold else { continue }
                let state = "ot=th:\(Self.digits(threshold));rv:\(Self.digits(randomness))"
                var trace = TraceSketch(UInt64(number))
                for _ in 0..<(hash & 3 == 0 ? 12 : 3) {
                    trace.add(
                        resource: [Attribute("service.name", .string("service-\(hash >> 8 & 1)"))],
                        status: hash >> 16 & 31 == 0 ? .error : .unset,
                        traceState: trace.spans.isEmpty ? state : ""
                    )
                }
                traces.append(spans.count..<spans.count + trace.spans.count)
                spans += trace.spans
            }
            batch = SpanBatch(spans: spans)
        }

        private static func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 14 - text.count) + text
        }
    }

    private static let traffics = [1, 0.5, 0.25].map { ($0, Traffic(left: $0)) }

    @Test(arguments: cases)
    func `weights of what is kept add up to what came`(example: Case) throws {
        let traffic = try #require(Self.traffics.first { $0.0 == example.left }?.1)
        var policies = try SamplingPolicySet(
            example.rules.enumerated().map { SamplingPolicy("policy-\($0.offset)", $0.element) }
        )
        let threshold = SamplingThreshold.threshold(ofProbability: example.left)
        let reading = policies.read(traffic.batch)
        var counted = 0.0
        var keptCount = 0
        for (number, rows) in traffic.traces.enumerated() {
            let digest = reading.digest(of: rows, traffic.batch.traceIDs[rows.lowerBound])
            let decision = policies.decide(digest, nanos: UInt64(number) * 4_000_000)
            guard decision.isKept else { continue }
            keptCount += 1
            #expect(decision.factor >= 1)
            counted += traffic.weight * Double(rows.count) * decision.weightFactor(after: threshold)
        }
        let truth = traffic.weight * Double(traffic.batch.count)
        #expect(abs(counted / truth - 1) <= example.tolerance, "\(keptCount) kept count \(counted) of \(truth)")
    }

    @Test func `a limit that is not asked, since a share keeps the trace, is counted with`() throws {
        let traffic = Self.traffics[0].1
        var policies = try SamplingPolicySet(
            [
                SamplingPolicy("share", .probabilistic(0.1)),
                SamplingPolicy("rate", .rateLimiting(spansPerSecond: 200, burst: 200)),
            ],
            stopsAtFirstMatch: true
        )
        let reading = policies.read(traffic.batch)
        var counted = 0.0
        for (number, rows) in traffic.traces.enumerated() {
            let digest = reading.digest(of: rows, traffic.batch.traceIDs[rows.lowerBound])
            let decision = policies.decide(digest, nanos: UInt64(number) * 4_000_000)
            if decision.isKept { counted += Double(rows.count) * decision.weightFactor(after: 0) }
        }
        #expect(abs(counted / Double(traffic.batch.count) - 1) < 0.03)
    }

    @Test func `a kind of traces that finds no room is not told as another`() throws {
        var policies = try SamplingPolicySet(.rateLimiting(spansPerSecond: 600, burst: 600))
        var counted: [String: Double] = [:]
        for number in 0..<2_000 {
            let (service, spanCount) = number % 2 == 0 ? ("large", 20) : ("small", 1)
            var trace = TraceSketch(UInt64(number + 1))
            for _ in 0..<spanCount { trace.add(resource: [Attribute("service.name", .string(service))]) }
            let batch = SpanBatch(spans: trace.spans)
            let decision = policies.decide(batch, nanos: UInt64(number) * 5_000_000)
            if decision.isKept { counted[service, default: 0] += Double(spanCount) * decision.factor }
        }
        #expect(abs((counted["large"] ?? 0) / 20_000 - 1) < 0.1)
        #expect(abs((counted["small"] ?? 0) / 1_000 - 1) < 0.1)
    }

    @Test func `one salt at the door and for whole traces decides independently`() throws {
        let head = HeadRule(name: "door", sampler: .hashed(0.25, salt: "s"))
        let sampler = HeadSampler([head], clock: SystemClock(), telemetry: Telemetry())
        var policies = try SamplingPolicySet(.probabilistic(0.25, salt: "s"))
        var counted = 0.0
        for number in 0..<6_000 {
            let batch = sampler.process(
                SpanBatch(spans: TraceSketch.one(UInt64(number + 1)).spans),
                from: IntakeSource(protocolName: "test")
            )
            guard !batch.isEmpty else { continue }
            let decision = policies.decide(batch, nanos: 0)
            if decision.isKept { counted += SpanBatch.value(batch.weights, 0, default: 1) * decision.factor }
        }
        #expect(abs(counted / 6_000 - 1) < 0.1)
    }
}
