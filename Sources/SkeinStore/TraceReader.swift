// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// One trace as it was when ``SpanStore/traceReader(_:)`` gave the reader out, read piece by piece: for traces that are
/// too large to be put together.
///
/// All answers of a reader fit together: windows that follow each other are, one behind the other, what
/// ``SpanStore/trace(_:)`` would have said at that moment, however large the trace. Memory is that of one answer and, for
/// what tells copies from spans, at most 64 bytes for each stored span. Let go of a reader when done: it keeps what it
/// reads from being removed.
public protocol TraceReader: Sendable {
    /// Stored spans of the trace, copies counted; at least 1.
    var storedSpanCount: Int { get }

    /// When a batch with spans of the trace was received last, nanoseconds since 1970, as far as the store knows. Every
    /// batch that the reader gives out says the same.
    var receivedUnixNanos: UInt64 { get }

    /// The spans after ``SpanWindow/cursor``, at most ``SpanWindow/limit`` of them and fewer when they are large, but
    /// never none while there are more. Throws ``StoreError/Code/limit`` for a limit out of bounds.
    func window(_ window: SpanWindow) async throws(StoreError) -> SpanPage

    /// The spans with these ids, in the order of the trace; of an id that several kinds share, all. Empty when there is
    /// none. Throws ``StoreError/Code/limit`` when they are too large to be put together.
    func spans(_ ids: Set<SpanID>) async throws(StoreError) -> SpanBatch
}

/// Which part of a trace is read.
public struct SpanWindow: Hashable, Sendable {
    /// Most spans in a window.
    public static let limitMax = 10_000

    /// Only spans after this one in the order of the trace.
    public var cursor: SpanCursor?
    /// Most spans in the window, 1…10,000.
    public var limit: Int
    /// Other columns may be left empty or default.
    public var columns: SpanColumns

    /// A window.
    public init(after cursor: SpanCursor? = nil, limit: Int = Self.limitMax, columns: SpanColumns = .all) {
        self.cursor = cursor
        self.limit = limit
        self.columns = columns
    }

    /// Throws ``StoreError/Code/limit`` when the limit is out of bounds.
    package func check() throws(StoreError) {
        guard (1...Self.limitMax).contains(limit) else {
            throw StoreError(.limit, "limit is \(limit); a window holds 1 to \(Self.limitMax) spans")
        }
    }
}

/// A place in the order of a trace: start, then span id, then kind.
public struct SpanCursor: Hashable, Sendable {
    /// Start of the last span shown.
    public var startUnixNanos: UInt64
    /// Its id.
    public var spanID: SpanID
    /// Its kind.
    public var kind: Span.Kind

    /// The place just after that span.
    public init(startUnixNanos: UInt64, spanID: SpanID, kind: Span.Kind) {
        self.startUnixNanos = startUnixNanos
        self.spanID = spanID
        self.kind = kind
    }

    /// The place just after span `row` of `batch`.
    package init(after row: Int, of batch: SpanBatch) {
        self.init(
            startUnixNanos: batch.startUnixNanos[row],
            spanID: batch.spanIDs[row],
            kind: Span.Kind(stored: batch.kinds[row])
        )
    }

    /// Whether a span comes after this place.
    @inlinable
    public func precedes(startUnixNanos start: UInt64, spanID id: SpanID, kind other: Span.Kind) -> Bool {
        (startUnixNanos, spanID.rawValue, kind.rawValue) < (start, id.rawValue, other.rawValue)
    }
}

/// A window of a trace.
public struct SpanPage: Sendable {
    /// In the order of the trace, each span once.
    public var spans: SpanBatch
    /// How many events each of the spans has, whatever columns were asked for.
    public var eventCounts: [UInt32]
    /// How many links each of the spans has, whatever columns were asked for.
    public var linkCounts: [UInt32]
    /// Spans of the whole trace, each counted once.
    public var traceSpanCount: Int
    /// Where the next window starts; `nil` when this one is the last.
    public var next: SpanCursor?

    /// A window.
    public init(
        spans: SpanBatch,
        eventCounts: [UInt32],
        linkCounts: [UInt32],
        traceSpanCount: Int,
        next: SpanCursor? = nil
    ) {
        self.spans = spans
        self.eventCounts = eventCounts
        self.linkCounts = linkCounts
        self.traceSpanCount = traceSpanCount
        self.next = next
    }
}
