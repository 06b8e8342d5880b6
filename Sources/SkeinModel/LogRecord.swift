// SPDX-License-Identifier: Apache-2.0

/// One log record of a trace as a row, for people and tests (OTLP 1.9 `LogRecord`).
public struct LogRecord: Hashable, Sendable {
    public var traceID: TraceID
    /// The span during which it was written, `.zero` when the record does not say.
    public var spanID: SpanID
    /// When it was written, or where that is not known when it was seen: nanoseconds since 1970-01-01 UTC.
    public var timeUnixNanos: UInt64
    /// When it was seen by whoever collected it; 0 when that is not known.
    public var observedTimeUnixNanos: UInt64 = 0
    /// 1…24, four to each of trace, debug, info, warn, error and fatal; 0 when not said.
    public var severityNumber: UInt8 = 0
    /// As the source calls it, such as `WARNING`.
    @ExactText public var severityText = ""
    /// Of an event its name; empty for any other record.
    @ExactText public var eventName = ""
    public var body: AttributeValue = .null
    public var attributes: [Attribute] = []
    public var droppedAttributesCount: UInt32 = 0
    /// The W3C trace flags.
    public var flags: UInt8 = 0
    public var resource = Resource()
    public var scope = InstrumentationScope()

    /// A record with the fields that every record has; the others start empty.
    public init(traceID: TraceID, spanID: SpanID, timeUnixNanos: UInt64, body: AttributeValue) {
        self.traceID = traceID
        self.spanID = spanID
        self.timeUnixNanos = timeUnixNanos
        self.body = body
    }

    /// The least ``severityNumber`` of an error.
    public static let errorSeverityNumber: UInt8 = 17
}
