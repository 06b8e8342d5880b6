// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
public import SkeinStore
import Synchronization

extension EmbeddedStore {
    public func remove(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        try removal.check()
        let number = try removalLog.ask(removal, nowUnixNanos: configuration.clock.unixNanos)
        removals.add(1, ordering: .relaxed)
        defer { removals.subtract(1, ordering: .relaxed) }
        do throws(StoreError) {
            let outcome = try await removeNow(removal)
            try removalLog.finish(number, outcome, failure: "", nowUnixNanos: configuration.clock.unixNanos)
            return outcome
        } catch {
            // The error is the answer, whether or not it can be put on record.
            try? removalLog.finish(
                number,
                Removal.Outcome(),
                failure: "\(error)",
                nowUnixNanos: configuration.clock.unixNanos
            )
            throw error
        }
    }

    public func removalRecords() async throws(StoreError) -> [Removal.Record] { removalLog.all }

    private func removeNow(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        // What is in memory and in the log becomes a block, so that nothing but blocks has to be written anew.
        try await seal()
        let snapshot = contents.snapshot()
        let found = try await reads.run { cancellation throws(StoreError) in
            var matching = MatchingTraces(removal.predicate, range: removal.range, in: snapshot)
            var found: Set<TraceID> = []
            for block in snapshot.blocks {
                found.formUnion(try matching.traces(of: block, elsewhereToo: false, cancellation))
                guard found.count <= Removal.traceCountMax else {
                    throw StoreError(
                        .limit,
                        "more than \(Removal.traceCountMax) traces match; narrow the query or its range of time"
                    )
                }
            }
            return found
        }
        var outcome = Removal.Outcome()
        outcome.traceCount = found.count
        guard !found.isEmpty else { return outcome }
        var cut = BlockMerge.Cut()
        switch removal.action {
        case .delete: cut.dropped = found
        case .redact(let keys):
            cut.masked = found
            cut.masking = Masking(keys: keys, range: removal.range, predicate: removal.predicate)
        }
        let chosen = cut
        let counts = try await compactor.rewrite(inBackground: false) { block throws(StoreError) in
            found.contains { block.block.mayContain($0) } ? chosen : nil
        }
        outcome.spanCount = removal.action == .delete ? counts.cutCount : counts.maskedCount
        return outcome
    }

    public func usage() async throws(StoreError) -> [ServiceUsage] {
        let snapshot = contents.snapshot()
        return try await reads.run { cancellation throws(StoreError) in
            var usage = Usage()
            for stored in snapshot.blocks {
                try cancellation.check()
                usage.add(try stored.catalogue().services, byteCount: stored.footer.byteCount)
            }
            for part in snapshot.head {
                for piece in part.pieces { usage.add(piece.batch) }
            }
            return usage.services
        }
    }
}

/// Sums up what services take.
private struct Usage {
    private var counts: [String: (spans: Int, bytes: Double)] = [:]

    /// Adds a block, whose bytes are shared out by spans.
    mutating func add(_ services: [(name: String, spanCount: Int)], byteCount: Int) {
        let total = services.reduce(0) { $0 + $1.spanCount }
        for (name, spanCount) in services {
            counts[name, default: (0, 0)].spans += spanCount
            counts[name, default: (0, 0)].bytes += Double(byteCount) * Double(spanCount) / Double(max(total, 1))
        }
    }

    mutating func add(_ batch: SpanBatch) {
        var spans: [UInt32: Int] = [:]
        for row in 0..<batch.count {
            spans[batch.resources.serviceNameRefs[Int(batch.resourceRows[row])], default: 0] += 1
        }
        add(spans.map { (batch.dictionary.string($0.key), $0.value) }, byteCount: batch.byteCount)
    }

    /// Most bytes first, ties by name.
    var services: [ServiceUsage] {
        counts.map { ServiceUsage(name: $0.key, spanCount: $0.value.spans, byteCount: Int($0.value.bytes)) }
            .sorted { $0.byteCount != $1.byteCount ? $0.byteCount > $1.byteCount : $0.name.precedes($1.name) }
    }
}
