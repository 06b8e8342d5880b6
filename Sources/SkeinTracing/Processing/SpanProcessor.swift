// SPDX-License-Identifier: Apache-2.0
public import SkeinPropagation

/// Is told of every recorded span (OpenTelemetry tracing SDK, "Span processor"), on the thread of whoever starts or ends it: it
/// must not wait.
public protocol SpanProcessor: Sendable {
    /// A span has started; it may be changed.
    func onStart(_ span: SkeinSpan, parent: SpanContext?)

    /// A span is about to end and may be changed for the last time. Called when ``wantsEnding`` says so.
    func onEnding(_ span: SkeinSpan)

    /// A span has ended.
    func onEnd(_ span: FinishedSpan)

    /// Whether ``onStart(_:parent:)`` is of interest; asked once.
    var wantsStart: Bool { get }
    /// Whether ``onEnding(_:)`` is of interest; asked once.
    var wantsEnding: Bool { get }

    /// Passes on all that ended before this call; returns at the latest after `timeout`.
    func forceFlush(timeout: Duration) async -> FlushResult

    /// Passes on what there is, and takes nothing more; returns at the latest after `timeout`. Further calls do nothing.
    func shutdown(timeout: Duration) async -> FlushResult
}

extension SpanProcessor {
    public func onStart(_ span: SkeinSpan, parent: SpanContext?) {}
    public func onEnding(_ span: SkeinSpan) {}
    public var wantsStart: Bool { false }
    public var wantsEnding: Bool { false }
}

/// How passing on went.
public enum FlushResult: Hashable, Sendable {
    case done
    /// So many spans were still waiting.
    case timedOut(remaining: Int)
    /// So many spans could not be exported, for this reason.
    case failed(count: Int, reason: String)
}

/// Several processors, told in their order.
struct SpanProcessors: SpanProcessor {
    let processors: [any SpanProcessor]
    let wantsStart: Bool
    let wantsEnding: Bool

    init(_ processors: [any SpanProcessor]) {
        self.processors = processors
        wantsStart = processors.contains(where: \.wantsStart)
        wantsEnding = processors.contains(where: \.wantsEnding)
    }

    func onStart(_ span: SkeinSpan, parent: SpanContext?) {
        for processor in processors where processor.wantsStart { processor.onStart(span, parent: parent) }
    }

    func onEnding(_ span: SkeinSpan) {
        for processor in processors where processor.wantsEnding { processor.onEnding(span) }
    }

    func onEnd(_ span: FinishedSpan) {
        for processor in processors { processor.onEnd(span) }
    }

    func forceFlush(timeout: Duration) async -> FlushResult {
        await all(timeout) { processor, rest in await processor.forceFlush(timeout: rest) }
    }

    func shutdown(timeout: Duration) async -> FlushResult {
        await all(timeout) { processor, rest in await processor.shutdown(timeout: rest) }
    }

    /// Asks one after the other within one time; the first that is not done is told.
    private func all(
        _ timeout: Duration,
        _ body: (any SpanProcessor, Duration) async -> FlushResult
    ) async -> FlushResult {
        let end = ContinuousClock.now + timeout
        var first = FlushResult.done
        for processor in processors {
            let result = await body(processor, max(end - .now, .zero))
            if first == .done { first = result }
        }
        return first
    }
}
