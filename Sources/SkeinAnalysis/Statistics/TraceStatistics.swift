// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// The spans of one trace as a table: a row for each service, operation or value of an attribute.
///
/// Durations are those of this trace's spans, whatever their weight; of spans within spans of the same group each counts.
/// Quantiles are exact: of `n` durations in order, the one at place `⌈n · q⌉`.
package struct TraceStatistics: Sendable {
    /// What a row stands for.
    package enum Grouping: Hashable, Sendable {
        case service
        /// Of a service.
        case operation
        /// The values of an attribute.
        case attribute(String, Scope)

        /// Whose attribute is meant.
        package enum Scope: Hashable, Sendable {
            /// The span's, or if it has none of that key the resource's.
            case any
            case span
            case resource
        }
    }

    /// What some spans have in common, and how they did.
    package struct Row: Sendable {
        package var group: Group
        package var spanCount = 0
        /// How many spans these stand for, after sampling.
        package var weight = 0.0
        /// Spans with status error.
        package var errorCount = 0
        package var totalNanos: UInt64 = 0
        /// The time in which no child was running.
        package var selfNanos: UInt64 = 0
        /// The part of the critical path that is their own.
        package var pathNanos: UInt64 = 0
        /// In ascending order, never empty.
        fileprivate var durations: [UInt64] = []

        package var averageNanos: UInt64 { spanCount > 0 ? totalNanos / UInt64(spanCount) : 0 }
        package var minNanos: UInt64 { durations.first ?? 0 }
        package var maxNanos: UInt64 { durations.last ?? 0 }

        /// The duration that a share `quantile` (0…1) of the spans do not exceed.
        package func quantileNanos(_ quantile: Double) -> UInt64 {
            let place = (Double(durations.count) * min(max(quantile, 0), 1)).rounded(.up)
            return durations.isEmpty ? 0 : durations[max(Int(place), 1) - 1]
        }
    }

    /// What a row's spans have in common.
    package enum Group: Hashable, Sendable {
        case service(String)
        case operation(OperationName)
        /// `nil` for spans that do not carry the attribute.
        case value(AttributeValue?)
    }

    /// Most self time first, ties by total time, then in order of first appearance.
    package private(set) var rows: [Row] = []
    /// Of the trace, nanoseconds.
    package let durationNanos: UInt64

    /// The table of the spans of `batch`, which are of one trace and each there once. Resources' attributes are looked at
    /// where the batch has them.
    package init(of batch: SpanBatch, by grouping: Grouping) {
        let tree = TraceTree(batch)
        let path = CriticalPath(tree, of: batch).nanosByRow(tree.count)
        durationNanos = tree.durationNanos
        let numbers: [Int]
        switch grouping {
        case .service:
            numbers = tree.serviceIndexes.map { Int($0) }
            rows = tree.services.map { Row(group: .service($0.name)) }
        case .operation:
            let operations = tree.operationNames()
            numbers = operations.numbers
            rows = operations.names.map { Row(group: .operation($0)) }
        case .attribute(let key, let scope):
            let values = AttributeColumn(key, scope, of: batch)
            (numbers, rows) = Self.groups(of: values, tree, batch)
        }
        for row in 0..<tree.count { add(row, of: tree, batch, path[row], to: numbers[row]) }
        for group in rows.indices { rows[group].durations.sort() }
        rows = rows.enumerated().sorted { a, b in
            (a.element.selfNanos, a.element.totalNanos, b.offset) > (
                b.element.selfNanos, b.element.totalNanos, a.offset
            )
        }.map(\.element)
    }

    private static func groups(
        of values: AttributeColumn,
        _ tree: TraceTree,
        _ batch: SpanBatch
    ) -> (numbers: [Int], rows: [Row]) {
        // Equal values have equal bytes, and so one number in the dictionary.
        var known: [SpanBatch.Ref?: Int] = [:]
        var rows: [Row] = []
        let numbers = tree.batchRows.map { batchRow in
            let ref = values.ref(at: Int(batchRow))
            if let number = known[ref] { return number }
            known[ref] = rows.count
            rows.append(Row(group: .value(ref.map(batch.dictionary.value(_:)))))
            return rows.count - 1
        }
        return (numbers, rows)
    }

    private mutating func add(_ row: Int, of tree: TraceTree, _ batch: SpanBatch, _ pathNanos: UInt64, to group: Int) {
        let batchRow = Int(tree.batchRows[row])
        rows[group].spanCount += 1
        rows[group].weight += batch.weight(at: batchRow)
        if batch.statusCodes[batchRow] == Span.Status.Code.error.rawValue { rows[group].errorCount += 1 }
        rows[group].totalNanos.add(clamping: batch.durationNanos[batchRow])
        rows[group].selfNanos.add(clamping: tree.selfNanos[row])
        rows[group].pathNanos += pathNanos
        rows[group].durations.append(batch.durationNanos[batchRow])
    }
}

/// The values of one key, span by span.
private struct AttributeColumn {
    private let batch: SpanBatch
    private let key: SpanBatch.Ref?
    private let scope: TraceStatistics.Grouping.Scope

    init(_ key: String, _ scope: TraceStatistics.Grouping.Scope, of batch: SpanBatch) {
        self.batch = batch
        self.key = batch.dictionary.ref(of: key)
        self.scope = scope
    }

    /// The first value of the key at span `row`; `nil` when it has none.
    func ref(at row: Int) -> SpanBatch.Ref? {
        let own = scope == .resource ? nil : ref(in: batch.attributes, of: row)
        return own ?? (scope == .span ? nil : ref(in: batch.resources.attributes, of: Int(batch.resourceRows[row])))
    }

    private func ref(in table: SpanBatch.AttributeTable, of owner: Int) -> SpanBatch.Ref? {
        guard let key else { return nil }
        return table.range(of: owner).first { table.keyRefs[$0] == key }.map { table.valueRefs[$0] }
    }
}
