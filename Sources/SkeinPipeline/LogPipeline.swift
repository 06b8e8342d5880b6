// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
package import SkeinStore

/// The way of log records from a receiver to where they are kept. What is not kept is counted here, once.
package struct LogPipeline: Sendable {
    /// Bytes of requests that receivers may hold at once.
    package let budget: ByteBudget
    package let counters: LogCounters
    private let store: any LogRecordStore
    private let stages: [any IntakeStage]

    private static let source = IntakeSource(protocolName: "otlp-logs")

    /// A way into `store` through `stages` in their order, which take records as the rows that they are kept as.
    package init(
        store: any LogRecordStore,
        stages: [any IntakeStage] = [],
        budget: ByteBudget,
        telemetry: Telemetry
    ) {
        self.store = store
        self.stages = stages
        self.budget = budget
        counters = LogCounters(in: telemetry)
    }

    /// Keeps the records of `batch`, which `memory` holds meanwhile; an empty batch is nothing to do.
    package func submit(_ batch: LogBatch, memory: HeldMemory) async throws(Refusal) {
        let byteCount = batch.isEmpty ? 0 : 2 * batch.rows.byteCount
        guard memory.resize(to: byteCount) else {
            let refusal = Refusal.noMemory(byteCount, of: memory.budget)
            counters.reject(batch.count, refusal.reason)
            throw refusal
        }
        var rows = batch.rows
        for stage in stages where !rows.isEmpty {
            do throws(Refusal) {
                rows = try stage.process(rows, from: Self.source)
            } catch {
                counters.reject(batch.count, error.reason)
                throw error
            }
        }
        do {
            try await store.append(LogBatch(stored: rows))
        } catch {
            let refusal = Pipeline.refusal(error)
            counters.reject(batch.count, refusal.reason)
            throw refusal
        }
        counters.accepted.add(batch.count)
    }
}

/// Log records that were received, kept and refused: `received = accepted + rejected`.
package struct LogCounters: Sendable {
    package let received: Counter
    package let accepted: Counter
    private let rejected: [Counter]
    private let refused: [Counter]

    package init(in telemetry: Telemetry) {
        received = telemetry.counter(
            "skein_received_log_records_total",
            "Log records found in requests that could be read."
        )
        accepted = telemetry.counter(
            "skein_accepted_log_records_total",
            "Log records of traces that were stored and acknowledged."
        )
        func counters(_ reasons: [StaticString]) -> [Counter] {
            reasons.map { reason in
                telemetry.counter(
                    "skein_rejected_log_records_total",
                    "Log records that were not taken, by reason.",
                    ["reason": reason]
                )
            }
        }
        rejected = counters(SpanRejection.allCases.map(\.label))
        refused = counters(IngestCounters.storeReasons.map(\.label))
    }

    /// Counts records that are left out although their request could be read.
    package func reject(_ count: Int, _ reason: SpanRejection) {
        if count > 0 { rejected[reason.rawValue].add(count) }
    }

    /// Counts the records of a request that the store did not keep.
    func reject(_ count: Int, _ reason: Refusal.Reason) {
        if let index = IngestCounters.storeReasons.firstIndex(of: reason) { refused[index].add(count) }
    }

    /// Records left out for `reason` so far.
    package func rejected(_ reason: SpanRejection) -> UInt64 { rejected[reason.rawValue].value }
}
