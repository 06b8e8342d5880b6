// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A trace too long to be put together for a question: which of its rows count is found out from ids and times alone, and
/// all else is read a window at a time.
struct LargeTrace {
    /// Stored spans from which on a trace is looked at in this way.
    static let spanCountMin = 64 << 10
    private static let windowRowCount = 16_384

    private enum Window {
        case block(StoredBlock, Range<Int>)
        case head(SpanBatch, [Int])
    }

    private let id: TraceID
    private var windows: [Window] = []
    /// Rows that count, by place.
    private let counting: RowSet

    /// The rows of `trace` and which of them count.
    init(_ trace: StoredTrace, _ cancellation: Cancellation) throws(StoreError) {
        id = trace.id
        for piece in trace.blockPieces {
            let rows = piece.entry.rows
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.windowRowCount) {
                windows.append(.block(piece.block, first..<min(rows.upperBound, first + Self.windowRowCount)))
            }
        }
        for piece in trace.headPieces { windows.append(.head(piece.batch, piece.rows)) }
        counting = try trace.counting(cancellation)
    }

    private static func read(
        _ window: Window,
        _ columns: SpanColumns
    ) throws(StoreError) -> (batch: SpanBatch, rows: [Int]) {
        switch window {
        case .block(let stored, let rows):
            return (try stored.block.uncached.batch(rows: rows, columns: columns), Array(0..<rows.count))
        case .head(let batch, let rows): return (batch, rows)
        }
    }

    /// The summary of the trace; `nil` when no span that counts satisfies the condition.
    func summary(
        range: TimeRange,
        matching predicate: CompiledPredicate,
        _ columns: SpanColumns,
        _ cancellation: Cancellation
    ) throws(StoreError) -> TraceSummary? {
        var sums = Sums()
        var place = 0
        for window in windows {
            try cancellation.check()
            let (batch, rows) = try Self.read(window, columns)
            let matching = try BatchScan.rows(of: batch, in: range, matching: predicate)
            for row in rows {
                if counting[place] { sums.add(batch, row, isMatching: matching[row]) }
                place += 1
            }
        }
        return sums.matchedCount > 0 ? sums.summary(id) : nil
    }

    /// What a summary sums up.
    private struct Sums {
        private(set) var matchedCount = 0
        private var spanCount = 0
        private var errorCount = 0
        private var start = UInt64.max
        private var end: UInt64 = 0
        /// By the bytes of the name, since two names of different bytes may be equal as strings.
        private var services: [[UInt8]: TraceSummary.ServiceCount] = [:]
        private var root: (start: UInt64, spanID: SpanID, kind: UInt8, service: String, name: String)?

        mutating func add(_ batch: SpanBatch, _ row: Int, isMatching: Bool) {
            spanCount += 1
            if isMatching { matchedCount += 1 }
            start = min(start, batch.startUnixNanos[row])
            end = max(end, batch.endUnixNanos(at: row))
            let isError = batch.statusCodes[row] == Span.Status.Code.error.rawValue
            if isError { errorCount += 1 }
            let name = batch.serviceName(at: row)
            let key = Array(name.utf8)
            services[key, default: .init(name: name, spanCount: 0, errorCount: 0)].spanCount += 1
            if isError { services[key]?.errorCount += 1 }
            guard !batch.parentSpanIDs[row].isValid else { return }
            let (spanID, kind) = (batch.spanIDs[row], batch.kinds[row])
            let isEarlier = root.map { (batch.startUnixNanos[row], spanID, kind) < ($0.start, $0.spanID, $0.kind) }
            if isEarlier ?? true {
                root = (batch.startUnixNanos[row], spanID, kind, name, batch.dictionary.string(batch.nameRefs[row]))
            }
        }

        func summary(_ id: TraceID) -> TraceSummary {
            TraceSummary(
                traceID: id,
                rootServiceName: root?.service ?? "",
                rootSpanName: root?.name ?? "",
                startUnixNanos: start,
                durationNanos: end - start,
                spanCount: spanCount,
                errorCount: errorCount,
                matchedSpanCount: matchedCount,
                services: services.values.sorted {
                    $0.spanCount != $1.spanCount ? $0.spanCount > $1.spanCount : $0.name.precedes($1.name)
                }
            )
        }
    }
}
