// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

extension DataFolder {
    /// Throws ``StoreError/Code/full`` when the disk of `path`, which need not be there yet, has not as much room as `what`
    /// needs, and says how much is missing. A disk that does not say what it has free is trusted.
    func requireRoom(_ needed: Int, at path: String, for what: String, remedy: String) throws(StoreError) {
        var place = path
        while (try? disk.kind(of: place)) == nil, let parent = DiskPath.parent(of: place), parent != place {
            place = parent
        }
        guard let free = try? disk.freeBytes(place), free < needed else { return }
        throw StoreError(
            .full,
            "\(what) needs \(needed) bytes and the disk of \(path) has \(free) free: make room for \(needed - free) more, "
                + remedy,
            place: path
        )
    }

    /// Bytes that a backup to the folder `target`, which is there, has to write. Where files can have a second name there,
    /// these are the ones that may still change.
    func backupByteCount(at target: String, copies: Bool) throws(StoreError) -> Int {
        func byteCount(_ path: String) -> Int { (try? disk.open(path, .read).size()) ?? 0 }
        let blocks = try names(folder.blocks).filter { BlockID(fileName: $0) != nil }.map { folder.blocks + "/" + $0 }
        let segments = try names(folder.log).compactMap { LogSegment.number(ofFile: $0) }.sorted().map(folder.segment)
        let others = try otherFiles().map { folder.root + "/" + $0 }
        var copied = [folder.catalog] + others.filter { !$0.hasPrefix(folder.rollups + "/") } + segments.suffix(1)
        let isLinking = blocks.first.map { !copies && canLink($0, at: target) } ?? false
        if !isLinking {
            copied += blocks + segments.dropLast() + others.filter { $0.hasPrefix(folder.rollups + "/") }
        }
        return copied.reduce(0) { $0 + byteCount($1) }
    }

    /// Whether `path` can have a second name in the folder `target`.
    private func canLink(_ path: String, at target: String) -> Bool {
        let probe = target + "/link" + StoreFolder.temporarySuffix
        guard (try? disk.link(path, to: probe)) != nil else { return false }
        try? disk.remove(probe)
        return true
    }
}
