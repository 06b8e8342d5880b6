// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Reads a trace as the store has it together with what agents do in it that is not in the store yet.
struct OpenTraceReader: TraceReader {
    /// `nil` when nothing of the trace is stored.
    private let stored: (any TraceReader)?
    /// In the order of the trace; none of them is stored.
    private let open: SpanBatch
    /// The spans that have not ended.
    let openIDs: Set<SpanID>

    /// `nil` when there is no span at all. Of a span that is both, what is stored counts.
    init?(_ stored: (any TraceReader)?, open spans: [Span]) async throws(StoreError) {
        guard stored != nil || !spans.isEmpty else { return nil }
        self.stored = stored
        var spans = spans
        if let stored, !spans.isEmpty {
            let known = Set(try await stored.spans(Set(spans.map(\.spanID))).spanIDs)
            spans.removeAll { known.contains($0.spanID) }
        }
        spans.sort { SpanCursor($0).precedes($1) }
        open = SpanBatch(spans: spans, receivedUnixNanos: stored?.receivedUnixNanos ?? 0)
        openIDs = Set(spans.filter { $0.attributes["worktrace.open"] == true }.map(\.spanID))
    }

    /// Whether something of the trace is not in the store yet, so that the same question is soon answered otherwise.
    var isOpen: Bool { !open.isEmpty }

    /// What is not stored yet is counted as well.
    var storedSpanCount: Int { (stored?.storedSpanCount ?? 0) + open.count }

    var receivedUnixNanos: UInt64 { open.receivedUnixNanos }

    func window(_ window: SpanWindow) async throws(StoreError) -> SpanPage {
        guard let stored else { return try await BatchTraceReader(open).window(window) }
        var page = try await stored.window(window)
        page.traceSpanCount += open.count
        let rows = (0..<open.count).filter { row in
            (window.cursor?.precedes(row, of: open) ?? true) && !(page.next?.precedes(row, of: open) ?? false)
        }
        guard !rows.isEmpty else { return page }
        let added = open.narrowed(to: window.columns).part(rows)
        let order = SpanBatch.order(page.spans, added)
        let shown = order.prefix(window.limit)
        let spans = try SpanBatch.merged(page.spans, added, shown)
        let (events, links) = (page.eventCounts, page.linkCounts)
        page.eventCounts = shown.map { place in
            place.isAdded ? UInt32(clamping: open.events.range(of: rows[place.row]).count) : events[place.row]
        }
        page.linkCounts = shown.map { place in
            place.isAdded ? UInt32(clamping: open.links.range(of: rows[place.row]).count) : links[place.row]
        }
        page.spans = spans
        if shown.count < order.count { page.next = SpanCursor(after: spans.count - 1, of: spans) }
        return page
    }

    func spans(_ ids: Set<SpanID>) async throws(StoreError) -> SpanBatch {
        let added = open.part((0..<open.count).filter { ids.contains(open.spanIDs[$0]) })
        guard let stored else { return added }
        let found = try await stored.spans(ids)
        return added.isEmpty ? found : try SpanBatch.merged(found, added, SpanBatch.order(found, added)[...])
    }
}

extension API {
    /// A reader of trace `id` with what is open of it; `nil` when no span of it is known.
    func openReader(of id: TraceID, _ call: APICall) async throws(APIError) -> OpenTraceReader? {
        // What is open is asked for first: what ends meanwhile is there twice rather than never.
        let open = work?.openSpans(ofTrace: id) ?? []
        return try await ask(call) { store throws(StoreError) in
            try await OpenTraceReader(try await store.traceReader(id), open: open)
        }
    }
}

extension SpanCursor {
    fileprivate init(_ span: Span) {
        self.init(startUnixNanos: span.startUnixNanos, spanID: span.spanID, kind: span.kind)
    }

    fileprivate func precedes(_ span: Span) -> Bool {
        precedes(startUnixNanos: span.startUnixNanos, spanID: span.spanID, kind: span.kind)
    }

    fileprivate func precedes(_ row: Int, of batch: SpanBatch) -> Bool {
        precedes(
            startUnixNanos: batch.startUnixNanos[row],
            spanID: batch.spanIDs[row],
            kind: Span.Kind(stored: batch.kinds[row])
        )
    }
}

extension SpanBatch {
    /// A row of one of two batches.
    fileprivate struct Place {
        var row: Int
        var isAdded: Bool
    }

    /// The rows of two batches that are in the order of a trace, in that order.
    fileprivate static func order(_ stored: SpanBatch, _ added: SpanBatch) -> [Place] {
        var order: [Place] = []
        order.reserveCapacity(stored.count + added.count)
        var row = 0
        for addedRow in 0..<added.count {
            while row < stored.count, SpanCursor(after: row, of: stored).precedes(addedRow, of: added) {
                order.append(Place(row: row, isAdded: false))
                row += 1
            }
            order.append(Place(row: addedRow, isAdded: true))
        }
        order += (row..<stored.count).map { Place(row: $0, isAdded: false) }
        return order
    }

    fileprivate static func merged(
        _ stored: SpanBatch,
        _ added: SpanBatch,
        _ order: ArraySlice<Place>
    ) throws(StoreError) -> SpanBatch {
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: stored)
        var addedMerger = SpanBatchMerger(from: added)
        for place in order {
            if place.isAdded {
                addedMerger.append(place.row, to: &builder)
            } else {
                merger.append(place.row, to: &builder)
            }
        }
        guard !builder.isFull else { throw .tooMuchText }
        return builder.finish(receivedUnixNanos: stored.receivedUnixNanos)
    }
}
