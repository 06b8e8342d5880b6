// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
package import SkeinPipeline

/// The way of the spans of sessions and steps into the store: that of all others.
package struct WorkIntake: Sendable {
    private let submit: @Sendable (SpanBatch) async throws(Refusal) -> Void

    /// A way through `pipeline`, counted by `counters`.
    package init(pipeline: Pipeline, counters: IngestCounters) {
        submit = { batch throws(Refusal) in
            counters.requests.add(1)
            counters.receivedSpans.add(batch.count)
            let memory = HeldMemory(pipeline.budget)
            do throws(Refusal) {
                try pipeline.hold(batch, in: memory, counters: counters)
                _ = try await pipeline.submit(batch, counters: counters)
            } catch {
                counters.refuse(error.reason)
                throw error
            }
            withExtendedLifetime(memory) {}
        }
    }

    /// Any other way, for tests.
    package init(_ submit: @escaping @Sendable (SpanBatch) async throws(Refusal) -> Void) { self.submit = submit }

    func store(_ spans: [Span], receivedUnixNanos: UInt64) async throws(Refusal) {
        try await submit(SpanBatch(spans: spans, receivedUnixNanos: receivedUnixNanos))
    }
}
