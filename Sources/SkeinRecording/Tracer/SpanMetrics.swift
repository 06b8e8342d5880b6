// SPDX-License-Identifier: Apache-2.0
import CoreMetrics
import SkeinModel
import SkeinPropagation

/// How many spans start and how many have not ended, through swift-metrics (OpenTelemetry semantic conventions, "SDK metrics"):
/// `otel.sdk.span.started` and `otel.sdk.span.live`.
final class SpanMetrics: Sendable {
    /// By the origin of the parent, and within by what was decided.
    private let started: [Counter]
    private let liveRecordOnly: Meter
    private let liveSampled: Meter

    private static let results = ["DROP", "RECORD_ONLY", "RECORD_AND_SAMPLE"]

    /// `nil` when nobody has set metrics up: then a span costs nothing more.
    static func ifAnybodyListens() -> SpanMetrics? {
        MetricsSystem.factory is NOOPMetricsHandler ? nil : SpanMetrics()
    }

    private init() {
        started = ["none", "local", "remote"].flatMap { origin in
            Self.results.map { result in
                Counter(
                    label: "otel.sdk.span.started",
                    dimensions: [("otel.span.parent.origin", origin), ("otel.span.sampling_result", result)]
                )
            }
        }
        let live = Self.results.map {
            Meter(label: "otel.sdk.span.live", dimensions: [("otel.span.sampling_result", $0)])
        }
        (liveRecordOnly, liveSampled) = (live[1], live[2])
    }

    func start(_ decision: SamplingResult.Decision, parent: SpanIdentity?) {
        let origin: Int
        if let parent, parent.spanContext.spanID != .zero {
            origin = parent.spanContext.isRemote ? 2 : 1
        } else {
            origin = 0
        }
        switch decision {
        case .drop: started[origin * 3].increment()
        case .recordOnly:
            started[origin * 3 + 1].increment()
            liveRecordOnly.increment()
        case .recordAndSample:
            started[origin * 3 + 2].increment()
            liveSampled.increment()
        }
    }

    func end(isSampled: Bool) { (isSampled ? liveSampled : liveRecordOnly).decrement() }
}
