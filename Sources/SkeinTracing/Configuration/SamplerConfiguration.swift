// SPDX-License-Identifier: Apache-2.0
public import Tracing

/// Which spans are recorded.
public indirect enum SamplerConfiguration: Hashable, Sendable {
    case alwaysOn
    case alwaysOff
    /// A share from 0 to 1, by the trace's id, as OpenTelemetry has had it so far.
    case traceIDRatio(Double)
    /// A share from 0 to 1, by randomness that is consistent across services and told in `tracestate` (`ot=th:…`).
    case probability(Double)
    /// So many traces a second at most; more than 0.
    case rateLimiting(tracesPerSecond: Double)
    /// What a Jaeger backend says, asked for this often; `initial` until it has answered for the first time.
    case jaegerRemote(endpoint: String, pollingInterval: Duration, initial: SamplerConfiguration)
    /// What samplers that fit into each other want together, by randomness that is consistent across services and told in
    /// `tracestate` (OpenTelemetry tracing SDK, "CompositeSampler").
    case composite(ComposableConfiguration)
    /// As the parent is, or as the sampler for such a parent says; `root` for what has no parent.
    case parentBased(
        root: SamplerConfiguration,
        remoteParentSampled: SamplerConfiguration? = nil,
        remoteParentNotSampled: SamplerConfiguration? = nil,
        localParentSampled: SamplerConfiguration? = nil,
        localParentNotSampled: SamplerConfiguration? = nil
    )

    /// Asks the sampling port of a Jaeger agent, or of Skein, on this machine once a minute, and begins with one trace of a
    /// thousand.
    public static let jaegerRemote = SamplerConfiguration.jaegerRemote(
        endpoint: "http://localhost:5778/sampling",
        pollingInterval: .seconds(60),
        initial: .traceIDRatio(0.001)
    )
}

/// What a part of a composite sampler wants (OpenTelemetry tracing SDK, "ComposableSampler").
public indirect enum ComposableConfiguration: Hashable, Sendable {
    case alwaysOn
    case alwaysOff
    /// A share from 0 to 1.
    case probability(Double)
    /// By the threshold of the parent; `root` for what has no parent.
    case parentThreshold(root: ComposableConfiguration)
    /// The first rule that a span fits says; a span that fits none is not recorded.
    case rules([SamplingRule])
}

/// A sampler for the spans that fit all that is asked.
public struct SamplingRule: Hashable, Sendable {
    /// Where a span's parent is.
    public enum Parent: String, Hashable, Sendable, CaseIterable {
        case none
        case remote
        case local
    }

    /// What the text of an attribute has to be.
    public struct AttributeTest: Hashable, Sendable {
        public var key: String
        /// Each exactly one, or `nil` for patterns.
        public var values: [String]?
        public var patterns: NameFilter

        public init(key: String, values: [String]) {
            self.key = key
            self.values = values
            patterns = NameFilter()
        }

        public init(key: String, patterns: NameFilter) {
            self.key = key
            values = nil
            self.patterns = patterns
        }

        /// Whether the text of the attribute's value fits.
        package func fits(_ text: String) -> Bool { values.map { $0.contains(text) } ?? patterns.takes(text) }
    }

    /// All have to fit; an attribute that a span does not have at its start fits nothing.
    public var attributes: [AttributeTest]
    /// Empty for any kind.
    public var kinds: Set<SpanKind>
    /// Empty for any parent.
    public var parents: Set<Parent>
    public var sampler: ComposableConfiguration

    public init(
        attributes: [AttributeTest] = [],
        kinds: Set<SpanKind> = [],
        parents: Set<Parent> = [],
        sampler: ComposableConfiguration
    ) {
        self.attributes = attributes
        self.kinds = kinds
        self.parents = parents
        self.sampler = sampler
    }
}
