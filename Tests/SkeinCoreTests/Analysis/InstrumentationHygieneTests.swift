// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@Suite struct InstrumentationHygieneTests {
    typealias Span = SkeinModel.Span

    static let base: UInt64 = 1_700_000_000_000_000_000

    /// A span with which nothing is wrong.
    static func span(
        _ id: UInt64,
        parent: UInt64 = 0,
        trace: UInt64 = 1,
        service: String = "shop",
        name: String = "GET /cart",
        kind: Span.Kind = .server,
        _ change: (inout Span) -> Void = { _ in }
    ) -> Span {
        var span = TraceTreeTests.span(
            id,
            parent: parent,
            start: base + id * 10_000_000,
            duration: 5_000_000,
            kind: kind,
            service: service,
            trace: trace
        )
        span.name = name
        change(&span)
        return span
    }

    static func hygiene(_ traces: [[Span]]) -> InstrumentationHygiene {
        var hygiene = InstrumentationHygiene()
        for trace in traces { hygiene.add(SpanBatch(spans: trace)) }
        return hygiene
    }

    static func kinds(_ traces: [Span]...) -> [HygieneFinding.Kind] { hygiene(traces).findings.map(\.kind) }

    @Test func `a well instrumented trace has no findings`() {
        let trace = [
            Self.span(1), Self.span(2, parent: 1, name: "cart.load", kind: .internal),
            Self.span(3, parent: 2, name: "SELECT items", kind: .client) {
                $0.attributes = [Attribute("db.system", "pg")]
            },
            Self.span(4, parent: 2, name: "POST", kind: .client),
            Self.span(5, parent: 4, service: "stock", name: "POST /v2/reserve"),
        ]
        let hygiene = Self.hygiene([trace])
        #expect(hygiene.findings.isEmpty)
        #expect(hygiene.traceCount == 1 && hygiene.spanCount == 5)
    }

    @Test func `a name with an id is told at once, one with a number when several were seen`() throws {
        let id = "GET /items/7d9f2a3c-1b2c-4d5e-8f90-a1b2c3d4e5f6"
        let found = Self.hygiene([[Self.span(1, name: id)]]).findings
        #expect(found.map(\.kind) == [.highCardinalityName])
        #expect(found.first?.operation == "GET /items/<uuid>")
        #expect(found.first?.what.contains(id) == true)
        #expect(Self.kinds([Self.span(1, name: "GET /items/1")], [Self.span(1, trace: 2, name: "GET /items/2")]) == [])
        let many = Self.hygiene((1...9).map { [Self.span(1, trace: $0, name: "GET /items/\($0)")] })
        #expect(many.findings.map(\.kind) == [.highCardinalityName])
        #expect(many.findings[0].count == 9 && many.findings[0].traceCount == 9)
        #expect(many.findings[0].exemplars.count == 5)
    }

    @Test(arguments: [
        "", "Handler", "request", String(repeating: "name", count: 30), "do this and that once more for them",
    ])
    func `a name that says nothing, or too much, is unusual`(name: String) {
        #expect(Self.kinds([Self.span(1, name: name)]) == [.unusualName])
    }

    @Test func `a name that is not written as the service's others are is unusual`() {
        let names = [
            "cart.load", "cart.add", "cart.remove", "cart.pay", "cart.list", "SaveCart", "GET /cart", "SELECT a",
        ]
        let spans = zip(1..., names).map { Self.span($0, name: $1) }
        let found = Self.hygiene([spans]).findings
        #expect(found.map(\.kind) == [.unusualName] && found.first?.operation == "SaveCart")
        #expect(Self.kinds(Array(spans[3...])) == [])
    }

    @Test func `a span for several operations is told`() {
        #expect(Self.kinds([Self.span(1, name: "load and save")]) == [.mixedOperations])
        #expect(Self.kinds([Self.span(1, name: "SELECT a and b")]) == [])
        let database = Attribute("db.system", "pg")
        #expect(Self.kinds([Self.span(1) { $0.attributes = [database] }]) == [.mixedOperations])
        let both = Self.span(1, kind: .client) { $0.attributes = [database, Attribute("messaging.system", "kafka")] }
        #expect(Self.kinds([both]) == [.mixedOperations])
        // Elasticsearch is spoken to over HTTP.
        let search = Self.span(1, kind: .client) {
            $0.attributes = [database, Attribute("http.request.method", "POST")]
        }
        #expect(Self.kinds([search]) == [])
    }

    @Test func `missing names of services, kinds and parents are told`() {
        #expect(Self.kinds([Self.span(1, service: "")]) == [.missingServiceName])
        #expect(Self.kinds([Self.span(1, service: "unknown_service:java")]) == [.missingServiceName])
        #expect(Self.kinds([Self.span(1, kind: .unspecified)]) == [.missingKind])
        #expect(Self.kinds([Self.span(1), Self.span(2, parent: 1, service: "b", kind: .internal)]) == [.missingKind])
        #expect(Self.kinds([Self.span(2, parent: 1)]) == [.missingParent])
    }

    @Test func `clocks, negative durations and spans that never end are told`() {
        let early = Self.span(2, parent: 1, service: "b") { $0.startUnixNanos = Self.base + 8_000_000 }
        #expect(Self.kinds([Self.span(1), early]) == [.clock])
        let nearly = Self.span(2, parent: 1, service: "b") { $0.startUnixNanos = Self.base + 9_500_000 }
        #expect(Self.kinds([Self.span(1), nearly]) == [])
        #expect(Self.kinds([Self.span(1) { $0.startUnixNanos = 1000 }]) == [.clock])
        let backwards = Self.span(1) {
            $0.durationNanos = 0
            $0.endsBeforeStart = true
        }
        #expect(Self.kinds([backwards]) == [.negativeDuration])
        let open = Self.span(1) { $0.durationNanos = 0 }
        #expect(Self.kinds([open, Self.span(2, parent: 1, kind: .internal)]) == [.unfinished])
        #expect(Self.kinds([open]) == [])
    }

    @Test(arguments: ["stock", "stock.default.svc.cluster.local"])
    func `a call without a span there is broken propagation when the called service begins traces`(peer: String) throws
    {
        let key = peer == "stock" ? "peer.service" : "server.address"
        let calling = { (trace: UInt64) in
            [
                Self.span(1, trace: trace),
                Self.span(2, parent: 1, trace: trace, name: "POST", kind: .client) {
                    $0.attributes = [Attribute(key, .string(peer))]
                },
            ]
        }
        #expect(Self.kinds(calling(1)) == [])
        let found = Self.hygiene([calling(1), calling(2), [Self.span(1, trace: 3, service: "stock")]]).findings
        #expect(found.map(\.kind) == [.brokenPropagation])
        let finding = try #require(found.first)
        #expect(finding.service == "shop" && finding.operation == "POST" && finding.count == 2)
        #expect(finding.what.contains("stock begins a trace of its own"))
        // A call that arrives is whole.
        let whole = calling(1) + [Self.span(3, parent: 2, service: "stock")]
        #expect(Self.kinds(whole, [Self.span(1, trace: 3, service: "stock")]) == [])
    }

    @Test func `findings count spans by weight and traces once`() {
        let spans = (1...3).map { id in
            Self.span(id, parent: id == 1 ? 0 : 1, kind: .unspecified) { $0.weight = 2 }
        }
        let finding = Self.hygiene([spans]).findings[0]
        #expect(finding.count == 6 && finding.traceCount == 1)
    }

    @Test func `every kind has a remedy`() {
        for kind in HygieneFinding.Kind.allCases { #expect(kind.remedy.hasSuffix(".")) }
    }

    @Test func `what parts tell adds up to what all do`() {
        var generator = TraceGenerator(seed: 21)
        let traces = (0..<60).map { _ in generator.trace() }
        let whole = Self.hygiene(traces)
        var parts = Self.hygiene(Array(traces[..<25]))
        parts.merge(Self.hygiene(Array(traces[25...])))
        #expect(!whole.findings.isEmpty)
        #expect(parts.findings.map { "\($0)" } == whole.findings.map { "\($0)" })
    }
}
