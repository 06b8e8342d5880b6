// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

extension StoreContract {
    /// Random spans in random batches, every answer compared with ``MemoryStore``'s.
    static let random: [Case] = (0..<8 as Range<UInt64>).map { seed in
        Case("random spans, copies and searches are answered as by the plain reading, seed \(seed)") { store in
            let model = MemoryStore()
            var nasty = NastySpans(seed: seed, traceCount: 1 + seed * 3)
            var sent: [Span] = []
            for round in 0..<10 as Range<UInt64> {
                var spans = nasty.spans(Int(nasty.below(12)))
                // Some spans come again, some of them changed.
                for _ in 0..<nasty.below(4) {
                    guard var again = nasty.pick(sent) else { break }
                    if nasty.below(2) == 0 { again.durationNanos = min(nasty.moment(), .max - again.startUnixNanos) }
                    spans.append(again)
                }
                sent += spans
                let batch = SpanBatch(spans: spans, receivedUnixNanos: round + 1)
                try await store.append(batch)
                try await model.append(batch)
                for _ in 0..<4 { try await compareSearch(store, model, &nasty) }
            }
            try await compareTraces(store, model, Set(sent.map(\.traceID)))
            try await compareWindows(store, model, Set(sent.map(\.traceID)), &nasty)
            try await compareScans(store, model, &nasty)
            try await expectEqual(store.services(), model.services(), "services")
        }
    }

    private static func compareSearch(
        _ store: any SpanStore,
        _ model: MemoryStore,
        _ nasty: inout NastySpans
    ) async throws {
        let query = SpanQuery(range: nasty.range(), predicate: nasty.predicate(), limit: 1 + Int(nasty.below(5)))
        let (found, wanted) = (try await pages(query, of: store), try await pages(query, of: model))
        try expectEqual(found, wanted, "search for \(query)")
    }

    private static func compareTraces(_ store: any SpanStore, _ model: MemoryStore, _ ids: Set<TraceID>) async throws {
        for id in ids {
            let (found, wanted) = (try await store.trace(id), try await model.trace(id))
            try expectEqual(found?.spans, wanted?.spans, "trace \(id)")
        }
    }

    private static func compareWindows(
        _ store: any SpanStore,
        _ model: MemoryStore,
        _ ids: Set<TraceID>,
        _ nasty: inout NastySpans
    ) async throws {
        for id in ids.sorted() {
            guard let wanted = try await model.trace(id) else { continue }
            let limit = 1 + Int(nasty.below(6))
            try await expectEqual(windows(of: id, limit: limit, in: store), wanted.spans, "trace \(id) by \(limit)")
            let asked = Set((0..<nasty.below(4)).map { _ in SpanID(1 + nasty.below(40)) })
            let found = try await store.traceReader(id)?.spans(asked).spans
            try expectEqual(found, wanted.spans.filter { asked.contains($0.spanID) }, "spans \(asked) of trace \(id)")
        }
    }

    private static func compareScans(
        _ store: any SpanStore,
        _ model: MemoryStore,
        _ nasty: inout NastySpans
    ) async throws {
        for _ in 0..<4 {
            let range = nasty.range()
            let (found, wanted) = (try await scanned(range, store), try await scanned(range, model))
            try expectEqual(found, wanted, "scan of \(range)")
        }
    }

    private static func scanned(_ range: TimeRange, _ store: any SpanStore) async throws -> [TraceID: [Span]] {
        let visited = Mutex<[TraceID: [Span]]>([:])
        try await store.scan(range, columns: .all) { batch throws(StoreError) in
            visited.withLock { $0.merge(Dictionary(grouping: batch.spans, by: \.traceID)) { $0 + $1 } }
        }
        return visited.withLock { $0.mapValues(ordered) }
    }
}
