// SPDX-License-Identifier: Apache-2.0

/// How much one span may hold (OpenTelemetry tracing SDK, "Span Limits"). What is beyond is left out and counted.
public struct SpanLimits: Hashable, Sendable {
    /// `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`
    public var attributeCount = 128
    /// Characters of a text, also of one in a list; `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`. No limit unless it is set.
    public var attributeValueLength = Int.max
    /// `OTEL_SPAN_EVENT_COUNT_LIMIT`
    public var eventCount = 128
    /// `OTEL_SPAN_LINK_COUNT_LIMIT`
    public var linkCount = 128
    /// `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`
    public var attributeCountPerEvent = 128
    /// `OTEL_LINK_ATTRIBUTE_COUNT_LIMIT`
    public var attributeCountPerLink = 128

    /// The limits of the specification.
    public init() {}
}
