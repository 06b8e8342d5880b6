// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The rows of one entry on its way into the new block.
struct UnitRows {
    private struct Row {
        var start: UInt64
        var end: UInt64
        var spanID: UInt64
        var kind: UInt8
        /// Also the order of arrival.
        var source: RowOrder.Source
        var arrival: Int

        func isCopy(of other: Row) -> Bool { spanID == other.spanID && kind == other.kind }
    }

    private var rows: [Row] = []
    /// In the order of a block, once finished.
    private(set) var sources: [RowOrder.Source] = []

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        sources.removeAll(keepingCapacity: true)
    }

    mutating func add(_ batch: SpanBatch, _ number: UInt32, _ added: Range<Int>) {
        for row in added {
            rows.append(
                Row(
                    start: batch.startUnixNanos[row],
                    end: batch.endUnixNanos(at: row),
                    spanID: batch.spanIDs[row].rawValue,
                    kind: (Span.Kind(rawValue: batch.kinds[row]) ?? .unspecified).rawValue,
                    source: RowOrder.Source(batch: number, row: UInt32(row)),
                    arrival: rows.count
                )
            )
        }
    }

    /// Brings the rows into order, of copies the one that counts; returns how many do not.
    mutating func finish(isSimple: Bool) -> Int {
        if isSimple, zip(rows, rows.dropFirst()).allSatisfy({ $0.start <= $1.start }) {
            for row in rows { sources.append(row.source) }
            return 0
        }
        rows.sort {
            ($0.spanID, $0.kind, $0.end, $0.start, $0.arrival) < ($1.spanID, $1.kind, $1.end, $1.start, $1.arrival)
        }
        var kept: [Row] = []
        kept.reserveCapacity(rows.count)
        for index in rows.indices
        where index + 1 == rows.count || !rows[index].isCopy(of: rows[index + 1]) { kept.append(rows[index]) }
        kept.sort { ($0.start, $0.spanID, $0.kind) < ($1.start, $1.spanID, $1.kind) }
        for row in kept { sources.append(row.source) }
        return rows.count - kept.count
    }
}
