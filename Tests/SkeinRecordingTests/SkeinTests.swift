// SPDX-License-Identifier: Apache-2.0
import Instrumentation
import SkeinModel
import SkeinRecording
import Testing
import Tracing

/// The handle of the process, with a tracer of each test's own.
@Suite struct SkeinTests {
    private enum Failure: Error, Equatable { case outOfStock(Int) }

    private let exporter = InMemoryExporter()
    private var tracer: SkeinTracer { SkeinTracer(processors: [exporter]) }

    @Test func `without anything started, the body runs in a span that is not recorded`() async {
        let value = Skein.withSpan("nothing") { span in
            span.setAttribute("k", 1)
            return span.isRecording ? 1 : 2
        }
        let waited = await Skein.withSpan("nothing") { span async in span.isRecording }
        #expect(value == 2 && !waited && Skein.tracer == nil)
    }

    @Test func `spans inside of others are their children, across tasks too`() async {
        await Skein.withTracer(tracer) {
            await Skein.withSpan("outer", kind: .server, attributes: ["a": 1]) { outer in
                await Task { Skein.withSpan("inner") { _ in } }.value
                #expect(Skein.currentSpan?.spanContext == outer.spanContext)
            }
        }
        let (inner, outer) = (exporter.spans[0].span, exporter.spans[1].span)
        #expect(inner.parentSpanID == outer.spanID && outer.attributes == [Attribute("a", 1)])
        #expect(outer.kind == .server && outer.scope.name == "SkeinRecordingTests")
    }

    @Test func `an error keeps its type through the span, and is recorded`() async {
        await Skein.withTracer(tracer) {
            do throws(Failure) {
                try Skein.withSpan("now") { _ throws(Failure) in throw Failure.outOfStock(1) }
            } catch { #expect(error == .outOfStock(1)) }
            do throws(Failure) {
                try await Skein.withSpan("later") { _ async throws(Failure) in throw Failure.outOfStock(2) }
            } catch { #expect(error == .outOfStock(2)) }
        }
        #expect(exporter.spans.map(\.span.status.code) == [.error, .error])
        #expect(exporter.spans[1].span.events[0].attributes["exception.message"] == "outOfStock(2)")
    }

    @Test func `who throws after setting a status keeps its words`() {
        Skein.withTracer(tracer) {
            try? Skein.withSpan("declined") { span throws(Failure) in
                span.setStatus(SpanStatus(code: .error, message: "declined"))
                throw Failure.outOfStock(1)
            }
        }
        #expect(exporter.spans[0].span.status == .init(.error, message: "declined"))
        let span = exporter.spans[0].span
        #expect(
            span.events.allSatisfy { $0.timeUnixNanos >= span.startUnixNanos && $0.timeUnixNanos <= span.endUnixNanos }
        )
    }

    @Test func `samplers see attributes and links reach the span`() {
        struct ByAttribute: Sampler {
            var description: String { "ByAttribute" }
            func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
                request.attributes.get("keep") == nil ? .drop : .sample
            }
        }
        let tracer = SkeinTracer(sampler: ByAttribute(), processors: [exporter])
        Skein.withTracer(tracer) {
            Skein.withSpan("left") { _ in }
            let cause = Skein.startSpan("cause", attributes: ["keep": true])
            let link = SpanLink(context: cause.context, attributes: [:])
            Skein.withSpan("kept", attributes: ["keep": true], links: [link]) { _ in }
            cause.end()
        }
        #expect(exporter.spans.map(\.name) == ["kept", "cause"])
        #expect(exporter.spans[0].span.links.map(\.spanID) == [exporter.spans[1].span.spanID])
    }

    @Test func `the body of a span keeps the actor that it is called on`() async {
        actor Counter {
            var count = 0
            func add() async { await Skein.withSpan("add") { _ async in count += 1 } }
        }
        let counter = Counter()
        await Skein.withTracer(tracer) { await counter.add() }
        #expect(await counter.count == 1)
    }
}
