// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
package import SkeinStore

/// The way of every span from a receiver to the store.
///
/// Receivers decode and hand over one batch per request; when ``submit(_:counters:)`` returns, the spans are kept as the
/// store's durability promises and the receiver may acknowledge them. What is not kept is counted here, once.
package struct Pipeline: Sendable {
    /// Bytes of requests that receivers may hold at once; a receiver reserves before it reads.
    package let budget: ByteBudget
    private let store: any SpanStore
    private let traceLimit: TraceSpanLimit?
    private let stages: [any IntakeStage]
    private let sampler: TailSampler?
    /// Who watches what is stored.
    package let live: LiveTraces
    private let appendSeconds: Histogram

    /// A pipeline into `store`, through `traceLimit` and then `stages` in their order, which shows `live` what was stored. With a
    /// `sampler` what the stages keep goes to it, but for imports, and it brings to the store what it keeps of that: see
    /// ``append(_:to:showing:)``.
    package init(
        store: any SpanStore,
        traceLimit: TraceSpanLimit? = nil,
        stages: [any IntakeStage] = [],
        sampler: TailSampler? = nil,
        budget: ByteBudget,
        telemetry: Telemetry,
        live: LiveTraces = LiveTraces()
    ) {
        self.store = store
        self.traceLimit = traceLimit
        self.stages = stages
        self.sampler = sampler
        self.live = live
        self.budget = budget
        appendSeconds = telemetry.histogram(
            "skein_append_duration_seconds",
            "Time from a decoded batch to its durable acknowledgement."
        )
        telemetry.gauge(
            "skein_inflight_bytes",
            "Bytes of requests being received, decoded and stored now.",
            reading: { Double(budget.used) }
        )
        telemetry.gauge(
            "skein_inflight_bytes_limit",
            "Bytes of requests that may be in memory at once; above it requests are refused.",
            reading: { Double(budget.limit) }
        )
    }

    /// Makes `memory` hold what `batch` and its record in the log take, whatever it held for the bytes that the batch
    /// came from.
    package func hold(_ batch: SpanBatch, in memory: HeldMemory, counters: IngestCounters) throws(Refusal) {
        let count = batch.isEmpty ? 0 : 2 * batch.byteCount
        guard !memory.resize(to: count) else { return }
        let refusal = Refusal.noMemory(count, of: memory.budget)
        counters.reject(batch.count, refusal.reason)
        throw refusal
    }

    /// What is kept of a request's spans on their way to the store.
    package struct Prepared: Sendable {
        package let batch: SpanBatch
        /// Spans left out since their traces have as many as they may.
        package let overflowCount: Int
        /// What the limit of traces counts until the store says no.
        fileprivate let counted: TraceSpanLimit.Taken?
    }

    /// What the limit of traces and the stages keep of `batch`, to be stored with ``store(_:counters:isLastAttempt:)``.
    package func prepare(_ batch: SpanBatch, counters: IngestCounters) throws(Refusal) -> Prepared {
        let taken = traceLimit?.take(batch)
        var kept = taken?.batch ?? batch
        let overflowCount = batch.count - kept.count
        counters.reject(overflowCount, SpanRejection.traceFull)
        for stage in stages where !kept.isEmpty {
            do throws(Refusal) {
                kept = try stage.process(kept, from: counters.source)
            } catch {
                counters.reject(kept.count, error.reason)
                if let taken { traceLimit?.giveBack(taken) }
                throw error
            }
        }
        return Prepared(batch: kept, overflowCount: overflowCount, counted: taken)
    }

    /// Prepares the spans of `batch` and stores what is kept of them. Returns how many were left out since their traces have as
    /// many as they may, which their sender is to be told.
    package func submit(_ batch: SpanBatch, counters: IngestCounters) async throws(Refusal) -> Int {
        let prepared = try prepare(batch, counters: counters)
        try await store(prepared, counters: counters)
        return prepared.overflowCount
    }

    /// What a sender is told of spans that were left out since their traces have as many as they may.
    package func overflowMessage(_ count: Int) -> String {
        "\(count) spans were left out, since their traces have \(traceLimit?.spanCountMax ?? 0) spans, which is as many as are "
            + "taken of one: end traces that go on for ever, or raise trace-spans-taken-max"
    }

    /// Stores the spans of a batch that was prepared; an empty batch is nothing to do. A failure that may pass counts as a
    /// loss only when it is the caller's last attempt.
    package func store(
        _ prepared: Prepared,
        counters: IngestCounters,
        isLastAttempt: Bool = true
    ) async throws(Refusal) {
        let batch = prepared.batch
        guard !batch.isEmpty else { return }
        let start = ContinuousClock.now
        do throws(Refusal) {
            if let sampler, !counters.source.isImport {
                try await sampler.take(batch)
            } else {
                try await Self.append(batch, to: store, showing: live)
            }
        } catch {
            if isLastAttempt || !error.reason.isRetryable {
                counters.reject(batch.count, error.reason)
                if let counted = prepared.counted { traceLimit?.giveBack(counted) }
            }
            throw error
        }
        counters.acceptedSpans.add(batch.count)
        appendSeconds.observe(start.duration(to: .now))
    }

    /// Stores a batch and shows it to who watches.
    package static func append(
        _ batch: SpanBatch,
        to store: any SpanStore,
        showing live: LiveTraces
    ) async throws(Refusal) {
        do {
            try await store.append(batch)
        } catch {
            throw refusal(error)
        }
        live.note(batch)
    }

    /// What a sender is told of a store's error. A code that does not blame the request is worth another try.
    static func refusal(_ error: StoreError) -> Refusal {
        switch error.code {
        case .full: Refusal(.storeFull, error.message)
        case .limit: Refusal(.tooLarge, error.message)
        case .unavailable, .cancelled, .corrupt, .unusable, .io: Refusal(.storeUnavailable, error.message)
        }
    }
}
