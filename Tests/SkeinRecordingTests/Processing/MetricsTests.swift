// SPDX-License-Identifier: Apache-2.0
import CoreMetrics
import MetricsTestKit
import SkeinRecording
import Testing
import Tracing

/// What the SDK says of itself. Metrics are set up once in a process; each test looks at components of its own.
@Suite struct MetricsTests {
    private static let metrics: TestMetrics = {
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    private struct Failing: SpanExporter {
        let typeName: String
        func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
            .failed(reason: "no route")
        }
    }

    @Test func `spans that start and that live are counted by what was decided`() throws {
        let metrics = Self.metrics
        let tracer = SkeinTracer(sampler: RecordOnlyNamed(name: "metrics only"), processors: [])
        let dimensions = [("otel.span.parent.origin", "none"), ("otel.span.sampling_result", "RECORD_ONLY")]
        let before = (try? metrics.expectCounter("otel.sdk.span.started", dimensions))?.totalValue ?? 0
        tracer.withSpan("metrics only") { _ in tracer.startSpan("dropped").end() }
        let started = try metrics.expectCounter("otel.sdk.span.started", dimensions)
        #expect(started.totalValue > before)
        let dropped = [("otel.span.parent.origin", "local"), ("otel.span.sampling_result", "DROP")]
        #expect(try metrics.expectCounter("otel.sdk.span.started", dropped).totalValue > 0)
        _ = try metrics.expectMeter("otel.sdk.span.live", [("otel.span.sampling_result", "RECORD_ONLY")])
    }

    @Test func `a processor counts what it passes on, and its exporter what arrives`() throws {
        let metrics = Self.metrics
        let processor = BatchSpanProcessor(Failing(typeName: "metrics_test_exporter"))
        SkeinTracer(processors: [processor]).startSpan("span").end()
        #expect(processor.shutdown(by: .now + .seconds(60)) == .failed(count: 1, reason: "no route"))
        let exported = metrics.counters.first {
            $0.label == "otel.sdk.exporter.span.exported"
                && $0.dimensions.contains { $0 == ("otel.component.type", "metrics_test_exporter") }
        }
        let counter = try #require(exported)
        #expect(counter.totalValue == 1 && counter.dimensions.contains { $0 == ("error.type", "export_failed") })
        #expect(metrics.timers.contains { $0.label == "otel.sdk.exporter.operation.duration" })
        #expect(metrics.recorders.contains { $0.label == "otel.sdk.processor.span.queue.capacity" })
    }

    /// Records spans of one name, and drops others.
    private struct RecordOnlyNamed: Sampler {
        let name: String
        var description: String { "RecordOnlyNamed" }
        func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
            request.name == name ? SamplingResult(.recordOnly) : .drop
        }
    }
}
