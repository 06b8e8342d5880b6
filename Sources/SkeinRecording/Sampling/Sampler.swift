// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
public import SkeinPropagation
public import Tracing

/// Decides at the start of a span whether it is recorded (OpenTelemetry tracing SDK, "Sampler"). Called by any thread, and for
/// every span: it should cost next to nothing.
public protocol Sampler: Sendable {
    /// What becomes of a span that is about to start.
    func sample(_ request: borrowing SamplingRequest) -> SamplingResult

    /// Its name and parameters, such as `TraceIdRatioBased{0.25}`.
    var description: String { get }

    /// What holds for children of spans of this process, whatever they are: about those it is not asked. Asked for once; nothing
    /// unless the sampler says so.
    var localRules: LocalSamplingRules { get }
}

extension Sampler {
    public var localRules: LocalSamplingRules { [] }
}

/// What becomes of the children of spans of this process in any case.
public struct LocalSamplingRules: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// A child of a span that is not recorded is not recorded.
    public static let childrenOfDroppedAreDropped = LocalSamplingRules(rawValue: 1)
    /// A child of a span that is sampled is sampled, with the trace state of its parent and no attributes.
    public static let childrenOfSampledAreSampled = LocalSamplingRules(rawValue: 2)
}

/// What a sampler is told of a span.
public struct SamplingRequest: Sendable {
    /// `nil` for the root of a trace.
    public var parent: SpanContext?
    /// What the process before has decided, where the parent is remote; of a local parent whether it is sampled.
    public var parentDecision: PropagatedContext.Decision
    public var traceID: TraceID
    public var name: String
    public var kind: SpanKind
    /// Those that are known at the start. Spans that start by swift-distributed-tracing's own function have none.
    public var attributes: SpanAttributes {
        get { given ?? [:] }
        set { given = newValue }
    }
    /// An empty one takes time to make.
    private var given: SpanAttributes?
    /// Where the span starts, `Module/File.swift`.
    public var fileID: String
    /// What the span starts in; it has the baggage.
    public var context: ServiceContext

    public init(
        parent: SpanContext? = nil,
        parentDecision: PropagatedContext.Decision = .deferred,
        traceID: TraceID,
        name: String,
        kind: SpanKind = .internal,
        attributes: SpanAttributes? = nil,
        fileID: String = "",
        context: ServiceContext = .topLevel
    ) {
        self.parent = parent
        self.parentDecision = parentDecision
        self.traceID = traceID
        self.name = name
        self.kind = kind
        given = attributes
        self.fileID = fileID
        self.context = context
    }

    /// What consistent samplers compare with their threshold: 0 to 2^56 - 1, alike for all spans of a trace.
    public var randomness: UInt64 {
        parent?.traceState.samplingRandomness ?? traceID.low & (SamplingThreshold.end - 1)
    }

    /// The parent's trace state with this threshold, or without one; `nil` when it is like that already.
    func traceState(threshold: UInt64?) -> TraceState? {
        var state = parent?.traceState ?? TraceState()
        guard state.samplingThreshold != threshold else { return nil }
        state.setSamplingThreshold(threshold)
        return state
    }
}

/// What becomes of a span.
public struct SamplingResult: Sendable {
    public enum Decision: Hashable, Sendable {
        /// It is not recorded; its ids are passed on.
        case drop
        /// Processors get it, exporters do not.
        case recordOnly
        case recordAndSample
    }

    public var decision: Decision
    /// Set on the span at its start.
    public var attributes: SpanAttributes = [:]
    /// In place of the parent's; `nil` to leave that as it is.
    public var traceState: TraceState?

    public init(_ decision: Decision, attributes: SpanAttributes = [:], traceState: TraceState? = nil) {
        self.decision = decision
        self.attributes = attributes
        self.traceState = traceState
    }

    public static let drop = SamplingResult(.drop)
    public static let sample = SamplingResult(.recordAndSample)
}
