// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Puts one trace together from the pieces in which it was stored.
///
/// The rule of ``SpanStore`` in one place: spans with equal id and kind are one, the copy that ends later is it, of
/// equal ends the one that starts later, of equal starts too the one that came later; the result is ordered by start, then
/// span id, then kind.
package struct TraceAssembly {
    private var pieces: [SpanBatch] = []
    private var rows: [Row] = []

    private struct Row {
        var spanID: SpanID
        var kind: UInt8
        var start: UInt64
        var end: UInt64
        /// Also the order of arrival.
        var piece: Int
        var row: Int

        func isCopy(of other: Row) -> Bool { spanID == other.spanID && kind == other.kind }
    }

    /// No trace yet.
    package init() {}

    /// Whether no row was added.
    package var isEmpty: Bool { rows.isEmpty }

    /// Adds rows of `batch`, all of one trace. Call in the order in which the pieces came.
    package mutating func add(_ batch: SpanBatch, rows added: some Sequence<Int>) {
        for row in added {
            rows.append(
                Row(
                    spanID: batch.spanIDs[row],
                    kind: Span.Kind(stored: batch.kinds[row]).rawValue,
                    start: batch.startUnixNanos[row],
                    end: batch.endUnixNanos(at: row),
                    piece: pieces.count,
                    row: row
                )
            )
        }
        pieces.append(batch)
    }

    /// The whole trace; columns that a piece lacks are empty or default. Throws ``StoreError/Code/limit`` when its texts
    /// do not fit into one batch.
    package consuming func finish() throws(StoreError) -> SpanBatch {
        // Copies of a span side by side, the one to keep last.
        rows.sort { a, b in
            (a.spanID, a.kind, a.end) != (b.spanID, b.kind, b.end)
                ? (a.spanID, a.kind, a.end) < (b.spanID, b.kind, b.end)
                : (a.start, a.piece, a.row) < (b.start, b.piece, b.row)
        }
        var kept: [Row] = []
        kept.reserveCapacity(rows.count)
        for index in rows.indices
        where index + 1 == rows.count || !rows[index].isCopy(of: rows[index + 1]) { kept.append(rows[index]) }
        kept.sort { ($0.start, $0.spanID, $0.kind) < ($1.start, $1.spanID, $1.kind) }

        var builder = SpanBatchBuilder()
        var mergers = pieces.map(SpanBatchMerger.init(from:))
        for row in kept { mergers[row.piece].append(row.row, to: &builder) }
        guard !builder.isFull else { throw .tooMuchText }
        return builder.finish(receivedUnixNanos: pieces.map(\.receivedUnixNanos).max() ?? 0)
    }
}

extension StoreError {
    /// A batch cannot hold the texts of spans that belong into it.
    package static var tooMuchText: StoreError {
        StoreError(
            .limit,
            "the texts of the spans take more than \(Interner.byteCountMax) bytes, as many as one batch holds: "
                + "read the trace in windows"
        )
    }
}

extension TraceSummary {
    /// The summary of a trace that lies, assembled, in `rows` of `batch`; `rows` must not be empty.
    package init(of batch: SpanBatch, rows: Range<Int>, matchedSpanCount: Int) {
        var root: Int?
        var start = UInt64.max
        var end: UInt64 = 0
        var errorCount = 0
        // By number, since two names of different bytes may be equal as strings.
        var services: [UInt32: ServiceCount] = [:]
        for row in rows {
            start = min(start, batch.startUnixNanos[row])
            end = max(end, batch.endUnixNanos(at: row))
            // Rows are ordered by start, so the first is the earliest.
            if root == nil, !batch.parentSpanIDs[row].isValid { root = row }
            let isError = batch.statusCodes[row] == Span.Status.Code.error.rawValue
            if isError { errorCount += 1 }
            let service = batch.resources.serviceNameRefs[Int(batch.resourceRows[row])]
            if services[service] == nil {
                services[service] = ServiceCount(name: batch.serviceName(at: row), spanCount: 0, errorCount: 0)
            }
            services[service]?.spanCount += 1
            if isError { services[service]?.errorCount += 1 }
        }
        self.init(
            traceID: batch.traceIDs[rows.lowerBound],
            rootServiceName: root.map(batch.serviceName(at:)) ?? "",
            rootSpanName: root.map { batch.dictionary.string(batch.nameRefs[$0]) } ?? "",
            startUnixNanos: start,
            durationNanos: end - start,
            spanCount: rows.count,
            errorCount: errorCount,
            matchedSpanCount: matchedSpanCount,
            services: services.values.sorted {
                $0.spanCount != $1.spanCount ? $0.spanCount > $1.spanCount : $0.name.precedes($1.name)
            }
        )
    }
}
