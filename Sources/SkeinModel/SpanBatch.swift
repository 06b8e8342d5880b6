// SPDX-License-Identifier: Apache-2.0

/// Spans as columns: what decoders produce, the log writes, the head keeps and readers return.
///
/// A batch is a value that never changes once built (see ``SpanBatchBuilder``), so it may be shared freely. Row `i` is
/// element `i` of every column. Text and values are numbers into ``dictionary``: a *ref*. Ref 0 is the empty byte
/// string, which is also the encoded value `null`. What other modules call in loops is public, because the compiler
/// inlines nothing of package access across modules (Swift 6.3). A column marked *optional* is empty when all its elements would be
/// the default; read it with the `subscript(optional:…)` forms below.
public struct SpanBatch: Sendable {
    /// A number of an entry in ``dictionary``.
    package typealias Ref = UInt32

    package var traceIDs: [TraceID] = []
    package var spanIDs: [SpanID] = []
    package var parentSpanIDs: [SpanID] = []
    /// Nanoseconds since 1970-01-01 UTC.
    package var startUnixNanos: [UInt64] = []
    /// Nanoseconds.
    package var durationNanos: [UInt64] = []
    /// Raw values of ``Span/Kind``; a value a client made up reads as unspecified.
    package var kinds: [UInt8] = []
    /// Raw values of ``Span/Status/Code``.
    package var statusCodes: [UInt8] = []
    package var nameRefs: [Ref] = []
    /// Row of ``resources``.
    package var resourceRows: [UInt32] = []
    /// Row of ``scopes``.
    package var scopeRows: [UInt32] = []
    /// Optional; default 0.
    package var flags: [UInt32] = []
    /// Optional; default ref 0.
    package var statusMessageRefs: [Ref] = []
    /// Optional; default ref 0.
    package var traceStateRefs: [Ref] = []
    /// Optional; default 0.
    package var droppedAttributesCounts: [UInt32] = []
    /// Optional; default 0.
    package var droppedEventsCounts: [UInt32] = []
    /// Optional; default 0.
    package var droppedLinksCounts: [UInt32] = []
    /// Optional; default 1.
    package var weights: [Double] = []
    /// Optional; default empty. See ``Marks``.
    package var marks: [Marks] = []
    package var attributes = AttributeTable()
    package var events = EventTable()
    package var links = LinkTable()
    package var resources = ResourceTable()
    package var scopes = ScopeTable()
    package var dictionary = ByteDictionary()
    /// When the batch was received, nanoseconds since 1970-01-01 UTC; of merged batches the latest.
    package var receivedUnixNanos: UInt64 = 0

    /// A batch without spans.
    package init() {}

    /// Number of spans.
    public var count: Int { spanIDs.count }
    /// Whether there is no span.
    public var isEmpty: Bool { spanIDs.isEmpty }

    /// What a row says beside the specification's fields.
    package struct Marks: OptionSet, Hashable, Sendable, BitwiseCopyable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The client reported an end before the start; the duration is stored as zero.
        package static let endsBeforeStart = Marks(rawValue: 1)
        /// Late sampling kept the trace, and the weight says so. Only a store sets it, for itself: a copy does not have it.
        package static let lateSampled = Marks(rawValue: 2)
    }

    /// Attributes of many owners: those of owner `i` are the pairs `range(of: i)`.
    public struct AttributeTable: Sendable, Hashable {
        /// For each owner, the index after its last pair. Empty when no owner has any.
        @usableFromInline package var ends: [UInt32] = []
        package var keyRefs: [Ref] = []
        /// Refs of ``EncodedValue`` bytes.
        package var valueRefs: [Ref] = []

        package init() {}

        /// The pairs of owner `row`.
        @inlinable
        public func range(of row: Int) -> Range<Int> { SpanBatch.range(ends, row) }
    }

    /// Events of all spans: those of span `i` are the rows `range(of: i)`.
    public struct EventTable: Sendable, Hashable {
        /// For each span, the index after its last event. Empty when no span has any.
        @usableFromInline package var ends: [UInt32] = []
        package var timeUnixNanos: [UInt64] = []
        package var nameRefs: [Ref] = []
        /// Optional; default 0.
        package var droppedAttributesCounts: [UInt32] = []
        /// Owner: an event row.
        package var attributes = AttributeTable()

        package init() {}

        /// The events of span `row`.
        @inlinable
        public func range(of row: Int) -> Range<Int> { SpanBatch.range(ends, row) }
    }

    /// Links of all spans: those of span `i` are the rows `range(of: i)`.
    public struct LinkTable: Sendable, Hashable {
        /// For each span, the index after its last link. Empty when no span has any.
        @usableFromInline package var ends: [UInt32] = []
        package var traceIDs: [TraceID] = []
        package var spanIDs: [SpanID] = []
        /// Optional; default ref 0.
        package var traceStateRefs: [Ref] = []
        /// Optional; default 0.
        package var flags: [UInt32] = []
        /// Optional; default 0.
        package var droppedAttributesCounts: [UInt32] = []
        /// Owner: a link row.
        package var attributes = AttributeTable()

        package init() {}

        /// The links of span `row`.
        @inlinable
        public func range(of row: Int) -> Range<Int> { SpanBatch.range(ends, row) }
    }

    /// The distinct resources of the batch.
    package struct ResourceTable: Sendable, Hashable {
        /// The string `service.name`, ref 0 when missing.
        package var serviceNameRefs: [Ref] = []
        package var schemaURLRefs: [Ref] = []
        package var droppedAttributesCounts: [UInt32] = []
        /// Owner: a resource row.
        package var attributes = AttributeTable()

        package init() {}

        /// Number of resources.
        package var count: Int { serviceNameRefs.count }
    }

    /// The distinct instrumentation scopes of the batch.
    package struct ScopeTable: Sendable, Hashable {
        package var nameRefs: [Ref] = []
        package var versionRefs: [Ref] = []
        package var schemaURLRefs: [Ref] = []
        package var droppedAttributesCounts: [UInt32] = []
        /// Owner: a scope row.
        package var attributes = AttributeTable()

        package init() {}

        /// Number of scopes.
        package var count: Int { nameRefs.count }
    }

    /// Element `row` of an optional column.
    @inlinable
    public static func value<T>(_ column: [T], _ row: Int, default absent: T) -> T {
        column.isEmpty ? absent : column[row]
    }

    /// The elements of owner `row`, where `ends` says of each owner the index after its last.
    @inlinable
    public static func range(_ ends: [UInt32], _ row: Int) -> Range<Int> {
        ends.isEmpty ? 0..<0 : (row == 0 ? 0 : Int(ends[row - 1]))..<Int(ends[row])
    }

    /// Bytes of memory the columns hold, for budgets; not counting array headers.
    package var byteCount: Int {
        let perRow = 16 + 8 + 8 + 8 + 8 + 1 + 1 + 4 + 4 + 4
        let optional =
            4
            * (flags.count + statusMessageRefs.count + traceStateRefs.count + droppedAttributesCounts.count
                + droppedEventsCounts.count + droppedLinksCounts.count) + 8 * weights.count + marks.count
        return count * perRow + optional + attributes.byteCount + events.byteCount + links.byteCount
            + resources.attributes.byteCount + scopes.attributes.byteCount + dictionary.byteCount + 1024
    }
}

extension SpanBatch.AttributeTable {
    package var byteCount: Int { 4 * (ends.count + keyRefs.count + valueRefs.count) }
}

extension SpanBatch.EventTable {
    package var byteCount: Int { 4 * ends.count + 12 * nameRefs.count + attributes.byteCount }
}

extension SpanBatch.LinkTable {
    package var byteCount: Int { 4 * ends.count + 24 * spanIDs.count + attributes.byteCount }
}
