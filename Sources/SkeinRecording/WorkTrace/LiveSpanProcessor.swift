// SPDX-License-Identifier: Apache-2.0
package import SkeinPropagation

/// Tells of spans when they start and again when they end, for a receiver that shows what goes on. Exporters get both: of a span
/// that has not ended `endUnixNanos` is `nil`.
package final class LiveSpanProcessor: SpanProcessor {
    private let batches: BatchSpanProcessor

    package init(
        _ exporter: any SpanExporter,
        configuration: BatchConfiguration,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        batches = BatchSpanProcessor(exporter, configuration: configuration, onProblem: onProblem)
    }

    package var wantsStart: Bool { true }

    package func onStart(_ span: SkeinSpan, parent: SpanContext?) { tell(span) }
    package func onEnd(_ span: FinishedSpan) { batches.onEnd(span) }

    /// Tells once more of a span that goes on.
    func tell(_ span: SkeinSpan) { span.recording.map { batches.onEnd(FinishedSpan($0)) } }

    package func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult { batches.forceFlush(by: deadline) }
    package func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult { batches.shutdown(by: deadline) }
}
