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
            let outcome = try await removeMending(removal)
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

    /// Removes, and goes on without what turns out to be damaged on the way, once that is out of use.
    private func removeMending(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        while true {
            do throws(StoreError) {
                return try await removeNow(removal)
            } catch {
                guard error.code == .corrupt, await compactor.mend(error) else { throw error }
            }
        }
    }

    private func removeNow(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        // What is in memory and in the log becomes a block, so that nothing but blocks has to be written anew.
        try await seal()
        let snapshot = contents.snapshot()
        let found = try await reads.run(holding: ReadCost.search) { cancellation, _ throws(StoreError) in
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
        guard !found.isEmpty else {
            // They may have been taken out before, by a removal that failed.
            try await sealer.removeSuperseded()
            return outcome
        }
        var cut = BlockMerge.Cut()
        switch removal.action {
        case .delete: cut.dropped = found
        case .redact(let keys):
            cut.masked = found
            cut.masking = Masking(keys: keys, range: removal.range, predicate: removal.predicate)
        }
        let chosen = cut
        let counts = try await compactor.rewrite(inBackground: false) { block throws(StoreError) in
            for id in found where block.block.mayContain(id) { return chosen }
            cut.masksPeers = keys.contains { key in Peer.Key.allCases.contains { $0.name.isExactly(key) } }
            return nil
        }
        try await sealer.removeSuperseded()
        outcome.spanCount = removal.action == .delete ? counts.cutCount : counts.maskedCount
        return outcome
    }
}
