// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// Samples every span.
public struct AlwaysOnSampler: Sampler {
    public init() {}
    public var description: String { "AlwaysOnSampler" }
    public var localRules: LocalSamplingRules { .childrenOfSampledAreSampled }
    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult { .sample }
}

/// Samples no span.
public struct AlwaysOffSampler: Sampler {
    public init() {}
    public var description: String { "AlwaysOffSampler" }
    public var localRules: LocalSamplingRules { .childrenOfDroppedAreDropped }
    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult { .drop }
}

/// Samples a share of all traces, by the low bytes of the id as other languages do: a trace that a smaller share takes is taken by
/// each larger one (OpenTelemetry tracing SDK, "TraceIdRatioBased"). To be used for roots: what was decided for a parent is
/// not looked at.
public struct TraceIDRatioSampler: Sampler {
    /// 0 to 1; what lies outside is taken as the nearer of the two.
    public let ratio: Double
    /// Ids below are sampled: the last eight bytes as a big-endian number, without its lowest bit.
    private let bound: UInt64

    public init(ratio: Double) {
        self.ratio = min(max(ratio.isNaN ? 0 : ratio, 0), 1)
        bound = UInt64(self.ratio * 0x1p63)
    }

    public var description: String { "TraceIdRatioBased{\(ratio)}" }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        request.traceID.low >> 1 < bound ? .sample : .drop
    }
}

/// Does what was done with the parent, and asks `root` where there is none, or nothing was decided about it (OpenTelemetry
/// tracing SDK, "ParentBased").
public struct ParentBasedSampler: Sampler {
    private let root: any Sampler
    private let remoteSampled: (any Sampler)?
    private let remoteNotSampled: (any Sampler)?
    private let localSampled: (any Sampler)?
    private let localNotSampled: (any Sampler)?

    /// Each of the samplers for children may be left out: then what is sampled stays so.
    public init(
        root: any Sampler,
        remoteParentSampled: (any Sampler)? = nil,
        remoteParentNotSampled: (any Sampler)? = nil,
        localParentSampled: (any Sampler)? = nil,
        localParentNotSampled: (any Sampler)? = nil
    ) {
        self.root = root
        remoteSampled = remoteParentSampled
        remoteNotSampled = remoteParentNotSampled
        localSampled = localParentSampled
        localNotSampled = localParentNotSampled
    }

    public var description: String {
        let names = [
            ("remoteParentSampled", remoteSampled, "AlwaysOnSampler"),
            ("remoteParentNotSampled", remoteNotSampled, "AlwaysOffSampler"),
            ("localParentSampled", localSampled, "AlwaysOnSampler"),
            ("localParentNotSampled", localNotSampled, "AlwaysOffSampler"),
        ]
        let slots = names.map { "\($0.0):\($0.1?.description ?? $0.2)" }.joined(separator: ",")
        return "ParentBased{root:\(root.description),\(slots)}"
    }

    public var localRules: LocalSamplingRules {
        var rules: LocalSamplingRules = []
        if localNotSampled == nil { rules.insert(.childrenOfDroppedAreDropped) }
        if localSampled == nil { rules.insert(.childrenOfSampledAreSampled) }
        return rules
    }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        guard let parent = request.parent else {
            // Somebody may want a trace without naming one.
            switch request.parentDecision {
            case .sampled, .debug: return .sample
            case .notSampled: return .drop
            case .deferred: return root.sample(request)
            }
        }
        if parent.isRemote, request.parentDecision == .deferred { return root.sample(request) }
        let isSampled = parent.flags.contains(.sampled)
        let slot =
            parent.isRemote
            ? (isSampled ? remoteSampled : remoteNotSampled) : (isSampled ? localSampled : localNotSampled)
        if let slot { return slot.sample(request) }
        // A threshold that contradicts the flag says nothing of how many spans this one stands for.
        if parent.isRemote, let threshold = parent.traceState.samplingThreshold,
            (threshold <= request.randomness) != isSampled
        {
            return SamplingResult(isSampled ? .recordAndSample : .drop, traceState: request.traceState(threshold: nil))
        }
        return isSampled ? .sample : .drop
    }
}

/// Has every span recorded, so that processors see also what `root` leaves out (OpenTelemetry tracing SDK, "AlwaysRecord").
/// Exporters get what `root` samples.
public struct AlwaysRecordSampler: Sampler {
    private let root: any Sampler

    public init(root: any Sampler) { self.root = root }

    public var description: String { "AlwaysRecord{\(root.description)}" }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        var result = root.sample(request)
        if result.decision == .drop { result.decision = .recordOnly }
        return result
    }
}
