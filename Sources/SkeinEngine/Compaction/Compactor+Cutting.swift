// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore

/// Taking something out of blocks: traces that are removed or past their time, values that are masked.
extension Compactor {
    /// What was taken out of blocks.
    struct Cutting: Sendable {
        /// Spans left out.
        var cutCount = 0
        /// Spans in which a value was masked.
        var maskedCount = 0
        /// Their traces.
        var maskedTraces: Set<TraceID> = []
    }

    /// Takes something out of the blocks for which `cut` gives anything to take out.
    ///
    /// In the background it leaves alone what rests after a failure, and a failure does not keep it from other blocks.
    func rewrite(
        inBackground: Bool,
        _ cut: @escaping @Sendable (StoredBlock) throws(StoreError) -> BlockMerge.Cut?
    ) async throws(StoreError) -> Cutting {
        try await onThread { () throws(StoreError) in try self.rewriteNow(inBackground, cut) }
    }

    /// Runs `body` on ``thread``.
    func onThread<T: Sendable>(
        _ body: @escaping @Sendable () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withCheckedContinuation { done in
            thread.async {
                do throws(StoreError) {
                    done.resume(returning: .success(try body()))
                } catch {
                    done.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// ``rewrite(inBackground:_:)`` for those who are on ``thread``.
    func rewriteNow(
        _ inBackground: Bool,
        _ cut: (StoredBlock) throws(StoreError) -> BlockMerge.Cut?
    ) throws(StoreError) -> Cutting {
        var cutting = Cutting()
        var failure: StoreError?
        let blocks = sealer.neighbours.flatMap(\.self)
        var left = ArraySlice(blocks)
        while let block = left.popFirst() {
            let now = clock.monotonicNanos
            guard let retry = look(at: blocks, now) else { throw StoreError(.cancelled, "the store is being closed") }
            if inBackground, retry.isResting(now) { break }
            if inBackground, retry.isResting(block.id, now) { continue }
            do throws(StoreError) {
                let outcome = try noting([block]) { () throws(StoreError) -> BlockMerge.Outcome? in
                    guard let cut = try cut(block) else { return nil }
                    if inBackground { try requireRoom(for: [block]) }
                    var id = block.id
                    id.generation += 1
                    return try write(id, of: [block], cut)
                }
                cutting.cutCount += outcome?.cutCount ?? 0
                cutting.maskedCount += outcome?.maskedCount ?? 0
                cutting.maskedTraces.formUnion(outcome?.maskedTraces ?? [])
            } catch {
                do throws(StoreError) {
                    guard error.code == .corrupt else { throw error }
                    if let next = try successor(of: block, mending: error) { left.insert(next, at: left.startIndex) }
                } catch {
                    guard inBackground, error.code != .cancelled else { throw error }
                    failure = failure ?? error
                }
            }
        }
        if let failure { throw failure }
        return cutting
    }

    /// Masks in sums the names that spans of `traces` gave to what they called and give no longer in the file at `path`,
    /// which is removed when that fails.
    func maskPeers(of traces: Set<TraceID>, in input: StoredBlock, rewritten path: String) throws(StoreError) {
        do throws(StoreError) {
            let file = try Sealer.orFailure(Self.failing) { () throws(DiskError) in try disk.open(path, .read) }
            let rewritten = try Block(file, path: path, id: StoredBlock.newCacheID(), cache: nil)
            var names = try BlockRollup.peers(of: traces, in: input.block)
            if !names.isEmpty { names.subtract(try BlockRollup.peers(of: traces, in: rewritten)) }
            if !names.isEmpty { try sealer.maskPeers(names, in: input) }
        } catch {
            try? disk.remove(path)
            throw error
        }
    }
}
