// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
import Testing

@Suite struct PropagatorTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"
    private static let read = "\(trace) \(span)"
    private static let none = "none deferred"

    static let b3: [(headers: Headers, summary: String)] = [
        (["b3": "\(trace)-\(span)-1"], "\(read) sampled"),
        (["b3": "\(trace)-\(span)-0"], "\(read) notSampled"),
        (["b3": "\(trace)-\(span)-d"], "\(read) debug"),
        (["b3": "\(trace)-\(span)"], "\(read) deferred"),
        (["b3": "\(trace)-\(span)-1-05e3ac9a4f6e3b90"], "\(read) sampled"),
        (["b3": "a3ce929d0e0e4736-\(span)-1"], "0000000000000000a3ce929d0e0e4736 \(span) sampled"),
        (["B3": "\(trace.uppercased())-\(span)-1"], "\(read) sampled"),
        (["b3": "0"], "none notSampled"), (["b3": "1"], "none sampled"), (["b3": "d"], "none debug"),
        (["b3": ""], none), (["b3": "2"], none), (["b3": "\(trace)-\(span)-2"], none),
        (["b3": "\(trace)-\(span)-1-x"], none), (["b3": "\(trace)-\(span)-1-05e3ac9a4f6e3b90-1"], none),
        (["b3": "\(trace)x-\(span)-1"], none), (["b3": "\(String(repeating: "0", count: 32))-\(span)-1"], none),
        (["X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-Sampled": "1"], "\(read) sampled"),
        (["X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-Sampled": "true"], "\(read) sampled"),
        (["X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-Sampled": "0"], "\(read) notSampled"),
        (["X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-Flags": "1", "X-B3-Sampled": "0"], "\(read) debug"),
        (["X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-ParentSpanId": "nonsense"], "\(read) deferred"),
        (["X-B3-TraceId": trace, "X-B3-SpanId": span, "X-B3-Sampled": "maybe"], none),
        (["X-B3-TraceId": trace], none), (["X-B3-Sampled": "0"], "none notSampled"),
        (["b3": "\(trace)-\(span)-0", "X-B3-TraceId": "1", "X-B3-SpanId": "2"], "\(read) notSampled"),
        (["b3": "nonsense", "X-B3-TraceId": trace, "X-B3-SpanId": span], "\(read) deferred"),
    ]

    @Test(arguments: b3.indices)
    func `B3 is read in one header or in several, the one first`(index: Int) {
        let (headers, summary) = Self.b3[index]
        for form: B3Propagator.Form in [.single, .multiple] {
            #expect(B3Propagator(form).read(headers).summary == summary, "\(headers)")
        }
    }

    @Test func `B3 is written in the form that is asked for`() {
        var context = PropagatedContext.of()
        #expect(B3Propagator().written(context).value("b3") == "\(Self.trace)-\(Self.span)-1")
        let several = B3Propagator(.multiple).written(context)
        #expect(several.pairs.map(\.name) == ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"])
        context.decision = .debug
        #expect(B3Propagator().written(context).value("b3") == "\(Self.trace)-\(Self.span)-d")
        #expect(B3Propagator(.multiple).written(context).value("x-b3-flags") == "1")
        #expect(B3Propagator(.multiple).written(context).value("x-b3-sampled") == nil)
        #expect(B3Propagator().written(.of([])).value("b3") == "\(Self.trace)-\(Self.span)-0")
    }

    static let jaeger: [(headers: Headers, summary: String)] = [
        (["uber-trace-id": "\(trace):\(span):0:1"], "\(read) sampled"),
        (["uber-trace-id": "\(trace):f067aa0ba902b7:0000000000000000:00"], "\(read) notSampled"),
        (["uber-trace-id": "\(trace)%3A\(span)%3A0%3A1"], "\(read) sampled"),
        (["uber-trace-id": "\(trace):\(span):0:03"], "\(read) sampled"),
        (["uber-trace-id": "\(trace):\(span):0:2"], "\(read) debug"),
        (["uber-trace-id": "9fb46a9d08094bbf:1:0:9"], "00000000000000009fb46a9d08094bbf 0000000000000001 sampled"),
        (["uber-trace-id": "0:1:0:1"], none), (["uber-trace-id": "1:0:0:1"], none),
        (["uber-trace-id": "\(trace):\(span):0"], none), (["uber-trace-id": "\(trace):\(span):x:1"], none),
        (["uber-trace-id": "\(trace)0:\(span):0:1"], none), (["uber-trace-id": ""], none),
        (["uber-trace-id": "::::"], none),
        (["jaeger-debug-id": "look"], "none debug"),
        (["jaeger-debug-id": "look", "uber-trace-id": "\(trace):\(span):0:0"], "\(read) notSampled"),
    ]

    @Test(arguments: jaeger.indices)
    func `Jaeger's header is read in all its lengths`(index: Int) {
        let (headers, summary) = Self.jaeger[index]
        #expect(JaegerPropagator().read(headers).summary == summary, "\(headers)")
    }

    @Test func `Jaeger's baggage is read from both forms and written beside the trace`() {
        let context = JaegerPropagator().read([
            "uberctx-user": "a%20b", "jaeger-baggage": "k1=v1, k2 = v2,nonsense", "jaeger-debug-id": "why",
        ])
        #expect(context.baggage.members.map { "\($0.key)=\($0.value)" } == ["user=a b", "k1=v1", "k2=v2"])
        #expect(context.debugID == "why")
        var out = PropagatedContext.of()
        out.baggage["user"] = "a b"
        let headers = JaegerPropagator().written(out)
        #expect(headers.value("uber-trace-id") == "\(Self.trace):\(Self.span):0:1")
        #expect(headers.value("uberctx-user") == "a%20b")
    }

    static let xray: [(header: String, summary: String)] = [
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(span);Sampled=1", "\(read) sampled"),
        ("Sampled=0;Parent=\(span);Lineage=a:1|b:2;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", "\(read) notSampled"),
        ("Self=1-1-1; Root=1-4bf92f35-77b34da6a3ce929d0e0e4736; Parent=\(span)", "\(read) deferred"),
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(span);Sampled=?", "\(read) deferred"),
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", "\(trace) 0000000000000000 deferred"),
        ("Root=2-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(span)", none),
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e473;Parent=\(span)", none),
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=1", none), ("Parent=\(span)", none), ("", none),
        (";=;", none),
    ]

    @Test(arguments: xray.indices)
    func `X-Ray's parts are read in any order`(index: Int) {
        let (header, summary) = Self.xray[index]
        #expect(XRayPropagator().read(["X-Amzn-Trace-Id": header]).summary == summary, "\(header)")
    }

    @Test func `X-Ray's header is written`() {
        let header = XRayPropagator().written(.of()).value("x-amzn-trace-id")
        #expect(header == "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=\(Self.span);Sampled=1")
    }

    static let baggage: [(header: String, members: [String])] = [
        ("a=1,b=2", ["a=1", "b=2"]),
        (" a = 1 ; p ; q=x , b=2", ["a=1;p;q=x", "b=2"]),
        ("a=x%20y%2C%C3%A9,b=%zz", ["a=x y,é", "b=%zz"]),
        ("a=%FF", ["a=\u{FFFD}"]),
        ("a=b=c", ["a=b=c"]),
        ("a=1,nonsense,=2,b b=3,c=3", ["a=1", "c=3"]),
        ("a=1,a=2", ["a=2"]),
        ("a=", ["a="]), ("", []), (",,;=", []), ("a=\"1\"", []),
    ]

    @Test(arguments: baggage.indices)
    func `baggage is read member by member`(index: Int) {
        let (header, members) = Self.baggage[index]
        let read = BaggagePropagator().read(["baggage": header]).baggage.members
        #expect(read.map { (["\($0.key)=\($0.value)"] + $0.properties).joined(separator: ";") } == members, "\(header)")
    }

    @Test func `baggage is written encoded, and within its limits`() {
        var context = PropagatedContext()
        context.baggage["a"] = "x y,é%+"
        let isSet = context.baggage.set(.init("b", "1", properties: ["p=2"]))
        #expect(isSet && BaggagePropagator().written(context).value("baggage") == "a=x%20y%2C%C3%A9%25+,b=1;p=2")
        #expect(
            !context.baggage.set(.init("no token", "1")) && !context.baggage.set(.init("c", "1", properties: ["a b"]))
        )
        for number in 0..<100 { context.baggage["k\(number)"] = "v" }
        #expect(context.baggage.members.count == 64)
        context.baggage["a"] = String(repeating: "x", count: 8_192)
        let header = context.baggage.header
        #expect(header.utf8.count <= 8_192 && header.hasPrefix("b=1;p=2,k0=v"))
        #expect(
            BaggagePropagator().read(["baggage": "big=\(String(repeating: "x", count: 9_000)),a=1"]).baggage.isEmpty
        )
        context.baggage["a"] = nil
        #expect(context.baggage["a"] == nil)
    }

    @Test func `one member may fill the header of baggage`() {
        var baggage = Baggage()
        baggage["a"] = String(repeating: "x", count: 8_190)
        #expect(baggage.header.utf8.count == 8_192)
    }

    @Test func `of several forms the last that names a trace counts, and all are written`() {
        let both = CompositePropagator([TraceContextPropagator(), B3Propagator(), BaggagePropagator()])
        let parent = "00-\(Self.trace)-\(Self.span)-00"
        #expect(
            both.read(["traceparent": parent, "b3": "\(Self.trace)-\(Self.span)-1"]).summary == "\(Self.read) sampled"
        )
        #expect(both.read(["traceparent": parent, "b3": "nonsense"]).summary == "\(Self.read) notSampled")
        #expect(both.read(["traceparent": parent, "b3": "1"]).summary == "\(Self.read) notSampled")
        #expect(both.written(.of([.sampled], "a=1")).pairs.map(\.name) == ["traceparent", "tracestate", "b3"])
        #expect(both.fields == ["traceparent", "tracestate", "b3", "baggage"])
    }

    @Test func `a context goes through environment variables`() {
        let both = CompositePropagator([TraceContextPropagator(), BaggagePropagator()])
        var carrier = EnvironmentCarrier(["PATH": "/bin"])
        var context = PropagatedContext.of([.sampled], "a=1")
        context.baggage["k"] = "v"
        both.inject(context, into: &carrier)
        #expect(carrier.variables.keys.sorted() == ["BAGGAGE", "PATH", "TRACEPARENT", "TRACESTATE"])
        var read = PropagatedContext()
        both.extract(from: carrier, into: &read)
        #expect(read.summary == context.summary && read.baggage == context.baggage)
        carrier.set("x-amzn-trace-id", "1")
        #expect(carrier.variables["X_AMZN_TRACE_ID"] == "1")
    }

    @Test func `whatever bytes come, what is read is written again as it was read`() {
        let all: [any Propagator] = [
            TraceContextPropagator(), BaggagePropagator(), B3Propagator(.single), B3Propagator(.multiple),
            JaegerPropagator(), XRayPropagator(),
        ]
        let names = [
            "traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags",
            "uber-trace-id", "uberctx-a", "jaeger-baggage", "jaeger-debug-id", "x-amzn-trace-id",
        ]
        let seeds =
            Self.b3.flatMap { $0.headers.pairs.map(\.value) } + Self.jaeger.flatMap { $0.headers.pairs.map(\.value) }
            + Self.xray.map(\.header) + Self.baggage.map(\.header) + TraceContextTests.parents.map(\.header)
            + TraceContextTests.states.map(\.header)
        var random = SeededRandom(seed: 6)
        for _ in 0..<4_000 {
            var headers: Headers = [:]
            for name in names where Bool.random(using: &random) {
                var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
                for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                headers.set(name, String(decoding: bytes, as: UTF8.self))
            }
            for propagator in all {
                let read = propagator.read(headers)
                guard read.spanContext?.spanID.isValid ?? true else { continue }
                let again = propagator.read(propagator.written(read))
                #expect(again.spanContext == nil || again.spanContext == read.spanContext, "\(headers.pairs)")
                #expect(again.baggage.members.map(\.value) == read.baggage.members.map(\.value), "\(headers.pairs)")
            }
        }
    }
}
