// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Where log records that belong to traces are kept and found again.
///
/// Promises of every implementation: when ``append(_:)`` returns, the records are as durable as the store's spans are, and
/// every read that starts afterwards sees them; a request that is sent again is kept once. A trace's records are found
/// whether or not any of its spans is stored.
package protocol LogRecordStore: Sendable {
    /// Keeps the records of `batch`. Throws as ``SpanStore/append(_:)`` does.
    func append(_ batch: LogBatch) async throws(StoreError)

    /// The first `limit` records of a trace by time, or of one of its spans.
    func logRecords(ofTrace id: TraceID, span: SpanID?, limit: Int) async throws(StoreError) -> LogRecordList
}

/// Log records in the order of their time.
package struct LogRecordList: Sendable {
    package var batch: LogBatch
    /// Whether there are more records behind these.
    package var isCut: Bool

    package init(_ batch: LogBatch = LogBatch(records: []), isCut: Bool = false) {
        self.batch = batch
        self.isCut = isCut
    }

    /// The most records that a list has, whatever is asked for.
    package static let countMax = 10_000
}

/// Log records in a store of spans that holds nothing else.
package struct LogRecordsAsSpans: LogRecordStore {
    private let store: any SpanStore

    package init(in store: any SpanStore) { self.store = store }

    package func append(_ batch: LogBatch) async throws(StoreError) { try await store.append(batch.rows) }

    package func logRecords(
        ofTrace id: TraceID,
        span: SpanID?,
        limit: Int
    ) async throws(StoreError) -> LogRecordList {
        let limit = min(max(limit, 1), LogRecordList.countMax)
        guard let reader = try await store.traceReader(id) else { return LogRecordList() }
        var builder = SpanBatchBuilder()
        var count = 0
        var window = SpanWindow()
        while true {
            if Task.isCancelled { throw StoreError(.cancelled, "the read was cancelled") }
            let page = try await reader.window(window)
            var merger = SpanBatchMerger(from: page.spans)
            for row in 0..<page.spans.count where span == nil || span == page.spans.parentSpanIDs[row] {
                guard count < limit else { return list(&builder, isCut: true) }
                merger.append(row, to: &builder)
                count += 1
            }
            guard let next = page.next else { return list(&builder, isCut: false) }
            window.cursor = next
        }
    }

    private func list(_ builder: inout SpanBatchBuilder, isCut: Bool) -> LogRecordList {
        LogRecordList(LogBatch(stored: builder.finish(receivedUnixNanos: 0)), isCut: isCut)
    }
}
