// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
public import SkeinStore

/// What a backup took.
public struct BackupReport: Sendable {
    /// Files that share their bytes with the data folder.
    public internal(set) var linkedFileCount = 0
    public internal(set) var linkedByteCount = 0
    /// Files with bytes of their own.
    public internal(set) var copiedFileCount = 0
    public internal(set) var copiedByteCount = 0
    /// What was wrong with the folder already, in whole sentences.
    public internal(set) var problems: [String] = []
}

extension DataFolder {
    /// Takes a backup: makes the folder `destination`, which must not be there, with all spans acknowledged before.
    ///
    /// Works beside a running server and without one. Blocks, and what is named after them, get a second name there where
    /// the file system can do that and `copies` is false; what may still change is copied. `destination` appears complete
    /// and synced, or not at all.
    public func backUp(
        to destination: String,
        copies: Bool = false,
        progress: (Progress) -> Void = { _ in }
    ) throws(StoreError) -> BackupReport {
        try backUp(to: destination, copies: copies, clock: SystemClock(), progress: progress)
    }

    package func backUp(
        to destination: String,
        copies: Bool,
        clock: any WallClock,
        progress: (Progress) -> Void = { _ in }
    ) throws(StoreError) -> BackupReport {
        try requireFolder()
        let destination = StoreFolder.trimmed(destination)
        let temporary = destination + StoreFolder.temporarySuffix
        guard (try? disk.kind(of: folder.manifest)) == nil else {
            throw StoreError(.unusable, "\(folder.root) is a backup itself; copy it with other means")
        }
        guard !(destination + "/").hasPrefix(folder.root + "/") else {
            throw StoreError(.unusable, "\(destination) lies in the data folder itself; name a place beside it")
        }
        if let other = backup(around: destination) {
            throw StoreError(.unusable, "\(destination) lies in the backup \(other); name a place beside it")
        }
        for path in [destination, temporary] where (try? disk.kind(of: path)) != nil {
            throw StoreError(
                .unusable,
                path == destination
                    ? "\(path) is there already; name a folder that is not"
                    : "\(path) is there already: a backup is being taken there, or was not finished; remove it then",
                place: path
            )
        }
        var manifest = BackupManifest(folder: folder.root)
        manifest.startedUnixNanos = clock.unixNanos
        var backup = FolderBackup(self, at: temporary, copies: copies)
        do throws(StoreError) {
            manifest.files = try backup.run(progress)
            if let records = logRecords() {
                let name = StoreFolder.logRecordsName
                var inner = FolderBackup(records, at: temporary + "/" + name, copies: copies)
                for (path, sum) in try inner.run(progress) { manifest.files[name + "/" + path] = sum }
                backup.add(inner.report, of: name)
            }
            manifest.finishedUnixNanos = clock.unixNanos
            try Self.orFailure { () throws(DiskError) in
                try disk.write(manifest.bytes, to: temporary + "/" + BackupManifest.fileName)
                try disk.syncDirectory(temporary)
                try disk.rename(temporary, to: destination)
                try disk.syncDirectory(StoreFolder.parent(of: destination))
            }
        } catch {
            // No half of a backup is left where someone might take it for a whole one.
            for path in [temporary, destination] { disk.removeTree(path) }
            throw error
        }
        return backup.report
    }

    /// The backup in which `path` lies; `nil` when it lies in none.
    private func backup(around path: String) -> String? {
        var place = path
        while let parent = DiskPath.parent(of: place), parent != place {
            if (try? disk.kind(of: StoreFolder(root: parent).manifest)) != nil { return parent }
            place = parent
        }
        let isRelative = !path.hasPrefix("/")
        return isRelative && (try? disk.kind(of: StoreFolder(root: ".").manifest)) != nil ? "." : nil
    }

    static func orFailure<T>(_ body: () throws(DiskError) -> T) throws(StoreError) -> T {
        do throws(DiskError) {
            return try body()
        } catch {
            throw StoreError(
                error.code == .noSpace ? .full : error.code == .readOnly ? .unusable : .io,
                "\(error)",
                place: error.path
            )
        }
    }
}

/// One backup under way.
///
/// The order makes it whole. The catalog is read first: what it calls removed is in other blocks already. Then log
/// segments are taken, then blocks, then the rest. A span acknowledged before was in a segment or in a block; a segment
/// that is gone when its turn comes is in a block that is listed later, and a block that is gone was merged into one that
/// the next listing shows. So folders are listed until nothing listed was gone and nothing was new, and no file replaced
/// that says what is being taken out of the blocks.
private struct FolderBackup {
    private let data: DataFolder
    private let disk: any Disk
    private let folder: StoreFolder
    private let target: String
    private var canLink: Bool
    private var files: [String: FileSum] = [:]
    private var linked: Set<String> = []
    private var blocks: Set<BlockID> = []
    private var segments: Set<UInt64> = []
    /// Paths below the folder that need not be looked at again.
    private var seen: Set<String> = []
    private var progress = DataFolder.Progress()
    private(set) var report = BackupReport()

    /// Lists the folders so often; each time fewer files are new.
    private static let roundsMax = 1_000

    init(_ data: DataFolder, at target: String, copies: Bool) {
        self.data = data
        disk = data.disk
        folder = data.folder
        self.target = target
        canLink = !copies
    }

    /// Takes everything but the manifest, synced; returns what the manifest must say.
    mutating func run(_ tell: (DataFolder.Progress) -> Void) throws(StoreError) -> [String: FileSum] {
        let catalog = try data.readCatalog()
        try make(target)
        try data.requireRoom(
            try data.backupByteCount(at: target, copies: !canLink),
            at: target,
            for: "the backup",
            remedy: canLink
                ? "or name a place on another disk"
                : "name a place on another disk, or leave out --copy on the data folder's own"
        )
        var round = 0
        while try takeAll(removed: catalog?.removed ?? [], tell) {
            round += 1
            guard round < Self.roundsMax else {
                throw StoreError(.unavailable, "the data folder changes faster than it can be copied; try again later")
            }
        }
        try dropSuperfluous()
        try noteMissing(catalog)
        var state = catalog?.state ?? CatalogState()
        state.blocks = blocks
        try write(Catalog.content(of: state), to: "catalog")
        for path in Set(files.keys.compactMap { path in path.split(separator: "/").dropLast().first.map(String.init) })
        {
            try DataFolder.orFailure { () throws(DiskError) in try disk.syncDirectory(target + "/" + path) }
        }
        for (path, sum) in files {
            if linked.contains(path) {
                report.linkedFileCount += 1
                report.linkedByteCount += sum.byteCount
            } else {
                report.copiedFileCount += 1
                report.copiedByteCount += sum.byteCount
            }
        }
        return files
    }

    /// Adds what was taken of a folder within this one.
    mutating func add(_ inner: BackupReport, of name: String) {
        report.linkedFileCount += inner.linkedFileCount
        report.linkedByteCount += inner.linkedByteCount
        report.copiedFileCount += inner.copiedFileCount
        report.copiedByteCount += inner.copiedByteCount
        report.problems += inner.problems.map { "In \(name)/: \($0)" }
    }

    /// Takes what was not yet seen. Returns whether the folders must be listed again.
    private mutating func takeAll(
        removed: Set<BlockID>,
        _ tell: (DataFolder.Progress) -> Void
    ) throws(StoreError) -> Bool {
        var isGone = false
        var isNew = false
        for (name, number) in try data.names(folder.log).map({ ($0, LogSegment.number(ofFile: $0)) }) {
            guard let number, seen.insert("log/" + name).inserted else { continue }
            if try takeSegment(number, tell) { segments.insert(number) } else { isGone = true }
        }
        for id in try data.names(folder.blocks).compactMap({ BlockID(fileName: $0) }) {
            guard !removed.contains(id), seen.insert("blocks/" + id.fileName).inserted else { continue }
            isNew = true
            if try take("blocks/" + id.fileName, tell) { blocks.insert(id) } else { isGone = true }
        }
        for path in try data.otherFiles() where !replaced.contains(path) && seen.insert(path).inserted {
            isNew = true
            if try !take(path, tell) { isGone = true }
        }
        let isReplaced = try takeReplaced(tell)
        return isGone || isNew || isReplaced
    }

    /// Files that are replaced by others of the same names, which say what became of blocks or is to become of them.
    private var replaced: [String] {
        [folder.lateDecisions, folder.pins, folder.removals, folder.savedQueries].map(data.relative)
    }

    /// Takes them in the place of what was taken of them in an earlier round, where they are another now. Returns whether any
    /// is: then they may not fit the blocks that were listed since.
    private mutating func takeReplaced(_ tell: (DataFolder.Progress) -> Void) throws(StoreError) -> Bool {
        var isReplaced = false
        for path in replaced where try sum(of: path) != files[path] {
            isReplaced = true
            if files[path] != nil { try drop(path) }
            _ = try take(path, mayLink: false, tell)
        }
        return isReplaced
    }

    /// What a file of the data folder holds now; `nil` when it is not there.
    private func sum(of path: String) throws(StoreError) -> FileSum? {
        do throws(DiskError) {
            return try disk.sum(of: folder.root + "/" + path)
        } catch {
            if error.code == .notFound { return nil }
            throw StoreError(read: error)
        }
    }

    // MARK: Taking

    private mutating func make(_ path: String) throws(StoreError) {
        try DataFolder.orFailure { () throws(DiskError) in try disk.createDirectory(path) }
    }

    /// Takes a file; returns false when it is gone. Only what is named after a block is sure never to change.
    private mutating func take(
        _ path: String,
        _ tell: (DataFolder.Progress) -> Void
    ) throws(StoreError) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let stem = name.split(separator: ".").dropLast().joined(separator: ".")
        return try take(path, mayLink: BlockID(fileName: stem + ".block") != nil, tell)
    }

    private mutating func take(
        _ path: String,
        mayLink: Bool,
        _ tell: (DataFolder.Progress) -> Void
    ) throws(StoreError) -> Bool {
        let (source, copy) = (folder.root + "/" + path, target + "/" + path)
        try make(StoreFolder.parent(of: copy))
        progress.totalByteCount += (try? disk.open(source, .read).size()) ?? 0
        func count(_ bytes: Int) {
            progress.byteCount += bytes
            tell(progress)
        }
        do throws(DiskError) {
            if mayLink, try link(source, to: copy) {
                // The end mark of a segment is written without a sync.
                try disk.open(copy, .read).sync()
                files[path] = try disk.sum(of: copy, progress: count)
                linked.insert(path)
            } else {
                files[path] = try disk.copy(source, to: copy, progress: count)
            }
            return true
        } catch {
            if error.code == .notFound { return false }
            throw StoreError(
                error.code == .noSpace ? .full : .io,
                "the backup cannot be taken: \(error)",
                place: source
            )
        }
    }

    /// Gives a file a second name. Returns false where that cannot be done.
    private mutating func link(_ source: String, to copy: String) throws(DiskError) -> Bool {
        guard canLink else { return false }
        do throws(DiskError) {
            try disk.link(source, to: copy)
            return true
        } catch {
            if error.code == .notFound { throw error }
            canLink = false
            return false
        }
    }

    /// Takes a segment of the log. One that was ended in order is not touched again; any other may be written to, or cut
    /// at the next start, and gets bytes of its own.
    private mutating func takeSegment(
        _ number: UInt64,
        _ tell: (DataFolder.Progress) -> Void
    ) throws(StoreError) -> Bool {
        let path = "log/" + LogSegment.fileName(number)
        guard var bytes = try data.contents(folder.segment(number)) else { return false }
        let version = bytes.withUnsafeBytes { LogSegment.newerVersion($0) }
        if let version { throw StoreError(newer: version, known: LogSegment.version, path: folder.segment(number)) }
        if bytes.withUnsafeBytes({ LogSegment.isEnded($0) }), try take(path, mayLink: true, tell) { return true }
        // A record that failed may have been cut off while it was read.
        while let offset = bytes.withUnsafeBytes({ LogSegment.firstBadOffset($0) }) {
            guard let again = try data.contents(folder.segment(number)) else { return false }
            if again == bytes {
                report.problems.append(
                    "The log segment \(path) is damaged at byte \(offset) and was copied as it is; "
                        + "`skein verify` says more."
                )
                break
            }
            bytes = again
        }
        try make(target + "/log")
        try write(bytes, to: path)
        progress.totalByteCount += bytes.count
        progress.byteCount += bytes.count
        tell(progress)
        return true
    }

    private mutating func write(_ bytes: [UInt8], to path: String) throws(StoreError) {
        try DataFolder.orFailure { () throws(DiskError) in try disk.write(bytes, to: target + "/" + path) }
        files[path] = FileSum(byteCount: bytes.count, checksum: Checksum.of(bytes))
    }

    // MARK: Afterwards

    /// Takes out what a start would remove: blocks that another good one supersedes, segments that are in a good block.
    private mutating func dropSuperfluous() throws(StoreError) {
        var good: [BlockID] = []
        for id in blocks.sorted() where try isGood(id) { good.append(id) }
        for id in blocks where good.contains(where: { $0.supersedes(id) }) {
            try drop("blocks/" + id.fileName)
            blocks.remove(id)
        }
        for segment in segments where good.contains(where: { $0.covers(segment) }) {
            try drop("log/" + LogSegment.fileName(segment))
        }
    }

    /// Whether a start would take the block.
    private mutating func isGood(_ id: BlockID) throws(StoreError) -> Bool {
        let path = target + "/blocks/" + id.fileName
        let file = try DataFolder.orFailure { () throws(DiskError) in try disk.open(path, .read) }
        do throws(StoreError) {
            _ = try Block(file, path: path, id: 0)
            return true
        } catch {
            guard error.code == .corrupt else { throw error }
            report.problems.append(
                "The block \(id.fileName) is damaged (\(error.message)) and was taken as it is; "
                    + "`skein verify` says more."
            )
            return false
        }
    }

    private mutating func drop(_ path: String) throws(StoreError) {
        files[path] = nil
        linked.remove(path)
        try DataFolder.orFailure { () throws(DiskError) in try disk.remove(target + "/" + path) }
    }

    /// Blocks that were lost before, as opposed to those merged or past retention since.
    private mutating func noteMissing(_ catalog: CatalogReading?) throws(StoreError) {
        let missing = (catalog?.state.blocks ?? []).filter { id in
            !blocks.contains(id) && !blocks.contains { $0.supersedes(id) }
        }
        guard !missing.isEmpty, let now = try data.readCatalog() else { return }
        for id in missing.sorted() where now.state.blocks.contains(id) {
            report.problems.append("The block \(id.fileName) is missing in the data folder, and so in the backup.")
        }
    }
}
