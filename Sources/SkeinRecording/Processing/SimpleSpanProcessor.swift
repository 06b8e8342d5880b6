// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Exports each span as it ends (OpenTelemetry tracing SDK, "Simple processor"): for terminals, tests, and programs that may be
/// stopped at any moment. Whoever ends a span waits for its export, and so does everybody else who ends one meanwhile: for
/// exporters that are quick. To send each span at once over a network, use ``BatchSpanProcessor`` without a delay.
public final class SimpleSpanProcessor: SpanProcessor {
    private struct State {
        var failedCount = 0
        var failure = ""
        var droppedCount = 0
        var isStopped = false
    }

    private let exporter: any SpanExporter
    private let exportTimeout: Duration
    private let metrics: ProcessorMetrics
    /// Held while exporting, so that exports come one after the other.
    private let state = Mutex(State())

    /// A processor in front of `exporter`, whose exports may take as long as `exportTimeout` each.
    public init(_ exporter: any SpanExporter, exportTimeout: Duration = .seconds(30)) {
        self.exporter = exporter
        self.exportTimeout = exportTimeout
        metrics = ProcessorMetrics(type: "simple_span_processor", exporter: exporter.typeName)
    }

    public func onEnd(_ span: FinishedSpan) {
        guard span.isSampled else { return }
        state.withLock { state in
            guard !state.isStopped else {
                state.droppedCount += 1
                metrics.dropped(state.droppedCount, .shutdown)
                return
            }
            let started = ContinuousClock.now
            let result = exporter.export([span], by: started + exportTimeout)
            metrics.exported(1, result, .now - started)
            switch result {
            case .done: break
            case .partlyRejected(_, let reason), .failed(let reason):
                state.failedCount += 1
                state.failure = reason
            }
        }
    }

    public func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult {
        state.withLock { state in
            defer { state.failedCount = 0 }
            return state.failedCount == 0 ? .done : .failed(count: state.failedCount, reason: state.failure)
        }
    }

    public func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        if isFirst { exporter.shutdown() }
        return isFirst ? forceFlush(by: deadline) : .done
    }
}
