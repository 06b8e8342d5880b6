// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Synchronization

/// Keeps what has ended, for tests.
public final class InMemoryExporter: SpanProcessor {
    private let finished = Mutex<[FinishedSpan]>([])

    public init() {}

    /// Sampled spans in the order in which they ended.
    public var spans: [FinishedSpan] { finished.withLock { $0 } }

    /// Forgets them.
    public func reset() { finished.withLock { $0 = [] } }

    public func onEnd(_ span: FinishedSpan) {
        if span.isSampled { finished.withLock { $0.append(span) } }
    }

    public func forceFlush(timeout: Duration) async -> FlushResult { .done }
    public func shutdown(timeout: Duration) async -> FlushResult { .done }
}
