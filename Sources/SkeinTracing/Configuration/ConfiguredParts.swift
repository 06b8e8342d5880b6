// SPDX-License-Identifier: Apache-2.0
package import SkeinPropagation
package import SkeinRecording

extension TracingConfiguration {
    /// All forms side by side, in their order; carries nothing where there is none.
    package var propagator: any Propagator { CompositePropagator(propagators.map(\.propagator)) }
}

extension PropagatorFormat {
    package var propagator: any Propagator {
        switch self {
        case .traceContext: TraceContextPropagator()
        case .baggage: BaggagePropagator()
        case .b3: B3Propagator(.single)
        case .b3Multi: B3Propagator(.multiple)
        case .jaeger: JaegerPropagator()
        case .xray: XRayPropagator()
        }
    }
}

extension SamplerConfiguration {
    /// The sampler of that description. Those that need more than their numbers (a clock, a connection, other samplers) are
    /// made by `other`; `nil` when it makes none of one that is asked for.
    package func sampler(other: (SamplerConfiguration) -> (any Sampler)?) -> (any Sampler)? {
        switch self {
        case .alwaysOn: return AlwaysOnSampler()
        case .alwaysOff: return AlwaysOffSampler()
        case .traceIDRatio(let ratio): return TraceIDRatioSampler(ratio: ratio)
        case .probability, .rateLimiting, .jaegerRemote, .composite: return other(self)
        case .parentBased(
            let root,
            let remoteParentSampled,
            let remoteParentNotSampled,
            let localParentSampled,
            let localParentNotSampled
        ):
            let slots = [
                remoteParentSampled, remoteParentNotSampled, localParentSampled, localParentNotSampled,
            ]
            let made = slots.map { slot in slot.map { $0.sampler(other: other) } }
            // A slot that is asked for and cannot be made is not the same as none.
            guard let root = root.sampler(other: other), !made.contains(where: { $0.map { $0 == nil } ?? false }) else {
                return nil
            }
            return ParentBasedSampler(
                root: root,
                remoteParentSampled: made[0] ?? nil,
                remoteParentNotSampled: made[1] ?? nil,
                localParentSampled: made[2] ?? nil,
                localParentNotSampled: made[3] ?? nil
            )
        }
    }
}
