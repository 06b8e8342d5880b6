// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What of a trace satisfies a query.
package struct TraceMatch: Sendable {
    package var spansets: [SpansetMatch]
}

/// A spanset that is left at the end of a pipeline.
package struct SpansetMatch: Sendable {
    /// Spans of the set.
    package var matchedSpanCount: Int
    /// The first of them, in the order of the trace.
    package var spans: [MatchedSpan]
    /// Groups and aggregates by the name they have in answers, such as `by(name)` and `avg(duration)`.
    package var attributes: [(name: String, value: Value)]
}

/// A span of a spanset.
package struct MatchedSpan: Sendable {
    package var spanID: SpanID
    package var name: String
    package var serviceName: String
    /// Nanoseconds since 1970.
    package var startUnixNanos: UInt64
    package var durationNanos: UInt64
    /// The fields that the query names and the span has, but for those above.
    package var attributes: [(field: Field, value: Value)]
}
