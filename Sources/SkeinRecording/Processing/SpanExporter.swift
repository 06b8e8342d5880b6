// SPDX-License-Identifier: Apache-2.0

/// Sends finished spans somewhere (OpenTelemetry tracing SDK, "Span Exporter").
///
/// A batch processor calls it from a thread of its own, a simple one from the thread of whoever ends a span; never twice at a
/// time. It may wait there. What is tried again is tried within
/// one call: the processor does not come back with the same spans.
public protocol SpanExporter: Sendable {
    /// Sends `spans`, all of which are sampled, and waits for the answer until `deadline` at the latest.
    func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult

    /// Gives back what the exporter holds, such as connections. Called once, after the last export.
    func shutdown()

    /// What it is, in counters and in log lines: `otlp_http_span_exporter`, `zipkin_http_span_exporter` and the like
    /// (OpenTelemetry semantic conventions, `otel.component.type`).
    var typeName: String { get }
}

extension SpanExporter {
    public func shutdown() {}
}

/// What became of the spans of one export.
public enum ExportResult: Hashable, Sendable {
    case done
    /// The other side took the rest (OTLP 1.5, "Partial Success").
    case partlyRejected(count: Int, reason: String)
    /// None arrived, as far as is known. The reason names what was tried and what may be done.
    case failed(reason: String)
}
