// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
import SkeinModel
public import SkeinPropagation
import Synchronization

/// Decides about traces when they are known: holds spans that have ended until the local roots of their trace have, which are
/// spans without a parent in this process, and passes on those of traces that any policy keeps.
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

    public let wantsStart = true
    public let wantsEnding: Bool

    /// - Parameters:
    ///   - policies: each alone keeps a trace; of several the first gives the reason. The first 64 are asked.
    ///   - next: gets the spans of traces that are kept, all as sampled.
    ///   - decisionWait: from the end of a trace's first span to its decision, if local roots go on or are not known.
    ///   - spanCountMax: spans held at once; when one more ends the oldest trace is decided.
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

    /// Without a thread somebody else calls ``decideDue()``.
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
        guard hasThread else { return }
        let tick = Duration.nanoseconds(min(max(waitNanos / 16, 20_000_000), 1_000_000_000))
        let made = PeriodicThread { [weak self] in
            self?.decideDue()
            return tick
        }
        thread.withLock { $0 = made }
    }

    /// What it has done until now.
    public var counts: LocalTailCounts { buffer.withLock { $0.counts } }

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
        pass(
            buffer.withLock { buffer in
                // The thread does so too, if there was one to be had.
                buffer.decideDue(nanos: nanos)
                buffer.add(span, met: met, isLocalRoot: isLocalRoot, nanos: nanos)
                return buffer.takeDeparting()
            }
        )
    }

    /// Decides about traces whose wait is over.
    package func decideDue() {
        let nanos = clock.monotonicNanos
        pass(
            buffer.withLock { buffer in
                buffer.decideDue(nanos: nanos)
                return buffer.takeDeparting()
            }
        )
    }

    /// Passes on what was passed to the next processor. Traces without a decision go on waiting for it.
    public func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult { next.forceFlush(by: deadline) }

    /// Decides about all that waits.
    public func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult {
        let stopped = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        stopped?.stop()
        let nanos = clock.monotonicNanos
        pass(
            buffer.withLock { buffer in
                buffer.close(nanos: nanos)
                return buffer.takeDeparting()
            }
        )
        return next.shutdown(by: deadline)
    }

    private func pass(_ spans: [FinishedSpan]) {
        for span in spans { next.onEnd(span) }
    }
}
