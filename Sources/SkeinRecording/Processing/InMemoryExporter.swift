// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Synchronization

/// Keeps what has ended, for tests: a processor by itself, and an exporter behind any other.
public final class InMemoryExporter: SpanProcessor, SpanExporter {
    private let finished = Mutex<[FinishedSpan]>([])

    public init() {}

    /// Sampled spans in the order in which they ended.
    public var spans: [FinishedSpan] { finished.withLock { $0 } }

    /// Forgets them.
    public func reset() { finished.withLock { $0 = [] } }

    public func onEnd(_ span: FinishedSpan) {
        if span.isSampled { finished.withLock { $0.append(span) } }
    }

    public func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult { .done }
    public func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult { .done }

    public var typeName: String { "in_memory_exporter" }

    public func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
        finished.withLock { $0 += spans }
        return .done
    }

    public func shutdown() {}
}
