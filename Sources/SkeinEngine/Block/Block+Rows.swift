// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
package import SkeinStore

extension Block {
    /// The spans of rows `rows` of the block, in its order, with the columns asked for; others are empty or default.
    ///
    /// Memory is that of the batch and of the groups touched: read a long trace in windows.
    package func batch(rows: Range<Int>, columns: SpanColumns) throws(StoreError) -> SpanBatch {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= footer.spanCount)
        guard !rows.isEmpty else { return SpanBatch() }
        var assembler = try BatchAssembler(self, columns)
        var group = group(ofRow: rows.lowerBound)
        while group < footer.groups.count, footer.groups[group].firstRow < rows.upperBound {
            let part = rows.clamped(to: footer.groups[group].rows)
            let first = footer.groups[group].firstRow
            try assembler.append(group: group, rows: (part.lowerBound - first)..<(part.upperBound - first))
            group += 1
        }
        return assembler.finish()
    }

    /// About the memory that ``batch(rows:columns:)`` takes for all columns, the row groups it unpacks on the way included.
    func batchByteCount(rows: Range<Int>) throws(StoreError) -> Int {
        var count = 0
        var index = rows.isEmpty ? footer.groups.count : group(ofRow: rows.lowerBound)
        while index < footer.groups.count, footer.groups[index].firstRow < rows.upperBound {
            let group = footer.groups[index]
            let rawCount = try directory(ofGroup: index).rawByteCount
            let part = rows.clamped(to: group.rows).count
            // Texts are unpacked for the whole group; numbers are, too, and take eight bytes each.
            count += 2 * rawCount + 64 * group.rowCount + 256 * part
            index += 1
        }
        return count
    }

    /// The nested set of rows `rows` of the block: see ``NestedSet``.
    package func nestedSets(rows: Range<Int>) throws(StoreError) -> [NestedSet] {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= footer.spanCount)
        var sets: [NestedSet] = []
        sets.reserveCapacity(rows.count)
        var index = rows.isEmpty ? footer.groups.count : group(ofRow: rows.lowerBound)
        while index < footer.groups.count, footer.groups[index].firstRow < rows.upperBound {
            let group = footer.groups[index]
            let directory = try directory(ofGroup: index)
            let traces = try traces(inGroup: index)
            let orders = try reader.numbers(directory.orders)
            let descendants = try reader.numbers(directory.descendants)
            let part = rows.clamped(to: group.rows)
            var trace = traces.index(ofRow: part.lowerBound)
            for row in part {
                while row >= traces.firstRows[trace + 1] { trace += 1 }
                let inTrace = Int64(row - traces.firstRows[trace])
                let local = row - group.firstRow
                sets.append(
                    NestedSet(
                        order: UInt32(truncatingIfNeeded: inTrace &+ orders[local].zigZagDecoded),
                        descendantCount: UInt32(truncatingIfNeeded: descendants[local])
                    )
                )
            }
            index += 1
        }
        return sets
    }

    /// Where a span stands in the tree of its trace as this block holds it.
    package struct NestedSet: Hashable, Sendable {
        /// Place in depth-first order, from 0 on; unique within the trace.
        package var order: UInt32
        /// Spans below it.
        package var descendantCount: UInt32

        /// Whether `other`, of the same trace, lies below this span.
        @inlinable
        package func isAncestor(of other: NestedSet) -> Bool {
            order < other.order && other.order &- order <= descendantCount
        }
    }

    /// The starts of rows of a group: each is stored as what it lies behind the row before.
    func starts(
        _ group: BlockFooter.Group,
        _ directory: GroupDirectory,
        _ traces: TraceTable,
        _ rows: Range<Int>
    ) throws(StoreError) -> [UInt64] {
        let deltas = try reader.numbers(directory.starts)
        var starts: [UInt64] = []
        starts.reserveCapacity(rows.count)
        var trace = traces.index(ofRow: group.firstRow + rows.lowerBound)
        // Sums begin at the trace's first row here.
        var row = max(traces.firstRows[trace] - group.firstRow, 0)
        var start = traces.startUnixNanos[trace]
        while row < rows.upperBound {
            if group.firstRow + row >= traces.firstRows[trace + 1] {
                trace += 1
                start = traces.startUnixNanos[trace]
            }
            start &+= deltas[row]
            if row >= rows.lowerBound { starts.append(start) }
            row += 1
        }
        return starts
    }

    /// The parent ids of rows of a group: most are stored as the distance to the row that has the id.
    func parentIDs(
        _ group: BlockFooter.Group,
        _ directory: GroupDirectory,
        _ rows: Range<Int>
    ) throws(StoreError) -> [SpanID] {
        let spanIDs = try reader.numbers(directory.spanIDs)
        let parents = try reader.numbers(directory.parents)
        let missing = try reader.numbers(directory.missingParents)
        var ids: [SpanID] = []
        ids.reserveCapacity(rows.count)
        var nextMissing = (0..<rows.lowerBound).count { parents[$0] == 1 }
        for row in rows {
            switch parents[row] {
            case 0: ids.append(.zero)
            case 1:
                guard nextMissing < missing.count else {
                    throw reader.corrupt("a parent id is missing", at: directory.parents.chunk.offset)
                }
                ids.append(SpanID(missing[nextMissing]))
                nextMissing += 1
            case let code:
                let (parent, overflow) = Int64(row).subtractingReportingOverflow((code - 2).zigZagDecoded)
                guard !overflow, parent >= 0, parent < group.rowCount else {
                    throw reader.corrupt("a parent lies outside its group", at: directory.parents.chunk.offset)
                }
                ids.append(SpanID(spanIDs[Int(parent)]))
            }
        }
        return ids
    }

    /// The events or links of rows of a group.
    struct Children {
        /// By row.
        var counts: [Int] = []
        /// By row, its first child among the group's.
        var starts: [Int] = []
        /// Those of all rows.
        var all = 0..<0
    }

    func children(_ column: NumberColumn, _ total: Int, _ rows: Range<Int>) throws(StoreError) -> Children {
        let counts = try reader.numbers(column)
        var children = Children()
        var sum = 0
        for row in 0..<rows.upperBound {
            let (next, overflow) = sum.addingReportingOverflow(Int(clamping: counts[row]))
            guard !overflow, next <= total else {
                throw reader.corrupt("spans have more events or links than the group", at: column.chunk.offset)
            }
            if row == rows.lowerBound { children.all = sum..<sum }
            if row >= rows.lowerBound {
                children.counts.append(next - sum)
                children.starts.append(sum)
            }
            sum = next
        }
        children.all = children.all.lowerBound..<sum
        return children
    }
}
