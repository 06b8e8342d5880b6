// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// The paths of a data folder. `docs/format.md` draws it.
struct StoreFolder: Sendable {
    /// Ends the names of files that are being written.
    static let temporarySuffix = ".new"
    /// Ends the names of the marks of removed blocks.
    static let markSuffix = ".removed"

    let root: String

    var lock: String { root + "/LOCK" }
    var catalog: String { root + "/catalog" }
    var log: String { root + "/log" }
    var blocks: String { root + "/blocks" }
    var removals: String { root + "/removals" }
    /// What late sampling decided and has not finished yet; see ``LateDecisions``.
    var lateDecisions: String { root + "/late-sampling" }
    /// Pinned traces; see ``PinFile``.
    var pins: String { root + "/pins" }
    var savedQueries: String { root + "/queries" }
    /// What the removal of this number found, as long as it is not finished; see ``FoundTraces``.
    func foundTraces(_ number: Int) -> String { removals + "." + FileNumber.text(UInt64(number)) }
    /// The number of the removal in the name of such a file; `nil` for any other name.
    static func removal(ofFile name: String) -> Int? {
        guard name.hasPrefix("removals.") else { return nil }
        return FileNumber.parse(name.dropFirst("removals.".count)).map { Int($0) }
    }
    var rollups: String { root + "/rollups" }
    /// Open work and messages of agents; see ``SegmentLog``.
    var workTrace: String { root + "/worktrace" }
    /// A data folder in this one, of log records; see ``EmbeddedLogRecords``.
    var logRecords: String { root + "/" + Self.logRecordsName }
    static let logRecordsName = "records"
    /// What a ``SpillFolder`` has here is nobody's after a stop.
    static let spillName = "sampling"
    var quarantine: String { root + "/quarantine" }
    /// The folders whose files the store writes. What lies in quarantine is the operator's.
    var metered: [String] { [root, log, blocks, rollups] }
    /// The same, and those of the log records.
    var meteredWithLogRecords: [String] { metered + StoreFolder(root: logRecords).metered }
    /// Only a backup has it, and a folder that a restore has not finished.
    var manifest: String { root + "/" + BackupManifest.fileName }

    /// The rollup of the spans in the segments of `id`.
    func rollup(_ id: BlockID) -> String { rollups + "/" + id.rollupFileName }
    func segment(_ number: UInt64) -> String { log + "/" + LogSegment.fileName(number) }
    func block(_ id: BlockID) -> String { blocks + "/" + id.fileName }
    /// The empty file that says that a block was removed although the catalog may not know.
    func mark(_ id: BlockID) -> String { block(id) + Self.markSuffix }

    /// The blocks that have a mark, by the names in ``blocks``.
    static func marks(_ names: [String]) -> Set<BlockID> {
        Set(
            names.filter { $0.hasSuffix(markSuffix) }.compactMap {
                BlockID(fileName: String($0.dropLast(markSuffix.count)))
            }
        )
    }

    /// A path without slashes at its end.
    static func trimmed(_ path: String) -> String {
        var path = path
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// The folder in which `path` lies.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes the folders and takes the lock.
    func claim(_ disk: any Disk) throws(StoreError) -> any DiskLock {
        guard (try? disk.kind(of: manifest)) == nil else {
            throw StoreError(
                .unusable,
                "\(root) is a backup, or a restore into it was not finished; `skein restore` makes a data folder of a "
                    + "backup",
                place: root
            )
        }
        do throws(DiskError) {
            for path in [root, log, blocks, rollups, quarantine] { try disk.createDirectory(path) }
            let held = try disk.lock(lock)
            // A process that was killed may have made folders and not synced their names. What lies above the root need not
            // be ours to open.
            try disk.syncDirectory(root)
            try? disk.syncDirectory(DiskPath.parent(of: root) ?? ".")
            return held
        } catch {
            switch error.code {
            case .locked:
                throw StoreError(
                    .unusable,
                    "the data folder \(root) is in use by another Skein; stop that one or name another folder",
                    place: root
                )
            case .readOnly:
                throw StoreError(
                    .unusable,
                    "the data folder \(root) cannot be written (\(error.reason)); make it writable or name another",
                    place: root
                )
            case .noSpace:
                throw StoreError(.full, "the disk of the data folder \(root) is full; make space first", place: root)
            default:
                throw StoreError(.unusable, "the data folder \(root) cannot be opened: \(error)", place: root)
            }
        }
    }
}
