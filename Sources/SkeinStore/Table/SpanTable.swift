// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Spans, each there once, read a column at a time: what a query is evaluated over, wherever the spans lie.
///
/// As a rule the spans of a trace are all there, side by side and in the order of the trace; a table of scattered spans,
/// see ``TableQuery/needsWholeTraces``, has no ``traces`` and no ``forest()``. A table reads a column when it is asked for
/// and keeps it. It is for one thread at a time.
package protocol SpanTable: AnyObject {
    /// Number of spans.
    var rowCount: Int { get }
    /// In row order.
    func traces() throws(StoreError) -> [TableTrace]
    /// How the spans of each trace hang together.
    func forest() throws(StoreError) -> SpanForest
    /// Nanoseconds since 1970.
    func starts() throws(StoreError) -> [UInt64]
    /// Nanoseconds.
    func durations() throws(StoreError) -> [UInt64]
    /// Raw values; 0 is no id.
    func spanIDs() throws(StoreError) -> [UInt64]
    /// Raw values; 0 for a span that names no parent.
    func parentSpanIDs() throws(StoreError) -> [UInt64]
    /// How many spans each stands for; empty when each stands for itself alone.
    func weights() throws(StoreError) -> [Double]
    /// Spans with status error.
    func errors() throws(StoreError) -> RowSet
    /// What the rows say of a field. Kinds and status codes are their lower-case names. Fields of events and links, of
    /// which a span has any number, have no column: see ``batch(rows:columns:)``.
    func column(_ field: SpanField) throws(StoreError) -> FieldColumn
    /// The rows that satisfy the predicate.
    func rows(matching predicate: CompiledPredicate) throws(StoreError) -> RowSet
    /// The attributes of spans, resources and instrumentation scopes that any row may have.
    func attributeFields() throws(StoreError) -> [SpanField]
    /// The spans of some rows.
    func batch(rows: Range<Int>, columns: SpanColumns) throws(StoreError) -> SpanBatch
}

/// A trace in a table.
package struct TableTrace: Hashable, Sendable {
    package var id: TraceID
    package var rows: Range<Int>
    /// Earliest start, nanoseconds since 1970.
    package var startUnixNanos: UInt64
    /// Latest end, nanoseconds since 1970.
    package var endUnixNanos: UInt64
    /// Row of the earliest span without a parent id; `nil` until it arrives.
    package var rootRow: Int?

    package init(
        id: TraceID,
        rows: Range<Int>,
        startUnixNanos: UInt64,
        endUnixNanos: UInt64,
        rootRow: Int?
    ) {
        self.id = id
        self.rows = rows
        self.startUnixNanos = startUnixNanos
        self.endUnixNanos = endUnixNanos
        self.rootRow = rootRow
    }

    package var durationNanos: UInt64 { endUnixNanos &- startUnixNanos }
}

/// How the spans of the traces of a table hang together.
///
/// A span's parent is the one that ``ParentIndex`` finds. Where parents run in a circle, the first row of the circle is a
/// root, as is a span whose parent is not there.
public struct SpanForest: Sendable {
    /// For each row the row of its parent, or -1.
    public let parents: [Int32]
    /// For each row its place in the depth-first order of its trace, from 0 on; children by row.
    public let orders: [UInt32]
    /// For each row how many rows lie below it.
    public let descendantCounts: [UInt32]

    /// The forest whose numbers are known, over the rows of `traces`.
    ///
    /// Returns `nil` when the numbers contradict each other.
    package init?(orders: [UInt32], descendantCounts: [UInt32], traces: some Sequence<Range<Int>>) {
        var parents = [Int32](repeating: -1, count: orders.count)
        var rowsByOrder: [Int32] = []
        var open: [(row: Int32, end: UInt32)] = []
        for rows in traces {
            rowsByOrder.removeAll(keepingCapacity: true)
            rowsByOrder.append(contentsOf: repeatElement(-1, count: rows.count))
            for row in rows {
                let order = Int(orders[row])
                guard order < rows.count, rowsByOrder[order] < 0 else { return nil }
                rowsByOrder[order] = Int32(truncatingIfNeeded: row)
            }
            open.removeAll(keepingCapacity: true)
            for (order, row) in rowsByOrder.enumerated() {
                while let last = open.last, last.end < order { open.removeLast() }
                if let last = open.last { parents[Int(row)] = last.row }
                let below = descendantCounts[Int(row)]
                guard Int(below) < rows.count - order else { return nil }
                if below > 0 { open.append((row, UInt32(order) + below)) }
            }
        }
        self.parents = parents
        self.orders = orders
        self.descendantCounts = descendantCounts
    }

    /// The forest of the spans of `batch`, which are of one trace and in its order.
    package init(_ batch: SpanBatch) { self.init(ParentIndex(batch)) }

    /// The forest that an index of the spans of one trace, in its order, makes.
    package init(_ index: consuming ParentIndex) {
        var parents = index.parentRows.map { max($0, -1) }
        let count = parents.count
        _ = ParentCircles.cut(&parents)
        var firstChildren = [Int32](repeating: -1, count: count)
        var nextSiblings = firstChildren
        // From the last row on, so that each list of children is in row order.
        for row in stride(from: count - 1, through: 0, by: -1) where parents[row] >= 0 {
            nextSiblings[row] = firstChildren[Int(parents[row])]
            firstChildren[Int(parents[row])] = Int32(row)
        }
        var orders = [UInt32](repeating: 0, count: count)
        var sequence: [Int32] = []
        sequence.reserveCapacity(count)
        var waiting: [Int32] = []
        for root in 0..<count where parents[root] < 0 {
            waiting.append(Int32(root))
            while let row = waiting.popLast() {
                orders[Int(row)] = UInt32(sequence.count)
                sequence.append(row)
                // The sibling waits below the children.
                if row != root, nextSiblings[Int(row)] >= 0 { waiting.append(nextSiblings[Int(row)]) }
                if firstChildren[Int(row)] >= 0 { waiting.append(firstChildren[Int(row)]) }
            }
        }
        var below = [UInt32](repeating: 0, count: count)
        for row in sequence.reversed() where parents[Int(row)] >= 0 {
            below[Int(parents[Int(row)])] += below[Int(row)] + 1
        }
        self.parents = parents
        self.orders = orders
        descendantCounts = below
    }

    /// The same but for some rows of one trace, which stand as `other` says.
    package func replacing(_ rows: Range<Int>, with other: SpanForest) -> SpanForest {
        var (parents, orders, counts) = (parents, orders, descendantCounts)
        for row in rows {
            let local = row - rows.lowerBound
            let parent = other.parents[local]
            parents[row] = parent < 0 ? -1 : parent + Int32(truncatingIfNeeded: rows.lowerBound)
            orders[row] = other.orders[local]
            counts[row] = other.descendantCounts[local]
        }
        return SpanForest(parents: parents, orders: orders, descendantCounts: counts)
    }

    private init(parents: [Int32], orders: [UInt32], descendantCounts: [UInt32]) {
        self.parents = parents
        self.orders = orders
        self.descendantCounts = descendantCounts
    }

    /// For each row how many rows lie above it. Takes time of order n.
    package func depths() -> [UInt32] {
        var depths = [UInt32](repeating: .max, count: parents.count)
        var path: [Int32] = []
        for row in parents.indices {
            var at = Int32(row)
            while at >= 0, depths[Int(at)] == .max {
                path.append(at)
                at = parents[Int(at)]
            }
            var depth = at >= 0 ? depths[Int(at)] + 1 : 0
            while let row = path.popLast() {
                depths[Int(row)] = depth
                depth += 1
            }
        }
        return depths
    }
}

extension TraceSummary {
    /// The summary of a trace of a table.
    package init(of trace: TableTrace, in table: any SpanTable, matchedSpanCount: Int) throws(StoreError) {
        let names = try table.column(.name)
        let serviceNames = try table.column(.serviceName)
        let errors = try table.errors()
        var services: [ServiceCount] = []
        var places: [ExactText: Int] = [:]
        for row in trace.rows {
            let name = serviceNames[row]?.text ?? ""
            let place = places[ExactText(name)] ?? services.count
            if place == services.count {
                places[ExactText(name)] = place
                services.append(ServiceCount(name: name, spanCount: 0, errorCount: 0))
            }
            services[place].spanCount += 1
            if errors[row] { services[place].errorCount += 1 }
        }
        self.init(
            traceID: trace.id,
            rootServiceName: trace.rootRow.flatMap { serviceNames[$0]?.text } ?? "",
            rootSpanName: trace.rootRow.flatMap { names[$0]?.text } ?? "",
            startUnixNanos: trace.startUnixNanos,
            durationNanos: trace.durationNanos,
            spanCount: trace.rows.count,
            errorCount: services.reduce(0) { $0 + $1.errorCount },
            matchedSpanCount: matchedSpanCount,
            services: services.sorted {
                $0.spanCount != $1.spanCount ? $0.spanCount > $1.spanCount : $0.name.precedes($1.name)
            }
        )
    }
}
