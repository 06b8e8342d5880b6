// SPDX-License-Identifier: Apache-2.0
package import Dispatch
import Synchronization

/// Exports spans in batches, from a thread of its own (OpenTelemetry tracing SDK, "Batching processor").
///
/// Whoever ends a span never waits for an export. At most ``BatchConfiguration/queueSizeMax`` spans wait, and one batch more is
/// on its way; what ends beyond is dropped and counted. The spans of a batch whose export fails are counted as failed and not
/// sent again: exporters themselves try again.
///
/// The thread ends with ``shutdown(by:)``; until then the processor lives.
public final class BatchSpanProcessor: SpanProcessor {
    private struct State {
        var queue: [FinishedSpan] = []
        /// Spans that the thread has taken out of the queue, and that wait there.
        var takenCount = 0
        var waitingCount: Int { queue.count + takenCount }
        /// Spans that were taken into the queue so far; the last one has this number.
        var acceptedCount = 0
        /// Of these, those whose export is over, well or badly.
        var finishedCount = 0
        var failedCount = 0
        var failure = ""
        /// Spans that ended when the queue was full.
        var overflowCount = 0
        /// Spans that ended after the shutdown, or for which it left no time.
        var lateCount = 0
        /// Spans up to this number are exported without waiting for others.
        var flushedCount = 0
        /// Whether the thread has been asked to look at the queue and has not yet done so.
        var isWoken = false
        /// Set by the first shutdown: when exporting is over in any case.
        var end: ContinuousClock.Instant?
        var hasStopped = false
        var waiters: [Waiter] = []
    }

    /// Somebody who waits until so many spans are finished, or, without a number, until the thread has stopped.
    private struct Waiter {
        let count: Int?
        let semaphore: DispatchSemaphore
    }

    private let exporter: any SpanExporter
    private let configuration: BatchConfiguration
    private let metrics: ProcessorMetrics
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    /// So many spans in the queue wake the thread.
    private let wakingCount: Int
    private let problems: ProblemReporter

    /// A processor in front of `exporter`. What goes wrong is told to `onProblem` as a sentence for a log, each kind of it at most
    /// once a minute; nothing is told of it otherwise but the counters.
    public init(
        _ exporter: any SpanExporter,
        configuration: BatchConfiguration = BatchConfiguration(),
        onProblem: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.exporter = exporter
        self.configuration = configuration.bounded
        problems = ProblemReporter(onProblem)
        metrics = ProcessorMetrics(type: "batching_span_processor", exporter: exporter.typeName)
        wakingCount = configuration.scheduledDelay > .zero ? self.configuration.exportBatchSizeMax : 1
        if !OwnThread.start({ self.run() }) {
            state.withLock { ($0.end, $0.hasStopped) = (.now, true) }
            onProblem("spans are dropped, not exported: the system has no thread left for \(exporter.typeName)")
        }
    }

    /// Spans that ended when the queue was full, or after the shutdown, or that no time was left for.
    public var droppedCount: Int { state.withLock { $0.overflowCount + $0.lateCount } }

    /// Spans whose export failed.
    public var failedCount: Int { state.withLock(\.failedCount) }

    public func onEnd(_ span: FinishedSpan) {
        guard span.isSampled else { return }
        let (mustWake, mustTell) = state.withLock { state -> (Bool, Bool) in
            guard state.end == nil else {
                state.lateCount += 1
                return (false, state.hasStopped)
            }
            guard state.waitingCount < configuration.queueSizeMax else {
                state.overflowCount += 1
                return (false, false)
            }
            state.queue.append(span)
            state.acceptedCount += 1
            guard state.waitingCount >= wakingCount, !state.isWoken else { return (false, false) }
            state.isWoken = true
            return (true, false)
        }
        if mustWake { wake.signal() }
        // The thread that usually tells is gone.
        if mustTell { tellDrops() }
    }

    public func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult {
        wait(by: deadline) { state in
            state.flushedCount = state.acceptedCount
            return state.acceptedCount
        }
    }

    public func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult {
        wait(by: deadline) { state in
            state.end = state.end ?? deadline
            state.flushedCount = state.acceptedCount
            return nil
        }
    }

    /// Asks for something, and waits until so many spans are finished, or, for `nil`, until the thread has stopped.
    private func wait(by deadline: ContinuousClock.Instant, asking ask: (inout State) -> Int?) -> FlushResult {
        let semaphore = DispatchSemaphore(value: 0)
        let (count, failedBefore) = state.withLock { state in
            let failedBefore = state.failedCount
            let waiter = Waiter(count: ask(&state), semaphore: semaphore)
            state.isWoken = true
            state.waiters.append(waiter)
            resumeWaiters(&state)
            return (waiter.count, failedBefore)
        }
        wake.signal()
        _ = semaphore.wait(timeout: .now() + (deadline - .now).dispatch)
        return state.withLock { state in
            state.waiters.removeAll { $0.semaphore === semaphore }
            let remaining = (count ?? state.acceptedCount) - state.finishedCount
            if remaining > 0 { return .timedOut(remaining: remaining) }
            let failed = state.failedCount - failedBefore
            return failed > 0 ? .failed(count: failed, reason: state.failure) : .done
        }
    }
}

extension BatchSpanProcessor {
    /// What the thread does until the shutdown.
    private func run() {
        metrics.capacity(configuration.queueSizeMax)
        var taken = Taken()
        var next = ContinuousClock.now + configuration.scheduledDelay
        while true {
            if configuration.scheduledDelay == .zero {
                wake.wait()
            } else if wake.wait(timeout: .now() + (next - .now).dispatch) == .timedOut || .now >= next {
                // What is there now goes; what comes meanwhile waits for others again.
                state.withLock { $0.flushedCount = $0.acceptedCount }
                next = .now + configuration.scheduledDelay
            }
            // Asked before the queue is emptied: a shutdown that comes later wakes this thread once more.
            let isLast = state.withLock { state in
                state.isWoken = false
                return state.end != nil
            }
            while let batch = take(from: &taken) {
                export(batch)
                tellDrops()
            }
            tellDrops()
            if isLast { return stop() }
        }
    }

    /// Spans that the thread has taken out of the queue, of which the first `exportedCount` are gone.
    private struct Taken {
        var spans: [FinishedSpan] = []
        var exportedCount = 0
        var count: Int { spans.count - exportedCount }
    }

    /// The next batch: a full one, or what is to be exported without waiting for others. The queue is taken whole and
    /// handed out from here, so that whoever ends a span never waits while others are moved.
    private func take(from taken: inout Taken) -> [FinishedSpan]? {
        if taken.count == 0 {
            taken.spans.removeAll(keepingCapacity: true)
            taken.exportedCount = 0
        }
        let waitingCount = state.withLock { state -> Int? in
            if let end = state.end, end <= .now { return nil }
            let isAsked = state.flushedCount > state.finishedCount
            guard state.waitingCount > 0, state.waitingCount >= wakingCount || isAsked else { return nil }
            if taken.count == 0 {
                swap(&taken.spans, &state.queue)
            } else if taken.count < configuration.exportBatchSizeMax {
                taken.spans.removeFirst(taken.exportedCount)
                taken.exportedCount = 0
                taken.spans += state.queue
                state.queue.removeAll(keepingCapacity: true)
            }
            let batchCount = min(taken.count, configuration.exportBatchSizeMax)
            state.takenCount = taken.count - batchCount
            return state.waitingCount
        }
        guard let waitingCount else { return nil }
        metrics.queued(waitingCount)
        let start = taken.exportedCount
        taken.exportedCount = min(start + configuration.exportBatchSizeMax, taken.spans.count)
        return Array(taken.spans[start..<taken.exportedCount])
    }

    private func export(_ batch: [FinishedSpan]) {
        let started = ContinuousClock.now
        let end = state.withLock(\.end)
        let deadline = min(started + configuration.exportTimeout, end ?? .now + .seconds(Int64(Int32.max)))
        let result = exporter.export(batch, by: deadline)
        metrics.exported(batch.count, result, .now - started)
        switch result {
        case .done: break
        case .partlyRejected(let count, let reason):
            problems.tell(.rejected, count) { [name = exporter.typeName] in "\(name): \($0.spans) rejected: \(reason)" }
        case .failed(let reason):
            problems.tell(.failed, batch.count) { [name = exporter.typeName] in
                "\(name) could not export \($0.spans): \(reason)"
            }
        }
        state.withLock { state in
            state.finishedCount += batch.count
            switch result {
            case .done: break
            case .partlyRejected(let count, let reason):
                (state.failedCount, state.failure) = (state.failedCount + count, reason)
            case .failed(let reason): (state.failedCount, state.failure) = (state.failedCount + batch.count, reason)
            }
            resumeWaiters(&state)
        }
    }

    /// Tells of drops that were not told yet.
    private func tellDrops() {
        let (overflow, late) = state.withLock { ($0.overflowCount, $0.lateCount) }
        let newOverflow = metrics.dropped(overflow, .queueFull)
        if newOverflow > 0 {
            problems.tell(.overflow, newOverflow) { [limit = configuration.queueSizeMax, name = exporter.typeName] in
                """
                dropped \($0.spans): more than \(limit) waited to be exported; raise OTEL_BSP_MAX_QUEUE_SIZE, or see why \
                \(name) is slow
                """
            }
        }
        let newLate = metrics.dropped(late, .shutdown)
        if newLate > 0 {
            problems.tell(.late, newLate) {
                "dropped \($0.spans): they ended after the shutdown, or it left no time for them"
            }
        }
    }

    /// Lets go what there was no time for, and the exporter.
    private func stop() {
        state.withLock { state in
            state.lateCount += state.waitingCount
            state.queue = []
            state.takenCount = 0
        }
        tellDrops()
        exporter.shutdown()
        problems.tellRest()
        state.withLock { state in
            state.hasStopped = true
            resumeWaiters(&state)
        }
    }

    private func resumeWaiters(_ state: inout State) {
        state.waiters.removeAll { waiter in
            guard state.hasStopped || waiter.count.map({ state.finishedCount >= $0 }) ?? false else { return false }
            waiter.semaphore.signal()
            return true
        }
    }
}

extension Duration {
    /// The same for Dispatch, not below zero and at most a century.
    package var dispatch: DispatchTimeInterval { .nanoseconds(Int(min(nanos, 3_000_000_000_000_000_000))) }
}

extension Int {
    /// So many spans, in words.
    package var spans: String { self == 1 ? "1 span" : "\(self) spans" }
}
