// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinRecording
import Testing
import Tracing

@Suite struct StackTraceTests {
    private struct Failure: Error {}

    private func make(
        recordsStackTraces: Bool = true,
        limits: SpanLimits = SpanLimits()
    ) -> (tracer: SkeinTracer, exporter: InMemoryExporter) {
        let exporter = InMemoryExporter()
        let tracer = SkeinTracer(processors: [exporter], limits: limits, recordsStackTraces: recordsStackTraces)
        return (tracer, exporter)
    }

    private func stackTrace(_ exporter: InMemoryExporter) -> String? {
        guard case .string(let text) = exporter.spans[0].span.events[0].attributes["exception.stacktrace"] else {
            return nil
        }
        return text
    }

    @inline(never) private func catching(_ tracer: SkeinTracer) {
        let span = tracer.startSpan("fails")
        span.recordError(Failure())
        span.end()
    }

    @inline(never) private func calling(_ tracer: SkeinTracer, again count: Int) {
        count > 0 ? calling(tracer, again: count - 1) : catching(tracer)
    }

    @Test func `nothing is recorded unless it is asked for`() {
        let (tracer, exporter) = make(recordsStackTraces: false)
        catching(tracer)
        #expect(stackTrace(exporter) == nil)
    }

    @Test(.enabled(if: StackTrace.isAvailable, "this platform has no module Runtime"))
    func `the first line is the function that records the error, each line a frame`() throws {
        let (tracer, exporter) = make()
        calling(tracer, again: 2)
        let lines = try #require(stackTrace(exporter)).split(separator: "\n")
        #expect(lines[0].hasPrefix("at StackTraceTests.catching(_:)"), "\(lines[0])")
        #expect(lines.allSatisfy { $0.hasPrefix("at ") && $0.hasSuffix(")") } && lines.count > 1)
        #expect(lines.filter { $0.contains("calling(_:again:)") }.count == 3)
        #expect(!lines.contains { $0.contains("SkeinSpan") || $0.contains("Backtrace") })
    }

    @Test(.enabled(if: StackTrace.isAvailable, "this platform has no module Runtime"))
    func `what is thrown out of a span has the stack around the span, through await as well`() async throws {
        let (tracer, exporter) = make()
        func caller() async throws {
            try await Skein.withTracer(tracer) {
                try await Skein.withSpan("fails") { _ in
                    await Task.yield()
                    throw Failure()
                }
            }
        }
        await #expect(throws: Failure.self) { try await caller() }
        let text = try #require(stackTrace(exporter))
        #expect(text.contains("caller #1") && !text.contains("withSpan") && !text.contains("TaskLocal"), "\(text)")
    }

    @Test(.enabled(if: StackTrace.isAvailable, "this platform has no module Runtime"))
    func `limits cut it, and one that the caller brings stays`() {
        var limits = SpanLimits()
        limits.attributeValueLength = 10
        limits.eventCount = 1
        let (tracer, exporter) = make(limits: limits)
        let span = tracer.startSpan("fails")
        span.recordError(Failure(), attributes: ["exception.stacktrace": "mine"])
        span.recordError(Failure())
        span.end()
        catching(tracer)
        #expect(stackTrace(exporter) == "mine")
        #expect(exporter.spans[1].span.events[0].attributes["exception.stacktrace"] == "at StackTr")
    }

    @Test func `frames that do not fit whole are left out`() {
        let line = "at " + String(repeating: "f", count: 5_000)
        let text = StackTrace.text(repeatElement(line, count: 64))
        #expect(text?.utf8.count == 3 * line.utf8.count + 2)
        #expect(StackTrace.text([]) == nil)
    }

    @Test(arguments: [
        ("$s14SkeinRecording0A4SpanV4fail", true), ("$s7Tracing8withSpan", true), ("$ss9TaskLocalC9withValue", true),
        ("$s6Orders5placeyyF", false), ("_ZN5swift", false), ("main", false),
    ])
    func `frames of the SDK are known by their module`(name: String, isPassedOver: Bool) {
        #expect(StackTrace.isPassedOver(name) == isPassedOver)
    }
}
