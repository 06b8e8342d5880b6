// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Gives out all traces that have a span in a range, each whole and once, some thousand rows at a time.
///
/// Traces that lie whole in one block come straight from it, many in a batch; only the others are put together.
final class TraceScan: Sendable {
    private let snapshot: Contents.Snapshot
    private let range: TimeRange
    private let columns: SpanColumns

    private struct State {
        /// What is looked at next.
        var block = 0
        var group = 0
        var part = 0
        var piece = 0
        /// The traces that lie in several places, once they were asked for.
        var shared: Set<TraceID>?
        /// Traces given out that may turn up again.
        var scattered: Set<TraceID> = []
        /// Ready to be given out.
        var ready: [SpanBatch] = []
        var isAtEnd = false
    }

    private let state: Mutex<State>

    init(_ range: TimeRange, columns: SpanColumns, in snapshot: Contents.Snapshot) {
        self.range = range
        self.columns = columns
        self.snapshot = snapshot
        state = Mutex(State())
    }

    /// The next batch; `nil` at the end.
    func next(_ cancellation: Cancellation, _ memory: HeldMemory) throws(StoreError) -> SpanBatch? {
        try state.withLock { state throws(StoreError) in
            while state.ready.isEmpty, !state.isAtEnd {
                try cancellation.check()
                try advance(&state, cancellation, memory)
            }
            return state.ready.isEmpty ? nil : state.ready.removeFirst()
        }
    }

    private func advance(
        _ state: inout State,
        _ cancellation: Cancellation,
        _ memory: HeldMemory
    ) throws(StoreError) {
        if state.block < snapshot.blocks.count {
            let stored = snapshot.blocks[state.block]
            if state.group < stored.footer.groups.count {
                try read(group: state.group, of: stored, &state, cancellation, memory)
                state.group += 1
            } else {
                state.block += 1
                state.group = 0
            }
        } else if state.part < snapshot.head.count {
            let part = snapshot.head[state.part]
            if state.piece < part.pieces.count {
                try read(part.pieces[state.piece], &state, cancellation, memory)
                state.piece += 1
            } else {
                state.part += 1
                state.piece = 0
            }
        } else {
            state.isAtEnd = true
        }
    }

    private func read(
        group index: Int,
        of stored: StoredBlock,
        _ state: inout State,
        _ cancellation: Cancellation,
        _ memory: HeldMemory
    ) throws(StoreError) {
        let group = stored.footer.groups[index]
        guard range.overlaps(group.start.lowerBound, group.start.upperBound) else { return }
        let shared: Set<TraceID>
        if let known = state.shared {
            shared = known
        } else {
            shared = try snapshot.sharedTraces.traces(in: snapshot, range, cancellation)
            state.shared = shared
        }
        let traces = try stored.block.traces(inGroup: index)
        let isInside = range.contains(group.start.lowerBound) && range.contains(group.start.upperBound)
        let starts = isInside ? [] : try stored.block.starts(inGroup: index)
        // Rows of traces that lie whole here, side by side.
        var run: Range<Int>?
        func flush(_ state: inout State) throws(StoreError) {
            if let rows = run { state.ready.append(try stored.block.batch(rows: rows, columns: columns)) }
            run = nil
        }
        for number in 0..<traces.count {
            let entry = traces[number]
            let rows = entry.rows.clamped(to: group.rows)
            guard isInside || rows.contains(where: { range.contains(starts[$0 - group.firstRow]) }) else {
                try flush(&state)
                continue
            }
            if rows == entry.rows, !entry.hasDuplicates, !entry.isPartial, !shared.contains(entry.id) {
                run = (run?.lowerBound ?? entry.rows.lowerBound)..<entry.rows.upperBound
            } else {
                try flush(&state)
                try assemble(entry.id, &state, cancellation, memory)
            }
        }
        try flush(&state)
    }

    private func read(
        _ piece: HeadPart.Piece,
        _ state: inout State,
        _ cancellation: Cancellation,
        _ memory: HeldMemory
    ) throws(StoreError) {
        guard range.overlaps(piece.start.lowerBound, piece.start.upperBound) else { return }
        for row in 0..<piece.batch.count where range.contains(piece.batch.startUnixNanos[row]) {
            try assemble(piece.batch.traceIDs[row], &state, cancellation, memory)
        }
    }

    private func assemble(
        _ id: TraceID,
        _ state: inout State,
        _ cancellation: Cancellation,
        _ memory: HeldMemory
    ) throws(StoreError) {
        guard state.scattered.insert(id).inserted else { return }
        let held = memory.count
        defer { _ = memory.resize(to: held) }
        let trace = try StoredTrace(id, in: snapshot).assembled(columns, cancellation, memory)
        // The row that led here may be a copy that does not count.
        if trace.startUnixNanos.contains(where: range.contains) { state.ready.append(trace) }
    }
}
