// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Reads a trace that is in memory already, put together.
package struct BatchTraceReader: TraceReader {
    private let trace: SpanBatch
    package let storedSpanCount: Int

    /// A reader of `trace`, which must hold a span, as ``SpanStore/trace(_:)`` gives it out.
    package init(_ trace: SpanBatch, storedSpanCount: Int? = nil) {
        precondition(!trace.isEmpty)
        self.trace = trace
        self.storedSpanCount = storedSpanCount ?? trace.count
    }

    package var receivedUnixNanos: UInt64 { trace.receivedUnixNanos }

    package func window(_ window: SpanWindow) async throws(StoreError) -> SpanPage {
        try window.check()
        if Task.isCancelled { throw StoreError(.cancelled, "the read was cancelled") }
        let rows = (0..<trace.count).filter { row in
            window.cursor?.precedes(
                startUnixNanos: trace.startUnixNanos[row],
                spanID: trace.spanIDs[row],
                kind: Span.Kind(stored: trace.kinds[row])
            ) ?? true
        }
        let shown = rows.prefix(window.limit)
        let last = rows.count > shown.count ? shown.last : nil
        return SpanPage(
            spans: batch(of: shown, window.columns),
            eventCounts: shown.map { UInt32(trace.events.range(of: $0).count) },
            linkCounts: shown.map { UInt32(trace.links.range(of: $0).count) },
            traceSpanCount: trace.count,
            next: last.map { SpanCursor(after: $0, of: trace) }
        )
    }

    package func spans(_ ids: Set<SpanID>) async throws(StoreError) -> SpanBatch {
        batch(of: (0..<trace.count).filter { ids.contains(trace.spanIDs[$0]) }, .all)
    }

    private func batch(of rows: some Sequence<Int>, _ columns: SpanColumns) -> SpanBatch {
        trace.narrowed(to: columns).part(rows)
    }
}

extension SpanBatch {
    /// The same spans with nothing in the columns that are not among `columns`.
    package func narrowed(to columns: SpanColumns) -> SpanBatch {
        var batch = self
        if !columns.contains(.attributes) { batch.attributes = AttributeTable() }
        if !columns.contains(.events) { batch.events = EventTable() }
        if !columns.contains(.links) { batch.links = LinkTable() }
        guard !columns.contains(.details) else { return batch }
        batch.flags = []
        batch.statusMessageRefs = []
        batch.traceStateRefs = []
        batch.droppedAttributesCounts = []
        batch.droppedEventsCounts = []
        batch.droppedLinksCounts = []
        batch.resources.schemaURLRefs = [Ref](repeating: 0, count: resources.count)
        batch.resources.droppedAttributesCounts = [UInt32](repeating: 0, count: resources.count)
        batch.resources.attributes = AttributeTable()
        // Without details all scopes look alike.
        batch.scopes = ScopeTable()
        batch.scopes.nameRefs = [0]
        batch.scopes.versionRefs = [0]
        batch.scopes.schemaURLRefs = [0]
        batch.scopes.droppedAttributesCounts = [0]
        batch.scopeRows = [UInt32](repeating: 0, count: count)
        return batch
    }
}
