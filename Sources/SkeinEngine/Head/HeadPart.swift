// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import Synchronization

/// Spans in memory that are not yet in a block: the batches as they were appended, and an index by trace.
///
/// A part belongs to consecutive log segments. It grows while it is the active one; once frozen it never changes again,
/// becomes a block, and goes. One writer at a time; any thread may read.
final class HeadPart: Sendable {
    /// A batch and the number of its first row in the part.
    final class Piece: Sendable {
        let batch: SpanBatch
        let firstRow: Int
        /// Names the piece for as long as the process runs.
        let number = Piece.nextNumber.add(1, ordering: .relaxed).oldValue
        /// Least and greatest span start.
        let start: ClosedRange<UInt64>

        private static let nextNumber = Atomic<UInt64>(0)

        init(_ batch: SpanBatch, firstRow: Int) {
            self.batch = batch
            self.firstRow = firstRow
            start = (batch.startUnixNanos.min() ?? 0)...(batch.startUnixNanos.max() ?? 0)
        }

        var endRow: Int { firstRow + batch.count }
    }

    /// What the part holds, in figures.
    struct Figures {
        var spanCount = 0
        var byteCount = 0
        /// Bytes of its log segments.
        var logByteCount = 0
        /// Bytes of the block's tables, at most.
        var tableByteCount = 0
        var oldestStart = UInt64.max
        var newestStart: UInt64 = 0
        /// When the first and the last batch were added, by the monotonic clock.
        var firstAppendNanos: UInt64 = 0
        var lastAppendNanos: UInt64 = 0
    }

    /// A batch smaller than this is joined with its neighbours.
    static let smallBatchSpanCount = 64
    /// When neighbouring small batches hold this many spans, they become one.
    static let joinedSpanCount = 512

    private struct State: ~Copyable {
        var memory: ByteBudget.Reservation
        var pieces: [Piece] = []
        var index = TraceIndex()
        var figures = Figures()
        var tables = TableSize()
        /// How many pieces at the end are small.
        var smallPieceCount = 0
        var smallSpanCount = 0

        var byteCount: Int { figures.byteCount + index.byteCount }
    }

    /// Names the part for as long as the process runs.
    let number = HeadPart.nextNumber.add(1, ordering: .relaxed).oldValue
    private static let nextNumber = Atomic<UInt64>(0)

    /// The first log segment whose spans are here.
    let firstSegment: UInt64
    private let state: Mutex<State>
    let rollup = HeadRollup()
    let names = HeadNames()
    let values = HeadValues()

    /// An empty part for spans of segment `firstSegment` and later, which are counted against `budget` for as long as
    /// anybody holds the part.
    init(firstSegment: UInt64, budget: ByteBudget) {
        self.firstSegment = firstSegment
        state = Mutex(State(memory: budget.reservation()))
    }

    var figures: Figures {
        state.withLock { state in
            var figures = state.figures
            figures.byteCount = state.byteCount
            return figures
        }
    }

    /// Counts the spans against `budget` from now on: a block has taken the part's place, and whoever reads it still
    /// keeps it in memory.
    func move(to budget: ByteBudget) { state.withLock { $0.memory.move(to: budget) } }

    /// Adds a batch, which must not be empty. `nowNanos` is the monotonic clock's.
    func append(_ batch: SpanBatch, nowNanos: UInt64) {
        state.withLock { state in
            let isSmall = batch.count < Self.smallBatchSpanCount
            if !isSmall { Self.joinSmallPieces(&state) }
            let piece = Piece(batch, firstRow: state.figures.spanCount)
            state.pieces.append(piece)
            state.index.append(batch.traceIDs)
            state.figures.spanCount += batch.count
            state.figures.byteCount += batch.byteCount
            state.tables.add(batch)
            state.figures.tableByteCount = state.tables.byteCount
            state.figures.oldestStart = min(state.figures.oldestStart, piece.start.lowerBound)
            state.figures.newestStart = max(state.figures.newestStart, piece.start.upperBound)
            if state.figures.firstAppendNanos == 0 { state.figures.firstAppendNanos = nowNanos }
            state.figures.lastAppendNanos = nowNanos
            if isSmall {
                state.smallPieceCount += 1
                state.smallSpanCount += batch.count
                if state.smallSpanCount >= Self.joinedSpanCount { Self.joinSmallPieces(&state) }
            }
            state.memory.resizeAnyway(to: state.byteCount)
        }
    }

    /// Notes that so many bytes more of the log are the part's.
    func note(logByteCount: Int) { state.withLock { $0.figures.logByteCount += logByteCount } }

    /// What the part holds now; later appends do not show in it.
    func snapshot() -> HeadSnapshot {
        state.withLock { HeadSnapshot(part: self, pieces: $0.pieces, rowCount: $0.figures.spanCount) }
    }

    /// The rows of a trace below row `limit`, ascending.
    func rows(of trace: TraceID, below limit: Int) -> [Int] {
        state.withLock { $0.index.rows(of: trace, below: limit) }
    }

    /// Those of the traces of which rows are here.
    func holding(_ traces: [TraceID]) -> Set<TraceID> {
        var found: Set<TraceID> = []
        // Who appends must not wait for all of them.
        for start in stride(from: 0, to: traces.count, by: 512) {
            let some = traces[start..<min(start + 512, traces.count)]
            state.withLock { state in for id in some where state.index.contains(id) { found.insert(id) } }
        }
        return found
    }

    /// Makes one piece of the small ones at the end; row numbers stay.
    private static func joinSmallPieces(_ state: inout State) {
        defer {
            state.smallPieceCount = 0
            state.smallSpanCount = 0
        }
        guard state.smallPieceCount > 1 else { return }
        let small = state.pieces.suffix(state.smallPieceCount)
        guard let firstRow = small.first?.firstRow else { return }
        var builder = SpanBatchBuilder()
        var received: UInt64 = 0
        for piece in small {
            received = max(received, piece.batch.receivedUnixNanos)
            var merger = SpanBatchMerger(from: piece.batch)
            for row in 0..<piece.batch.count { merger.append(row, to: &builder) }
        }
        // Pieces with more text than one batch holds stay apart.
        guard !builder.isFull else { return }
        let joined = builder.finish(receivedUnixNanos: received)
        state.figures.byteCount += joined.byteCount - small.reduce(0) { $0 + $1.batch.byteCount }
        state.pieces.removeLast(state.smallPieceCount)
        state.pieces.append(Piece(joined, firstRow: firstRow))
    }
}

/// A head part as it was at one moment.
struct HeadSnapshot: Sendable {
    let part: HeadPart
    let pieces: [HeadPart.Piece]
    let rowCount: Int

    /// Rows of a piece, ascending.
    struct Rows: Sendable {
        let piece: HeadPart.Piece
        fileprivate(set) var rows: [Int]

        var batch: SpanBatch { piece.batch }
    }

    /// The pieces that hold rows of a trace, with those rows, in order of arrival.
    func rows(of trace: TraceID) -> [Rows] {
        var found: [Rows] = []
        var piece = -1
        for row in part.rows(of: trace, below: rowCount) {
            if piece < 0 || row >= pieces[piece].endRow {
                piece = index(ofRow: row)
                found.append(Rows(piece: pieces[piece], rows: []))
            }
            found[found.count - 1].rows.append(row - pieces[piece].firstRow)
        }
        return found
    }

    /// The piece that holds a row, which must be below ``rowCount``.
    func index(ofRow row: Int) -> Int {
        var low = 0
        var high = pieces.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if pieces[middle].firstRow <= row { low = middle } else { high = middle }
        }
        return low
    }
}
