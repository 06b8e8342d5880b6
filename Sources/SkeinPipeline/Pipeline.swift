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
    private let stages: [any IntakeStage]
    private let sampler: TailSampler?
    /// Who watches what is stored.
    package let live: LiveTraces
    private let appendSeconds: Histogram

    /// A pipeline into `store`, through `stages` in their order, which shows `live` what was stored. With a `sampler` what the
    /// stages keep goes to it, and it brings to the store what it keeps of that: see ``append(_:to:showing:)``.
    package init(
        store: any SpanStore,
        stages: [any IntakeStage] = [],
        sampler: TailSampler? = nil,
        budget: ByteBudget,
        telemetry: Telemetry,
        live: LiveTraces = LiveTraces()
    ) {
        self.store = store
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

    /// What the stages keep of `batch`, to be stored with ``store(_:counters:isLastAttempt:)``.
    package func prepare(_ batch: SpanBatch, counters: IngestCounters) throws(Refusal) -> SpanBatch {
        var kept = batch
        for stage in stages where !kept.isEmpty {
            do throws(Refusal) {
                kept = try stage.process(kept, from: counters.source)
            } catch {
                counters.reject(kept.count, error.reason)
                throw error
            }
        }
        return kept
    }

    /// Prepares the spans of `batch` and stores what is kept of them.
    package func submit(_ batch: SpanBatch, counters: IngestCounters) async throws(Refusal) {
        try await store(prepare(batch, counters: counters), counters: counters)
    }

    /// Stores the spans of a batch that was prepared; an empty batch is nothing to do. A failure that may pass counts as a
    /// loss only when it is the caller's last attempt.
    package func store(
        _ batch: SpanBatch,
        counters: IngestCounters,
        isLastAttempt: Bool = true
    ) async throws(Refusal) {
        guard !batch.isEmpty else { return }
        let start = ContinuousClock.now
        do throws(Refusal) {
            if let sampler {
                try await sampler.take(batch)
            } else {
                try await Self.append(batch, to: store, showing: live)
            }
        } catch {
            if isLastAttempt || !error.reason.isRetryable { counters.reject(batch.count, error.reason) }
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
