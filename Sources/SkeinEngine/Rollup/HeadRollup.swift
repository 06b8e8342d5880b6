// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// What the spans of a head part add up to, as far as somebody asked.
///
/// What was counted is kept with the number of its rows. When more rows have come, only the traces that gained some are
/// counted anew.
final class HeadRollup: Sendable {
    private struct Counted {
        var rowCount = 0
        var rollup = Rollup()
    }

    private let counted = Mutex(Counted())

    init() {}

    /// What the rows of `snapshot` add up to; a little more when another thread asked for more meanwhile.
    func rollup(of snapshot: HeadSnapshot) throws(StoreError) -> Rollup {
        try counted.withLock { counted throws(StoreError) in
            if counted.rowCount >= snapshot.rowCount { return counted.rollup }
            counted.rollup =
                counted.rowCount * 2 < snapshot.rowCount
                ? try Self.count(snapshot.pieces.map(\.batch))
                : counted.rollup + (try Self.difference(snapshot, since: counted.rowCount))
            counted.rowCount = snapshot.rowCount
            return counted.rollup
        }
    }

    private static func count(_ batches: [SpanBatch]) throws(StoreError) -> Rollup {
        var counter = RollupCounter()
        var tables = BlockTables()
        counter.add(try BlockSection(batches, RowOrder(batches), tables: &tables), tables)
        return counter.take()
    }

    /// What the traces with rows from `row` on add up to, less what they did before.
    private static func difference(_ snapshot: HeadSnapshot, since row: Int) throws(StoreError) -> Rollup {
        var ids: Set<TraceID> = []
        for piece in snapshot.pieces where piece.endRow > row {
            ids.formUnion(piece.batch.traceIDs[max(row - piece.firstRow, 0)...])
        }
        var before = RowOrder(sources: [], traces: [])
        var after = RowOrder(sources: [], traces: [])
        var batches: [SpanBatch] = []
        var numbers: [Int: UInt32] = [:]
        for id in ids {
            var rows: [TraceRow] = []
            for at in snapshot.part.rows(of: id, below: snapshot.rowCount) {
                let piece = snapshot.index(ofRow: at)
                let batch = snapshot.pieces[piece].batch
                let number = numbers[piece] ?? UInt32(batches.count)
                if Int(number) == batches.count {
                    numbers[piece] = number
                    batches.append(batch)
                }
                rows.append(TraceRow(batch, at - snapshot.pieces[piece].firstRow, number: number, arrival: at))
            }
            rows.sort()
            after.append(id, rows)
            before.append(id, rows.filter { $0.arrival < row })
        }
        var counter = RollupCounter()
        var tables = BlockTables()
        counter.add(try BlockSection(batches, after, tables: &tables), tables)
        if !before.sources.isEmpty {
            counter.add(try BlockSection(batches, before, tables: &tables), tables, isTakenAway: true)
        }
        return counter.take()
    }
}

/// A row with what orders it within its trace.
private struct TraceRow: Comparable {
    var start: UInt64
    var spanID: SpanID
    var kind: UInt8
    var source: RowOrder.Source
    var arrival: Int

    init(_ batch: SpanBatch, _ row: Int, number: UInt32, arrival: Int) {
        start = batch.startUnixNanos[row]
        spanID = batch.spanIDs[row]
        kind = batch.kinds[row]
        source = RowOrder.Source(batch: number, row: UInt32(row))
        self.arrival = arrival
    }

    static func == (a: TraceRow, b: TraceRow) -> Bool { a.arrival == b.arrival }

    static func < (a: TraceRow, b: TraceRow) -> Bool {
        (a.start, a.spanID, a.kind, a.arrival) < (b.start, b.spanID, b.kind, b.arrival)
    }
}

extension RowOrder {
    /// Adds a trace, if it has rows.
    fileprivate mutating func append(_ id: TraceID, _ rows: [TraceRow]) {
        guard !rows.isEmpty else { return }
        traces.append(Trace(id: id, rowCount: UInt32(rows.count)))
        sources += rows.map(\.source)
    }
}
