// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Where the pieces of one trace lie, in order of arrival.
struct StoredTrace: Sendable {
    /// A block's part of the trace.
    struct BlockPiece: Sendable {
        var block: StoredBlock
        var entry: Block.TraceEntry
    }

    /// How large a trace may be that is put together in memory.
    struct Limits: Sendable {
        /// Stored spans, copies counted.
        var spanCount = Int.max
        /// Bytes of texts and values. A batch cannot hold more than 4 GiB of them.
        var byteCount = 3 << 30
    }

    /// Rows of a block that are read at a time.
    private static let windowRowCount = 16_384

    let id: TraceID
    private(set) var blockPieces: [BlockPiece] = []
    private(set) var headPieces: [HeadSnapshot.Rows] = []
    private let countingRows: CountingRowsCache

    /// Looks for the trace everywhere. `known` is a piece found already, which saves looking for it again.
    init(_ id: TraceID, in snapshot: Contents.Snapshot, known: BlockPiece? = nil) throws(StoreError) {
        self.id = id
        for block in snapshot.blocks {
            if let known, known.block === block, !known.entry.isPartial {
                blockPieces.append(known)
            } else {
                for entry in try block.block.find(id) { blockPieces.append(BlockPiece(block: block, entry: entry)) }
            }
        }
        for piece in blockPieces where piece.entry.rows.upperBound > piece.block.footer.spanCount {
            throw piece.block.block.reader.corrupt("a trace ends behind the last row", at: 0)
        }
        for part in snapshot.head { headPieces += part.rows(of: id) }
        countingRows = snapshot.countingRows
    }

    /// The trace that lies in one block alone.
    init(_ id: TraceID, lyingIn piece: BlockPiece, of snapshot: Contents.Snapshot) throws(StoreError) {
        self.id = id
        blockPieces = [piece]
        countingRows = snapshot.countingRows
        guard piece.entry.rows.upperBound <= piece.block.footer.spanCount else {
            throw piece.block.block.reader.corrupt("a trace ends behind the last row", at: 0)
        }
    }

    /// The rows that count, by place in the order of arrival: of the copies of a span one.
    func counting(_ cancellation: Cancellation) throws(StoreError) -> RowSet {
        try countingRows.rows(of: self, cancellation)
    }

    /// Whether nothing of the trace is stored.
    var isEmpty: Bool { blockPieces.isEmpty && headPieces.isEmpty }

    /// The one block that holds the whole trace, each span once; `nil` when it must be assembled.
    var whole: BlockPiece? {
        guard headPieces.isEmpty, blockPieces.count == 1, let piece = blockPieces.first,
            !piece.entry.hasDuplicates, !piece.entry.isPartial
        else { return nil }
        return piece
    }

    /// Stored spans, copies counted.
    var spanCount: Int {
        blockPieces.reduce(0) { $0 + $1.entry.rows.count } + headPieces.reduce(0) { $0 + $1.rows.count }
    }

    /// When the last batch with spans of the trace was received, as far as blocks know.
    var receivedUnixNanos: UInt64 {
        blockPieces.reduce(headPieces.reduce(0) { max($0, $1.batch.receivedUnixNanos) }) {
            max($0, $1.block.footer.receivedMax)
        }
    }

    /// Calls `body` with the keys of all stored rows, in order of arrival and some thousand at a time.
    func forEachKeys(_ body: ([RowKey]) throws(StoreError) -> Void) throws(StoreError) {
        var place = 0
        for piece in blockPieces {
            // Everything is looked at once, which is nothing for a cache.
            let block = piece.block.block.uncached
            try block.forEachGroup(of: piece.entry.rows) { group, rows throws(StoreError) in
                try body(try block.keys(inGroup: group, rows: rows, place: place))
                place += rows.count
                return true
            }
        }
        for piece in headPieces {
            for first in stride(from: 0, to: piece.rows.count, by: Self.windowRowCount) {
                let rows = piece.rows[first..<min(piece.rows.count, first + Self.windowRowCount)]
                try body(zip(rows, place...).map { piece.batch.key($0, place: $1) })
                place += rows.count
            }
        }
    }

    /// The trace by the contract's rule: each span once, ordered by start, span id, kind. Throws
    /// ``StoreError/Code/limit`` when it is larger than `limits` allow. `memory`, when given, holds what it takes and `others`
    /// bytes beside.
    func assembled(
        _ columns: SpanColumns,
        _ cancellation: Cancellation,
        _ memory: HeldMemory? = nil,
        others: Int = 0,
        limits: Limits = Limits()
    ) throws(StoreError) -> SpanBatch {
        guard spanCount <= limits.spanCount else {
            throw StoreError(
                .limit,
                "trace \(id) has \(spanCount) stored spans, at most \(limits.spanCount) are put together: "
                    + "raise the store's traceSpanCountMax, or read the trace in windows"
            )
        }
        if spanCount >= LargeTrace.spanCountMin {
            return try joined(columns, cancellation, memory, others: others, limits: limits)
        }
        if let whole {
            let block = whole.block.block
            try memory?.holdForRead(others + (try block.batchByteCount(rows: whole.entry.rows)))
            return try block.batch(rows: whole.entry.rows, columns: columns)
        }
        var assembly = TraceAssembly()
        var byteCount = 0
        var pieceBytes = 0
        func note(_ batch: SpanBatch, rowCount: Int) throws(StoreError) {
            try cancellation.check()
            byteCount += batch.dictionary.byteCount
            guard byteCount <= limits.byteCount else { throw tooLarge(limits) }
            // The pieces, the trace as it grows, and the trace: it is there three times in the end.
            pieceBytes += batch.byteCount * rowCount / max(batch.count, 1) + 4 * batch.dictionary.count
            try memory?.holdForRead(others + 3 * pieceBytes)
        }
        for piece in blockPieces {
            let rows = piece.entry.rows
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.windowRowCount) {
                let window = first..<min(rows.upperBound, first + Self.windowRowCount)
                let block = piece.block.block
                try memory?.holdForRead(others + 3 * pieceBytes + (try block.batchByteCount(rows: window)))
                let batch = try block.batch(rows: window, columns: columns)
                try note(batch, rowCount: batch.count)
                assembly.add(batch, rows: 0..<batch.count)
            }
        }
        for piece in headPieces {
            try note(piece.batch, rowCount: piece.rows.count)
            assembly.add(piece.batch, rows: piece.rows)
        }
        return try assembly.finish()
    }

    /// The same for a large trace, window by window, so that nothing is there twice.
    private func joined(
        _ columns: SpanColumns,
        _ cancellation: Cancellation,
        _ memory: HeldMemory?,
        others: Int,
        limits: Limits
    ) throws(StoreError) -> SpanBatch {
        try memory?.holdForRead(others + CountingRows.byteCount(in: self) + ReadCost.window)
        let counting = try counting(cancellation)
        let rows = TraceRows(self)
        var gathered = GatheredRows()
        var cursor: SpanCursor?
        while true {
            let keys = try rows.keys(after: cursor, counting: counting, limit: Self.windowRowCount, cancellation)
            guard let last = keys.last else { break }
            let count = try rows.read(
                keys[...],
                columns,
                byteCountMax: limits.byteCount,
                into: &gathered,
                cancellation,
                memory,
                others: others
            )
            guard count == keys.count, gathered.builder.byteCount < limits.byteCount else { throw tooLarge(limits) }
            cursor = last.cursor
        }
        return gathered.finish(receivedUnixNanos: receivedUnixNanos)
    }

    private func tooLarge(_ limits: Limits) -> StoreError {
        StoreError(
            .limit,
            "the spans of trace \(id) take more than \(limits.byteCount) bytes, which is as much as is put together: "
                + "raise the store's traceByteCountMax, or read the trace in windows"
        )
    }
}

extension Contents.Snapshot {
    /// Whether the trace may have rows in the head or in another block.
    func mayHold(_ id: TraceID, elsewhereThan stored: StoredBlock? = nil) -> Bool {
        blocks.contains { $0 !== stored && $0.block.mayContain(id) }
            || head.contains { !$0.part.rows(of: id, below: $0.rowCount).isEmpty }
    }
}

extension Block {
    /// The start of every row of a group.
    func starts(inGroup index: Int) throws(StoreError) -> [UInt64] {
        let group = footer.groups[index]
        return try starts(group, try directory(ofGroup: index), try traces(inGroup: index), 0..<group.rowCount)
    }
}
