// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Sums up traces that lie in several places, straight from the columns there, without making a batch of them.
///
/// Of each stored row it takes a few numbers; they say which copies of spans count, and what those add up to. Which rows
/// match it knows from the search where that has been, and finds out for the trace's rows alone where it has not.
///
/// Measured: the newest 20 with 10,000 spans in memory in 1.8 ms, where putting their traces together took 7.
struct TraceJoin {
    private let range: TimeRange
    private let predicate: CompiledPredicate
    private let columns: SpanColumns
    private var groups = RecentlyUsed<GroupKey, GroupColumns>(countMax: 16)
    /// Memory that columns of row groups take, roughly.
    private(set) var byteCount = 0
    private var matchesOfGroups = RecentlyUsed<GroupKey, RowSet>(countMax: 64)
    /// By piece of the head; the snapshot holds them all.
    private var matchesOfPieces: [ObjectIdentifier: RowSet] = [:]

    private struct GroupKey: Hashable {
        var block: ObjectIdentifier
        var group: Int
    }

    /// A stored row as far as a summary needs it.
    fileprivate struct Row {
        var key: RowKey
        /// Place among the services of the trace.
        var service: Int
        var isError: Bool
        var matches: Bool
    }

    /// The rows of one trace.
    fileprivate struct Rows {
        var rows: [Row] = []
        var services = Places<ExactText>()
        /// Rows without a parent id, and their names.
        var roots: [(row: Int, name: String)] = []
    }

    /// A join for spans that start in `range` and satisfy `predicate`, whose test needs `columns`.
    init(range: TimeRange, predicate: CompiledPredicate, columns: SpanColumns) {
        self.range = range
        self.predicate = predicate
        self.columns = columns
    }

    /// Notes which rows of a group match. The search's blocks must outlive the join.
    mutating func note(_ matches: RowSet, ofGroup group: Int, in block: StoredBlock) {
        matchesOfGroups.keep(matches, of: GroupKey(block: ObjectIdentifier(block), group: group))
    }

    /// Notes which rows of a piece match. The search's pieces must outlive the join.
    mutating func note(_ matches: RowSet, of piece: HeadPart.Piece) {
        matchesOfPieces[ObjectIdentifier(piece)] = matches
    }

    /// The summary of a trace that is not empty; `nil` when no span that counts matches. Takes 64 bytes for each stored row.
    mutating func summary(
        of trace: StoredTrace,
        _ cancellation: Cancellation
    ) throws(StoreError) -> TraceSummary? {
        var rows = Rows()
        rows.rows.reserveCapacity(trace.spanCount)
        for piece in trace.blockPieces {
            try piece.block.block.forEachGroup(of: piece.entry.rows) { group, local throws(StoreError) in
                try cancellation.check()
                try read(local, ofGroup: group, in: piece.block, into: &rows)
                return true
            }
        }
        for piece in trace.headPieces {
            try cancellation.check()
            try read(piece.rows, of: piece.piece, into: &rows)
        }
        return rows.summary(trace.id)
    }

    // MARK: Reading rows

    private mutating func read(
        _ local: Range<Int>,
        ofGroup group: Int,
        in stored: StoredBlock,
        into rows: inout Rows
    ) throws(StoreError) {
        let key = GroupKey(block: ObjectIdentifier(stored), group: group)
        let columns: GroupColumns
        if let known = groups.value(of: key) {
            columns = known
        } else {
            columns = try GroupColumns(stored.block, group)
            byteCount += columns.byteCount - (groups.keep(columns, of: key)?.byteCount ?? 0)
        }
        let starts = try stored.block.starts(columns.group, columns.directory, columns.traces, local)
        let known = matchesOfGroups.value(of: key)
        let tested = known == nil ? try matches(local, of: columns, starts, in: stored.block) : nil
        var services = Services<UInt64>()
        for (offset, row) in local.enumerated() {
            let rowKey = RowKey(
                startUnixNanos: starts[offset],
                durationNanos: columns.durations[row],
                spanID: columns.spanIDs[row],
                kind: UInt8(truncatingIfNeeded: columns.kinds[row]),
                place: rows.rows.count
            )
            if columns.parents[row] == 0 { rows.roots.append((rows.rows.count, columns.name(row))) }
            let resource = columns.resources[row]
            rows.rows.append(
                Row(
                    key: rowKey,
                    service: services.place(of: resource, in: &rows.services) { columns.serviceName(resource) },
                    isError: columns.statuses[row] == UInt64(Span.Status.Code.error.rawValue),
                    matches: known?[row] ?? tested?[offset] ?? false
                )
            )
        }
    }

    /// Which of some rows of a group match, counted from the first of them.
    private func matches(
        _ local: Range<Int>,
        of columns: GroupColumns,
        _ starts: [UInt64],
        in block: Block
    ) throws(StoreError) -> RowSet {
        if case .all = predicate.root { return RowSet(count: local.count) { range.contains(starts[$0]) } }
        let first = columns.group.firstRow
        let rows = (first + local.lowerBound)..<(first + local.upperBound)
        let batch = try block.batch(rows: rows, columns: self.columns)
        return try BatchScan.rows(of: batch, in: range, matching: predicate)
    }

    private mutating func read(
        _ local: [Int],
        of piece: HeadPart.Piece,
        into rows: inout Rows
    ) throws(StoreError) {
        let matches: RowSet
        if let known = matchesOfPieces[ObjectIdentifier(piece)] {
            matches = known
        } else {
            matches = try BatchScan.rows(of: piece.batch, in: range, matching: predicate)
            note(matches, of: piece)
        }
        var services = Services<UInt32>()
        for row in local {
            let key = piece.batch.key(row, place: rows.rows.count)
            if !piece.batch.parentSpanIDs[row].isValid {
                rows.roots.append((rows.rows.count, piece.batch.dictionary.string(piece.batch.nameRefs[row])))
            }
            rows.rows.append(
                Row(
                    key: key,
                    service: services.place(of: piece.batch.resourceRows[row], in: &rows.services) {
                        piece.batch.serviceName(at: row)
                    },
                    isError: piece.batch.statusCodes[row] == Span.Status.Code.error.rawValue,
                    matches: matches[row]
                )
            )
        }
    }

    /// The services of the resources of one piece, each looked up once.
    private struct Services<Resource: Hashable> {
        private var resources = Places<Resource>()
        private var services: [Int] = []

        mutating func place(
            of resource: Resource,
            in trace: inout Places<ExactText>,
            name: () -> String
        ) -> Int {
            let place = resources.place(of: resource)
            if place == services.count { services.append(trace.place(of: ExactText(name()))) }
            return services[place]
        }
    }
}

extension TraceJoin.Rows {
    /// What the rows that count add up to.
    fileprivate func summary(_ id: TraceID) -> TraceSummary? {
        let counting = CountingRows.find(among: rows.lazy.map(\.key))
        var (start, end) = (UInt64.max, UInt64(0))
        var (matchedCount, errorCount) = (0, 0)
        var counts = services.elements.map {
            TraceSummary.ServiceCount(name: $0.text, spanCount: 0, errorCount: 0)
        }
        counting.forEach { number in
            let row = rows[number]
            start = min(start, row.key.startUnixNanos)
            end = max(end, row.key.endUnixNanos)
            counts[row.service].spanCount += 1
            if row.matches { matchedCount += 1 }
            if row.isError {
                errorCount += 1
                counts[row.service].errorCount += 1
            }
        }
        guard matchedCount > 0 else { return nil }
        let root = roots.filter { counting[$0.row] }.min { rows[$0.row].key < rows[$1.row].key }
        return TraceSummary(
            traceID: id,
            rootServiceName: root.map { counts[rows[$0.row].service].name } ?? "",
            rootSpanName: root?.name ?? "",
            startUnixNanos: start,
            durationNanos: end - start,
            spanCount: counting.selectedCount,
            errorCount: errorCount,
            matchedSpanCount: matchedCount,
            // A service may have no span but copies that do not count.
            services: counts.filter { $0.spanCount > 0 }.sorted {
                $0.spanCount != $1.spanCount ? $0.spanCount > $1.spanCount : $0.name.precedes($1.name)
            }
        )
    }
}

/// The columns of a row group that a summary is made of.
private struct GroupColumns {
    let group: BlockFooter.Group
    let directory: GroupDirectory
    let traces: TraceTable
    let spanIDs: Numbers
    let parents: Numbers
    let durations: Numbers
    let kinds: Numbers
    let statuses: Numbers
    let resources: Numbers
    private let names: Texts
    private let table: OwnerTable

    init(_ block: Block, _ index: Int) throws(StoreError) {
        group = block.footer.groups[index]
        directory = try block.directory(ofGroup: index)
        traces = try block.traces(inGroup: index)
        spanIDs = try block.reader.numbers(directory.spanIDs)
        parents = try block.reader.numbers(directory.parents)
        durations = try block.reader.numbers(directory.durations)
        kinds = try block.reader.numbers(directory.kinds)
        statuses = try block.reader.numbers(directory.statuses)
        resources = try block.reader.numbers(directory.resources)
        names = try block.reader.texts(directory.names)
        table = try block.resourceTable()
        let count = UInt64(table.entries.count)
        guard resources.constant < count || !resources.values.isEmpty, resources.values.allSatisfy({ $0 < count })
        else {
            throw block.reader.corrupt(
                "a span has a resource that the block lacks",
                at: directory.resources.chunk.offset
            )
        }
    }

    /// Six columns of numbers, and names.
    var byteCount: Int { group.rowCount * 64 }

    func serviceName(_ resource: UInt64) -> String { table.string(table.entries[Int(resource)].texts[0]) }

    func name(_ row: Int) -> String { names.string(row) }
}
