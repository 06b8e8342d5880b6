// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// The spans of a batch as a table: one whole trace, or scattered spans.
package final class BatchTable: SpanTable {
    private let batch: SpanBatch
    private let isTrace: Bool
    private var knownForest: SpanForest?
    private var columns: [SpanField: FieldColumn] = [:]
    /// Columns that are kept.
    private static let columnCountMax = 32

    /// The table of an assembled trace.
    package init(trace batch: SpanBatch) {
        self.batch = batch
        isTrace = true
    }

    /// The table of spans in no particular order.
    package init(spans batch: SpanBatch) {
        self.batch = batch
        isTrace = false
    }

    package var rowCount: Int { batch.count }

    package func traces() -> [TableTrace] {
        guard isTrace, let id = batch.traceIDs.first else { return [] }
        return [
            TableTrace(
                id: id,
                rows: 0..<batch.count,
                startUnixNanos: batch.startUnixNanos.min() ?? 0,
                endUnixNanos: (0..<batch.count).reduce(0) { max($0, batch.endUnixNanos(at: $1)) },
                rootRow: batch.parentSpanIDs.firstIndex { !$0.isValid }
            )
        ]
    }

    package func forest() -> SpanForest {
        precondition(isTrace)
        if let knownForest { return knownForest }
        let forest = SpanForest(batch)
        knownForest = forest
        return forest
    }

    package func starts() -> [UInt64] { batch.startUnixNanos }
    package func durations() -> [UInt64] { batch.durationNanos }
    package func spanIDs() -> [UInt64] { batch.spanIDs.map(\.rawValue) }
    package func parentSpanIDs() -> [UInt64] { batch.parentSpanIDs.map(\.rawValue) }
    package func weights() -> [Double] { batch.weights }

    package func errors() -> RowSet {
        RowSet(count: batch.count) { batch.statusCodes[$0] == Span.Status.Code.error.rawValue }
    }

    package func rows(matching predicate: CompiledPredicate) throws(StoreError) -> RowSet {
        try BatchScan.rows(of: batch, in: .all, matching: predicate)
    }

    package func batch(rows: Range<Int>, columns: SpanColumns) throws(StoreError) -> SpanBatch {
        if rows == 0..<batch.count { return batch }
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: batch)
        for row in rows { merger.append(row, to: &builder) }
        guard !builder.isFull else { throw .tooMuchText }
        return builder.finish(receivedUnixNanos: batch.receivedUnixNanos)
    }

    package func attributeFields() -> [SpanField] {
        var refs: [AttributeScope: Set<SpanBatch.Ref>] = [:]
        refs[.span] = Set(batch.attributes.keyRefs)
        refs[.resource] = Set(batch.resources.attributes.keyRefs)
        refs[.instrumentation] = Set(batch.scopes.attributes.keyRefs)
        return refs.flatMap { scope, keys in keys.map { .attribute(scope, batch.dictionary.string($0)) } }
    }

    // MARK: Columns

    package func column(_ field: SpanField) -> FieldColumn {
        if let known = columns[field] { return known }
        let column = read(field)
        // Whoever looks at every attribute looks at each once.
        if columns.count >= Self.columnCountMax { columns.removeAll() }
        columns[field] = column
        return column
    }

    private func read(_ field: SpanField) -> FieldColumn {
        switch field {
        case .duration:
            .ints(batch.durationNanos.map { Int64(clamping: $0) }, has: RowSet(count: batch.count, all: true))
        case .name: texts { self.batch.nameRefs[$0] }
        case .kind: build { .string("\(Span.Kind(stored: self.batch.kinds[$0]))") }
        case .status:
            build { .string("\(Span.Status.Code(rawValue: self.batch.statusCodes[$0]) ?? .unset)") }
        case .statusMessage: texts { SpanBatch.value(self.batch.statusMessageRefs, $0, default: 0) }
        case .serviceName: texts { self.batch.resources.serviceNameRefs[Int(self.batch.resourceRows[$0])] }
        case .traceID: build { .string(self.batch.traceIDs[$0].description) }
        case .spanID: build { .string(self.batch.spanIDs[$0].description) }
        case .parentSpanID: build { .string(self.batch.parentSpanIDs[$0].textIfValid) }
        case .scopeName: texts { self.batch.scopes.nameRefs[Int(self.batch.scopeRows[$0])] }
        case .scopeVersion: texts { self.batch.scopes.versionRefs[Int(self.batch.scopeRows[$0])] }
        case .attribute(let scope, let key): attribute(scope, key)
        case .eventName, .linkTraceID: .none
        }
    }

    private func build(_ value: (Int) -> AttributeValue?) -> FieldColumn {
        var builder = FieldColumnBuilder(rowCount: batch.count)
        for row in 0..<batch.count { builder.append(value(row)) }
        return builder.finish()
    }

    /// A column of texts, of which the empty one is a value.
    private func texts(_ ref: (Int) -> SpanBatch.Ref) -> FieldColumn {
        var places = RefPlaces(batch.dictionary.count)
        let entries = (0..<batch.count).map { places.place(of: ref($0)) }
        return .dictionary([.null] + places.refs.map { .string(batch.dictionary.string($0)) }, entries: entries)
    }

    private func attribute(_ scope: AttributeScope, _ key: String) -> FieldColumn {
        guard let keyRef = batch.dictionary.ref(of: key) else { return .none }
        let batch = batch
        /// The first value of the key, if the owner has one.
        func value(_ table: SpanBatch.AttributeTable, _ owner: Int) -> SpanBatch.Ref? {
            for pair in table.range(of: owner) where table.keyRefs[pair] == keyRef { return table.valueRefs[pair] }
            return nil
        }
        let owned: (Int) -> SpanBatch.Ref?
        switch scope {
        case .span: owned = { value(batch.attributes, $0) }
        case .resource: owned = { value(batch.resources.attributes, Int(batch.resourceRows[$0])) }
        case .any:
            owned = {
                value(batch.attributes, $0) ?? value(batch.resources.attributes, Int(batch.resourceRows[$0]))
            }
        case .instrumentation: owned = { value(batch.scopes.attributes, Int(batch.scopeRows[$0])) }
        case .event, .link: return .none
        }
        var places = RefPlaces(batch.dictionary.count)
        // Ref 0 is the encoded value `null`.
        let entries = (0..<batch.count).map { row in owned(row).map { $0 == 0 ? 0 : places.place(of: $0) } ?? 0 }
        if places.refs.isEmpty { return .none }
        return .dictionary([.null] + places.refs.map { batch.dictionary.value($0) }, entries: entries)
    }
}

/// Numbers refs in order of appearance, from 1 on.
private struct RefPlaces {
    private(set) var refs: [SpanBatch.Ref] = []
    private var places: [UInt32]

    init(_ count: Int) { places = [UInt32](repeating: 0, count: count) }

    mutating func place(of ref: SpanBatch.Ref) -> UInt32 {
        if places[Int(ref)] == 0 {
            refs.append(ref)
            places[Int(ref)] = UInt32(refs.count)
        }
        return places[Int(ref)]
    }
}
