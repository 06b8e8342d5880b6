// SPDX-License-Identifier: Apache-2.0
import SkeinModel
public import SkeinPropagation
public import Tracing

/// Says by which threshold a span is to be sampled, and leaves the decision to ``CompositeSampler`` (OpenTelemetry tracing SDK,
/// "ComposableSampler"). Called by any thread, and for every span.
public protocol ComposableSampler: Sendable {
    func intent(_ request: borrowing SamplingRequest) -> SamplingIntent

    /// Its name and parameters, such as `ComposableProbability{0.25}`.
    var description: String { get }
}

/// What a composable sampler wants to become of a span (OpenTelemetry tracing SDK, "GetSamplingIntent").
public struct SamplingIntent: Sendable {
    /// The span is sampled when its randomness is at least this, which is below 2^56; `nil` for never.
    public var threshold: UInt64?
    /// Whether the threshold says how many spans a sampled one stands for, and so may be told to others.
    public var isAdjustedCountReliable: Bool
    /// Set on the span if it is sampled.
    public var attributes: SpanAttributes = [:]
    /// Changes the trace state of the span; what it does to the threshold does not count. `nil` leaves it as it is.
    public var updateTraceState: (@Sendable (inout TraceState) -> Void)?

    public init(threshold: UInt64?, isAdjustedCountReliable: Bool) {
        self.threshold = threshold
        self.isAdjustedCountReliable = isAdjustedCountReliable
    }

    /// Sampled never.
    public static let never = SamplingIntent(threshold: nil, isAdjustedCountReliable: false)
}

/// Decides by what a composable sampler wants (OpenTelemetry tracing SDK, "CompositeSampler").
public struct CompositeSampler: Sampler {
    private let sampler: any ComposableSampler

    public init(_ sampler: any ComposableSampler) { self.sampler = sampler }

    public var description: String { sampler.description }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        let intent = sampler.intent(request)
        let isSampled = intent.threshold.map { $0 < SamplingThreshold.end && $0 <= request.randomness } ?? false
        let threshold = isSampled && intent.isAdjustedCountReliable ? intent.threshold : nil
        var result = SamplingResult(
            isSampled ? .recordAndSample : .drop,
            attributes: isSampled ? intent.attributes : [:],
            traceState: request.traceState(threshold: threshold)
        )
        if let update = intent.updateTraceState {
            var state = result.traceState ?? request.parent?.traceState ?? TraceState()
            update(&state)
            state.setSamplingThreshold(threshold)
            result.traceState = state
        }
        return result
    }
}
