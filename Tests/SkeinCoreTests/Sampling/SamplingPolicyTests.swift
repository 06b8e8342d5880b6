// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline
import SkeinStore
import Testing

@Suite struct SamplingPolicyTests {
    /// What a policy is, a trace that it keeps and one that it does not.
    struct Case: Sendable {
        var rule: SamplingPolicy.Rule
        var kept: TraceSketch?
        var dropped: TraceSketch?
    }

    /// A condition of patterns that compile; one that never holds when they do not.
    private static func containing(_ key: String, _ patterns: [String]) -> SpanCondition {
        (try? .text(key, containing: patterns)) ?? .traceState(key: key, values: [])
    }

    static let cases: [Case] = [
        Case(rule: .always, kept: .one()),
        Case(rule: .latency(millis: 5, upToMillis: nil), kept: .one(millis: 5), dropped: .one(millis: 4)),
        Case(rule: .latency(millis: 5, upToMillis: 9), kept: .one(millis: 9), dropped: .one(millis: 10)),
        Case(rule: .latency(millis: 5, upToMillis: 9), kept: .one(millis: 6), dropped: .one(millis: 5)),
        Case(
            rule: .condition(.status(in: [.error, .ok])),
            kept: .one(status: .error),
            dropped: .one(status: .unset)
        ),
        Case(
            rule: .condition(.text("user", in: ["a", "b.c"])),
            kept: .one(1, [Attribute("user", "b.c")]),
            dropped: .one(1, [Attribute("user", "bxc")])
        ),
        Case(
            rule: .condition(.text("service.name", in: ["cart"])),
            kept: .one(resource: [Attribute("service.name", "cart")]),
            dropped: .one(resource: [Attribute("service.name", "carts")])
        ),
        Case(
            rule: .condition(containing("path", ["^/health", "live$"])),
            kept: .one(1, [Attribute("path", "/healthz")]),
            dropped: .one(1, [Attribute("path", "/a/health")])
        ),
        Case(
            rule: .condition(containing("path", ["(?i)LIVE", "x"])),
            kept: .one(1, [Attribute("path", "/live/now")]),
            dropped: .one(1, [Attribute("path", .int(1))])
        ),
        Case(
            rule: .condition(.number("code", from: 500, to: 599)),
            kept: .one(1, [Attribute("code", 599)]),
            dropped: .one(1, [Attribute("code", 600)])
        ),
        Case(
            rule: .condition(.number("code", from: 500, to: nil)),
            kept: .one(resource: [Attribute("code", 500.5)]),
            dropped: .one(1, [Attribute("code", "500")])
        ),
        Case(
            rule: .condition(.bool("debug", is: true)),
            kept: .one(1, [Attribute("debug", true)]),
            dropped: .one(1, [Attribute("debug", false)])
        ),
        Case(
            rule: .condition(.traceState(key: "vendor", values: ["a", "b"])),
            kept: .one(traceState: "x=1 , vendor=b"),
            dropped: .one(traceState: "vendor=c,y=a")
        ),
        Case(rule: .condition(.sampledFlag), kept: .one(flags: 0x301), dropped: .one(flags: 0x300)),
        Case(
            rule: .condition(.predicate(.compare(.name, .equal, .string("charge")))),
            kept: .one(name: "charge"),
            dropped: .one(name: "send")
        ),
        Case(rule: .spanCount(min: 2, max: 3), kept: .of(3), dropped: .of(4)),
        Case(rule: .spanCount(min: 2, max: nil), kept: .of(2), dropped: .of(1)),
        Case(rule: .rateLimiting(spansPerSecond: 3, burst: 3), kept: .of(3), dropped: .of(4)),
        Case(rule: .bytesLimiting(bytesPerSecond: 80, burst: 80), kept: .of(1), dropped: .of(2)),
        Case(rule: .probabilistic(1), kept: .one()),
        Case(rule: .probabilistic(0), dropped: .one()),
        Case(rule: .probabilistic(1, salt: "s"), kept: .one()),
        Case(rule: .probabilistic(0, salt: "s"), dropped: .one()),
        Case(
            rule: .and([
                SamplingPolicy("a", .latency(millis: 5, upToMillis: nil)),
                SamplingPolicy("b", .condition(.status(in: [.error]))),
            ]),
            kept: .one(millis: 5, status: .error),
            dropped: .one(millis: 5)
        ),
        Case(
            rule: .not(SamplingPolicy("a", .condition(.status(in: [.error])))),
            kept: .one(),
            dropped: .one(status: .error)
        ),
        Case(
            rule: .inverted(.text("user", in: ["a"])),
            kept: .one(1, [Attribute("user", "b")]),
            dropped: .one(1, [Attribute("user", "a")])
        ),
        Case(rule: .drop([SamplingPolicy("a", .always)]), dropped: .one()),
        Case(
            rule: .rules([
                .init("health", .text("path", in: ["/health"]), .drop),
                .init("errors", .status(in: [.error]), .keep(.always)),
                .init("rest", .sampledFlag, .keep(.probabilistic(0))),
            ]),
            kept: .one(1, [Attribute("path", "/")]),
            dropped: .one(1, [Attribute("path", "/health")], status: .error)
        ),
    ]

    @Test(arguments: cases.indices)
    func `a policy keeps what it describes and nothing else`(index: Int) throws {
        let example = Self.cases[index]
        var policies = try SamplingPolicySet(example.rule)
        if let kept = example.kept { #expect(policies.decide(kept).isKept, "\(example.rule)") }
        // Anew, since a policy may remember what it kept.
        policies = try SamplingPolicySet(example.rule)
        if let dropped = example.dropped { #expect(!policies.decide(dropped).isKept, "\(example.rule)") }
    }

    @Test func `any span of a trace may satisfy a condition, and a duration spans them all`() throws {
        var trace = TraceSketch()
        trace.add(millis: 0...2)
        trace.add(millis: 90...95, status: .error)
        var policies = try SamplingPolicySet(.condition(.status(in: [.error])))
        #expect(policies.decide(trace).isKept)
        policies = try SamplingPolicySet(.latency(millis: 95, upToMillis: nil))
        #expect(policies.decide(trace).isKept)
        policies = try SamplingPolicySet(.latency(millis: 96, upToMillis: nil))
        #expect(!policies.decide(trace).isKept)
    }

    @Test func `dropping wins, then what an inverted policy drops, then what any keeps`() throws {
        let isError = SamplingPolicy.Rule.condition(.status(in: [.error]))
        let isNotCart = SamplingPolicy.Rule.inverted(.text("service.name", in: ["cart"]))
        let cart = [Attribute("service.name", "cart")]
        var policies = try SamplingPolicySet(.always, .drop([SamplingPolicy("a", isError)]))
        #expect(policies.decide(.one()).isKept)
        #expect(policies.decide(.one(status: .error)) == SamplingDecision(isKept: false, policy: 1))

        policies = try SamplingPolicySet(isError, isNotCart)
        #expect(!policies.decide(.one(resource: cart, status: .error)).isKept)
        #expect(policies.decide(.one(status: .error)).isKept)
        // An inverted policy keeps alone only what no other would not keep.
        #expect(!policies.decide(.one()).isKept)

        policies = try SamplingPolicySet(.and([SamplingPolicy("a", isNotCart), SamplingPolicy("b", .always)]), isError)
        #expect(policies.decide(.one(resource: cart, status: .error)).isKept)
        #expect(policies.decide(.one()).isKept)
    }

    @Test func `a trace that several policies keep counts as often as any of them would`() throws {
        var policies = try SamplingPolicySet(.probabilistic(0.01), .condition(.status(in: [.error])))
        let lucky = "ot=rv:ffffffffffffff"
        let error = policies.decide(.one(status: .error, traceState: lucky))
        #expect(error.weightFactor(after: 0) == 1)
        #expect(policies.reason(of: error) == "policy-1")
        let plain = policies.decide(.one(traceState: lucky))
        #expect(abs(plain.weightFactor(after: 0) - 100) < 1e-9)
        #expect(policies.reason(of: plain) == "policy-0")

        policies = try SamplingPolicySet(
            .and([SamplingPolicy("a", .probabilistic(0.5)), SamplingPolicy("b", .probabilistic(0.1))])
        )
        #expect(abs(policies.decide(.one(traceState: lucky)).weightFactor(after: 0) - 10) < 1e-9)
        policies = try SamplingPolicySet(.not(SamplingPolicy("a", .probabilistic(0.5))))
        #expect(policies.decide(.one(traceState: "ot=rv:00000000000000")).weightFactor(after: 0) == 2)
    }

    @Test func `what was thinned before counts once`() {
        let quarter = SamplingDecision(isKept: true, threshold: SamplingThreshold.threshold(ofProbability: 0.25))
        #expect(quarter.weightFactor(after: 0) == 4)
        #expect(quarter.weightFactor(after: SamplingThreshold.threshold(ofProbability: 0.5)) == 2)
        #expect(quarter.weightFactor(after: SamplingThreshold.threshold(ofProbability: 0.125)) == 1)
    }

    @Test func `rates are limited by the second, and one that passes counts for those that did not`() throws {
        var policies = try SamplingPolicySet(.rateLimiting(spansPerSecond: 2, burst: 2))
        let rates = [0, 0, 0, 0.4, 0.5, 1, 3, 3, 3].map { policies.decide(.one(), atSecond: $0) }
        #expect(rates.map(\.isKept) == [true, true, false, false, true, true, true, true, false])
        #expect(rates.filter(\.isKept).map { $0.weightFactor(after: 0) } == [1, 1, 3, 1, 1, 1])
    }

    @Test func `a trace that is kept anyway takes room and counts for no other`() throws {
        var policies = try SamplingPolicySet(
            .rateLimiting(spansPerSecond: 1, burst: 1),
            .condition(.status(in: [.error]))
        )
        #expect(policies.decide(.one(status: .error)).weightFactor(after: 0) == 1)
        #expect(!policies.decide(.one()).isKept)
        #expect(policies.decide(.one(status: .error), atSecond: 1).weightFactor(after: 0) == 1)
        #expect(policies.decide(.one(), atSecond: 2).weightFactor(after: 0) == 2)
    }

    @Test func `parts of a composite share its rate in their order`() throws {
        let composite = SamplingPolicy.Composite(
            maxSpansPerSecond: 4,
            parts: [
                .init(SamplingPolicy("errors", .condition(.status(in: [.error]))), share: 0.5),
                .init(SamplingPolicy("rest", .always)),
            ]
        )
        var policies = try SamplingPolicySet(.composite(composite))
        let errors = (0..<3).map { _ in policies.decide(.one(status: .error)) }
        #expect(errors.map(\.isKept) == [true, true, false])
        #expect(errors.prefix(2).map { policies.reason(of: $0) } == ["policy-0/errors", "policy-0/errors"])
        // Those that nothing is reserved for have what is left, and no more.
        let rest = (0..<3).map { _ in policies.decide(.one()) }
        #expect(rest.map(\.isKept) == [true, true, false])
        #expect(policies.reason(of: rest[0]) == "policy-0/rest")
        #expect(policies.decide(.one(), atSecond: 1).isKept)
    }

    @Test func `more conditions than a digest tells apart are refused`() throws {
        func rules(_ count: Int) -> [SamplingPolicy] {
            (0..<count).map { SamplingPolicy("\($0)", .condition(.bool("key-\($0)", is: true))) }
        }
        var policies = try SamplingPolicySet(rules(256))
        #expect(policies.decide(.one(1, [Attribute("key-255", true)])).policy == 255)
        #expect(throws: SamplingPolicySet.TooManyConditions.self) { try SamplingPolicySet(rules(257)) }
    }
}
