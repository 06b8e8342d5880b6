// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
package import SkeinPipeline
import SkeinWire

/// The way of spans that are imported over the API into the store.
package struct ImportIntake: Sendable {
    private let pipeline: Pipeline
    private let counters: IngestCounters

    /// A way through `pipeline`, counted by `counters`.
    package init(pipeline: Pipeline, counters: IngestCounters) {
        self.pipeline = pipeline
        self.counters = counters
    }

    /// Counts a request before it is read.
    func begin(byteCount: Int) {
        counters.requests.add(1)
        counters.bytes.add(byteCount)
    }

    /// Stores a part of a request.
    func store(_ batch: SpanBatch) async throws(APIError) {
        counters.receivedSpans.add(batch.count)
        do throws(Refusal) {
            let memory = HeldMemory(pipeline.budget)
            try pipeline.hold(batch, in: memory, counters: counters)
            try await pipeline.submit(batch, counters: counters)
            withExtendedLifetime(memory) {}
        } catch {
            counters.refuse(error.reason)
            throw APIError(error)
        }
    }

    /// Counts what was left out of a request.
    func end(_ report: TraceFileReport) {
        for skip in report.skips {
            guard case .span(let reason) = skip.reason else { continue }
            counters.receivedSpans.add(skip.count)
            if let counter = SpanRejection.allCases.first(where: { "\($0.label)" == reason.rawValue }) {
                counters.reject(skip.count, counter)
            }
        }
        counters.drop(report.dropped.attributes, .attributes)
        counters.drop(report.dropped.events, .events)
        counters.drop(report.dropped.links, .links)
    }
}

extension APIError {
    /// What a refusal of the pipeline means to whoever imports.
    fileprivate init(_ refusal: Refusal) {
        let code = "\(refusal.reason.label)".map { $0 == "_" ? "-" : $0 }
        let status = refusal.reason.isRetryable ? 503 : refusal.reason == .tooLarge ? 413 : 400
        self.init(status, String(code), "\(refusal.message). What was read before is stored; nothing is stored twice.")
        if refusal.reason.isRetryable { headers = [("Retry-After", "\(refusal.reason.retryAfterSeconds)")] }
    }
}
