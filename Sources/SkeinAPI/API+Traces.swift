// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Traces for answers: in windows where that is enough, whole where it is not.
extension API {
    /// Room that a whole trace of so many spans takes beside the answer that is made of it. A small one takes next to none.
    private static func roomByteCount(ofWhole spanCount: Int) -> Int { spanCount > 10_000 ? spanCount * 512 : 0 }

    /// What a span takes in the columns that every batch has.
    private static let columnsByteCount = 80

    /// A reader of trace `id`; `nil` when no span of it is stored.
    func reader(of id: TraceID, _ call: APICall) async throws(APIError) -> (any TraceReader)? {
        try await ask(call) { store throws(StoreError) in try await store.traceReader(id) }
    }

    /// The whole trace, for which `room` is held first; `nil` when no span of it is stored.
    func trace(
        _ id: TraceID,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) -> SpanBatch? {
        guard let reader = try await reader(of: id, call) else { return nil }
        try checkWhole(reader, id)
        try room.hold(source: Self.roomByteCount(ofWhole: reader.storedSpanCount))
        let batch = try await ask(call) { store throws(StoreError) in try await store.trace(id) }
        try room.hold(source: batch?.byteCount ?? 0)
        return batch
    }

    /// All spans of a trace of any size with these columns, put together from windows, as long as `room` holds them and
    /// `spanByteCount` beside for each, and `kept` bytes of what was gathered before.
    func gather(
        _ reader: any TraceReader,
        columns: SpanColumns,
        beside spanByteCount: Int,
        kept: Int = 0,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) -> SpanBatch {
        try room.hold(source: kept + reader.storedSpanCount * (Self.columnsByteCount + spanByteCount))
        var builder = SpanBatchBuilder()
        try await forEachWindow(of: reader, columns: columns, call) { page throws(APIError) in
            var merger = SpanBatchMerger(from: page.spans)
            for row in 0..<page.spans.count { merger.append(row, to: &builder) }
            try room.hold(source: kept + builder.byteCount + reader.storedSpanCount * spanByteCount)
        }
        guard !builder.isFull else { throw APIError(.tooMuchText, requestID: call.requestID()) }
        return builder.finish(receivedUnixNanos: reader.receivedUnixNanos)
    }

    /// Throws when the trace is too large to be answered whole.
    func checkWhole(_ reader: any TraceReader, _ id: TraceID) throws(APIError) {
        let count = reader.storedSpanCount
        guard count > traceSpanCountMax else { return }
        var error = APIError(
            422,
            "limit-exceeded",
            "Trace \(id) has \(count) stored spans, at most \(traceSpanCountMax) are answered at once: "
                + "\(Self.pagesOf(id)), or raise trace-spans-max."
        )
        error.traceID = JaegerTrace.text(of: id)
        throw error
    }

    /// What to do instead of asking for the whole trace.
    static func pagesOf(_ id: TraceID) -> String { "read it page by page at /api/skein/v1/traces/\(id)/spans" }

    /// Calls `body` with the windows of a trace, one after the other.
    func forEachWindow(
        of reader: any TraceReader,
        columns: SpanColumns,
        _ call: APICall,
        _ body: (SpanPage) throws(APIError) -> Void
    ) async throws(APIError) {
        var cursor: SpanCursor?
        repeat {
            let window = SpanWindow(after: cursor, columns: columns)
            let page = try await ask(call) { _ throws(StoreError) in try await reader.window(window) }
            try body(page)
            cursor = page.next
        } while cursor != nil
    }
}
