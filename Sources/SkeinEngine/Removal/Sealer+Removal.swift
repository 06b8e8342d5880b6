// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

extension Sealer {
    /// Removes all files whose spans are in a block by now, for good: nothing that was taken out of the block may come back
    /// with them, when the power goes first and the block is damaged next. Throws when the disk refuses.
    func removeSuperseded() async throws(StoreError) {
        try await onThread { () throws(StoreError) in try self.removeSupersededNow() }
    }

    /// Masks these names of what spans called in the sums of a block, and in those whose spans are gone: nobody can tell any
    /// more which of those they were masked in. Not for ``thread``.
    func maskPeers(_ names: Set<ExactText>, in block: StoredBlock) throws(StoreError) {
        try waitingForThread { () throws(StoreError) in try self.maskPeersNow(names, in: block) }
    }

    private func maskPeersNow(_ names: Set<ExactText>, in block: StoredBlock) throws(StoreError) {
        for rollup in contents.pastRollups where try rollup.table().hasPeer(of: names) {
            try rollups.mask(names, in: rollup)
            contents.replacePast([rollup], with: try rollups.open(rollup.id))
        }
        let rollup = try block.soundRollup()
        if try rollup.table().hasPeer(of: names) {
            try rollups.mask(names, in: rollup)
            block.forgetRollup()
        }
    }

    /// The same as ``removeSuperseded()`` for a thread that may wait, and is not ``thread``.
    func removeSupersededWaiting() throws(StoreError) {
        try waitingForThread { () throws(StoreError) in try self.removeSupersededNow() }
    }

    private func removeSupersededNow() throws(StoreError) {
        try Self.orFailure("what was removed is gone from its block, but not the files that it was in before") {
            () throws(DiskError) in try self.removeSupersededFiles()
        }
    }

    private func removeSupersededFiles() throws(DiskError) {
        let present = contents.blocks.map(\.id)
        for name in try disk.list(folder.blocks) {
            guard let id = BlockID(fileName: name), present.contains(where: { $0.supersedes(id) }) else { continue }
            try disk.remove(folder.block(id))
        }
        for name in try disk.list(folder.log) {
            guard let segment = LogSegment.number(ofFile: name), present.contains(where: { $0.covers(segment) }) else {
                continue
            }
            try disk.remove(folder.segment(segment))
        }
        try disk.syncDirectory(folder.blocks)
        try disk.syncDirectory(folder.log)
    }
}
