// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
package import SkeinStore
import Synchronization

/// Holds spans until their trace is complete, as far as one can know, and passes on those of traces that policies keep.
///
/// Spans that were taken are in memory only, until their trace was decided: they are lost when the process dies, as with every
/// tail sampler, and none are when it ends in order. Memory is bounded by a budget and by a number of traces. When it is
/// full, batches that wait are spilled, where there is a ``SpanSpill``: what policies need stays. Where there is none, or no room in
/// it, who brings more makes the oldest traces be decided before their time and waits until those of them that are kept are
/// passed on; when that makes no room either, the request is refused and may come again.
package final class TailSampler: Sendable {
    /// Passes a batch on; returns once it is safe.
    package typealias Append = @Sendable (SpanBatch) async throws(Refusal) -> Void

    private struct State: ~Copyable {
        var buffer: TailBuffer
        var memory: ByteBudget.Reservation
        /// Bytes that have left the buffer and are not passed on yet.
        var departingByteCount = 0
        /// What could not be passed on and is tried again at the next tick.
        var outbox: [Outgoing] = []
        var isClosed = false
        /// Why nothing is spilled until ``spillingAgainNanos``; `nil` when there is no reason.
        var spillTrouble: TailCounters.Haste?
        var spillingAgainNanos: UInt64 = 0
    }

    /// What is to be passed on.
    private struct Outgoing {
        var departure: Departure
        /// Taken out of it, and refused the last time.
        var batch: SpanBatch?

        var spanCount: Int { departure.spanCount + (batch?.count ?? 0) }
        var byteCount: Int { departure.byteCount + (batch?.byteCount ?? 0) }
    }

    /// Reads only; the set that decides is the buffer's.
    private let reader: SamplingPolicySet
    private let settings: TailSamplingSettings
    private let counters: TailCounters
    private let budget: ByteBudget
    private let clock: any WallClock
    private let append: Append
    private let spill: (any SpanSpill)?
    private let note: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// A sampler that holds nothing. `append` is called by several tasks at once; `note` is told what an operator should know.
    package init(
        _ policies: SamplingPolicySet,
        _ settings: TailSamplingSettings,
        budget: ByteBudget,
        spill: (any SpanSpill)? = nil,
        clock: any WallClock,
        telemetry: Telemetry,
        note: @escaping @Sendable (String) -> Void = { _ in },
        append: @escaping Append
    ) {
        reader = policies
        // Decisions that are remembered leave most of the memory to what waits.
        let cacheSizeMax = budget.limit / 4 / TailBuffer.byteCountOfDecisions
        var settings = settings
        settings.keptCacheSize = min(settings.keptCacheSize, cacheSizeMax)
        settings.droppedCacheSize = min(settings.droppedCacheSize, cacheSizeMax)
        self.settings = settings
        self.spill = spill
        self.note = note
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
        if let spill {
            telemetry.gauge(
                "skein_sampling_spill_bytes",
                "What spans that wait take on the disk.",
                reading: { Double(spill.byteCount) }
            )
        }
    }

    /// Traces that wait.
    package var waitingTraceCount: Int { state.withLock { $0.buffer.traceCount } }
    /// Bytes of memory held.
    package var byteCount: Int { state.withLock { $0.memory.count } }
    /// Of these, for decisions that are remembered.
    package var cacheByteCount: Int { state.withLock { $0.buffer.cacheByteCount } }

    /// Takes the spans of a request; when it returns they wait, or follow the decision made about their trace.
    package func take(_ batch: SpanBatch) async throws(Refusal) {
        guard !batch.isEmpty else { return }
        let reading = reader.read(batch)
        for _ in 0..<Self.attemptsMax {
            let nanos = clock.monotonicNanos
            let outcome: Result<Step, Refusal> = state.withLock { state in
                if let refusal = refusal(of: reading, state) { return .failure(refusal) }
                return .success(step(reading, nanos: nanos, &state))
            }
            switch try outcome.get() {
            case .taken(let departure): return await send(departure)
            case .spill(let spillings): await write(spillings)
            case .full(let departure):
                guard !departure.isEmpty else { throw Self.busy }
                await send(departure)
            }
        }
        throw Self.busy
    }

    /// What is to be done for a batch.
    private enum Step {
        case taken(Departure)
        case spill([HeldBatches.Spilling])
        /// There is room when this has left, or never.
        case full(Departure)
    }

    private func step(_ reading: BatchReading, nanos: UInt64, _ state: inout State) -> Step {
        let needed = TailBuffer.byteCount(of: reading)
        if !state.memory.grow(to: Self.total(state) + needed) {
            // A little more than is needed, so that not every request has to.
            let wanted = max(needed, budget.limit / 32)
            let spillings = spillings(wanted, nanos: nanos, &state)
            if !spillings.isEmpty { return .spill(spillings) }
            forceDecisions(wanted, nanos: nanos, &state)
            guard state.memory.grow(to: Self.total(state) + needed) else { return .full(depart(&state)) }
        }
        state.buffer.add(reading, nanos: nanos)
        return .taken(depart(&state))
    }

    private static let busy = Refusal(
        .busy,
        "the traces that wait for their decision take the memory there is: try again"
    )

    /// How often room is made for a batch before it is refused, while others take what was made.
    private static let attemptsMax = 16

    /// Decides what is due, and tries again to pass on what could not be. To be called often.
    package func tick() async {
        let nanos = clock.monotonicNanos
        let departure = state.withLock { state in
            state.buffer.decideDue(nanos: nanos)
            return depart(&state)
        }
        if departure.isEmpty { _ = await empty() } else { await send(departure) }
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
            for outgoing in state.outbox { counters.lostSpans.add(outgoing.spanCount) }
            state.outbox = []
        }
    }

    // MARK: Memory

    /// Why a batch is not taken, whatever is decided.
    private func refusal(of reading: BatchReading, _ state: borrowing State) -> Refusal? {
        if state.isClosed { return Refusal(.shuttingDown, "the server ends: send to another, or later") }
        let needed = TailBuffer.byteCount(of: reading)
        guard needed <= budget.limit else { return Refusal.noMemory(needed, of: budget) }
        guard settings.blocksOnOverflow, state.buffer.traceCount >= settings.traceCountMax else { return nil }
        return Refusal(
            .busy,
            "\(settings.traceCountMax) traces wait for their decision, as many as num_traces allows: try again"
        )
    }

    /// Decides the traces that have waited longest, of so many bytes together: what is dropped of them is room at once, what is
    /// kept when it was sent.
    private func forceDecisions(_ byteCount: Int, nanos: UInt64, _ state: inout State) {
        let haste = spill == nil ? TailCounters.Haste.memory : state.spillTrouble ?? .memory
        let target = state.buffer.byteCount - byteCount
        while state.buffer.byteCount > target {
            guard state.buffer.decideFirst(nanos: nanos, haste) else { break }
        }
    }

    private static func total(_ state: borrowing State) -> Int {
        state.buffer.byteCount + state.buffer.cacheByteCount + state.buffer.departingByteCount
            + state.departingByteCount
    }

    // MARK: Spilling

    /// Batches to spill, of so many bytes; none where nothing can be spilled.
    private func spillings(_ byteCount: Int, nanos: UInt64, _ state: inout State) -> [HeldBatches.Spilling] {
        guard spill != nil, state.spillTrouble == nil || nanos >= state.spillingAgainNanos else { return [] }
        return state.buffer.spillings(byteCount: byteCount)
    }

    /// Writes batches, and lets go of them in memory. When that fails they stay, and nothing is spilled for a while.
    private func write(_ spillings: [HeldBatches.Spilling]) async {
        guard let spill else { return }
        let outcome: Result<[any SpilledBatch], StoreError>
        do throws(StoreError) {
            outcome = .success(try await spill.write(spillings.map(\.batch)))
        } catch {
            outcome = .failure(error)
        }
        let again = clock.monotonicNanos &+ Self.spillRestNanos
        let trouble: StoreError? = state.withLock { state in
            defer { state.memory.resizeAnyway(to: Self.total(state)) }
            switch outcome {
            case .success(let spilled):
                for (spilling, spilled) in zip(spillings, spilled) { state.buffer.put(spilling, spilled) }
                state.spillTrouble = nil
                return nil
            case .failure(let error):
                // What came last was taken out last.
                for spilling in spillings.reversed() { state.buffer.put(spilling, nil) }
                let isNews = state.spillTrouble == nil
                state.spillTrouble = error.code == .full ? .spillFull : .spillFailed
                state.spillingAgainNanos = again
                return isNews ? error : nil
            }
        }
        if case .success = outcome { counters.spilledSpans.add(spillings.reduce(0) { $0 + $1.batch.count }) }
        if let trouble { note("traces are decided before their time: \(trouble)") }
    }

    /// For how long nothing is spilled after that failed.
    private static let spillRestNanos: UInt64 = 1_000_000_000

    // MARK: Passing on

    /// Takes out what has left the buffer, to be sent.
    private func depart(_ state: inout State) -> Departure {
        let departure = state.buffer.takeDeparture()
        state.departingByteCount += departure.byteCount
        state.memory.resizeAnyway(to: Self.total(state))
        return departure
    }

    /// Passes on what departs, behind what could not be passed on before.
    private func send(_ departure: Departure) async {
        guard !departure.isEmpty else { return }
        var outgoing = Outgoing(departure: departure)
        // While the store takes nothing, what was spilled stays where it is.
        guard await empty(), await deliver(&outgoing) else {
            return state.withLock { [outgoing] state in state.outbox.append(outgoing) }
        }
    }

    /// Tries to pass on what could not be passed on before; `true` when nothing of it is left.
    private func empty() async -> Bool {
        var left = state.withLock { state in
            defer { state.outbox = [] }
            return state.outbox[...]
        }
        while var first = left.popFirst() {
            if await deliver(&first) { continue }
            return state.withLock { [first, left] state in
                state.outbox = [first] + left + state.outbox
                return false
            }
        }
        return true
    }

    /// Passes on all of `outgoing`, whose bytes are counted as departing; `false` when the rest may be taken later.
    private func deliver(_ outgoing: inout Outgoing) async -> Bool {
        while true {
            let before = outgoing.byteCount
            if outgoing.batch == nil {
                outgoing.batch = await outgoing.departure.next { spanCount, error in
                    counters.unreadableSpans.add(spanCount)
                    note("\(spanCount) spans of kept traces are lost: \(error)")
                }
                count(outgoing.byteCount - before)
            }
            guard let batch = outgoing.batch else { return true }
            guard await pass(batch) else { return false }
            outgoing.batch = nil
            count(-batch.byteCount)
        }
    }

    /// Counts bytes that depart.
    private func count(_ difference: Int) {
        state.withLock { state in
            state.departingByteCount += difference
            state.memory.resizeAnyway(to: Self.total(state))
        }
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
