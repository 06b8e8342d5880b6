// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

extension Sealer {
    /// Removes all files whose spans are in a block by now, for good: nothing that was taken out of the block may come back
    /// with them, when the power goes first and the block is damaged next. Throws when the disk refuses.
    func removeSuperseded() async throws(StoreError) {
        try await onThread { () throws(StoreError) in
            try Self.orFailure("what was removed is gone from its block, but not the files that it was in before") {
                () throws(DiskError) in try self.removeSupersededNow()
            }
        }
    }

    private func removeSupersededNow() throws(DiskError) {
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
