// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Late sampling, one block after the other: what is decided about the traces of a block is put on record, then the log
/// records of dropped traces go, then every block that holds some of the traces is written anew, and then the record goes.
extension EmbeddedStore {
    /// The next step; `false` when there is nothing to do now.
    func sampleLateOnce() async throws(StoreError) -> Bool {
        try await clearLateLogRecords()
        return try await compactor.onThread { () throws(StoreError) in try self.sampleLate() }
    }

    /// Takes out the log records of traces that are being dropped.
    func clearLateLogRecords() async throws(StoreError) {
        guard let pending = late.pending, !pending.isCleared else { return }
        try await records?.remove(ofSampledTraces: pending.decisions.dropped)
        late.noteCleared()
    }

    /// Finishes what is decided, or decides about one more block. On the compactor's thread. Returns whether it did
    /// anything; what fails is tried again, and told by the compactor.
    func sampleLate() throws(StoreError) -> Bool {
        if let pending = late.pending {
            guard pending.isCleared else { return false }
            return try finishLate(pending.decisions)
        }
        let snapshot = contents.snapshot()
        let now = configuration.clock.unixNanos
        guard let sampling = late.sampling, let block = late.due(snapshot.blocks, nowUnixNanos: now) else {
            return false
        }
        var taken = compactor.budget.reservation()
        let byteCount =
            Compactor.byteCount(toMerge: [block.footer], configuration.mergeLimits)
            + LateDecisions.byteCount(ofTraces: block.footer.traceCount)
        taken.resizeAnyway(to: byteCount)
        var pace = Compactor.Pace()
        let pinVersion = pinFile.version
        var rounds = LateRounds(
            sampling,
            in: snapshot,
            nowUnixNanos: now,
            isPinned: { [pinFile] in pinFile.isPinned($0) },
            pause: { [compactor] () throws(StoreError) in try compactor.pause(&pace) }
        )
        let decisions: LateDecisions
        do throws(StoreError) {
            taken.resizeAnyway(to: byteCount + (try rounds.look(at: block)))
            decisions = try rounds.decide(block)
            try late.note(decisions, of: block, isWhole: !rounds.isCut, pinVersion: pinVersion)
        } catch {
            compactor.noteDamage(error)
            throw error
        }
        for (decision, count) in rounds.tally {
            sampling.sampler.count(decision, traces: count.traces, spans: count.spans)
        }
        return true
    }

    /// Writes the blocks anew that do not say yet what is decided. Returns whether all do now.
    private func finishLate(_ decisions: LateDecisions) throws(StoreError) -> Bool {
        _ = try compactor.rewriteNow(true) { block throws(StoreError) in
            let cut = try LateThinning.cut(block, decisions)
            // Sums are those of all spans: had the file been lost, it would be made anew of those that are left.
            if cut != nil { _ = try block.rollup() }
            return cut
        }
        // A block that rests after a failure was passed over.
        for block in contents.blocks { if try LateThinning.cut(block, decisions) != nil { return false } }
        try sealer.removeSupersededWaiting()
        try late.finish()
        return true
    }
}
