// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
public import SkeinStore
import Synchronization

extension EmbeddedStore {
    public func remove(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        try removal.check()
        let number = try removalLog.ask(removal, nowUnixNanos: configuration.clock.unixNanos)
        defer { sealer.keepApart(removalLog.lastSegments) }
        do throws(StoreError) {
            let outcome = try await removeMending(removal, number)
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
    private func removeMending(_ removal: Removal, _ number: Int) async throws(StoreError) -> Removal.Outcome {
        while true {
            do throws(StoreError) {
                return try await removeNow(removal, number)
            } catch {
                guard error.code == .corrupt, await compactor.mend(error) else { throw error }
            }
        }
    }

    private func removeNow(_ removal: Removal, _ number: Int) async throws(StoreError) -> Removal.Outcome {
        // What is in memory and in the log becomes a block, so that nothing but blocks has to be written anew.
        try await seal()
        try await finishDeletionsOfLogRecords()
        try await compactor.onThread { () throws(StoreError) in try self.finishDeletions(inBackground: false) }
        let snapshot = contents.snapshot()
        var found = try await reads.run(holding: ReadCost.search) { cancellation, _ throws(StoreError) in
            var matching = MatchingTraces(removal.predicate, range: removal.range, in: snapshot)
            var found: Set<TraceID> = []
            for block in snapshot.blocks {
                found.formUnion(try matching.traces(of: block, elsewhereToo: false, cancellation))
                guard found.count <= Removal.traceCountMax else {
                    throw .tooManyTraces
                }
            }
            return found
        }
        found.formUnion(try await recordedTraces(of: removal))
        // What was found before may no longer match, since the block that matched is done.
        found.formUnion(try removalLog.found(like: number))
        guard !found.isEmpty else {
            // They may have been taken out before, by a removal that failed.
            try await sealer.removeSuperseded()
            return Removal.Outcome()
        }
        let lastSegment = snapshot.blocks.map(\.id.lastSegment).max() ?? 0
        try removalLog.note(FoundTraces(ids: found, lastSegment: lastSegment), by: number)
        sealer.keepApart(removalLog.lastSegments)
        var outcome = Removal.Outcome()
        switch removal.action {
        case .delete:
            outcome.logRecordCount = try await records?.remove(ofTraces: found) ?? 0
            clearedDeletions.withLock { _ = $0.insert(number) }
        case .redact(let keys): outcome.logRecordCount = try await records?.mask(keys, ofTraces: found) ?? 0
        }
        var cut = BlockMerge.Cut()
        switch removal.action {
        case .delete: cut.dropped = found
        case .redact(let keys):
            cut.masked = found
            cut.masksPeers = keys.contains { key in Peer.Key.allCases.contains { $0.name.isExactly(key) } }
            cut.masking = Masking(keys: keys, range: removal.range, predicate: removal.predicate)
        }
        let chosen = cut
        let done = try await compactor.rewrite(inBackground: false) { [found] block throws(StoreError) in
            if let masking = chosen.masking, try !masking.mayChange(block.block) { return nil }
            return try block.block.holds(anyOf: found) ? chosen : nil
        }
        try await sealer.removeSuperseded()
        if removal.action == .delete { _ = try pinFile.unpin(found) }
        let isDeleted = removal.action == .delete
        outcome.traceCount = isDeleted ? found.count : done.maskedTraces.count
        outcome.spanCount = isDeleted ? done.cutCount : done.maskedCount
        return outcome
    }

    /// Traces that a removal names by their ids and of which log records are stored, though no span may be.
    private func recordedTraces(of removal: Removal) async throws(StoreError) -> Set<TraceID> {
        guard let records else { return [] }
        var found: Set<TraceID> = []
        for id in removal.predicate.namedTraceIDs {
            if try await records.hold(id, in: removal.range) { found.insert(id) }
        }
        return found
    }

    /// Takes out the log records of the traces of deletions that failed or were stopped on the way; then these can be finished.
    func finishDeletionsOfLogRecords() async throws(StoreError) {
        for number in removalLog.interruptedDeletions where !clearedDeletions.withLock({ $0.contains(number) }) {
            _ = try await records?.remove(ofTraces: removalLog.found(by: number).ids)
            clearedDeletions.withLock { _ = $0.insert(number) }
        }
    }

    /// Goes on with deletions that failed or were stopped on the way. On the compactor's thread.
    ///
    /// Spans that came later are not theirs: blocks of such spans are left alone, and none is merged with what they are about.
    func finishDeletions(inBackground: Bool) throws(StoreError) {
        if inBackground, configuration.clock.monotonicNanos < deletionRest.withLock({ $0 }) { return }
        // Of those whose log records are still there nothing is finished.
        let cleared = clearedDeletions.withLock { $0 }
        for number in removalLog.interruptedDeletions where cleared.contains(number) {
            let found = try removalLog.found(by: number)
            func holdsAny(_ block: StoredBlock) throws(StoreError) -> Bool {
                guard block.id.firstSegment <= found.lastSegment else { return false }
                return try block.block.holds(anyOf: found.ids)
            }
            // Looking through all blocks for many traces is nothing to do once a second.
            deletionRest.withLock { $0 = configuration.clock.monotonicNanos &+ Self.deletionRestNanos }
            let counts = try compactor.rewriteNow(inBackground) { block throws(StoreError) in
                try holdsAny(block) ? BlockMerge.Cut(dropped: found.ids) : nil
            }
            // In the background a block that rests after a failure is passed over.
            for block in contents.blocks { if try holdsAny(block) { return } }
            try sealer.removeSupersededWaiting()
            _ = try pinFile.unpin(found.ids)
            var outcome = Removal.Outcome()
            outcome.traceCount = found.ids.count
            outcome.spanCount = counts.cutCount
            try removalLog.finish(number, outcome, failure: "", nowUnixNanos: configuration.clock.unixNanos)
            sealer.keepApart(removalLog.lastSegments)
        }
        deletionRest.withLock { $0 = 0 }
    }
}
