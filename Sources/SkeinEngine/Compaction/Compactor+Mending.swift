// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinStore
import Synchronization

/// Mending blocks that turn out to be damaged while they are in use.
extension Compactor {
    var mending: Mending { state.withLock { $0.mending } }

    /// Notes that something stored did not check. If that is a block, it is written anew soon, without what cannot be read.
    func noteDamage(_ error: StoreError) {
        guard error.code == .corrupt, let id = damagedBlock(error) else { return }
        let isNew = state.withLock { $0.mending.note(id, error) }
        if isNew { schedule(isIdle: false) }
    }

    /// Returns when the block that `error` names was looked at, and written anew if need be. `false` when it names none, or
    /// that did not succeed.
    func mend(_ error: StoreError) async -> Bool {
        noteDamage(error)
        guard let id = damagedBlock(error) else { return false }
        await withCheckedContinuation { done in
            thread.async {
                self.mendAll()
                done.resume()
            }
        }
        return state.withLock { $0.mending.waiting[id] == nil }
    }

    /// Returns when what was under way is done.
    func settle() async {
        await withCheckedContinuation { done in thread.async { done.resume() } }
    }

    /// What has taken the place of a damaged block: the block written anew, or nothing. Throws `error` when it is still in
    /// use. On ``thread`` only.
    func successor(of stored: StoredBlock, mending error: StoreError) throws(StoreError) -> StoredBlock? {
        noteDamage(error)
        mendAll()
        let blocks = sealer.contents.blocks
        if blocks.contains(where: { $0 === stored }) { throw error }
        return blocks.first { $0.id.supersedes(stored.id) }
    }

    private func damagedBlock(_ error: StoreError) -> BlockID? {
        guard let name = error.place?.split(separator: "/").last else { return nil }
        return BlockID(fileName: String(name))
    }

    /// On ``thread`` only. What fails is tried again when merging is.
    func mendAll() {
        for id in mending.waiting.keys.sorted() {
            do throws(StoreError) {
                try mend(id)
            } catch {
                if error.code == .cancelled { return }
                state.withLock { $0.retry.note(error, of: [id], at: clock.monotonicNanos, path: folder.block) }
            }
        }
    }

    private func mend(_ id: BlockID) throws(StoreError) {
        guard let stored = sealer.contents.blocks.first(where: { $0.id == id }) else {
            return state.withLock { $0.mending.forget(id) }
        }
        let now = clock.monotonicNanos
        let isResting = state.withLock { state in
            state.retry.isResting(now) || state.retry.isFailing(id, now) || state.mending.isChecked(id, at: now)
        }
        if isResting { return }
        let damage = try BlockDamage(stored.block.uncached) { () throws(StoreError) in try self.checkOpen() }
        guard let reason = damage.reason else { return state.withLock { $0.mending.noteGood(id, at: now) } }
        let aside: String?
        if damage.isUnreadable {
            aside = try sealer.putAside(stored, reason: "\(reason)")
        } else {
            try requireRoom(for: [stored])
            var next = id
            next.generation += 1
            let cut = BlockMerge.Cut(lostGroups: damage.lostGroups)
            guard try write(next, of: [stored], cut, because: "\(reason)") != nil else { return }
            aside = folder.quarantine
        }
        state.withLock { $0.mending.finish(id, damage, of: stored.footer.spanCount, path: aside) }
    }
}
