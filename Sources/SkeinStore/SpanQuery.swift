// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// A half-open range of nanoseconds since 1970, `start..<end`; `end == UInt64.max` includes that moment.
public struct TimeRange: Hashable, Sendable {
    public var start: UInt64
    public var end: UInt64

    /// The range `start..<end`; empty when `end <= start`.
    public init(start: UInt64, end: UInt64) {
        self.start = start
        self.end = end
    }

    /// All of time.
    public static let all = TimeRange(start: 0, end: .max)

    /// Whether `moment` lies in the range.
    @inlinable
    public func contains(_ moment: UInt64) -> Bool { moment >= start && (moment < end || end == .max) }

    /// Whether any moment of `least...greatest` lies in the range.
    @inlinable
    public func overlaps(_ least: UInt64, _ greatest: UInt64) -> Bool {
        greatest >= start && (least < end || end == .max) && start <= end
    }
}

/// A search for traces by a condition on one span.
public struct SpanQuery: Hashable, Sendable {
    /// The matching span must start in this range.
    public var range: TimeRange
    /// What the matching span must satisfy.
    public var predicate: SpanPredicate
    /// Most traces in a page, 1…10,000.
    public var limit: Int
    /// Only traces after this one in the order of results.
    public var cursor: SearchCursor?

    /// A search.
    public init(
        range: TimeRange = .all,
        predicate: SpanPredicate = .true,
        limit: Int = 20,
        cursor: SearchCursor? = nil
    ) {
        self.range = range
        self.predicate = predicate
        self.limit = limit
        self.cursor = cursor
    }
}

/// A place in the order of results: newest trace start first, ties by ascending trace id.
public struct SearchCursor: Hashable, Sendable {
    /// Start of the last trace shown.
    public var startUnixNanos: UInt64
    /// Its id.
    public var traceID: TraceID

    /// The place just after that trace.
    public init(startUnixNanos: UInt64, traceID: TraceID) {
        self.startUnixNanos = startUnixNanos
        self.traceID = traceID
    }

    /// Whether a trace comes after this place.
    @inlinable
    public func precedes(startUnixNanos start: UInt64, traceID id: TraceID) -> Bool {
        start < startUnixNanos || (start == startUnixNanos && id > traceID)
    }
}

/// The answer to a search.
public struct SearchPage: Hashable, Sendable {
    public var traces: [TraceSummary]
    /// Where the next page starts; `nil` when this one is the last.
    public var next: SearchCursor?
    public var inspected: Inspected

    /// A page.
    public init(traces: [TraceSummary] = [], next: SearchCursor? = nil, inspected: Inspected = Inspected()) {
        self.traces = traces
        self.next = next
        self.inspected = inspected
    }

    /// What a search had to look at.
    public struct Inspected: Hashable, Sendable {
        /// Spans whose columns were tested.
        public var spanCount = 0
        /// Blocks of which anything was read.
        public var blockCount = 0
        /// Bytes of columns read, before decompression.
        public var byteCount = 0

        /// Nothing looked at.
        public init() {}
    }
}

/// A trace in one row.
public struct TraceSummary: Hashable, Sendable {
    public var traceID: TraceID
    /// Service of the root span (the earliest one without a parent id); empty until it arrives.
    @ExactText public var rootServiceName: String
    /// Name of the root span; empty until it arrives.
    @ExactText public var rootSpanName: String
    /// Earliest start of its spans.
    public var startUnixNanos: UInt64
    /// From the earliest start to the latest end.
    public var durationNanos: UInt64
    public var spanCount: Int
    /// Spans with status error.
    public var errorCount: Int
    /// Spans that satisfy the query.
    public var matchedSpanCount: Int
    /// Per service of the trace, most spans first, ties by name.
    public var services: [ServiceCount]

    /// A summary.
    public init(
        traceID: TraceID,
        rootServiceName: String,
        rootSpanName: String,
        startUnixNanos: UInt64,
        durationNanos: UInt64,
        spanCount: Int,
        errorCount: Int,
        matchedSpanCount: Int,
        services: [ServiceCount]
    ) {
        self.traceID = traceID
        self.rootServiceName = rootServiceName
        self.rootSpanName = rootSpanName
        self.startUnixNanos = startUnixNanos
        self.durationNanos = durationNanos
        self.spanCount = spanCount
        self.errorCount = errorCount
        self.matchedSpanCount = matchedSpanCount
        self.services = services
    }

    /// A service's part of a trace.
    public struct ServiceCount: Hashable, Sendable {
        @ExactText public var name: String
        public var spanCount: Int
        public var errorCount: Int

        /// A service's part.
        public init(name: String, spanCount: Int, errorCount: Int) {
            self.name = name
            self.spanCount = spanCount
            self.errorCount = errorCount
        }
    }
}

/// Groups of columns a reader needs; what is not asked for may be left out of a batch.
public struct SpanColumns: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    /// A set of groups.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Ids, times, kind, status code, name, resource's service name, weight: always present.
    public static let fixed: SpanColumns = []
    /// Attributes of spans.
    public static let attributes = SpanColumns(rawValue: 1)
    /// Events with their attributes.
    public static let events = SpanColumns(rawValue: 2)
    /// Links with their attributes.
    public static let links = SpanColumns(rawValue: 4)
    /// All attributes of resources and scopes, schema URLs, status messages, trace states, flags, dropped counts.
    public static let details = SpanColumns(rawValue: 8)
    /// Everything.
    public static let all: SpanColumns = [.attributes, .events, .links, .details]
}
