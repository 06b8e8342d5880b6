// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What orders a stored row within its trace, and tells which of several copies of a span counts. 32 bytes.
struct RowKey: BitwiseCopyable {
    var startUnixNanos: UInt64
    var endUnixNanos: UInt64
    var spanID: UInt64
    /// From the top: 56 bits of place, 8 bits of kind.
    private var placeAndKind: UInt64

    /// - Parameter place: Number of the row among all stored rows of the trace, in order of arrival.
    init(startUnixNanos: UInt64, durationNanos: UInt64, spanID: UInt64, kind: UInt8, place: Int) {
        let (end, overflow) = startUnixNanos.addingReportingOverflow(durationNanos)
        self.startUnixNanos = startUnixNanos
        endUnixNanos = overflow ? .max : end
        self.spanID = spanID
        placeAndKind = UInt64(place) << 8 | UInt64(Span.Kind(stored: kind).rawValue)
    }

    var place: Int { Int(placeAndKind >> 8) }
    var kind: UInt8 { UInt8(truncatingIfNeeded: placeAndKind) }

    /// The place just after this row in the order of the trace.
    var cursor: SpanCursor {
        SpanCursor(startUnixNanos: startUnixNanos, spanID: SpanID(spanID), kind: Span.Kind(stored: kind))
    }

    /// Whether both are the same span.
    func isCopy(of other: RowKey) -> Bool { spanID == other.spanID && kind == other.kind }

    /// Whether of two copies of a span this one counts.
    func counts(before other: RowKey) -> Bool {
        (endUnixNanos, startUnixNanos, place) > (other.endUnixNanos, other.startUnixNanos, other.place)
    }

    /// The order of a trace; copies that start together come as they arrived.
    static func < (a: RowKey, b: RowKey) -> Bool {
        if a.startUnixNanos != b.startUnixNanos { return a.startUnixNanos < b.startUnixNanos }
        if a.spanID != b.spanID { return a.spanID < b.spanID }
        return a.kind != b.kind ? a.kind < b.kind : a.place < b.place
    }

    /// Whether the row comes after a place in the order of the trace; every row does after none.
    func comes(after cursor: SpanCursor?) -> Bool {
        cursor?.precedes(startUnixNanos: startUnixNanos, spanID: SpanID(spanID), kind: Span.Kind(stored: kind)) ?? true
    }
}

extension Block {
    /// The keys of rows of a group, counted from its first, of which the first has the place `place`. Reads ids, times
    /// and kinds.
    func keys(inGroup index: Int, rows: Range<Int>, place: Int) throws(StoreError) -> [RowKey] {
        let group = footer.groups[index]
        let directory = try directory(ofGroup: index)
        let starts = try starts(group, directory, try traces(inGroup: index), rows)
        let spanIDs = try reader.numbers(directory.spanIDs)
        let durations = try reader.numbers(directory.durations)
        let kinds = try reader.numbers(directory.kinds)
        var keys: [RowKey] = []
        keys.reserveCapacity(rows.count)
        for (offset, row) in rows.enumerated() {
            keys.append(
                RowKey(
                    startUnixNanos: starts[offset],
                    durationNanos: durations[row],
                    spanID: spanIDs[row],
                    kind: UInt8(truncatingIfNeeded: kinds[row]),
                    place: place + offset
                )
            )
        }
        return keys
    }

    /// Calls `body` with each group that holds some of `rows` of the block, and those counted from the group's first row,
    /// until it returns false.
    func forEachGroup(
        of rows: Range<Int>,
        _ body: (_ group: Int, _ rows: Range<Int>) throws(StoreError) -> Bool
    ) throws(StoreError) {
        guard !rows.isEmpty else { return }
        var index = group(ofRow: rows.lowerBound)
        while index < footer.groups.count, footer.groups[index].firstRow < rows.upperBound {
            let group = footer.groups[index]
            let part = rows.clamped(to: group.rows)
            guard try body(index, (part.lowerBound - group.firstRow)..<(part.upperBound - group.firstRow)) else {
                return
            }
            index += 1
        }
    }
}

extension SpanBatch {
    /// The key of row `row`, whose place is `place`.
    func key(_ row: Int, place: Int) -> RowKey {
        RowKey(
            startUnixNanos: startUnixNanos[row],
            durationNanos: durationNanos[row],
            spanID: spanIDs[row].rawValue,
            kind: kinds[row],
            place: place
        )
    }
}
