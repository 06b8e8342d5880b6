// SPDX-License-Identifier: Apache-2.0

/// One span as a row, for people and tests (OTLP 1.5 `Span`). Everything hot works on ``SpanBatch`` instead.
public struct Span: Hashable, Sendable {
    public var traceID: TraceID
    public var spanID: SpanID
    /// `.zero` for a root.
    public var parentSpanID: SpanID = .zero
    /// W3C `tracestate` as it came, empty for none.
    @ExactText public var traceState = ""
    /// Bits 0–7 the W3C trace flags, bit 8 "parent's remoteness is known", bit 9 "parent is remote".
    public var flags: UInt32 = 0
    @ExactText public var name: String
    public var kind: Kind = .unspecified
    /// Nanoseconds since 1970-01-01 UTC.
    public var startUnixNanos: UInt64
    /// Nanoseconds; zero when the end came before the start, see ``endsBeforeStart``.
    public var durationNanos: UInt64
    /// Whether the client reported an end before the start. ``durationNanos`` is then zero.
    public var endsBeforeStart = false
    public var status = Status()
    public var attributes: [Attribute] = []
    public var droppedAttributesCount: UInt32 = 0
    public var events: [Event] = []
    public var droppedEventsCount: UInt32 = 0
    public var links: [Link] = []
    public var droppedLinksCount: UInt32 = 0
    public var resource = Resource()
    public var scope = InstrumentationScope()
    /// How many spans this one stands for, after all sampling before it. 1 when nothing was sampled away.
    public var weight: Double = 1

    /// A span with the fields that every span has; the others start empty.
    public init(
        traceID: TraceID,
        spanID: SpanID,
        parentSpanID: SpanID = .zero,
        name: String,
        kind: Kind = .unspecified,
        startUnixNanos: UInt64,
        durationNanos: UInt64
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.parentSpanID = parentSpanID
        self.name = name
        self.kind = kind
        self.startUnixNanos = startUnixNanos
        self.durationNanos = durationNanos
    }

    /// `startUnixNanos + durationNanos`, at most `UInt64.max`.
    public var endUnixNanos: UInt64 {
        let (end, overflow) = startUnixNanos.addingReportingOverflow(durationNanos)
        return overflow ? .max : end
    }

    /// The side of the call that a span describes. Raw values are OTLP's.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case unspecified = 0
        case `internal` = 1
        case server = 2
        case client = 3
        case producer = 4
        case consumer = 5

        /// The kind of a stored number; one that no kind has reads as ``unspecified``.
        @inlinable package init(stored number: UInt8) { self = Self(rawValue: number) ?? .unspecified }
    }

    /// How a span ended.
    public struct Status: Hashable, Sendable {
        /// Raw values are OTLP's.
        public enum Code: UInt8, Hashable, Sendable, CaseIterable {
            case unset = 0
            case ok = 1
            case error = 2
        }

        public var code: Code
        /// For people; empty unless the code is `.error`.
        @ExactText public var message: String

        /// A status, by default unset.
        public init(_ code: Code = .unset, message: String = "") {
            self.code = code
            self.message = message
        }
    }

    /// Something that happened at one moment of a span.
    public struct Event: Hashable, Sendable {
        /// Nanoseconds since 1970-01-01 UTC.
        public var timeUnixNanos: UInt64
        @ExactText public var name: String
        public var attributes: [Attribute]
        public var droppedAttributesCount: UInt32

        /// An event.
        public init(
            timeUnixNanos: UInt64,
            name: String,
            attributes: [Attribute] = [],
            droppedAttributesCount: UInt32 = 0
        ) {
            self.timeUnixNanos = timeUnixNanos
            self.name = name
            self.attributes = attributes
            self.droppedAttributesCount = droppedAttributesCount
        }
    }

    /// A span that this one is related to, in this trace or another.
    public struct Link: Hashable, Sendable {
        public var traceID: TraceID
        public var spanID: SpanID
        /// W3C `tracestate` of the linked context, empty for none.
        @ExactText public var traceState: String
        /// As ``Span/flags``, of the linked context.
        public var flags: UInt32
        public var attributes: [Attribute]
        public var droppedAttributesCount: UInt32

        /// A link.
        public init(
            traceID: TraceID,
            spanID: SpanID,
            traceState: String = "",
            flags: UInt32 = 0,
            attributes: [Attribute] = [],
            droppedAttributesCount: UInt32 = 0
        ) {
            self.traceID = traceID
            self.spanID = spanID
            self.traceState = traceState
            self.flags = flags
            self.attributes = attributes
            self.droppedAttributesCount = droppedAttributesCount
        }
    }
}
