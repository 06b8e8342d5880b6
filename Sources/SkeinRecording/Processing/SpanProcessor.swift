// SPDX-License-Identifier: Apache-2.0
import Dispatch
public import SkeinPropagation
import Synchronization

/// Is told of every recorded span (OpenTelemetry tracing SDK, "Span processor").
///
/// What is told of a span is told on the thread of whoever starts or ends it, and must not wait. The two that wait are never
/// called on a thread of Swift's cooperative pool, and may be called while spans end.
public protocol SpanProcessor: Sendable {
    /// A span has started; it may be changed.
    func onStart(_ span: SkeinSpan, parent: SpanContext?)

    /// A span is about to end and may be changed for the last time; called once. Called when ``wantsEnding`` says so.
    func onEnding(_ span: SkeinSpan)

    /// A span has ended.
    func onEnd(_ span: FinishedSpan)

    /// Whether ``onStart(_:parent:)`` is of interest; asked once.
    var wantsStart: Bool { get }
    /// Whether ``onEnding(_:)`` is of interest; asked once.
    var wantsEnding: Bool { get }

    /// Passes on all that ended before this call; waits for it until `deadline` at the latest.
    func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult

    /// Passes on what there is, and takes nothing more; waits for it until `deadline` at the latest. Further calls only wait for
    /// the first.
    func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult
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

    func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult {
        all { $0.forceFlush(by: deadline) }
    }

    func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult {
        all { $0.shutdown(by: deadline) }
    }

    /// Asks all at the same time, so that one whose backend is away takes no time of the others.
    private func all(_ ask: @escaping @Sendable (any SpanProcessor) -> FlushResult) -> FlushResult {
        let results = Results()
        let group = DispatchGroup()
        for processor in processors.dropFirst() {
            group.enter()
            OwnThread.detach {
                results.add(ask(processor))
                group.leave()
            }
        }
        if let first = processors.first { results.add(ask(first)) }
        group.wait()
        return results.sum
    }

    private final class Results: Sendable {
        private let results = Mutex<[FlushResult]>([])

        func add(_ result: FlushResult) { results.withLock { $0.append(result) } }

        var sum: FlushResult { results.withLock { $0.reduce(.done) { $0 + $1 } } }
    }
}

extension FlushResult {
    /// Both at once: what waits counts before what failed.
    static func + (one: FlushResult, other: FlushResult) -> FlushResult {
        switch (one, other) {
        case (.done, let rest), (let rest, .done): rest
        case (.timedOut(let count), .timedOut(let more)): .timedOut(remaining: count + more)
        case (.failed(let count, let reason), .failed(let more, _)): .failed(count: count + more, reason: reason)
        case (.timedOut(let count), .failed), (.failed, .timedOut(let count)): .timedOut(remaining: count)
        }
    }
}
