// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Adds up the spans of a snapshot that satisfy a query, each once: row groups as they are, on all cores, and put together
/// only the traces that lie in several places.
struct TableFolding<Fold: TableFold>: Sendable {
    private let query: TableQuery
    private let fold: Fold
    private let snapshot: Contents.Snapshot
    /// The same without blocks.
    private let head: Contents.Snapshot
    private let predicate: CompiledPredicate
    private let shared: Set<TraceID>
    private let cancellation: Cancellation
    private let memory: HeldMemory
    private let progress: SearchProgress?

    private static var workerCount: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// A piece of work.
    private enum Step: Sendable {
        /// Of a block of the snapshot, by number.
        case group(StoredBlock, Int, block: Int)
        case head
        case trace(TraceID)
    }

    /// - Parameter memory: Holds ``ReadCost/scan`` already, and whatever is needed beyond.
    init(
        _ query: TableQuery,
        by fold: Fold,
        in snapshot: Contents.Snapshot,
        _ cancellation: Cancellation,
        _ memory: HeldMemory,
        progress: SearchProgress? = nil
    ) throws(StoreError) {
        self.query = query
        self.fold = fold
        self.snapshot = snapshot
        self.cancellation = cancellation
        self.memory = memory
        self.progress = progress
        predicate = CompiledPredicate(query.predicate)
        var head = snapshot
        head.blocks = []
        self.head = head
        // Rows that are there once count wherever they are.
        shared =
            query.needsWholeTraces
            ? try snapshot.sharedTraces.traces(in: snapshot, query.range, cancellation)
            : try snapshot.sharedTraces.copied(in: snapshot, query.range, cancellation)
    }

    /// The sum.
    func run() throws(StoreError) -> Fold.Sum {
        var steps: [Step] = []
        var groupCounts: [Int: Int] = [:]
        for (number, stored) in snapshot.blocks.enumerated() {
            for (index, group) in stored.footer.groups.enumerated()
            where query.range.overlaps(group.start.lowerBound, group.start.upperBound) {
                steps.append(.group(stored, index, block: number))
                groupCounts[number, default: 0] += 1
            }
        }
        progress?.begin(blockCount: groupCounts.count)
        for (number, count) in groupCounts { progress?.open(block: number, pieceCount: count) }
        if snapshot.head.contains(where: { $0.rowCount > 0 }) { steps.append(.head) }
        var (sum, scattered) = try run(steps, beside: 0)
        // Traces to put together may turn up in several places.
        if !scattered.isEmpty {
            let held = fold.byteCount(of: sum) + scattered.count * Self.scatteredByteCount
            let (others, none) = try run(scattered.map { .trace($0) }, beside: held)
            precondition(none.isEmpty)
            scattered.removeAll()
            try fold.add(others, to: &sum)
        }
        return sum
    }

    /// Memory of a trace that is put together later.
    private static var scatteredByteCount: Int { 32 }

    /// What the steps add up to, and the traces that they came across and left out. `held` bytes are there already.
    private func run(_ steps: [Step], beside held: Int) throws(StoreError) -> (Fold.Sum, Set<TraceID>) {
        let next = Atomic<Int>(0)
        // Of the sums of all workers.
        let byteCount = Atomic<Int>(held)
        let results = Mutex<[Result<(Fold.Sum, Set<TraceID>), StoreError>]>([])
        let workerCount = max(1, min(Self.workerCount, steps.count))
        @Sendable func work(_: Int) {
            var sum = fold.zero()
            var scattered: Set<TraceID> = []
            var known = 0
            let result: Result<(Fold.Sum, Set<TraceID>), StoreError>
            do throws(StoreError) {
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    guard index < steps.count else { break }
                    try cancellation.check()
                    try add(steps[index], to: &sum, &scattered)
                    let now = fold.byteCount(of: sum) + scattered.count * Self.scatteredByteCount
                    let total = byteCount.add(now - known, ordering: .relaxed).newValue
                    known = now
                    if total > ReadCost.scan / 2 {
                        try memory.holdForRead(ReadCost.scan / 2 + total)
                    }
                }
                result = .success((sum, scattered))
            } catch {
                // The others need not go on.
                next.store(steps.count, ordering: .relaxed)
                result = .failure(error)
            }
            results.withLock { $0.append(result) }
        }
        if workerCount == 1 {
            work(0)
        } else {
            DispatchQueue.concurrentPerform(iterations: workerCount, execute: work)
        }
        var sum = fold.zero()
        var scattered: Set<TraceID> = []
        for result in results.withLock({ $0 }) {
            let part = try result.get()
            try fold.add(part.0, to: &sum)
            scattered.formUnion(part.1)
        }
        return (sum, scattered)
    }

    private func add(_ step: Step, to sum: inout Fold.Sum, _ scattered: inout Set<TraceID>) throws(StoreError) {
        switch step {
        case .group(let stored, let index, let block):
            try addGroup(index, of: stored, to: &sum, &scattered)
            progress?.add(spanCount: stored.footer.groups[index].rowCount)
            progress?.finishPiece(ofBlock: block)
        case .head: try addHead(to: &sum, &scattered)
        case .trace(let id): try addTrace(id, to: &sum)
        }
    }

    // MARK: Blocks

    private func addGroup(
        _ index: Int,
        of stored: StoredBlock,
        to sum: inout Fold.Sum,
        _ scattered: inout Set<TraceID>
    ) throws(StoreError) {
        var scan = BlockScan(stored.block, range: query.range, predicate: predicate)
        var rows = try scan.rows(inGroup: index)
        guard !rows.isEmpty else { return }
        let table = try GroupTable(stored.block, group: index)
        let first = stored.footer.groups[index].firstRow
        for number in 0..<table.entries.count {
            let isWhole = table.isWhole(number)
            guard !isWhole || table.entries.mayRepeat(number) || shared.contains(table.entries.ids[number]) else {
                continue
            }
            let entry = table.entries[number]
            let isAlone = !entry.hasDuplicates && !entry.isPartial && !shared.contains(entry.id)
            if isAlone, isWhole || !query.needsWholeTraces { continue }
            let local = (entry.rows.lowerBound - first)..<(entry.rows.upperBound - first)
            if rows.remove(local.clamped(to: 0..<rows.count)) { scattered.insert(entry.id) }
        }
        if !rows.isEmpty { try fold.add(rows, of: table, to: &sum) }
    }

    private func addTrace(_ id: TraceID, to sum: inout Fold.Sum) throws(StoreError) {
        // One that is not shared lies in the head, or in one block.
        var trace = try StoredTrace(id, in: shared.contains(id) ? snapshot : head)
        if trace.isEmpty { trace = try StoredTrace(id, in: snapshot) }
        let table = BatchTable(trace: try trace.assembled(query.columns, cancellation))
        let batch = try table.batch(rows: 0..<table.rowCount, columns: query.columns)
        let rows = try BatchScan.rows(of: batch, in: query.range, matching: predicate)
        if !rows.isEmpty { try fold.add(rows, of: table, to: &sum) }
    }

    // MARK: Head

    private func addHead(to sum: inout Fold.Sum, _ scattered: inout Set<TraceID>) throws(StoreError) {
        let pieces = snapshot.head.flatMap(\.pieces)
        let counting = query.needsWholeTraces ? nil : HeadSpans.counting(in: pieces)
        for (number, piece) in pieces.enumerated()
        where query.range.overlaps(piece.start.lowerBound, piece.start.upperBound) {
            try cancellation.check()
            var rows = try BatchScan.rows(of: piece.batch, in: query.range, matching: predicate)
            guard !rows.isEmpty else { continue }
            for row in rows.rows {
                let id = piece.batch.traceIDs[row]
                if query.needsWholeTraces || shared.contains(id) {
                    scattered.insert(id)
                    rows[row] = false
                }
            }
            if let counting { rows.formIntersection(counting[number]) }
            if !rows.isEmpty { try fold.add(rows, of: BatchTable(spans: piece.batch), to: &sum) }
        }
    }
}

/// Which rows of the head count: of the copies of a span one.
private enum HeadSpans {
    private struct Span: Hashable {
        var traceID: TraceID
        var spanID: SpanID
        var kind: UInt8
    }

    /// By piece the rows that count.
    static func counting(in pieces: [HeadPart.Piece]) -> [RowSet] {
        var counting = pieces.map { RowSet(count: $0.batch.count, all: true) }
        var places: [Span: (piece: Int, row: Int)] = [:]
        places.reserveCapacity(pieces.reduce(0) { $0 + $1.batch.count })
        for (number, piece) in pieces.enumerated() {
            let batch = piece.batch
            for row in 0..<batch.count {
                let span = Span(
                    traceID: batch.traceIDs[row],
                    spanID: batch.spanIDs[row],
                    kind: SkeinModel.Span.Kind(stored: batch.kinds[row]).rawValue
                )
                guard let known = places.updateValue((number, row), forKey: span) else { continue }
                let other = pieces[known.piece].batch
                // The later of two places is that of the one that came later.
                if batch.key(row, place: 1).counts(before: other.key(known.row, place: 0)) {
                    counting[known.piece][known.row] = false
                } else {
                    places[span] = known
                    counting[number][row] = false
                }
            }
        }
        return counting
    }
}
