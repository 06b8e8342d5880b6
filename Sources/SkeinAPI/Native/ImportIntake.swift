// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
import SkeinModel
package import SkeinPipeline
import SkeinWire

/// The way of spans that are imported over the API into the store.
package struct ImportIntake: Sendable {
    /// The longest that an import waits in all for services that send more than they may: shorter than a query lasts.
    private static let waitSecondsMax = 20

    private let pipeline: Pipeline
    private let counters: IngestCounters
    private let clock: any WallClock
    /// How much of a span is taken.
    let limits: DecodingLimits

    /// A way through `pipeline`, counted by `counters`. Of a span `itemsMax` attributes, events and links are taken.
    package init(
        pipeline: Pipeline,
        counters: IngestCounters,
        itemsMax: Int = DecodingLimits().itemsMax,
        clock: any WallClock = SystemClock()
    ) {
        self.pipeline = pipeline
        self.counters = counters
        self.clock = clock
        var limits = DecodingLimits()
        limits.itemsMax = itemsMax
        self.limits = limits
    }

    /// What becomes of the parts of a request.
    struct Progress {
        /// Spans left out since their traces have as many as they may.
        fileprivate(set) var overflowCount = 0
        fileprivate var secondsWaited = 0
    }

    /// Counts a request before it is read.
    func begin(byteCount: Int) {
        counters.requests.add(1)
        counters.bytes.add(byteCount)
    }

    /// Stores a part of a request. A service that sent too much before, which may be the part before this, is waited for.
    func store(_ batch: SpanBatch, _ progress: inout Progress) async throws(APIError) {
        while true {
            counters.receivedSpans.add(batch.count)
            do throws(Refusal) {
                let memory = HeldMemory(pipeline.budget)
                try pipeline.hold(batch, in: memory, counters: counters)
                progress.overflowCount += try await pipeline.submit(batch, counters: counters)
                return withExtendedLifetime(memory) {}
            } catch {
                let seconds = error.retryAfterSeconds
                if error.reason == .rateLimited, progress.secondsWaited + seconds <= Self.waitSecondsMax {
                    progress.secondsWaited += seconds
                    if (try? await clock.sleep(nanos: UInt64(seconds) * 1_000_000_000)) != nil { continue }
                }
                counters.refuse(error.reason)
                throw APIError(error)
            }
        }
    }

    /// What is said of spans that were left out since their traces have as many as they may.
    func overflowMessage(_ progress: Progress) -> String { pipeline.overflowMessage(progress.overflowCount) }

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
        counters.drop(report.dropped.invalidLinks, .invalidLinks)
    }
}

extension APIError {
    /// What a refusal of the pipeline means to whoever imports.
    fileprivate init(_ refusal: Refusal) {
        let code = "\(refusal.reason.label)".map { $0 == "_" ? "-" : $0 }
        let status =
            switch refusal.reason {
            case .busy, .rateLimited: 429
            case .storeUnavailable, .storeFull, .shuttingDown: 503
            case .tooLarge: 413
            case .malformed, .unsupported, .forbidden, .incomplete: 400
            }
        let remedy =
            refusal.reason == .rateLimited ? " Import smaller files, or with `skein import`, which waits longer." : ""
        let rest = "What was read before is stored; nothing is stored twice.\(remedy)"
        self.init(status, String(code), "\(refusal.message). \(rest)")
        if refusal.reason.isRetryable { headers = [("Retry-After", "\(refusal.retryAfterSeconds)")] }
    }
}
