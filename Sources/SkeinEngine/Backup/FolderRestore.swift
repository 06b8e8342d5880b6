// SPDX-License-Identifier: Apache-2.0
import SkeinBase
public import SkeinStore

/// What a restore did.
public struct RestoreReport: Sendable {
    public internal(set) var fileCount = 0
    public internal(set) var byteCount = 0
    /// When the backup was begun, nanoseconds since 1970.
    public internal(set) var takenUnixNanos: UInt64 = 0
    /// The folder that it was taken of.
    public internal(set) var source = ""
    /// What opening the restored folder found.
    public internal(set) var recovery = RecoveryReport()
    /// Spans that the restored folder holds.
    public internal(set) var spanCount = 0
}

extension DataFolder {
    /// Makes this folder, which must be empty or not be there, the one that `backup` was taken of, and opens it once.
    ///
    /// Every byte of the backup is checked before anything is written, and before that whether there is room. Until all is in place the folder has the manifest
    /// of the backup, and no store opens it.
    public func restore(
        from backup: String,
        progress: (Progress) -> Void = { _ in }
    ) async throws(StoreError) -> RestoreReport {
        let source = StoreFolder.trimmed(backup)
        let manifest = try readManifest(of: source)
        var done = Progress(byteCount: 0, totalByteCount: manifest.byteCount * 2)
        func count(_ bytes: Int) {
            done.byteCount += bytes
            progress(done)
        }
        try refuseUnlessEmpty()
        try requireRoom(
            manifest.byteCount,
            at: folder.root,
            for: "restoring",
            remedy: "or name a folder on another disk"
        )
        try check(manifest, of: source, count)
        do throws(StoreError) {
            try copy(manifest, from: source, count)
        } catch {
            for name in (try? disk.list(folder.root)) ?? [] { disk.removeTree(folder.root + "/" + name) }
            throw error
        }
        var configuration = EmbeddedStore.Configuration(directory: folder.root)
        configuration.disk = disk
        let store = try await EmbeddedStore.open(configuration)
        var report = RestoreReport()
        report.fileCount = manifest.files.count
        report.byteCount = manifest.byteCount
        report.takenUnixNanos = manifest.startedUnixNanos
        report.source = manifest.folder
        report.recovery = store.recovery
        report.spanCount = await store.status().spanCount
        await store.close()
        return report
    }

    private func readManifest(of source: String) throws(StoreError) -> BackupManifest {
        let path = source + "/" + BackupManifest.fileName
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.contents(of: path, limit: 1 << 30)
        } catch {
            throw StoreError(
                .unusable,
                "\(source) is no backup that was finished: its manifest cannot be read (\(error.reason))",
                place: path
            )
        }
        do throws(BackupManifest.Failure) {
            return try BackupManifest(parsing: bytes)
        } catch {
            switch error {
            case .damaged(let reason):
                throw StoreError(.corrupt, "the manifest of the backup is damaged: \(reason)", place: path)
            case .newer(let reason):
                throw StoreError(.unusable, "\(reason); restore with the newer Skein", place: path)
            }
        }
    }

    private func refuseUnlessEmpty() throws(StoreError) {
        do throws(DiskError) {
            guard try disk.list(folder.root).isEmpty else {
                throw DiskError(.exists, .list, path: folder.root, reason: "it is not empty")
            }
        } catch {
            if error.code == .notFound, (try? disk.kind(of: folder.root)) == nil { return }
            throw StoreError(
                .unusable,
                "\(folder.root) cannot take a backup: \(error.reason); name an empty folder, or one that is not there",
                place: folder.root
            )
        }
    }

    /// Reads every file of a backup and compares it with the manifest.
    private func check(
        _ manifest: BackupManifest,
        of source: String,
        _ count: (Int) -> Void
    ) throws(StoreError) {
        var wrong: [String] = []
        for (path, wanted) in manifest.files.sorted(by: { $0.key < $1.key }) {
            do throws(DiskError) {
                let found = try disk.sum(of: source + "/" + path, progress: count)
                if found.byteCount != wanted.byteCount {
                    wrong.append("\(path) has \(found.byteCount) bytes instead of \(wanted.byteCount)")
                } else if found != wanted {
                    wrong.append("the checksum of \(path) does not match")
                }
            } catch {
                wrong.append("\(path) cannot be read: \(error.reason)")
            }
        }
        guard let first = wrong.first else { return }
        let others = wrong.count == 1 ? "" : ", and \(wrong.count - 1) more files do not check"
        throw StoreError(.corrupt, "the backup is damaged: \(first)\(others); nothing was restored", place: source)
    }

    private func copy(
        _ manifest: BackupManifest,
        from source: String,
        _ count: (Int) -> Void
    ) throws(StoreError) {
        try Self.orFailure { () throws(DiskError) in
            try disk.createDirectory(folder.root)
            try disk.write(manifest.bytes, to: folder.manifest)
            try disk.syncDirectory(folder.root)
            var folders = [folder.root]
            for (path, wanted) in manifest.files.sorted(by: { $0.key < $1.key }) {
                let target = folder.root + "/" + path
                let parent = StoreFolder.parent(of: target)
                if !folders.contains(parent) {
                    try disk.createDirectory(parent)
                    folders.append(parent)
                }
                guard try disk.copy(source + "/" + path, to: target, progress: count) == wanted else {
                    throw DiskError(.io, .read, path: source + "/" + path, reason: "it changed while it was copied")
                }
            }
            for path in folders.reversed() { try disk.syncDirectory(path) }
            try disk.remove(folder.manifest)
            try disk.syncDirectory(folder.root)
        }
    }
}

extension Disk {
    /// Takes away the file or folder `path` and all below it, as far as that can be done.
    func removeTree(_ path: String) {
        guard (try? kind(of: path)) == .folder else {
            try? remove(path)
            return
        }
        for name in (try? list(path)) ?? [] { removeTree(path + "/" + name) }
        try? removeDirectory(path)
    }
}
