// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// One search: newest traces first, looking at no more than the page needs.
///
/// Every batch of the head and every row group is a source with a bound: no row in it starts later. Sources, traces of
/// which a match is known, and finished traces go through one heap by start; a trace is put together from all its pieces
/// only when it may be next, and shown at its true start if it still matches.
///
/// A trace starts no later than any of its spans. But a row may be a copy that does not count, and then say nothing of
/// the trace: so a candidate is due at a time that none of its matching rows starts after, and due again when a later
/// one is found.
struct TraceSearch {
    private let snapshot: Contents.Snapshot
    private let query: SpanQuery
    private let predicate: CompiledPredicate
    private let cancellation: Cancellation
    private let memory: HeldMemory
    private let largeTraceSpanCount: Int
    private let evaluation: (any TraceEvaluation)?
    private let requirements: [CompiledPredicate]
    /// The traces that lie in several places, once it was worth finding out.
    private var shared: Set<TraceID>?
    private let meter = ReadMeter()
    private let progress: SearchProgress?

    private enum Source {
        case piece(HeadPart.Piece)
        /// Number in the snapshot: its groups become sources when it is due.
        case block(Int)
        case group(GroupPlace)
    }

    private struct GroupPlace: Hashable {
        /// Of the snapshot.
        var block: Int
        /// Of the block.
        var group: Int
    }

    /// A trace with a matching row.
    private struct Candidate {
        /// Set when the row is in a block.
        var place: GroupPlace?
        /// Of the group's traces.
        var trace = 0
        /// Matching rows, when all rows of the block's piece were tested.
        var matchedCount: Int?
    }

    /// A trace whose start is known.
    private struct Finished {
        enum Summary {
            case made(TraceSummary)
            /// The whole of it lies in one group; summed up when it is shown.
            case inGroup(GroupPlace, trace: Int, matchedCount: Int)
        }

        var summary: Summary
        /// Number of the evaluation's answer.
        var answer: Int?
    }

    private var heap = SearchHeap()
    private var sources: [Source] = []
    private var candidates: [Candidate] = []
    private var finished: [Finished] = []
    /// When the candidate of a trace is due; `UInt64?.none` for one whose start is known.
    private var due: [TraceID: UInt64?] = [:]
    private var scans: [BlockScan?]
    private var summaries = RecentlyUsed<GroupPlace, GroupSummaries>(countMax: 64)
    private var summaryByteCount = 0
    private var join: TraceJoin
    private var page = SearchPage()
    /// Numbers of the evaluation's answers, by trace of the page.
    private(set) var answers: [Int] = []
    private var tables = RecentlyUsed<GroupPlace, GroupTable>(countMax: 8)
    private var tableByteCount = 0
    /// How many row groups are tested at once: more and more while nothing is found.
    private var window = 1

    /// Traces in a page from which on it is worth knowing which lie in several places.
    private static let sharedTracesLimit = 500
    /// Of more it is not asked which groups hold them.
    private static let sharedCountMax = 4_096
    private static let windowMax = 4 * ProcessInfo.processInfo.activeProcessorCount

    /// - Parameters:
    ///   - memory: Holds ``ReadCost/search`` already, and whatever the search needs beyond.
    ///   - largeTraceSpanCount: Stored spans from which on a trace is looked at a window at a time.
    ///   - evaluation: What is asked of each trace beside the query.
    ///   - requirements: What a trace has spans for that are worth evaluating, each of them.
    ///   - progress: Told how far it has come.
    init(
        _ query: SpanQuery,
        evaluation: (any TraceEvaluation)? = nil,
        requirements: [SpanPredicate] = [],
        in snapshot: Contents.Snapshot,
        _ cancellation: Cancellation,
        _ memory: HeldMemory = HeldMemory(ByteBudget(limit: .max)),
        largeTraceSpanCount: Int = LargeTrace.spanCountMin,
        progress: SearchProgress? = nil
    ) {
        self.snapshot = snapshot
        self.query = query
        self.cancellation = cancellation
        self.memory = memory
        self.largeTraceSpanCount = largeTraceSpanCount
        self.evaluation = evaluation
        self.progress = progress
        self.requirements = requirements.map { CompiledPredicate($0) }
        predicate = CompiledPredicate(query.predicate)
        join = TraceJoin(range: query.range, predicate: predicate, columns: query.predicate.columns)
        scans = [BlockScan?](repeating: nil, count: snapshot.blocks.count)
    }

    /// The page.
    mutating func run() throws(StoreError) -> SearchPage {
        // To ask about each of many traces costs more.
        if query.cursor != nil || query.limit >= Self.sharedTracesLimit || !requirements.isEmpty {
            shared = try snapshot.sharedTraces.traces(in: snapshot, query.range, cancellation)
        }
        addSources()
        while let entry = heap.pop() {
            try cancellation.check()
            switch entry.step {
            case .source:
                switch sources[entry.index] {
                case .piece(let piece): try test(piece)
                case .block(let number): addGroups(ofBlock: number)
                case .group(let place): try test(nextGroups(place))
                }
            case .candidate:
                guard case .some(.some) = due.updateValue(nil, forKey: entry.traceID) else { continue }
                try resolve(entry.traceID, candidates[entry.index])
            case .finished:
                guard page.traces.count < query.limit else {
                    page.next = page.traces.last.map {
                        SearchCursor(startUnixNanos: $0.startUnixNanos, traceID: $0.traceID)
                    }
                    return finish()
                }
                let trace = finished[entry.index]
                page.traces.append(try summary(trace.summary))
                if let answer = trace.answer { answers.append(answer) }
                window = 1
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

    private mutating func add(_ source: Source, _ bound: UInt64) {
        // The latest start that a matching row may have.
        let latest = query.range.end == .max ? UInt64.max : query.range.end &- 1
        heap.push(.init(startUnixNanos: min(bound, latest), step: .source, index: sources.count))
        sources.append(source)
    }

    private mutating func addSources() {
        for part in snapshot.head {
            for piece in part.pieces where query.range.overlaps(piece.start.lowerBound, piece.start.upperBound) {
                add(.piece(piece), piece.start.upperBound)
            }
        }
        var blockCount = 0
        for (number, block) in snapshot.blocks.enumerated() where !block.footer.groups.isEmpty {
            let start = block.footer.start
            guard query.range.overlaps(start.lowerBound, start.upperBound) else { continue }
            add(.block(number), start.upperBound)
            blockCount += 1
        }
        progress?.begin(blockCount: blockCount)
    }

    private mutating func addGroups(ofBlock number: Int) {
        let shown = groupsShown(ofBlock: number)
        var groupCount = 0
        for (index, group) in snapshot.blocks[number].footer.groups.enumerated()
        where query.range.overlaps(group.start.lowerBound, group.start.upperBound) && !shown[index] {
            add(.group(GroupPlace(block: number, group: index)), group.start.upperBound)
            groupCount += 1
        }
        progress?.open(block: number, pieceCount: groupCount)
    }

    /// The groups of which every trace lies there alone and was on a page before, so that none need be read.
    private func groupsShown(ofBlock number: Int) -> RowSet {
        let block = snapshot.blocks[number].block
        let groups = block.footer.groups
        guard let cursor = query.cursor, let shared, shared.count <= Self.sharedCountMax else {
            return RowSet(count: groups.count)
        }
        var shown = RowSet(count: groups.count) { index in
            // Of a long trace there may be more in the block.
            groups[index].traceCount > 1 && groups[index].traceStart.lowerBound > cursor.startUnixNanos
        }
        guard !shown.isEmpty else { return shown }
        for id in shared { shown.subtract(block.groups(holding: id)) }
        return shown
    }

    /// Whether all rows of a trace of which some are in a block are there.
    private func isAlone(_ id: TraceID, in stored: StoredBlock) -> Bool {
        if let shared { return !shared.contains(id) }
        return !snapshot.mayHold(id, elsewhereThan: stored)
    }

    // MARK: Testing rows

    private mutating func test(_ piece: HeadPart.Piece) throws(StoreError) {
        page.inspected.spanCount += piece.batch.count
        progress?.add(spanCount: piece.batch.count)
        let rows = try BatchScan.rows(of: piece.batch, in: query.range, matching: predicate)
        join.note(rows, of: piece)
        rows.forEach { row in add(piece.batch.traceIDs[row], due: piece.batch.startUnixNanos[row], Candidate()) }
    }

    /// The group given, and those that are due next while no other step is.
    private mutating func nextGroups(_ first: GroupPlace) -> [GroupPlace] {
        var places = [first]
        while places.count < window, let next = heap.first, next.step == .source,
            case .group(let place) = sources[next.index]
        {
            _ = heap.pop()
            places.append(place)
        }
        window = min(window * 2, Self.windowMax)
        return places
    }

    /// Tests groups, on all cores where there are several.
    private mutating func test(_ places: [GroupPlace]) throws(StoreError) {
        // What a scan learns of its block's tables here, the copies below share.
        var wanted: [(place: GroupPlace, scan: BlockScan)] = []
        for place in places {
            let stored = snapshot.blocks[place.block]
            var scan =
                scans[place.block]
                ?? BlockScan(stored.block.metered(by: meter), range: query.range, predicate: predicate)
            if try scan.mayMatch(group: place.group) {
                page.inspected.spanCount += stored.footer.groups[place.group].rowCount
                progress?.add(spanCount: stored.footer.groups[place.group].rowCount)
                wanted.append((place, scan))
            }
            scans[place.block] = scan
        }
        for (place, rows) in zip(wanted.map(\.place), try rows(wanted)) where !rows.isEmpty {
            join.note(rows, ofGroup: place.group, in: snapshot.blocks[place.block])
            try note(rows, in: place)
        }
        if let progress { for place in places { progress.finishPiece(ofBlock: place.block) } }
    }

    private func rows(_ wanted: [(place: GroupPlace, scan: BlockScan)]) throws(StoreError) -> [RowSet] {
        let cancellation = cancellation
        let results = Mutex([Result<RowSet, StoreError>?](repeating: nil, count: wanted.count))
        @Sendable func test(_ index: Int) {
            var scan = wanted[index].scan
            let result: Result<RowSet, StoreError>
            do throws(StoreError) {
                try cancellation.check()
                result = .success(try scan.rows(inGroup: wanted[index].place.group))
            } catch {
                result = .failure(error)
            }
            results.withLock { $0[index] = result }
        }
        if wanted.count == 1 {
            test(0)
        } else {
            DispatchQueue.concurrentPerform(iterations: wanted.count, execute: test)
        }
        var rows: [RowSet] = []
        for case let result? in results.withLock({ $0 }) { rows.append(try result.get()) }
        return rows
    }

    /// Notes the traces of which these rows of a group match.
    private mutating func note(_ rows: RowSet, in place: GroupPlace) throws(StoreError) {
        let stored = snapshot.blocks[place.block]
        let group = stored.footer.groups[place.group]
        let summaries = try summaries(of: place)
        let required = try required(in: place)
        var end = 0
        try rows.forEach { local throws(StoreError) in
            let row = group.firstRow + local
            guard row >= end else { return }
            let trace = summaries.traces.index(ofRow: row)
            let entry = summaries.traces[trace]
            end = entry.rows.upperBound
            let isWhole = entry.rows.lowerBound >= group.firstRow && end <= group.firstRow + group.rowCount
            // Of a trace that lies here alone the start is known: it was on a page before.
            if let cursor = query.cursor, isWhole, !entry.hasDuplicates, !entry.isPartial,
                !cursor.precedes(startUnixNanos: entry.startUnixNanos, traceID: entry.id),
                isAlone(entry.id, in: stored)
            {
                return
            }
            let inGroup = (entry.rows.lowerBound - group.firstRow)..<(end - group.firstRow)
            // Most traces that lack what is required lie here alone, and are not looked at again.
            if isWhole, required.contains(where: { !$0.contains(anyOf: inGroup) }), !entry.isPartial,
                isAlone(entry.id, in: stored)
            {
                return
            }
            add(
                entry.id,
                due: min(entry.endUnixNanos, group.start.upperBound),
                Candidate(
                    place: place,
                    trace: trace,
                    matchedCount: isWhole ? rows.selectedCount(in: inGroup) : nil
                )
            )
        }
    }

    /// For each requirement the rows of a group that satisfy it.
    private func required(in place: GroupPlace) throws(StoreError) -> [RowSet] {
        var sets: [RowSet] = []
        for requirement in requirements {
            let block = snapshot.blocks[place.block].block.metered(by: meter)
            var scan = BlockScan(block, range: .all, predicate: requirement)
            sets.append(try scan.rows(inGroup: place.group))
        }
        return sets
    }

    /// Notes that a trace has a matching row, none here starting after `moment`.
    private mutating func add(_ id: TraceID, due moment: UInt64, _ candidate: Candidate) {
        switch due[id] {
        case .some(.none): return
        case .some(.some(let known)) where known >= moment: return
        default: break
        }
        due[id] = .some(moment)
        heap.push(.init(startUnixNanos: moment, step: .candidate, traceID: id, index: candidates.count))
        candidates.append(candidate)
    }

    // MARK: Putting traces together

    private mutating func resolve(_ id: TraceID, _ candidate: Candidate) throws(StoreError) {
        var known: StoredTrace.BlockPiece?
        if let place = candidate.place {
            known = .init(
                block: snapshot.blocks[place.block],
                entry: try summaries(of: place).traces[candidate.trace]
            )
        }
        let trace: StoredTrace
        if let known, !known.entry.isPartial, shared?.contains(id) == false {
            trace = try StoredTrace(id, lyingIn: known, of: snapshot)
        } else {
            trace = try StoredTrace(id, in: snapshot, known: known)
        }
        let held = memory.count
        defer { _ = memory.resize(to: held) }
        if let whole = trace.whole, let place = candidate.place, var matchedCount = candidate.matchedCount {
            var answer: Int?
            if let evaluation {
                let table = try table(of: place)
                guard let found = try evaluation.evaluate(table.trace(candidate.trace), of: table) else { return }
                (answer, matchedCount) = (found.answer, found.matchedSpanCount)
            }
            let summary = Finished.Summary.inGroup(place, trace: candidate.trace, matchedCount: matchedCount)
            return finish(id, whole.entry.startUnixNanos, Finished(summary: summary, answer: answer))
        }
        if let evaluation { return try evaluate(trace, evaluation) }
        if trace.spanCount >= largeTraceSpanCount {
            try memory.holdForRead(summaryByteCount + CountingRows.byteCount(in: trace) + ReadCost.window)
            let large = try LargeTrace(trace, cancellation)
            let summary = try large.summary(range: query.range, matching: predicate, cancellation)
            if let summary { finish(id, summary.startUnixNanos, Finished(summary: .made(summary))) }
            return
        }
        try memory.holdForRead(ReadCost.search / 2 + summaryByteCount + join.byteCount + 64 * trace.spanCount)
        // The row that matched may be a copy that does not count.
        guard let summary = try join.summary(of: trace, cancellation) else { return }
        finish(id, summary.startUnixNanos, Finished(summary: .made(summary)))
    }

    /// Puts a trace together that lies in several places, and evaluates it.
    private mutating func evaluate(
        _ trace: StoredTrace,
        _ evaluation: any TraceEvaluation
    ) throws(StoreError) {
        let columns = evaluation.columns.union(query.predicate.columns)
        let batch = try trace.assembled(
            columns,
            cancellation,
            memory,
            others: ReadCost.search / 2 + summaryByteCount + tableByteCount
        )
        let table = BatchTable(trace: batch)
        defer { evaluation.forget(table) }
        for facts in table.traces() {
            guard let found = try evaluation.evaluate(facts, of: table) else { continue }
            let summary = TraceSummary(of: batch, rows: facts.rows, matchedSpanCount: found.matchedSpanCount)
            finish(trace.id, summary.startUnixNanos, Finished(summary: .made(summary), answer: found.answer))
        }
    }

    private mutating func table(of place: GroupPlace) throws(StoreError) -> GroupTable {
        if let known = tables.value(of: place) { return known }
        let made = try GroupTable(snapshot.blocks[place.block].block.metered(by: meter), group: place.group)
        // Some columns will be read.
        let byteCount = made.byteCount + 64 * made.rowCount
        if !memory.grow(to: ReadCost.search / 2 + summaryByteCount + tableByteCount + byteCount) {
            while let old = tables.removeOldest() { evaluation?.forget(old) }
            tableByteCount = 0
        }
        tableByteCount += byteCount
        if let old = tables.keep(made, of: place) {
            evaluation?.forget(old)
            tableByteCount = max(0, tableByteCount - old.byteCount - 64 * old.rowCount)
        }
        return made
    }

    private mutating func finish(_ id: TraceID, _ start: UInt64, _ trace: Finished) {
        guard query.cursor?.precedes(startUnixNanos: start, traceID: id) ?? true else { return }
        heap.push(.init(startUnixNanos: start, step: .finished, traceID: id, index: finished.count))
        finished.append(trace)
    }

    private mutating func summary(_ trace: Finished.Summary) throws(StoreError) -> TraceSummary {
        switch trace {
        case .made(let summary): return summary
        case .inGroup(let place, let trace, let matchedCount):
            return try summaries(of: place).summary(ofTrace: trace, matchedSpanCount: matchedCount)
        }
    }

    private mutating func summaries(of place: GroupPlace) throws(StoreError) -> GroupSummaries {
        if let known = summaries.value(of: place) { return known }
        let block = snapshot.blocks[place.block].block.metered(by: meter)
        let made = try GroupSummaries(block, group: place.group, traces: try block.traces(inGroup: place.group))
        summaryByteCount += made.byteCount
        if !memory.grow(to: ReadCost.search / 2 + summaryByteCount) {
            // Making them anew takes time only.
            summaries.removeAll()
            summaryByteCount = made.byteCount
        }
        summaryByteCount -= summaries.keep(made, of: place)?.byteCount ?? 0
        return made
    }
}
