// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// Samples a share of all traces, and says in the `tracestate` which, so that what is kept can be counted for all that came
/// (OpenTelemetry tracing SDK, "ProbabilitySampler").
///
/// A span is sampled when the randomness of its trace is at least the threshold of the share. Whoever decides so, in any
/// language and also later, keeps of a trace all or nothing, and with a larger share all that a smaller one keeps. To be used for
/// roots: what was decided for a parent is not looked at.
public struct ProbabilitySampler: Sampler {
    /// 0 to 1; what lies outside is taken as the nearer of the two.
    public let probability: Double
    /// 2^56 for none.
    package let threshold: UInt64
    /// Of a root that is sampled; made once.
    private let sampledRoot: SamplingResult

    /// `precision` is the number of hex digits of the threshold behind leading digits `f`, 1 to 14.
    public init(probability: Double, precision: Int = 4) {
        self.probability = min(max(probability.isNaN ? 0 : probability, 0), 1)
        threshold = SamplingThreshold.threshold(ofProbability: self.probability, precision: precision)
        var state = TraceState()
        if threshold < SamplingThreshold.end { state.setSamplingThreshold(threshold) }
        sampledRoot = SamplingResult(.recordAndSample, traceState: state)
    }

    public var description: String { "ProbabilitySampler{\(probability)}" }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        guard threshold <= request.randomness else {
            return SamplingResult(.drop, traceState: request.traceState(threshold: nil))
        }
        guard request.parent != nil else { return sampledRoot }
        return SamplingResult(.recordAndSample, traceState: request.traceState(threshold: threshold))
    }
}
