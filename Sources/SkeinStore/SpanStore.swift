// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// Where spans are kept and found again.
///
/// Promises of every implementation, held by the contract suite in the tests:
/// - **Durable.** When ``append(_:)`` returns, the spans survive as the store's durability setting promises, and every
///   read that starts afterwards sees them.
/// - **One span once.** Spans with equal trace id, span id and kind are one span; the copy that ends later is it; of
///   equal ends the one that starts later, and of equal starts too the one that came later. Reads show that copy only,
///   whatever else is stored.
/// - **Whole traces.** A trace is all its spans, however many batches and years apart they came. Summaries speak of the
///   whole trace, not of the part that matched.
/// - **Exhaustive and ordered.** A search misses nothing and is newest first by the trace's earliest start, ties by
///   ascending trace id. A page ends with a cursor when there is more; following it neither repeats nor skips a trace
///   that did not change meanwhile.
/// - **Cancellable.** A read stops soon after its task is cancelled and throws `CancellationError`'s translation,
///   ``StoreError/Code/cancelled``.
public protocol SpanStore: Sendable {
    /// Keeps the spans of `batch`. Throws ``StoreError/Code/unavailable`` or ``StoreError/Code/full`` when they were not
    /// kept; the sender may try again then.
    func append(_ batch: SpanBatch) async throws(StoreError)

    /// All spans of a trace, ordered by start, then span id, then kind; `nil` when none is stored. Throws
    /// ``StoreError/Code/limit`` when there are more than the store puts together at once: ``traceReader(_:)`` then
    /// reads them in windows.
    func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch?

    /// A reader of a trace of any size, which gives it out in windows; `nil` when no span of it is stored.
    func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)?

    /// One page of the traces that hold a span satisfying `query`.
    func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage

    /// Calls `visit` with every trace that has a span starting in `range`, each trace whole and exactly once, in no
    /// promised order; a batch may hold several traces. Columns not in `columns` may be left empty or default.
    func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError)

    /// Every service name that stored spans carry, with the number it got when it first came, from 0 on. The number
    /// never changes while any of its spans is stored, so a colour can hang on it. Ordered by name. The empty name of
    /// spans without `service.name` is not listed.
    func services() async throws(StoreError) -> [ServiceName]

    /// The distinct (span name, kind) pairs of a service, ordered by name, then kind.
    func operations(ofService service: String) async throws(StoreError) -> [Operation]

    /// The distinct attribute keys whose name starts with `prefix`, ordered by name, then scope; at most `limit`.
    func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> [AttributeKey]

    /// The most frequent values of `field` whose text starts with `prefix`, most frequent first, ties by text; at most
    /// `limit`. Counts are of stored spans and may count a duplicate twice. Values longer than some kilobytes, and new
    /// ones beyond a number that a person can look through, may be left out.
    func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> [ValueCount]

    /// Forgets spans before their time: all that match and were stored before the call. When it returns they are gone
    /// from every answer and from the disk. A deleted trace of which a span comes later is a trace again.
    ///
    /// Throws ``StoreError/Code/limit`` when too many traces match or the keys cannot be redacted; when it throws otherwise,
    /// some may be gone and others not: ask again.
    func remove(_ removal: Removal) async throws(StoreError) -> Removal.Outcome

    /// Every removal that was ever asked for, oldest first.
    func removalRecords() async throws(StoreError) -> [Removal.Record]

    /// What each service takes, most bytes first.
    func usage() async throws(StoreError) -> [ServiceUsage]

    /// What the spans that start in `range` add up to: durations of operations, and of calls between services.
    ///
    /// The range grows outward to whole minutes. With a `step`, in nanoseconds and rounded up to minutes, it is cut at
    /// multiples of the step since 1970; without, it is one slice. Slices without spans are left out; the others come in
    /// order. Edges are those of ``ServiceCalls``.
    ///
    /// Sums are exact for spans that came together. Where a span came again, or a trace came in pieces, the figures may
    /// count the copy, and miss the call between two pieces, until the store has brought them together; they never count
    /// less spans than there are. Figures may outlive the spans.
    func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice]

    /// What is stored, and how the store does.
    func status() async -> StoreStatus
}

/// A service and the number it got when it first came.
public struct ServiceName: Hashable, Sendable {
    public var name: String
    /// From 0 on, in order of first appearance.
    public var ordinal: Int

    /// A service name.
    public init(name: String, ordinal: Int) {
        self.name = name
        self.ordinal = ordinal
    }
}

/// What a service does: a span name and the side of the call.
public struct Operation: Hashable, Sendable {
    public var name: String
    public var kind: Span.Kind

    /// An operation.
    public init(name: String, kind: Span.Kind) {
        self.name = name
        self.kind = kind
    }
}

/// An attribute key as found in stored spans.
public struct AttributeKey: Hashable, Sendable {
    public var scope: AttributeScope
    public var name: String
    /// The types its values have, in the order string, bool, int, double, bytes, array, map.
    public var types: [ValueType]

    /// An attribute key.
    public init(scope: AttributeScope, name: String, types: [ValueType]) {
        self.scope = scope
        self.name = name
        self.types = types
    }
}

/// The type of an attribute's value.
public enum ValueType: String, Hashable, Sendable, CaseIterable {
    case string, bool, int, double, bytes, array, map
}

/// A value and how many stored spans carry it.
public struct ValueCount: Hashable, Sendable {
    public var value: AttributeValue
    public var count: Int

    /// A value with its count.
    public init(value: AttributeValue, count: Int) {
        self.value = value
        self.count = count
    }
}

/// What a store holds.
public struct StoreStatus: Sendable {
    /// Stored span copies; duplicates count.
    public var spanCount: Int = 0
    /// Least span start, nanoseconds since 1970; `nil` when empty.
    public var oldestUnixNanos: UInt64?
    /// Greatest span start, nanoseconds since 1970; `nil` when empty.
    public var newestUnixNanos: UInt64?
    /// Named figures for `/metrics` and `skein doctor`, such as `blocks`, `head_spans`, `log_bytes`.
    public var figures: [String: Int] = [:]
    /// What an operator should know, in whole sentences; empty when all is well.
    public var problems: [String] = []

    /// An empty store's status.
    public init() {}
}
