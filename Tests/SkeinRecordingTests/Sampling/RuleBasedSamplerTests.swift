// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Testing
import Tracing

@Suite struct RuleBasedSamplerTests {
    private static func request(
        _ name: String = "GET /orders",
        kind: SpanKind = .server,
        attributes: SpanAttributes = [:],
        fileID: String = "Orders/Routes.swift",
        baggage: String? = nil
    ) -> SamplingRequest {
        var context = ServiceContext.topLevel
        if let baggage { context.baggage[SpanMatch.TaskPriority.key] = baggage }
        return SamplingRequest(
            traceID: TraceID(high: 1, low: 1),
            name: name,
            kind: kind,
            attributes: attributes,
            fileID: fileID,
            context: context
        )
    }

    private static let cases: [(SpanMatch, SamplingRequest, Bool)] = [
        (SpanMatch(), request(), true),
        (SpanMatch(name: "GET /orders"), request(), true),
        (SpanMatch(name: "GET /orders"), request("GET /orders/1"), false),
        (SpanMatch(name: "GET /*/items*"), request("GET /orders/1/items"), true),
        (SpanMatch(name: "*a*a*a*b"), request(String(repeating: "a", count: 5_000)), false),
        (SpanMatch(kinds: [.server, .consumer]), request(), true),
        (SpanMatch(kinds: [.client]), request(), false),
        (SpanMatch(attributes: ["k": .exists]), request(attributes: ["k": 1]), true),
        (SpanMatch(attributes: ["k": .exists]), request(), false),
        (SpanMatch(attributes: ["k": .equals(.int(1))]), request(attributes: ["k": 1]), true),
        (SpanMatch(attributes: ["k": .equals(.int(1))]), request(attributes: ["k": "1"]), false),
        (SpanMatch(attributes: ["k": .matches("1*")]), request(attributes: ["k": 12]), true),
        (SpanMatch(attributes: ["k": .matches("t*")]), request(attributes: ["k": true]), true),
        (SpanMatch(attributes: ["k": .matches("*")]), request(attributes: ["k": .stringArray(["a"])]), false),
        (SpanMatch(route: "/health*"), request(attributes: ["http.route": "/healthz"]), true),
        (SpanMatch(route: "/health*"), request(attributes: ["url.path": "/health"]), true),
        (SpanMatch(route: "/a"), request(attributes: ["http.route": "/{id}", "url.path": "/a"]), false),
        (SpanMatch(route: "*"), request(), false),
        (SpanMatch(source: "Orders"), request(), true),
        (SpanMatch(source: "Orders/*"), request(), true),
        (SpanMatch(source: "Orders/Other.swift"), request(), false),
        (SpanMatch(source: "Order"), request(), false),
        (SpanMatch(priorities: [.high]), request(attributes: [SpanMatch.TaskPriority.key: "high"]), true),
        (SpanMatch(priorities: [.high]), request(attributes: [SpanMatch.TaskPriority.key: 1]), true),
        (SpanMatch(priorities: [.high]), request(baggage: "P1"), true),
        (
            SpanMatch(priorities: [.high]), request(attributes: [SpanMatch.TaskPriority.key: "low"], baggage: "high"),
            true
        ),
        (
            SpanMatch(priorities: [.low]), request(attributes: [SpanMatch.TaskPriority.key: "high"], baggage: "low"),
            false
        ),
        (SpanMatch(priorities: [.low]), request(baggage: "nonsense"), false),
        (SpanMatch(name: "GET*", kinds: [.client]), request(), false),
    ]

    @Test(arguments: cases.indices)
    func `a rule is about the spans that meet all its conditions`(index: Int) {
        let (match, request, expected) = Self.cases[index]
        #expect(match.matches(request) == expected, "\(match)")
    }

    private let sampler = RuleBasedSampler(
        [
            .init(SpanMatch(name: "GET /health", kinds: [.server]), AlwaysOffSampler()),
            .init(SpanMatch(name: "GET*"), AlwaysOnSampler()),
        ],
        otherwise: TraceIDRatioSampler(ratio: 0)
    )

    @Test func `the first rule decides, and the last sampler where none is about a span`() {
        #expect(!sampler.sample(Self.request("GET /health")).isSampled)
        #expect(sampler.sample(Self.request("GET /health", kind: .client)).isSampled)
        #expect(!sampler.sample(Self.request("POST /")).isSampled)
    }

    @Test func `rules can be read in a log`() {
        #expect(
            sampler.description
                == "RuleBased{(name:GET /health,kind:server):AlwaysOffSampler,(name:GET*):AlwaysOnSampler,"
                + "otherwise:TraceIdRatioBased{0.0}}"
        )
        let match = SpanMatch(attributes: ["b": .matches("x*"), "a": .exists], route: "/", priorities: [.critical])
        #expect(match.description == "route:/,a,b~x*,priority:critical")
    }

    @Test func `a tracer hands its rules the baggage and the attributes at the start`() {
        let exporter = InMemoryExporter()
        let sampler = RuleBasedSampler(
            [.init(SpanMatch(attributes: ["k": .exists], priorities: [.critical]), AlwaysOnSampler())],
            otherwise: AlwaysOffSampler()
        )
        let tracer = SkeinTracer(sampler: sampler, processors: [exporter])
        var context = ServiceContext.topLevel
        tracer.startSpan(name: "a", attributes: ["k": 1], context: context).end()
        context.baggage[SpanMatch.TaskPriority.key] = "critical"
        tracer.startSpan(name: "b", attributes: ["k": 1], context: context).end()
        tracer.startSpan(name: "c", context: context).end()
        #expect(exporter.spans.map(\.name) == ["b"])
    }

    @Test func `what is dropped is recorded where processors are to see all`() {
        #expect(AlwaysRecordSampler(root: AlwaysOffSampler()).sample(.root()).decision == .recordOnly)
        #expect(AlwaysRecordSampler(root: AlwaysOnSampler()).sample(.root()).decision == .recordAndSample)
        #expect(AlwaysRecordSampler(root: AlwaysOffSampler()).description == "AlwaysRecord{AlwaysOffSampler}")
    }
}
