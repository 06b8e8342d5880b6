// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Reads every byte of a block and holds it to all that `docs/format.md` says: checksums, columns that decode, tables
/// that count what is there, rows in order, trees as their spans say, filters that know their traces.
///
/// A group that is wrong does not keep the others from being looked at.
struct BlockCheck {
    private let block: Block
    private let size: Int
    private var tree = CheckedTree()
    private var openTrace: OpenTrace?
    private var traceCount = 0
    private var resourceCounts: [UInt64]
    private var scopeCounts: [UInt64]
    private var keyCounts: [UInt64]
    /// `nil` when they do not check.
    private var filters: CheckedFilters?
    /// What is wrong, by order of place; empty for a good block.
    private(set) var failures: [StoreError] = []

    /// A trace that goes on in the next group.
    private struct OpenTrace {
        var entry: Block.TraceEntry
        var rows: CheckedTree.Rows
    }

    /// Checks the whole of `block`, which should have no cache or a small one. `progress` is told how many bytes of the
    /// file were looked at.
    init(_ block: Block, progress: (Int) -> Void) {
        self.block = block
        size = block.footer.byteCount
        resourceCounts = []
        scopeCounts = []
        keyCounts = []
        let areTablesGood = attempt { check throws(StoreError) in
            try check.checkLayout()
            check.filters = try CheckedFilters(block)
            try check.readTables()
        }
        var areGroupsGood = true
        for index in block.footer.groups.indices {
            let isGood = attempt { check throws(StoreError) in try check.checkGroup(index) }
            if !isGood {
                openTrace = nil
                traceCount = block.footer.groups[index].firstTrace + block.footer.groups[index].traceCount
            }
            areGroupsGood = areGroupsGood && isGood
            progress(block.footer.groups[index].directory.offset)
        }
        if areTablesGood, areGroupsGood { _ = attempt { check throws(StoreError) in try check.compareTables() } }
        progress(size)
    }

    private mutating func attempt(_ body: (inout BlockCheck) throws(StoreError) -> Void) -> Bool {
        do throws(StoreError) {
            try body(&self)
            return true
        } catch {
            failures.append(error)
            return false
        }
    }

    private func expect(_ condition: Bool, _ message: @autoclosure () -> String, at offset: Int) throws(StoreError) {
        if !condition { throw block.reader.corrupt(message(), at: offset) }
    }

    // MARK: Layout and tables

    /// Every byte belongs to something that has a checksum.
    private func checkLayout() throws(StoreError) {
        let footer = block.footer
        var end = BlockFormat.headerByteCount
        for group in footer.groups {
            try expect(group.offset == end, "a row group does not begin where the one before ends", at: end)
            end = group.directory.offset + group.directory.storedCount
        }
        let trailer = try block.reader.read(BlockFormat.trailerByteCount, at: size - BlockFormat.trailerByteCount)
        let (footerOffset, tailOffset) = trailer.withUnsafeBytes {
            (
                UInt64(littleEndian: $0.unsafelyLoad(0, as: UInt64.self)),
                UInt64(littleEndian: $0.unsafelyLoad(24, as: UInt64.self))
            )
        }
        for filters in [footer.traceFilters, footer.valueFilters] {
            try expect(filters.offset == end, "the filters do not begin where what is before them ends", at: end)
            end += filters.byteCount(groups: footer.groups.count)
        }
        try expect(tailOffset == UInt64(end), "the tables do not begin where the filters end", at: end)
        for table in [footer.resources, footer.scopes, footer.keys, footer.operations] {
            try expect(table.offset == end, "a table does not begin where the one before ends", at: end)
            end += table.storedCount
        }
        try expect(footerOffset == UInt64(end), "the footer does not begin where the tables end", at: end)
    }

    private mutating func readTables() throws(StoreError) {
        resourceCounts = [UInt64](repeating: 0, count: try block.resourceTable().entries.count)
        scopeCounts = [UInt64](repeating: 0, count: try block.scopeTable().entries.count)
        keyCounts = [UInt64](repeating: 0, count: try block.keyTable().entries.count)
        var spanCount = 0
        try block.forEachOperation { _, _, _, count in spanCount &+= count }
        try expect(
            spanCount == block.footer.spanCount,
            "the table of operations counts \(spanCount) spans, the block has \(block.footer.spanCount)",
            at: block.footer.operations.offset
        )
    }

    private func compareTables() throws(StoreError) {
        let footer = block.footer
        try expect(
            traceCount == footer.traceCount,
            "the footer counts \(footer.traceCount) traces, the row groups hold \(traceCount)",
            at: footer.operations.offset + footer.operations.storedCount
        )
        let counted: [(String, [UInt64], [Int], Int)] = [
            ("resources", resourceCounts, try block.resourceTable().entries.map(\.spanCount), footer.resources.offset),
            ("scopes", scopeCounts, try block.scopeTable().entries.map(\.spanCount), footer.scopes.offset),
            ("keys", keyCounts, try block.keyTable().entries.map(\.count), footer.keys.offset),
        ]
        for (name, found, said, offset) in counted {
            try expect(
                found == said.map { UInt64(clamping: $0) },
                "the table of \(name) counts otherwise than the row groups",
                at: offset
            )
        }
    }

    // MARK: Groups

    private mutating func checkGroup(_ index: Int) throws(StoreError) {
        let group = block.footer.groups[index]
        let directory = try block.directory(ofGroup: index)
        for (_, column) in directory.columns { try decode(column) }
        for (_, table) in directory.attributeTables { try checkAttributes(table) }
        let traces = try block.traces(inGroup: index)
        let batch = try block.batch(rows: group.rows, columns: .all)
        try checkFooter(group, batch, traces)
        try count(directory.resources, in: \.resourceCounts)
        try count(directory.scopes, in: \.scopeCounts)
        try checkTraces(index, batch, traces, try block.nestedSets(rows: group.rows))
    }

    private func decode(_ column: AnyColumn) throws(StoreError) {
        switch column {
        case .bytes(let chunk): _ = try block.reader.unpacked(chunk)
        case .numbers(let column): _ = try block.reader.numbers(column)
        case .texts(let column): _ = try block.reader.texts(column)
        }
    }

    private mutating func checkAttributes(_ table: AttributeColumns) throws(StoreError) {
        guard table.shapeCount > 0 else { return }
        for column in table.columns { try decode(.texts(column)) }
        let shapes = try block.reader.shapes(table)
        let numbers = try block.reader.shapeNumbers(table)
        var owners = [Int](repeating: 0, count: shapes.count)
        for owner in 0..<table.ownerCount { owners[Int(truncatingIfNeeded: numbers[owner])] += 1 }
        var lengths = [Int](repeating: 0, count: table.columns.count)
        for shape in 0..<shapes.count {
            for local in shapes[shape] {
                let (key, column) = table.keys[Int(local)]
                lengths[column] += owners[shape]
                try expect(
                    keyCounts.isEmpty || key < keyCounts.count,
                    "an attribute has a key that the block lacks",
                    at: table.shapes.offset
                )
                if !keyCounts.isEmpty { keyCounts[Int(key)] += UInt64(owners[shape]) }
            }
        }
        try expect(
            lengths == table.columns.map(\.count),
            "a column of attributes has more or fewer values than its owners",
            at: table.shapes.offset
        )
    }

    private mutating func count(
        _ column: NumberColumn,
        in counts: WritableKeyPath<BlockCheck, [UInt64]>
    ) throws(StoreError) {
        guard !self[keyPath: counts].isEmpty else { return }
        let numbers = try block.reader.numbers(column)
        // That every number is an entry was seen when the rows were read.
        for row in 0..<column.count { self[keyPath: counts][Int(truncatingIfNeeded: numbers[row])] += 1 }
    }

    /// What the footer says of a group is what searches leave it out by.
    private func checkFooter(_ group: BlockFooter.Group, _ batch: SpanBatch, _ traces: TraceTable) throws(StoreError) {
        let at = group.offset
        func bounds(_ values: [UInt64]) -> ClosedRange<UInt64> { (values.min() ?? 0)...(values.max() ?? 0) }
        try expect(bounds(batch.startUnixNanos) == group.start, "the footer says otherwise when spans start", at: at)
        try expect(
            bounds(batch.durationNanos) == group.duration,
            "the footer says otherwise how long spans are",
            at: at
        )
        try expect(
            bounds(traces.startUnixNanos) == group.traceStart,
            "the footer says otherwise when traces start",
            at: at
        )
        func bits(_ values: [UInt8]) -> UInt8 { values.reduce(0) { $0 | 1 << min($1, 7) } }
        try expect(bits(batch.kinds) == group.kinds, "the footer says otherwise of which kinds spans are", at: at)
        try expect(
            bits(batch.statusCodes) == group.statuses,
            "the footer says otherwise which status spans have",
            at: at
        )
    }

    // MARK: Traces

    private mutating func checkTraces(
        _ index: Int,
        _ batch: SpanBatch,
        _ traces: TraceTable,
        _ sets: [Block.NestedSet]
    ) throws(StoreError) {
        let group = block.footer.groups[index]
        let at = group.offset
        let isFirst = group.traceRow == group.firstRow
        try expect(
            group.firstTrace == traceCount - (isFirst ? 0 : 1),
            "the footer says otherwise which traces lie in a row group",
            at: at
        )
        traceCount += isFirst ? traces.count : 0
        try filters?.check(index, traces.ids, batch)
        for number in traces.ids.indices {
            let entry = traces[number]
            let rows = entry.rows.clamped(to: group.rows)
            let local = (rows.lowerBound - group.firstRow)..<(rows.upperBound - group.firstRow)
            var part = CheckedTree.Rows()
            part.append(batch, sets, local)
            if let open = openTrace, !isFirst {
                try expect(open.entry == entry, "two row groups tell different things of one trace", at: at)
                part = open.rows
                part.append(batch, sets, local)
            } else if !isFirst {
                // Its beginning lies in a group that did not check.
                return
            }
            openTrace = nil
            if rows.upperBound < entry.rows.upperBound {
                openTrace = OpenTrace(entry: entry, rows: part)
            } else if let trouble = tree.trouble(entry, part) {
                throw block.reader.corrupt("in trace \(entry.id), \(trouble)", at: at)
            }
        }
        try expect(
            openTrace == nil || index + 1 < block.footer.groups.count,
            "the rows of a trace end with the block",
            at: at
        )
    }
}

/// Holds a trace's entry and nested sets to its rows.
private final class CheckedTree {
    private var tree = TraceTree()

    /// What of a trace's rows its entry and tree follow from.
    struct Rows {
        var spanIDs: [UInt64] = []
        var parentIDs: [UInt64] = []
        var kinds: [UInt8] = []
        var starts: [UInt64] = []
        var ends: [UInt64] = []
        var statuses: [UInt8] = []
        var sets: [Block.NestedSet] = []

        mutating func append(_ batch: SpanBatch, _ nested: [Block.NestedSet], _ rows: Range<Int>) {
            spanIDs += batch.spanIDs[rows].map(\.rawValue)
            parentIDs += batch.parentSpanIDs[rows].map(\.rawValue)
            kinds += batch.kinds[rows]
            starts += batch.startUnixNanos[rows]
            ends += rows.map(batch.endUnixNanos(at:))
            statuses += batch.statusCodes[rows]
            sets += nested[rows]
        }
    }

    /// What is wrong with a trace, in words; `nil` when nothing is.
    func trouble(_ entry: Block.TraceEntry, _ rows: Rows) -> String? {
        guard rows.starts.count == entry.rows.count else { return "rows are missing" }
        for row in rows.starts.indices.dropFirst() {
            let isOrdered =
                (rows.starts[row - 1], rows.spanIDs[row - 1], rows.kinds[row - 1])
                <= (rows.starts[row], rows.spanIDs[row], rows.kinds[row])
            if !isOrdered { return "the rows are not in order" }
        }
        if rows.starts.first != entry.startUnixNanos { return "the table of traces has another start" }
        if rows.ends.max() != entry.endUnixNanos { return "the table of traces has another end" }
        let root = rows.parentIDs.firstIndex(of: 0).map { entry.rows.lowerBound + $0 }
        if root != entry.rootRow { return "the table of traces has another root" }
        let errorCount = rows.statuses.count { $0 == Span.Status.Code.error.rawValue }
        if errorCount != entry.errorCount { return "the table of traces has another count of errors" }
        rows.spanIDs.withUnsafeBufferPointer { ids in
            rows.parentIDs.withUnsafeBufferPointer { parents in
                rows.kinds.withUnsafeBufferPointer { tree.build(spanIDs: ids, parentIDs: parents, kinds: $0) }
            }
        }
        if tree.hasDuplicates != entry.hasDuplicates { return "the table of traces is wrong about copies" }
        for (row, set) in rows.sets.enumerated()
        where set.order != tree.orders[row] || set.descendantCount != tree.descendants[row] {
            return "the nested sets are not those of the spans"
        }
        return nil
    }
}
