// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Tracing

extension SamplingRequest {
    /// A root whose trace has this randomness.
    static func root(_ randomness: UInt64 = 0, name: String = "op", attributes: SpanAttributes = [:]) -> SamplingRequest
    {
        SamplingRequest(traceID: TraceID(high: 1, low: randomness), name: name, attributes: attributes)
    }

    /// A child in a trace of this randomness, of a remote parent.
    static func child(_ randomness: UInt64, isSampled: Bool, traceState: String = "", isRemote: Bool = true)
        -> SamplingRequest
    {
        let id = TraceID(high: 1, low: randomness)
        let parent = SkeinPropagation.SpanContext(
            traceID: id,
            spanID: SpanID(1),
            flags: isSampled ? [.sampled] : [],
            traceState: TraceState(header: traceState) ?? TraceState(),
            isRemote: isRemote
        )
        return SamplingRequest(
            parent: parent,
            parentDecision: isSampled ? .sampled : .notSampled,
            traceID: id,
            name: "op"
        )
    }
}

extension SamplingResult {
    /// What the trace state says then; `nil` when it stays as it was.
    var header: String? { traceState?.header() }
    var isSampled: Bool { decision == .recordAndSample }
}
