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
package protocol SpanStore: Sendable {
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

    /// One page of the traces that have a span satisfying `query` and of which `evaluator` makes an answer: whole traces,
    /// in the order of ``search(_:)``.
    func search<Evaluator: TraceEvaluator>(
        _ query: TraceQuery,
        evaluatedBy evaluator: Evaluator
    ) async throws(StoreError) -> EvaluatedPage<Evaluator.Answer>

    /// What `fold` makes of all spans that satisfy `query`, each once.
    func fold<Fold: TableFold>(_ query: TableQuery, by fold: Fold) async throws(StoreError) -> Fold.Sum

    /// The service names that stored spans carry and that start with `prefix`, ordered by name; the first `limit`, and no
    /// more than ``NameList/countMax``. The empty name of spans without `service.name` is not listed.
    func services(prefix: String, limit: Int) async throws(StoreError) -> NameList<ServiceName>

    /// For each of these service names its number, see ``ServiceName/ordinal``; one made of its name when it never came.
    func ordinals(ofServices names: [String]) async throws(StoreError) -> [Int]

    /// The distinct (span name, kind) pairs of a service whose names start with `prefix`, ordered by name, then kind; the
    /// first `limit`, and no more than ``NameList/countMax``.
    func operations(
        ofService service: String,
        prefix: String,
        limit: Int
    ) async throws(StoreError) -> NameList<Operation>

    /// The distinct attribute keys whose name starts with `prefix`, ordered by name, then scope; the first `limit`, and no
    /// more than ``NameList/countMax``.
    func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> NameList<AttributeKey>

    /// The most frequent values of `field` whose text starts with `prefix`, most frequent first, ties by text; at most
    /// `limit`, and no more than ``ValueList/countMax``. Values longer than some kilobytes may be left out.
    func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> ValueList

    /// Forgets spans before their time: all that match and were stored before the call. When it returns they are gone
    /// from every answer and from the disk. A deleted trace of which a span comes later is a trace again.
    ///
    /// Throws ``StoreError/Code/limit`` when too many traces match or the keys cannot be redacted; when it throws otherwise,
    /// some may be gone and others not: ask again. ``preview(_:)`` says what would go.
    func remove(_ removal: Removal) async throws(StoreError) -> Removal.Outcome

    /// Every removal that was ever asked for, oldest first.
    func removalRecords() async throws(StoreError) -> [Removal.Record]

    /// What each service takes, most bytes first; services beyond ``NameList/countMax`` are one, which comes last.
    func usage() async throws(StoreError) -> [ServiceUsage]

    /// What the spans that start in `range` add up to: durations of operations, and of calls between services.
    ///
    /// The range grows outward to whole minutes. With a `step`, in nanoseconds and rounded up to minutes, it is cut at
    /// multiples of the step since 1970; without, it is one slice. Slices without spans are left out; the others come in
    /// order. A store may know nothing finer than hours of what is long past: there the range grows outward to whole hours,
    /// and a step that is no whole number of hours gives slices of an hour. Edges are those of ``ServiceCalls``.
    ///
    /// Sums are exact for spans that came together. Where a span came again, or a trace came in pieces, the figures may
    /// count the copy, and miss the call between two pieces, until the store has brought them together; they never count
    /// less spans than there are. Figures may outlive the spans.
    func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice]

    /// What is stored, and how the store does.
    func status() async -> StoreStatus
}

/// Names in their order, from the first one on.
public struct NameList<Name: Hashable & Sendable>: Hashable, Sendable {
    public var names: [Name]
    /// Whether there are more names behind these.
    public var isCut: Bool

    /// A list.
    public init(_ names: [Name] = [], isCut: Bool = false) {
        self.names = names
        self.isCut = isCut
    }

    /// The most names that a list has, whatever is asked for: a longer prefix leads to those beyond.
    public static var countMax: Int { 100_000 }
}

/// A service and the number it got when it first came.
public struct ServiceName: Hashable, Sendable {
    @ExactText public var name: String
    /// From 0 on, in order of first appearance, as long as the store gives numbers; a service that comes later has one
    /// made of its name, which another may share. It never changes while any span of the service is stored, so a colour can
    /// hang on it.
    public var ordinal: Int

    /// A service name.
    public init(name: String, ordinal: Int) {
        self.name = name
        self.ordinal = ordinal
    }

    /// The number of a service that was given none: made of its name (FNV-1a), and behind all that were given.
    package static func ordinal(ofUnnumbered name: String) -> Int {
        var hash: UInt32 = 0x811c_9dc5
        for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return 1 << 32 | Int(hash)
    }
}

/// What a service does: a span name and the side of the call.
public struct Operation: Hashable, Sendable {
    @ExactText public var name: String
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
    @ExactText public var name: String
    /// The types its values have, in the order string, bool, int, double, bytes, array, map.
    public var types: [ValueType]
    /// Stored copies of spans that carry it, at most ``totalSpanCount``. A key of resources or scopes is carried by each of
    /// their spans. Where a span has a key twice, which no valid client sends, it may count twice; of a key of events or
    /// links, the events and links that have it are counted, see ``isEstimate``.
    public var spanCount: Int
    /// All stored copies of spans.
    public var totalSpanCount: Int

    /// An attribute key.
    public init(scope: AttributeScope, name: String, types: [ValueType], spanCount: Int, totalSpanCount: Int) {
        self.scope = scope
        self.name = name
        self.types = types
        self.spanCount = min(spanCount, totalSpanCount)
        self.totalSpanCount = totalSpanCount
    }

    /// The part of all spans that carries it, 0…1.
    public var share: Double { totalSpanCount == 0 ? 0 : Double(spanCount) / Double(totalSpanCount) }

    /// Whether ``spanCount`` is an upper bound: a span may have several events or links that carry the key.
    public var isEstimate: Bool { scope == .event || scope == .link }
}

/// The type of an attribute's value.
public enum ValueType: String, Hashable, Sendable, CaseIterable {
    case string, bool, int, double, bytes, array, map
}

/// The most frequent values of a field.
public struct ValueList: Hashable, Sendable {
    /// Most frequent first, ties by text.
    public var values: [ValueCount]
    /// Whether there are more values than these.
    public var isCut: Bool
    /// How much too low a count can be, and how often at most a value is stored that should stand here and does not; 0 when
    /// all is exact. A store may keep no more than the most frequent values of each of its parts.
    public var countErrorMax: Int

    /// A list.
    public init(_ values: [ValueCount] = [], isCut: Bool = false, countErrorMax: Int = 0) {
        self.values = values
        self.isCut = isCut
        self.countErrorMax = countErrorMax
    }

    /// The most values that a list has, whatever is asked for.
    public static let countMax = 4_096
}

/// A value and how many stored copies of spans carry it.
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
