// SPDX-License-Identifier: Apache-2.0
import Instrumentation
import SkeinBase
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Synchronization
import Testing
import Tracing

@Suite struct TracerTests {
    private struct Failure: Error {}

    private func make(
        _ sampler: any Sampler = ParentBasedSampler(root: AlwaysOnSampler()),
        limits: SpanLimits = SpanLimits()
    ) -> (tracer: SkeinTracer, exporter: InMemoryExporter) {
        let exporter = InMemoryExporter()
        return (SkeinTracer(sampler: sampler, processors: [exporter], limits: limits), exporter)
    }

    @Test func `a span inside of another is its child, and both are exported when they end`() {
        let (tracer, exporter) = make()
        tracer.withSpan("outer", ofKind: .server) { outer in
            outer.setAttribute("user.id", "abc")
            tracer.withSpan("inner") { $0.addEvent("half") }
            #expect(exporter.spans.map(\.name) == ["inner"])
        }
        let (inner, outer) = (exporter.spans[0].span, exporter.spans[1].span)
        #expect(outer.parentSpanID == .zero && inner.parentSpanID == outer.spanID && inner.traceID == outer.traceID)
        #expect(outer.attributes == [Attribute("user.id", "abc")] && outer.kind == .server)
        #expect(inner.events.map(\.name) == ["half"] && inner.kind == .internal)
        #expect(outer.scope.name == "SkeinRecordingTests")
        #expect(outer.flags == 0x103 && inner.flags == 0x103)
        #expect(outer.startUnixNanos <= inner.startUnixNanos && inner.endUnixNanos <= outer.endUnixNanos)
    }

    @Test func `an error that is thrown is recorded, and the status is set`() {
        let (tracer, exporter) = make()
        #expect(throws: Failure.self) { try tracer.withSpan("fails") { _ in throw Failure() } }
        let span = exporter.spans[0].span
        #expect(span.status.code == .error)
        #expect(span.events[0].name == "exception")
        #expect(span.events[0].attributes["exception.type"] == "SkeinRecordingTests.TracerTests.Failure")
        #expect(span.attributes["error.type"] == "SkeinRecordingTests.TracerTests.Failure")
    }

    @Test func `the name of a private error is the same in every process`() {
        let (tracer, exporter) = make()
        #expect(throws: Hidden.self) { try tracer.withSpan("fails") { _ in throw Hidden() } }
        #expect(exporter.spans[0].span.attributes["error.type"] == "SkeinRecordingTests.Hidden")
    }

    @Test func `after its end a span neither changes nor ends again`() {
        let (tracer, exporter) = make()
        let span = tracer.startSpan("once")
        span.end()
        span.operationName = "twice"
        span.setAttribute("late", true)
        span.addEvent("late")
        span.end()
        #expect(!span.isRecording && exporter.spans.count == 1)
        #expect(exporter.spans[0].name == "once" && exporter.spans[0].span.attributes.isEmpty)
    }

    @Test func `OK is final, and only an error has a description`() {
        let (tracer, exporter) = make()
        for statuses in [
            [SpanStatus(code: .error, message: "a"), SpanStatus(code: .error, message: "b")],
            [SpanStatus(code: .error, message: "a"), SpanStatus(code: .ok, message: "b"), SpanStatus(code: .error)],
        ] {
            let span = tracer.startSpan("status")
            for status in statuses { span.setStatus(status) }
            span.end()
        }
        #expect(exporter.spans.map(\.span.status) == [.init(.error, message: "b"), .init(.ok)])
    }

    @Test func `what is beyond a limit is left out and counted, what is there may change`() {
        var limits = SpanLimits()
        (limits.attributeCount, limits.attributeValueLength, limits.eventCount, limits.linkCount) = (2, 3, 1, 1)
        limits.attributeCountPerEvent = 1
        let (tracer, exporter) = make(limits: limits)
        let span = tracer.startSpan(name: "full", attributes: ["a": "äbcd"])
        span.setAttribute("b", .array(["12345"]))
        span.setAttribute("c", 1)
        span.setAttribute("b", 2)
        for _ in 0..<3 { span.addEvent("e", attributes: ["x": 1, "y": 2]) }
        for _ in 0..<3 {
            span.addLink(SkeinPropagation.SpanContext(traceID: TraceID(high: 1, low: 1), spanID: SpanID(1)))
        }
        span.end()
        let made = exporter.spans[0].span
        #expect(made.attributes == [Attribute("a", "äbc"), Attribute("b", 2)] && made.droppedAttributesCount == 1)
        #expect(made.events.count == 1 && made.droppedEventsCount == 2 && made.events[0].droppedAttributesCount == 1)
        #expect(made.links.count == 1 && made.droppedLinksCount == 2)
    }

    @Test func `attributes may be read, changed and removed through the dictionary`() {
        let (tracer, exporter) = make()
        let span = tracer.startSpan("attributes")
        span.attributes["text"] = "a"
        span.attributes["list"] = [1, 2]
        span.updateAttributes {
            $0["text"] = "b"
            $0["gone"] = 1
        }
        span.attributes["gone"] = nil
        #expect(span.attributes.get("text") == .string("b") && span.attributes.count == 2)
        span.end()
        #expect(exporter.spans[0].span.attributes == [Attribute("text", "b"), Attribute("list", [1, 2])])
    }

    @Test func `one attribute set through the dictionary leaves the others as they are`() {
        let (tracer, exporter) = make()
        let span = tracer.startSpan("attributes")
        span.setAttribute("bytes", .bytes([1, 2]))
        span.setAttribute("mixed", .array([1, "a"]))
        span.attributes["more"] = 1
        span.end()
        let expected = [
            Attribute("bytes", .bytes([1, 2])), Attribute("mixed", .array([1, "a"])), Attribute("more", 1),
        ]
        #expect(exporter.spans[0].span.attributes == expected)
    }

    @Test func `processors are told once that a span is about to end`() {
        final class Watcher: SpanProcessor {
            let names = Mutex<[String]>([])
            var wantsEnding: Bool { true }
            func onEnding(_ span: SkeinSpan) {
                names.withLock { $0.append(span.operationName) }
                span.setAttribute("last", true)
            }
            func onEnd(_ span: FinishedSpan) {}
            func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult { .done }
            func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult { .done }
        }
        let (watcher, exporter) = (Watcher(), InMemoryExporter())
        let span = SkeinTracer(processors: [watcher, exporter]).startSpan("span")
        span.end()
        span.end()
        #expect(watcher.names.withLock(\.self) == ["span"])
        #expect(exporter.spans.map(\.span.attributes) == [[Attribute("last", true)]])
    }

    @Test func `a tracer that passes contexts on leaves them as they are, and begins none`() {
        let tracer = SkeinTracer.passing(
            resource: Resource(),
            propagator: CompositePropagator([TraceContextPropagator(), BaggagePropagator()])
        )
        var context = ServiceContext.topLevel
        let incoming = ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "a=1"]
        tracer.extract(incoming, into: &context, using: Fields())
        var outgoing: [String: String] = [:]
        tracer.withSpan("serve", context: context) { tracer.inject($0.context, into: &outgoing, using: Fields()) }
        #expect(outgoing == incoming)
        outgoing = [:]
        tracer.withSpan("root") { tracer.inject($0.context, into: &outgoing, using: Fields()) }
        #expect(outgoing.isEmpty)
    }

    @Test func `a moment that is named is kept, and no span ends before it starts`() {
        let (tracer, exporter) = make()
        let span = tracer.startSpan(name: "named", atUnixNanos: 1_000)
        span.end(at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 3_000))
        tracer.startSpan(name: "early", atUnixNanos: 1_000).end(
            at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 1)
        )
        #expect(exporter.spans.map(\.span.durationNanos) == [2_000, 0])
        #expect(exporter.spans.allSatisfy { $0.span.startUnixNanos == 1_000 })
    }

    @Test func `a trace goes on from the headers that came to those that go out`() {
        let (tracer, exporter) = make()
        let carrier = Fields()
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let incoming = ["traceparent": parent, "tracestate": "a=1", "baggage": "k=v"]
        var context = ServiceContext.topLevel
        tracer.extract(incoming, into: &context, using: carrier)
        var outgoing: [String: String] = [:]
        tracer.withSpan("serve", context: context, ofKind: .server) { span in
            tracer.inject(span.context, into: &outgoing, using: carrier)
        }
        let span = exporter.spans[0].span
        #expect(
            span.traceID.description == "4bf92f3577b34da6a3ce929d0e0e4736"
                && span.parentSpanID.description == "00f067aa0ba902b7"
        )
        #expect(span.flags == 0x301 && span.traceState == "a=1")
        #expect(outgoing["traceparent"] == "00-\(span.traceID)-\(span.spanID)-01")
        #expect(outgoing["tracestate"] == "a=1" && outgoing["baggage"] == "k=v")
    }

    @Test func `a trace that is not sampled goes on too, and its children cost no context`() {
        let (tracer, exporter) = make()
        var context = ServiceContext.topLevel
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
        tracer.extract(["traceparent": parent], into: &context, using: Fields())
        var outgoing: [String: String] = [:]
        tracer.withSpan("serve", context: context) { serve in
            #expect(!serve.isRecording && serve.spanContext?.spanID.description != "00f067aa0ba902b7")
            tracer.withSpan("child") { child in
                #expect(child.spanContext == serve.spanContext)
                tracer.inject(child.context, into: &outgoing, using: Fields())
            }
        }
        #expect(exporter.spans.isEmpty)
        #expect(outgoing["traceparent"]?.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") == true)
        #expect(outgoing["traceparent"]?.hasSuffix("-00") == true)
    }

    @Test func `headers that cannot be read begin a trace`() {
        let (tracer, exporter) = make()
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": "nonsense", "tracestate": "a=1"], into: &context, using: Fields())
        tracer.startSpan("serve", context: context).end()
        #expect(exporter.spans[0].span.parentSpanID == .zero && exporter.spans[0].span.traceState.isEmpty)
    }

    private struct Fields: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }
}

private struct Hidden: Error {}
