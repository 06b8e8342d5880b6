// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Reads a trace of a snapshot window by window.
///
/// What it holds is the snapshot's blocks and head, and a bit for each stored span; an answer takes the keys of its
/// spans (32 bytes each), a row group of each piece of the trace, and itself.
final class StoredTraceReader: TraceReader {
    private let rows: TraceRows
    private let reads: ReadQueue
    private let limits: StoredTrace.Limits
    /// Bytes that bring a window to its end.
    private let windowByteCountMax: Int
    /// The rows that count; `nil` until they are needed.
    private let counting = Mutex<RowSet?>(nil)

    let storedSpanCount: Int
    let receivedUnixNanos: UInt64

    /// A reader of `trace`, which must not be empty.
    init(_ trace: StoredTrace, _ reads: ReadQueue, limits: StoredTrace.Limits, windowByteCountMax: Int) {
        precondition(!trace.isEmpty)
        rows = TraceRows(trace)
        self.reads = reads
        self.limits = limits
        self.windowByteCountMax = windowByteCountMax
        storedSpanCount = trace.spanCount
        receivedUnixNanos = trace.receivedUnixNanos
    }

    func window(_ window: SpanWindow) async throws(StoreError) -> SpanPage {
        try window.check()
        return try await reads.run(holding: ReadCost.window) { cancellation, memory throws(StoreError) in
            try self.read(window, cancellation, memory)
        }
    }

    private func read(
        _ window: SpanWindow,
        _ cancellation: Cancellation,
        _ memory: HeldMemory
    ) throws(StoreError) -> SpanPage {
        let counting = try counting.withLock { known throws(StoreError) in
            if let known { return known }
            try memory.holdForRead(ReadCost.window + CountingRows.byteCount(in: rows.trace))
            let found = try rows.trace.counting(cancellation)
            known = found
            return found
        }
        // One more than is shown says whether there are more.
        let keys = try rows.keys(after: window.cursor, counting: counting, limit: window.limit + 1, cancellation)
        var gathered = GatheredRows()
        let count = try rows.read(
            keys.prefix(window.limit),
            window.columns,
            byteCountMax: windowByteCountMax,
            into: &gathered,
            cancellation,
            memory
        )
        let spans = gathered.finish(receivedUnixNanos: receivedUnixNanos)
        return SpanPage(
            spans: spans,
            eventCounts: gathered.eventCounts,
            linkCounts: gathered.linkCounts,
            traceSpanCount: counting.selectedCount,
            next: count < keys.count ? keys[count - 1].cursor : nil
        )
    }

    func spans(_ ids: Set<SpanID>) async throws(StoreError) -> SpanBatch {
        try await reads.run(holding: ReadCost.window) { cancellation, memory throws(StoreError) in
            try self.read(ids, cancellation, memory)
        }
    }

    private func read(
        _ ids: Set<SpanID>,
        _ cancellation: Cancellation,
        _ memory: HeldMemory
    ) throws(StoreError) -> SpanBatch {
        let keys = try rows.keys(withIDs: ids, cancellation)
        var gathered = GatheredRows()
        let count = try rows.read(
            keys[...],
            .all,
            byteCountMax: limits.byteCount,
            into: &gathered,
            cancellation,
            memory
        )
        guard count == keys.count else {
            throw StoreError(
                .limit,
                "\(keys.count) spans take more than \(limits.byteCount) bytes, which is as much as is put together: "
                    + "ask for fewer at once"
            )
        }
        return gathered.finish(receivedUnixNanos: receivedUnixNanos)
    }
}
