// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
import Synchronization

/// Holds spans until their trace is complete, as far as one can know, and passes on those of traces that policies keep.
///
/// Spans that were taken are in memory only, until their trace was decided: they are lost when the process dies, as with every
/// tail sampler, and none are when it ends in order. Memory is bounded by a budget and by a number of traces. Who brings
/// more makes the oldest traces be decided before their time and waits until those of them that are kept are passed on; when
/// that makes no room either, the request is refused and may come again.
package final class TailSampler: Sendable {
    /// Passes a batch on; returns once it is safe.
    package typealias Append = @Sendable (SpanBatch) async throws(Refusal) -> Void

    private struct State: ~Copyable {
        var buffer: TailBuffer
        var memory: ByteBudget.Reservation
        /// Bytes that have left the buffer and are not passed on yet.
        var departingByteCount = 0
        /// What could not be passed on and is tried again at the next tick.
        var outbox: [SpanBatch] = []
        var isClosed = false
    }

    /// Reads only; the set that decides is the buffer's.
    private let reader: SamplingPolicySet
    private let settings: TailSamplingSettings
    private let counters: TailCounters
    private let budget: ByteBudget
    private let clock: any WallClock
    private let append: Append
    private let state: Mutex<State>

    /// A sampler that holds nothing. `append` is called by several tasks at once.
    package init(
        _ policies: SamplingPolicySet,
        _ settings: TailSamplingSettings,
        budget: ByteBudget,
        clock: any WallClock,
        telemetry: Telemetry,
        append: @escaping Append
    ) {
        reader = policies
        self.settings = settings
        self.budget = budget
        self.clock = clock
        self.append = append
        counters = TailCounters(policies: policies.policies.map(\.name), in: telemetry)
        state = Mutex(State(buffer: TailBuffer(policies, settings, counters), memory: budget.reservation()))
        telemetry.gauge(
            "skein_sampling_waiting_traces",
            "Traces that wait for their decision now.",
            reading: { [weak self] in Double(self?.waitingTraceCount ?? 0) }
        )
    }

    /// Traces that wait.
    package var waitingTraceCount: Int { state.withLock { $0.buffer.traceCount } }
    /// Bytes of memory held.
    package var byteCount: Int { state.withLock { $0.memory.count } }

    /// Takes the spans of a request; when it returns they wait, or follow the decision made about their trace.
    package func take(_ batch: SpanBatch) async throws(Refusal) {
        guard !batch.isEmpty else { return }
        let reading = reader.read(batch)
        for _ in 0..<Self.attemptsMax {
            let nanos = clock.monotonicNanos
            let outcome: Result<(isTaken: Bool, departure: Departure), Refusal> = state.withLock { state in
                if let refusal = refusal(of: batch, state) { return .failure(refusal) }
                let isTaken = hasRoom(for: batch, nanos: nanos, &state)
                if isTaken { state.buffer.add(reading, nanos: nanos) }
                return .success((isTaken, depart(&state)))
            }
            let (isTaken, departure) = try outcome.get()
            await send(departure)
            if isTaken { return }
            if departure.isEmpty { break }
        }
        throw Refusal(.busy, "the traces that wait for their decision take the memory there is: try again")
    }

    /// How often room is made for a batch before it is refused, while others take what was made.
    private static let attemptsMax = 4

    /// Decides what is due, and tries again to pass on what could not be. To be called often.
    package func tick() async {
        let nanos = clock.monotonicNanos
        let departure = state.withLock { state in
            state.buffer.decideDue(nanos: nanos)
            return depart(&state)
        }
        _ = await empty()
        await send(departure)
    }

    /// Ticks until the task is cancelled.
    package func run() async {
        let interval = min(max(settings.decisionWaitNanos / 16, 20_000_000), 500_000_000)
        while (try? await clock.sleep(nanos: interval)) != nil { await tick() }
    }

    /// Decides all that waits and passes on what is kept; what comes later is refused. What the store does not take within
    /// five seconds is lost and counted.
    package func finish() async {
        let nanos = clock.monotonicNanos
        let departure = state.withLock { state in
            state.isClosed = true
            state.buffer.decideAll(nanos: nanos)
            return depart(&state)
        }
        await send(departure)
        for _ in 0..<50 {
            if await empty() { return }
            // A task that was cancelled still has this to do.
            await Task { [clock] in try? await clock.sleep(nanos: 100_000_000) }.value
        }
        state.withLock { state in
            for batch in state.outbox { counters.lostSpans.add(batch.count) }
            state.outbox = []
        }
    }

    // MARK: Memory

    /// Why a batch is not taken, whatever is decided.
    private func refusal(of batch: SpanBatch, _ state: borrowing State) -> Refusal? {
        if state.isClosed { return Refusal(.shuttingDown, "the server ends: send to another, or later") }
        let needed = TailBuffer.byteCount(of: batch)
        guard needed <= budget.limit else { return Refusal.noMemory(needed, of: budget) }
        guard settings.blocksOnOverflow, state.buffer.traceCount >= settings.traceCountMax else { return nil }
        return Refusal(
            .busy,
            "\(settings.traceCountMax) traces wait for their decision, as many as num_traces allows: try again"
        )
    }

    /// Whether there is room for a batch. When there is none, the traces that have waited longest are decided: what is dropped
    /// of them is room at once, what is kept when it was sent.
    private func hasRoom(for batch: SpanBatch, nanos: UInt64, _ state: inout State) -> Bool {
        let needed = TailBuffer.byteCount(of: batch)
        if state.memory.grow(to: Self.total(state) + needed) { return true }
        // A little more than is needed, so that not every request has to.
        let target = state.buffer.byteCount - max(needed, budget.limit / 32)
        while state.buffer.byteCount > target {
            guard state.buffer.decideFirst(nanos: nanos, .memory) else { break }
        }
        return state.memory.grow(to: Self.total(state) + needed)
    }

    private static func total(_ state: borrowing State) -> Int {
        state.buffer.byteCount + state.buffer.departingByteCount + state.departingByteCount
    }

    /// Takes out what has left the buffer, to be sent.
    private func depart(_ state: inout State) -> Departure {
        let departure = state.buffer.takeDeparture()
        state.departingByteCount += departure.byteCount
        state.memory.resizeAnyway(to: Self.total(state))
        return departure
    }

    // MARK: Passing on

    private func send(_ departure: Departure) async {
        guard !departure.isEmpty else { return }
        var left = departure.batches()[...]
        while let batch = left.first, await pass(batch) { left.removeFirst() }
        state.withLock { state in
            state.outbox += left
            state.departingByteCount += left.reduce(0) { $0 + $1.byteCount } - departure.byteCount
            state.memory.resizeAnyway(to: Self.total(state))
        }
    }

    /// Tries to pass on what could not be passed on before; `true` when nothing of it is left.
    private func empty() async -> Bool {
        var left = state.withLock { state in
            defer { state.outbox = [] }
            return state.outbox[...]
        }
        guard !left.isEmpty else { return true }
        let byteCount = left.reduce(0) { $0 + $1.byteCount }
        while let batch = left.first, await pass(batch) { left.removeFirst() }
        state.withLock { state in
            state.outbox = left + state.outbox
            state.departingByteCount += left.reduce(0) { $0 + $1.byteCount } - byteCount
            state.memory.resizeAnyway(to: Self.total(state))
        }
        return left.isEmpty
    }

    /// Passes a batch on; `false` when it may succeed later. One that never will is lost and counted.
    private func pass(_ batch: SpanBatch) async -> Bool {
        do throws(Refusal) {
            try await append(batch)
        } catch {
            if error.reason.isRetryable { return false }
            counters.lostSpans.add(batch.count)
        }
        return true
    }
}
