// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// One trace as a forest, whatever state its spans are in.
///
/// Rows of the tree are in depth-first order: a span stands after its parent, siblings by start, then span id. Spans
/// whose parent has not come are roots; those that miss the same parent stand together. Where parents run in a circle
/// the earliest span of the circle is made a root. Nothing here recurses, so depth costs nothing but memory; the whole
/// takes time of order n log n, or n when the batch is sorted by start, as stores return it.
package struct TraceTree: Sendable {
    /// For each row of the tree, the row of the batch.
    package private(set) var batchRows: [Int32] = []
    /// For each row, the row of its parent, or -1.
    package private(set) var parents: [Int32] = []
    /// For each row, how many rows stand above it; 0 for a root.
    package private(set) var depths: [Int32] = []
    /// For each row, the nanoseconds in which no child was running.
    package private(set) var selfNanos: [UInt64] = []
    /// For each row, its place in ``services``.
    package private(set) var serviceIndexes: [UInt32] = []
    /// For each row, its place in ``operations``.
    package private(set) var operationIndexes: [UInt32] = []
    /// The services of the trace, in order of first appearance; without a service name the empty one.
    package private(set) var services: [Service] = []
    /// The distinct span names, in order of first appearance.
    package private(set) var operations: [String] = []
    /// Parents that some span names and that are not there, in row order.
    package private(set) var missingParents: [MissingParent] = []
    /// Rows that were made roots to break a circle of parents.
    package private(set) var cyclesBroken: [Int] = []
    /// Rows whose client reported an end before the start; their duration is zero.
    package private(set) var clamped: [Int] = []
    /// Rows that start before their parent does.
    package private(set) var startsBeforeParentCount = 0
    /// Rows that share their span id with another row.
    package private(set) var sharedIDCount = 0
    /// The earliest span that names no parent; `nil` until it arrives.
    package private(set) var rootRow: Int?
    /// Nanoseconds since 1970 of the earliest start; 0 for an empty trace.
    package private(set) var startUnixNanos: UInt64 = 0
    /// From the earliest start to the latest end.
    package private(set) var durationNanos: UInt64 = 0
    /// Spans with status error.
    package private(set) var errorCount = 0

    /// A service's part of the trace.
    package struct Service: Hashable, Sendable {
        package var name: String
        package var spanCount = 0
        package var errorCount = 0
    }

    /// A parent that has not come, and the rows that name it.
    package struct MissingParent: Hashable, Sendable {
        package var spanID: SpanID
        package var rows: [Int]
    }

    /// Number of rows: every span of the batch.
    package var count: Int { batchRows.count }
    /// Number of levels; 1 when every span is a root.
    package var levelCount: Int { depths.max().map { Int($0) + 1 } ?? 0 }
    /// The service of ``rootRow``, empty until that arrives.
    package var rootServiceName: String { rootRow.map { services[Int(serviceIndexes[$0])].name } ?? "" }
    /// The name of ``rootRow``, empty until that arrives.
    package var rootSpanName: String { rootRow.map { operations[Int(operationIndexes[$0])] } ?? "" }

    /// The tree of the spans of `batch`, which are of one trace and each there once.
    package init(_ batch: SpanBatch) {
        guard !batch.isEmpty else { return }
        var parentRows: [Int32]
        (parentRows, sharedIDCount) = Self.parents(batch)
        let order = Self.orderByStart(batch)
        let broken = ParentCircles.cut(&parentRows, rank: Self.inverse(order))
        let children = ChildLists(parentRows, order: order)
        let tops = Self.orderOfRoots(batch, parentRows, order: order)
        lay(children, tops)
        describe(batch, parentRows, broken: broken)
        measureSelfTime(batch)
    }

    // MARK: Order

    /// Whose parent is where, without the index that finds it.
    private static func parents(_ batch: SpanBatch) -> (rows: [Int32], sharedIDCount: Int) {
        let index = ParentIndex(batch)
        return (index.parentRows, index.sharedCount)
    }

    /// Rows of the batch by start, span id and kind.
    private static func orderByStart(_ batch: SpanBatch) -> [Int32] {
        // Keys side by side: a comparison that looked up columns would miss the cache twice for each of them.
        var keys: [SortKey] = []
        keys.reserveCapacity(batch.count)
        for row in 0..<batch.count {
            keys.append(
                SortKey(
                    start: batch.startUnixNanos[row],
                    spanID: batch.spanIDs[row].rawValue,
                    kindAndRow: UInt64(batch.kinds[row]) << 32 | UInt64(row)
                )
            )
        }
        let isSorted = keys.indices.dropFirst().allSatisfy { keys[$0 - 1] < keys[$0] }
        if !isSorted { keys.sort() }
        return keys.map { Int32(truncatingIfNeeded: $0.kindAndRow) }
    }

    private struct SortKey: Comparable {
        var start: UInt64
        var spanID: UInt64
        var kindAndRow: UInt64

        static func < (a: SortKey, b: SortKey) -> Bool {
            if a.start != b.start { return a.start < b.start }
            return a.spanID != b.spanID ? a.spanID < b.spanID : a.kindAndRow < b.kindAndRow
        }
    }

    private static func inverse(_ order: [Int32]) -> [Int32] {
        var ranks = [Int32](repeating: 0, count: order.count)
        for (rank, row) in order.enumerated() { ranks[Int(row)] = Int32(rank) }
        return ranks
    }

    /// Roots by start, those that miss the same parent together at the start of the earliest of them.
    private static func orderOfRoots(_ batch: SpanBatch, _ parents: [Int32], order: [Int32]) -> [Int32] {
        var groups: [[Int32]] = []
        var groupOfParent: [SpanID: Int] = [:]
        for row in order where parents[Int(row)] < 0 {
            guard parents[Int(row)] == ParentIndex.missing else {
                groups.append([row])
                continue
            }
            let parent = batch.parentSpanIDs[Int(row)]
            if let group = groupOfParent[parent] {
                groups[group].append(row)
            } else {
                groupOfParent[parent] = groups.count
                groups.append([row])
            }
        }
        return groups.flatMap { $0 }
    }

    // MARK: Rows

    /// Writes the rows in depth-first order.
    private mutating func lay(_ children: ChildLists, _ tops: [Int32]) {
        let count = children.count
        batchRows.reserveCapacity(count)
        parents.reserveCapacity(count)
        depths.reserveCapacity(count)
        var waiting: [(batchRow: Int32, parent: Int32, depth: Int32)] = tops.reversed().map { ($0, -1, 0) }
        while let next = waiting.popLast() {
            let row = Int32(batchRows.count)
            batchRows.append(next.batchRow)
            parents.append(next.parent)
            depths.append(next.depth)
            for child in children.of(Int(next.batchRow)).reversed() { waiting.append((child, row, next.depth + 1)) }
        }
    }

    /// Everything that is known row by row.
    private mutating func describe(_ batch: SpanBatch, _ parentRows: [Int32], broken: [Int32]) {
        let broken = Set(broken)
        var serviceNumbers: [SpanBatch.Ref: UInt32] = [:]
        var operationNumbers: [SpanBatch.Ref: UInt32] = [:]
        serviceIndexes.reserveCapacity(count)
        operationIndexes.reserveCapacity(count)
        var start = UInt64.max
        var end: UInt64 = 0
        for row in 0..<count {
            let batchRow = Int(batchRows[row])
            start = min(start, batch.startUnixNanos[batchRow])
            end = max(end, batch.endUnixNanos(at: batchRow))

            let serviceRef = batch.serviceRef(at: batchRow)
            let service = serviceNumbers[serviceRef] ?? UInt32(services.count)
            if Int(service) == services.count {
                serviceNumbers[serviceRef] = service
                services.append(Service(name: batch.dictionary.string(serviceRef)))
            }
            serviceIndexes.append(service)
            let operation = operationNumbers[batch.nameRefs[batchRow]] ?? UInt32(operations.count)
            if Int(operation) == operations.count {
                operationNumbers[batch.nameRefs[batchRow]] = operation
                operations.append(batch.dictionary.string(batch.nameRefs[batchRow]))
            }
            operationIndexes.append(operation)

            let isError = batch.statusCodes[batchRow] == Span.Status.Code.error.rawValue
            services[Int(service)].spanCount += 1
            services[Int(service)].errorCount += isError ? 1 : 0
            errorCount += isError ? 1 : 0
            if SpanBatch.value(batch.marks, batchRow, default: []).contains(.endsBeforeStart) { clamped.append(row) }
            noteTop(row, batch, parentRows[batchRow], isBroken: broken.contains(Int32(batchRow)))
        }
        startUnixNanos = start
        durationNanos = end &- start
    }

    private mutating func noteTop(_ row: Int, _ batch: SpanBatch, _ parent: Int32, isBroken: Bool) {
        let batchRow = Int(batchRows[row])
        if parent >= 0 {
            if batch.startUnixNanos[batchRow] < batch.startUnixNanos[Int(parent)] { startsBeforeParentCount += 1 }
        } else if isBroken {
            cyclesBroken.append(row)
        } else if parent == ParentIndex.missing {
            let id = batch.parentSpanIDs[batchRow]
            // Roots of one missing parent stand together, with only their subtrees between them.
            if missingParents.last?.spanID == id {
                missingParents[missingParents.count - 1].rows.append(row)
            } else {
                missingParents.append(MissingParent(spanID: id, rows: [row]))
            }
        } else if rootRow == nil {
            rootRow = row
        }
    }

    // MARK: Self time

    /// A span's duration less the time that its children cover, each clipped to the span. Children come in order of
    /// start, so one sweep with the end of what is covered so far is enough.
    private mutating func measureSelfTime(_ batch: SpanBatch) {
        selfNanos = batchRows.map { batch.durationNanos[Int($0)] }
        var coveredTo = batchRows.map { batch.startUnixNanos[Int($0)] }
        for row in 0..<count where parents[row] >= 0 {
            let parent = Int(parents[row])
            let parentEnd = batch.endUnixNanos(at: Int(batchRows[parent]))
            let from = max(batch.startUnixNanos[Int(batchRows[row])], coveredTo[parent])
            let to = min(batch.endUnixNanos(at: Int(batchRows[row])), parentEnd)
            guard to > from else { continue }
            selfNanos[parent] -= to - from
            coveredTo[parent] = to
        }
    }

    /// The children of every row, in one array.
    private struct ChildLists {
        private var ends: [Int32]
        private var rows: [Int32]

        var count: Int { ends.count }

        /// Lists in the order that `order` gives the rows.
        init(_ parents: [Int32], order: [Int32]) {
            var counts = [Int32](repeating: 0, count: parents.count)
            for parent in parents where parent >= 0 { counts[Int(parent)] += 1 }
            var starts: [Int32] = []
            starts.reserveCapacity(parents.count)
            var total: Int32 = 0
            for count in counts {
                starts.append(total)
                total += count
            }
            rows = [Int32](repeating: 0, count: Int(total))
            ends = starts
            for row in order where parents[Int(row)] >= 0 {
                let parent = Int(parents[Int(row)])
                rows[Int(ends[parent])] = row
                ends[parent] += 1
            }
        }

        func of(_ row: Int) -> ArraySlice<Int32> { rows[(row == 0 ? 0 : Int(ends[row - 1]))..<Int(ends[row])] }
    }
}
