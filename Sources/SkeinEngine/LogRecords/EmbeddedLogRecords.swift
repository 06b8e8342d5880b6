// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
package import SkeinStore
import Synchronization

/// Log records of traces, in a store of their own in the folder `records/` of the data folder. It is made when the first
/// record comes: who sends none has no such folder, and nothing of it costs anything.
package final class EmbeddedLogRecords: LogRecordStore {
    private let configuration: EmbeddedStore.Configuration
    private let opened = Mutex<EmbeddedStore?>(nil)
    /// The store, once it is open.
    private let openings: AsyncStream<EmbeddedStore>
    private let opening: AsyncStream<EmbeddedStore>.Continuation

    /// Records beside the spans of a store of this configuration, on its disk. Opens them when there are any.
    init(
        beside spans: EmbeddedStore.Configuration,
        pins: PinFile,
        on disk: any Disk,
        in folder: StoreFolder
    ) throws(StoreError) {
        var configuration = spans
        configuration.directory = folder.logRecords
        configuration.disk = disk
        configuration.keepsLogRecords = false
        configuration.pins = pins
        configuration.retentionRules = []
        configuration.lateSampling = nil
        configuration.onIdle = {}
        configuration.retentionByteCount = spans.retentionByteCount.map { max(1 << 20, $0 / Self.quotaShare) }
        // Few come at a time, and nobody searches them.
        configuration.headByteCount = min(spans.headByteCount, Self.headByteCount)
        configuration.cacheByteCount = Self.cacheByteCount
        self.configuration = configuration
        (openings, opening) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        if (try? disk.kind(of: folder.logRecords)) == .folder {
            let store = try EmbeddedStore(configuration)
            opened.withLock { $0 = store }
            opening.yield(store)
        }
    }

    /// Records take no more than this part of a quota.
    private static let quotaShare = 4
    private static let headByteCount = 4 << 20
    private static let cacheByteCount = 4 << 20

    package func append(_ batch: LogBatch) async throws(StoreError) {
        guard !batch.isEmpty else { return }
        try await store().append(batch.rows)
    }

    package func logRecords(
        ofTrace id: TraceID,
        span: SpanID?,
        limit: Int
    ) async throws(StoreError) -> LogRecordList {
        guard let store = opened.withLock({ $0 }) else { return LogRecordList() }
        return try await LogRecordsAsSpans(in: store).logRecords(ofTrace: id, span: span, limit: limit)
    }

    /// Takes out all records of these traces, and answers how many.
    func remove(ofTraces ids: Set<TraceID>) async throws(StoreError) -> Int {
        try await opened.withLock { $0 }?.drop(ids) ?? 0
    }

    /// Masks the values of these keys in all records of these traces, and answers in how many.
    func mask(_ keys: [String], ofTraces ids: Set<TraceID>) async throws(StoreError) -> Int {
        try await opened.withLock { $0 }?.mask(keys, in: ids) ?? 0
    }

    /// Whether a record of the trace has a time in `range`.
    func hold(_ id: TraceID, in range: TimeRange) async throws(StoreError) -> Bool {
        let list = try await logRecords(ofTrace: id, span: nil, limit: LogRecordList.countMax)
        return list.batch.rows.startUnixNanos.contains { range.contains($0) }
    }

    /// Takes out the records of these traces that there are; costs little where there are none.
    func remove(ofSampledTraces ids: Set<TraceID>) async throws(StoreError) {
        try await opened.withLock { $0 }?.dropHeld(ids)
    }

    /// Does the work that time asks for, as ``EmbeddedStore/run()`` does.
    func run() async {
        for await store in openings { return await store.run() }
    }

    func close() async { await opened.withLock { $0 }?.close() }

    /// What the folder holds, copies of records included.
    func recordCount() async -> Int { await opened.withLock { $0 }?.status().spanCount ?? 0 }

    private func store() throws(StoreError) -> EmbeddedStore {
        try opened.withLock { opened throws(StoreError) in
            if let store = opened { return store }
            let store = try EmbeddedStore(configuration)
            opened = store
            opening.yield(store)
            return store
        }
    }
}
