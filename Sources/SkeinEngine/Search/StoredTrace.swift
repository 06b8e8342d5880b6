// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Where the pieces of one trace lie, in order of arrival.
struct StoredTrace {
    /// A block's part of the trace.
    struct BlockPiece {
        var block: StoredBlock
        var entry: Block.TraceEntry
    }

    let id: TraceID
    private(set) var blockPieces: [BlockPiece] = []
    private(set) var headPieces: [(batch: SpanBatch, rows: [Int])] = []

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
        for part in snapshot.head { headPieces += part.rows(of: id) }
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

    /// The trace by the contract's rule: each span once, ordered by start, span id, kind.
    func assembled(_ columns: SpanColumns) throws(StoreError) -> SpanBatch {
        if let whole { return try whole.block.block.batch(rows: whole.entry.rows, columns: columns) }
        var assembly = TraceAssembly()
        for piece in blockPieces {
            let batch = try piece.block.block.batch(rows: piece.entry.rows, columns: columns)
            assembly.add(batch, rows: 0..<batch.count)
        }
        for piece in headPieces { assembly.add(piece.batch, rows: piece.rows) }
        return assembly.finish()
    }
}

extension Contents.Snapshot {
    /// Whether the trace may have rows in the head or in another block.
    func mayHold(_ id: TraceID, elsewhereThan stored: StoredBlock) -> Bool {
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
