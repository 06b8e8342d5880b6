// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// One search: newest traces first, looking at no more than the page needs.
///
/// Every batch of the head and every row group is a source with a bound: no row in it starts later. Sources, traces of
/// which a match is known, and finished traces go through one heap by start; a trace is put together from all its pieces
/// only when it may be next, and shown at its true start if it still matches.
///
/// A trace starts no later than any of its spans. But a row may be a copy that does not count, and then say nothing of
/// the trace: so a candidate is due at the latest start of its matching rows, and due earlier when a later one is found.
struct TraceSearch {
    private let snapshot: Contents.Snapshot
    private let query: SpanQuery
    private let predicate: CompiledPredicate
    private let columns: SpanColumns
    private let cancellation: Cancellation
    private let meter = ReadMeter()

    private enum Source {
        case piece(HeadPart.Piece)
        case group(block: Int, index: Int)
    }

    /// A trace with a matching row.
    private struct Candidate {
        /// Where the row is, if in a block.
        var known: StoredTrace.BlockPiece?
        /// Matching rows, when all rows of ``known`` were tested.
        var matchedCount: Int?
    }

    private var heap = SearchHeap()
    private var sources: [Source] = []
    private var candidates: [Candidate] = []
    private var finished: [TraceSummary] = []
    /// When the candidate of a trace is due; `nil` for one that was put together.
    private var due: [TraceID: UInt64?] = [:]
    private var scans: [BlockScan?]
    private var page = SearchPage()

    init(_ query: SpanQuery, in snapshot: Contents.Snapshot, _ cancellation: Cancellation) {
        self.snapshot = snapshot
        self.query = query
        self.cancellation = cancellation
        predicate = CompiledPredicate(query.predicate)
        columns = query.predicate.columns
        scans = [BlockScan?](repeating: nil, count: snapshot.blocks.count)
    }

    /// The page.
    mutating func run() throws(StoreError) -> SearchPage {
        addSources()
        while let entry = heap.pop() {
            switch entry.step {
            case .source:
                try cancellation.check()
                try test(sources[entry.index])
            case .candidate:
                guard case .some(.some) = due.updateValue(nil, forKey: entry.traceID) else { continue }
                try resolve(entry.traceID, candidates[entry.index])
            case .finished:
                if page.traces.count == query.limit {
                    page.next = page.traces.last.map {
                        SearchCursor(startUnixNanos: $0.startUnixNanos, traceID: $0.traceID)
                    }
                    return finish()
                }
                page.traces.append(finished[entry.index])
            }
        }
        return finish()
    }

    private func finish() -> SearchPage {
        var page = page
        page.inspected.blockCount = scans.count { $0 != nil }
        page.inspected.byteCount = meter.byteCount
        return page
    }

    private mutating func addSources() {
        // The latest start that a matching row may have.
        let latest = query.range.end == .max ? UInt64.max : query.range.end &- 1
        func add(_ source: Source, _ bound: UInt64) {
            heap.push(.init(startUnixNanos: min(bound, latest), step: .source, index: sources.count))
            sources.append(source)
        }
        for part in snapshot.head {
            for piece in part.pieces where query.range.overlaps(piece.start.lowerBound, piece.start.upperBound) {
                add(.piece(piece), piece.start.upperBound)
            }
        }
        for (number, block) in snapshot.blocks.enumerated() {
            for (index, group) in block.footer.groups.enumerated()
            where query.range.overlaps(group.start.lowerBound, group.start.upperBound) {
                add(.group(block: number, index: index), group.start.upperBound)
            }
        }
    }

    // MARK: Testing rows

    private mutating func test(_ source: Source) throws(StoreError) {
        switch source {
        case .piece(let piece):
            page.inspected.spanCount += piece.batch.count
            let rows = try BatchScan.rows(of: piece.batch, in: query.range, matching: predicate)
            rows.forEach { row in
                add(piece.batch.traceIDs[row], piece.batch.startUnixNanos[row], Candidate())
            }
        case .group(let number, let index): try test(group: index, ofBlock: number)
        }
    }

    private mutating func test(group index: Int, ofBlock number: Int) throws(StoreError) {
        let stored = snapshot.blocks[number]
        let group = stored.footer.groups[index]
        var scan =
            scans[number] ?? BlockScan(stored.block.metered(by: meter), range: query.range, predicate: predicate)
        let mayMatch = try scan.mayMatch(group: index)
        let rows = mayMatch ? try scan.rows(inGroup: index) : RowSet(count: group.rowCount)
        scans[number] = scan
        if mayMatch { page.inspected.spanCount += group.rowCount }
        guard !rows.isEmpty else { return }
        let traces = try stored.block.traces(inGroup: index)
        let starts = try stored.block.starts(inGroup: index)
        var trace = -1
        var end = 0
        var latest: UInt64 = 0
        func addTrace() {
            guard trace >= 0 else { return }
            let entry = traces[trace]
            let local = (entry.rows.lowerBound - group.firstRow)..<(entry.rows.upperBound - group.firstRow)
            let isWhole = local.lowerBound >= 0 && local.upperBound <= group.rowCount
            let matchedCount = isWhole ? rows.selectedCount(in: local) : nil
            add(entry.id, latest, Candidate(known: .init(block: stored, entry: entry), matchedCount: matchedCount))
        }
        rows.forEach { local in
            let row = group.firstRow + local
            if trace < 0 || row >= end {
                addTrace()
                trace = traces.index(ofRow: row)
                end = traces.firstRows[trace + 1]
                latest = 0
            }
            latest = max(latest, starts[local])
        }
        addTrace()
    }

    /// Notes that a trace has a matching row; `start` is that of the latest one here.
    private mutating func add(_ id: TraceID, _ start: UInt64, _ candidate: Candidate) {
        switch due[id] {
        case .some(.none): return
        case .some(.some(let known)) where known >= start: return
        default: break
        }
        due[id] = .some(start)
        heap.push(.init(startUnixNanos: start, step: .candidate, traceID: id, index: candidates.count))
        candidates.append(candidate)
    }

    // MARK: Putting traces together

    private mutating func resolve(_ id: TraceID, _ candidate: Candidate) throws(StoreError) {
        let trace = try StoredTrace(id, in: snapshot, known: candidate.known)
        let start: UInt64?
        if let whole = trace.whole {
            start = whole.entry.startUnixNanos
        } else {
            start = nil
        }
        // A trace of an earlier page needs no summary.
        if let start, !comesAfterCursor(start, id) { return }
        guard let summary = try summary(of: trace, candidate),
            comesAfterCursor(summary.startUnixNanos, id)
        else { return }
        heap.push(
            .init(startUnixNanos: summary.startUnixNanos, step: .finished, traceID: id, index: finished.count)
        )
        finished.append(summary)
    }

    private func comesAfterCursor(_ start: UInt64, _ id: TraceID) -> Bool {
        query.cursor?.precedes(startUnixNanos: start, traceID: id) ?? true
    }

    /// The trace in one row; `nil` when the span that matched is a copy that does not count.
    private func summary(of trace: StoredTrace, _ candidate: Candidate) throws(StoreError) -> TraceSummary? {
        if trace.whole != nil, let matchedCount = candidate.matchedCount {
            let batch = try trace.assembled(.fixed)
            return TraceSummary(of: batch, rows: 0..<batch.count, matchedSpanCount: matchedCount)
        }
        let batch = try trace.assembled(columns)
        let matched = try BatchScan.rows(of: batch, in: query.range, matching: predicate).selectedCount
        return matched > 0 ? TraceSummary(of: batch, rows: 0..<batch.count, matchedSpanCount: matched) : nil
    }
}

extension SpanPredicate {
    /// The columns that testing it needs.
    var columns: SpanColumns {
        switch self {
        case .true: .fixed
        case .compare(let field, _, _), .exists(let field): field.columns
        case .and(let parts), .or(let parts): parts.reduce(.fixed) { $0.union($1.columns) }
        case .not(let part): part.columns
        }
    }
}

extension SpanField {
    /// The columns that hold the field.
    var columns: SpanColumns {
        switch self {
        case .duration, .name, .kind, .status, .serviceName, .traceID, .spanID, .parentSpanID: .fixed
        case .statusMessage, .scopeName, .scopeVersion: .details
        case .attribute(let scope, _):
            switch scope {
            case .any: [.attributes, .details]
            case .span: .attributes
            case .resource, .instrumentation: .details
            case .event: .events
            case .link: .links
            }
        }
    }
}
