// SPDX-License-Identifier: Apache-2.0
import Dispatch
public import SkeinBase
import SkeinModel
public import SkeinPropagation
import Synchronization

/// Decides about traces when they are known: holds spans that have ended until the local roots of their trace have, which are
/// spans without a parent in this process, and passes on those of traces that any policy keeps.
///
/// Whoever ends a span never waits, and passes nothing on: that is done by a thread of the processor's own, in pieces of at most 512
/// spans, each after the one before has left the next processor. A next processor that is slow, or whose queue is smaller than
/// all that is kept at once, so loses none of them; what waits for it counts within the bound of spans.
///
/// It sees what the sampler has recorded: with ``AlwaysRecordSampler`` all, and what it keeps is exported although it was not
/// sampled. Other processes still follow what was decided at the start, and hold or lack their part of the trace accordingly;
/// the policy `sampled` keeps at least what they keep.
///
/// Spans that end later follow the decision as long as it is remembered, that is for the last 16,384 traces at least, unless a
/// new local root starts in a trace that was dropped: then it is decided anew. The trace state of a kept span says the share
/// that kept it, and none where a policy kept its trace for what it is. A local root, or the first span where none has ended,
/// says the policy in `skein.sampling.reason`.
public final class LocalTailProcessor: SpanProcessor {
    private let next: any SpanProcessor
    private let clock: any WallClock
    /// Only asked what a span meets; those that decide are the buffer's.
    private let policies: LocalTailPolicies
    private let buffer: Mutex<LocalTailBuffer>
    private let thread = Mutex<PeriodicThread?>(nil)
    /// Wakes the thread; `nil` where somebody else passes on.
    private let waker: PeriodicThread.Waker?
    /// Whether there was no thread to be had.
    private let isThreadless = Atomic(false)
    /// Held by whoever passes on.
    private let turn = DispatchSemaphore(value: 1)
    /// How long the thread waits for the next processor until it looks for decisions that are due.
    private static let patience = Duration.seconds(1)

    public let wantsStart = true
    public let wantsEnding: Bool

    /// - Parameters:
    ///   - policies: each alone keeps a trace; of several the first gives the reason. The first 64 are asked.
    ///   - next: gets the spans of traces that are kept, all as sampled.
    ///   - decisionWait: from the end of a trace's first span to its decision, if local roots go on or are not known.
    ///   - spanCountMax: spans held at once, with or without a decision; when one more ends the oldest traces are decided, and it
    ///     is dropped where this gives no room.
    ///   - overflowProbability: of traces that are decided for want of room and that no policy keeps, the share that is kept.
    public convenience init(
        policies: [LocalTailPolicy],
        next: any SpanProcessor,
        decisionWait: Duration = .seconds(30),
        spanCountMax: Int = 50_000,
        overflowProbability: Double = 0.1,
        clock: any WallClock = SystemClock()
    ) {
        self.init(
            policies: policies,
            next: next,
            decisionWait: decisionWait,
            spanCountMax: spanCountMax,
            overflowProbability: overflowProbability,
            clock: clock,
            hasThread: true
        )
    }

    /// Without a thread somebody else calls ``decideDue()``, and nothing is passed on otherwise until the flush.
    package init(
        policies: [LocalTailPolicy],
        next: any SpanProcessor,
        decisionWait: Duration = .seconds(30),
        spanCountMax: Int = 50_000,
        overflowProbability: Double = 0.1,
        clock: any WallClock,
        hasThread: Bool
    ) {
        self.next = next
        self.clock = clock
        self.policies = LocalTailPolicies(
            policies,
            overflowProbability: overflowProbability,
            nanos: clock.monotonicNanos
        )
        wantsEnding = next.wantsEnding
        let waitNanos = decisionWait.nanos
        buffer = Mutex(LocalTailBuffer(self.policies, spanCountMax: spanCountMax, waitNanos: waitNanos))
        waker = hasThread ? PeriodicThread.Waker() : nil
        guard let waker else { return }
        let tick = Duration.nanoseconds(min(max(waitNanos / 16, 20_000_000), 1_000_000_000))
        let made = PeriodicThread(waker) { [weak self] in
            // Where the next processor is slow, it has been waited for already.
            self?.decideDue() ?? true ? tick : .milliseconds(20)
        }
        isThreadless.store(!made.isRunning, ordering: .relaxed)
        thread.withLock { $0 = made }
    }

    /// What it has done until now.
    public var counts: LocalTailCounts {
        buffer.withLock { buffer in
            var counts = buffer.counts
            counts.unpassedSpans = buffer.departure.count
            return counts
        }
    }

    public func onStart(_ span: SkeinSpan, parent: SpanContext?) {
        if parent?.isRemote ?? true, let context = span.spanContext {
            let nanos = clock.monotonicNanos
            buffer.withLock { $0.startRoot(context, nanos: nanos) }
        }
        if next.wantsStart { next.onStart(span, parent: parent) }
    }

    public func onEnding(_ span: SkeinSpan) { next.onEnding(span) }

    public func onEnd(_ span: FinishedSpan) {
        let recording = span.recording
        let isLocalRoot = recording.parentIsRemote || !recording.parentSpanID.isValid
        let met = policies.met(
            by: recording.snapshot,
            startUnixNanos: recording.startUnixNanos,
            isLocalRoot: isLocalRoot
        )
        let nanos = clock.monotonicNanos
        let isThreadless = isThreadless.load(ordering: .relaxed)
        let wakes = buffer.withLock { buffer in
            if isThreadless { buffer.decideDue(nanos: nanos) }
            buffer.add(span, met: met, isLocalRoot: isLocalRoot, nanos: nanos)
            return buffer.departure.wakes(isFull: buffer.isFull)
        }
        if isThreadless {
            // Nobody else is there to do it; without a wait.
            _ = pass(by: .now)
        } else if wakes {
            waker?.wake()
        }
    }

    /// Decides about traces whose wait is over, and passes on what is decided. Returns whether the next processor took all of it.
    @discardableResult
    package func decideDue() -> Bool {
        let nanos = clock.monotonicNanos
        buffer.withLock { $0.decideDue(nanos: nanos) }
        if case .timedOut = pass(by: .now + Self.patience) { return false }
        return true
    }

    /// Passes on what is decided. Traces without a decision go on waiting for it.
    public func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult {
        pass(by: deadline).and(next.forceFlush(by: deadline))
    }

    /// Decides about all that waits, and passes on what is kept. What there was no time for is dropped, counted and among the
    /// remaining of the result.
    public func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult {
        let stopped = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        stopped?.stop()
        let nanos = clock.monotonicNanos
        buffer.withLock { $0.close(nanos: nanos) }
        var passed = pass(by: deadline)
        if case .timedOut = passed { passed = .timedOut(remaining: buffer.withLock { $0.abandon() }) }
        return passed.and(next.shutdown(by: deadline))
    }

    /// Passes on, in pieces, all that is decided at this moment, as far as the next processor takes it until `deadline`.
    private func pass(by deadline: ContinuousClock.Instant) -> FlushResult {
        guard turn.wait(timeout: .now() + (deadline - .now).dispatch) == .success else {
            return .timedOut(remaining: buffer.withLock { $0.departure.count })
        }
        defer { turn.signal() }
        var remaining = buffer.withLock { $0.departure.count }
        var result = FlushResult.done
        while remaining > 0 {
            switch buffer.withLock({ $0.departure.step() }) {
            case .nothing: return result
            case .flush:
                let flushed = next.forceFlush(by: deadline)
                if case .timedOut = flushed {
                    return buffer.withLock { buffer in
                        buffer.departure.isBehind = true
                        return .timedOut(remaining: buffer.departure.count)
                    }
                }
                buffer.withLock { $0.departure.hasFlushed() }
                result = result.and(flushed)
            case .pass(let spans):
                for span in spans { next.onEnd(span) }
                buffer.withLock { $0.departure.hasPassed() }
                remaining -= spans.count
            }
        }
        return result
    }
}

extension FlushResult {
    /// How both went, of spans that are not the same.
    fileprivate func and(_ other: FlushResult) -> FlushResult {
        switch (self, other) {
        case (.timedOut(let some), .timedOut(let more)): .timedOut(remaining: some + more)
        case (.failed(let some, let reason), .failed(let more, _)): .failed(count: some + more, reason: reason)
        case (.timedOut, _), (_, .done): self
        case (_, .timedOut), (.done, _): other
        }
    }
}
