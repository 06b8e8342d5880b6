// SPDX-License-Identifier: Apache-2.0
package import SkeinStore

/// What is asked of a whole trace to decide whether it is kept, as the tail sampling processor of the OpenTelemetry collector
/// and Refinery have it. A description; ``SamplingPolicySet`` evaluates it.
package struct SamplingPolicy: Hashable, Sendable {
    /// Unique among the policies of a set.
    package var name: String
    package var rule: Rule

    package init(_ name: String, _ rule: Rule) {
        self.name = name
        self.rule = rule
    }

    package indirect enum Rule: Hashable, Sendable {
        /// Keeps every trace.
        case always
        /// From the earliest start to the latest end in whole milliseconds: at least the lower bound, or, where there is an
        /// upper bound, above the lower and at most the upper.
        case latency(millis: UInt64, upToMillis: UInt64?)
        /// Any span satisfies the condition.
        case condition(SpanCondition)
        /// `invert_match`: keeps the trace when no span satisfies the condition, and by itself drops it when one does,
        /// whatever policies beside it say.
        case inverted(SpanCondition)
        /// Keeps this share of all traces, 0 to 1, by threshold (``SkeinModel/SamplingThreshold``); with a salt by a hash of it
        /// and the id instead.
        case probabilistic(Double, salt: String? = nil)
        /// Keeps traces while their spans are at most this many per second.
        case rateLimiting(spansPerSecond: Double, burst: Double)
        /// Keeps traces while they have at most this many bytes per second, as OTLP, roughly.
        case bytesLimiting(bytesPerSecond: Double, burst: Double)
        case spanCount(min: Int, max: Int?)
        /// Keeps what each would keep.
        case and([SamplingPolicy])
        /// Keeps what it would not.
        case not(SamplingPolicy)
        /// Drops what each would keep, whatever other policies say.
        case drop([SamplingPolicy])
        case composite(Composite)
        /// Keeps a share that depends on how many traces are alike.
        case dynamic(DynamicSampling)
        /// The first whose condition any span satisfies decides; where none does, the trace is kept.
        case rules([ConditionalRule])
    }

    /// Policies in an order, each with a part of one rate: the first that would keep a trace, and has room for it, does.
    package struct Composite: Hashable, Sendable {
        package var maxSpansPerSecond: Double
        /// In their order.
        package var parts: [Part]

        package struct Part: Hashable, Sendable {
            package var policy: SamplingPolicy
            /// Its part of the whole rate, above 0 to 1; `nil` for what the others leave.
            package var share: Double?

            package init(_ policy: SamplingPolicy, share: Double? = nil) {
                self.policy = policy
                self.share = share
            }
        }

        package init(maxSpansPerSecond: Double, parts: [Part]) {
            self.maxSpansPerSecond = maxSpansPerSecond
            self.parts = parts
        }
    }

    /// One of several of which the first that applies decides (Refinery, rules-based sampling).
    package struct ConditionalRule: Hashable, Sendable {
        package var name: String
        /// `nil` applies to every trace.
        package var condition: SpanCondition?
        package var action: Action

        package indirect enum Action: Hashable, Sendable {
            case drop
            case keep(SamplingPolicy.Rule)
        }

        package init(_ name: String, _ condition: SpanCondition?, _ action: Action) {
            self.name = name
            self.condition = condition
            self.action = action
        }
    }
}

/// Rates by key: of traces that are alike in these fields many are thinned more than few (Refinery's dynamic samplers).
package struct DynamicSampling: Hashable, Sendable {
    package enum Goal: Hashable, Sendable {
        /// One of so many is kept on the whole; common keys give more than rare ones, by the logarithm of their counts.
        case rate(Double)
        /// So many traces per second are kept on the whole, shared out in the same way.
        case throughput(perSecond: Double)
        /// So many traces per second are kept on the whole, shared out evenly.
        case evenThroughput(perSecond: Double)
    }

    package var goal: Goal
    /// What makes traces alike.
    package var fields: [SpanField]
    /// Whether the number of spans does, too.
    package var usesTraceLength = false
    /// Time from one calculation of rates to the next.
    package var intervalNanos: UInt64 = 15_000_000_000
    /// Intervals that are counted at each calculation.
    package var lookbackIntervals = 1
    /// How much the latest interval weighs against all before it, above 0 to 1; 1 forgets those.
    package var weight = 1.0
    /// A key whose average falls below is forgotten.
    package var ageOutValue = 0.5
    /// So many times the traces of an average interval, before the interval ends, calculate at once; 0 for never.
    package var burstMultiple = 0.0
    /// Intervals at the start in which that does not happen.
    package var burstDetectionDelay = 3
    /// The rate before anything is known, 1 or more.
    package var initialRate = 1.0
    /// Traces with other keys, once there are so many, count as one key.
    package var keyCountMax = 500

    package init(_ goal: Goal, fields: [SpanField]) {
        self.goal = goal
        self.fields = fields
    }
}
