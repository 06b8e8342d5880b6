// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
import SkeinStore

/// A data folder seen from outside: read without its lock, beside a running server or without one, and never changed.
///
/// What is read may be merged, sealed or past retention a moment later. A file that vanishes for such a reason is no
/// trouble, here and in all that is built on this.
public struct DataFolder: Sendable {
    let disk: any Disk
    let folder: StoreFolder

    /// The folder `directory`.
    public init(_ directory: String) { self.init(directory, disk: PosixDisk()) }

    /// The folder `directory` of a disk.
    package init(_ directory: String, disk: any Disk) {
        self.disk = disk
        folder = StoreFolder(root: StoreFolder.trimmed(directory))
    }

    /// How far reading is.
    public struct Progress: Sendable {
        /// Bytes read.
        public var byteCount = 0
        /// Bytes there are to read.
        public var totalByteCount = 0
    }

    /// Throws ``StoreError/Code/unusable`` when there is no data folder.
    func requireFolder() throws(StoreError) {
        do throws(DiskError) {
            let names = try disk.list(folder.root)
            if names.contains("catalog") || names.contains("log") || names.contains("blocks") { return }
        } catch {
            throw StoreError(.unusable, "\(folder.root) cannot be read: \(error.reason)", place: folder.root)
        }
        throw StoreError(
            .unusable,
            "\(folder.root) is no data folder: it has neither a catalog nor a log nor blocks; name another",
            place: folder.root
        )
    }

    /// What the catalog and the marks of removed blocks say; `nil` when there is no catalog. Throws ``StoreError/Code/unusable`` when a later version wrote it.
    func readCatalog() throws(StoreError) -> CatalogReading? {
        guard let bytes = try contents(folder.catalog) else { return nil }
        var reading = bytes.withUnsafeBytes { CatalogReading($0) }
        if let version = reading.newerVersion {
            throw StoreError(newer: version, known: Catalog.version, path: folder.catalog)
        }
        reading.note(marks: StoreFolder.marks(try names(folder.blocks)))
        return reading
    }

    /// The bytes of a file that may grow meanwhile; `nil` when there is none.
    func contents(_ path: String) throws(StoreError) -> [UInt8]? {
        do throws(DiskError) {
            return try disk.contents(of: path, limit: .max)
        } catch {
            if error.code == .notFound { return nil }
            throw Self.unreadable(error)
        }
    }

    /// Names in a folder below the root; none when it is not there.
    func names(_ path: String) throws(StoreError) -> [String] {
        do throws(DiskError) {
            return try disk.list(path)
        } catch {
            if error.code == .notFound { return [] }
            throw Self.unreadable(error)
        }
    }

    /// The data folder of log records in this one; `nil` when there is none.
    func logRecords() -> DataFolder? {
        guard (try? disk.kind(of: folder.logRecords)) == .folder else { return nil }
        return DataFolder(folder.logRecords, disk: disk)
    }

    /// Paths below the root of the files that are neither catalog nor log segment nor block, unfinished and quarantined
    /// ones left out: what other parts of Skein keep beside the blocks.
    func otherFiles() throws(StoreError) -> [String] {
        var paths: [String] = []
        for name in try names(folder.root) {
            switch try? disk.kind(of: folder.root + "/" + name) {
            case .file where !["LOCK", "catalog", BackupManifest.fileName].contains(name): paths.append(name)
            case .folder where !["quarantine", StoreFolder.logRecordsName, StoreFolder.spillName].contains(name):
                for inner in try names(folder.root + "/" + name)
                where !Self.isKnown(name, inner)
                    && (try? disk.kind(of: folder.root + "/" + name + "/" + inner)) == .file
                {
                    paths.append(name + "/" + inner)
                }
            default: break
            }
        }
        return paths.filter { !$0.hasSuffix(StoreFolder.temporarySuffix) && !$0.hasSuffix(StoreFolder.markSuffix) }
    }

    private static func isKnown(_ folder: String, _ name: String) -> Bool {
        switch folder {
        case "log": LogSegment.number(ofFile: name) != nil
        case "blocks": BlockID(fileName: name) != nil
        default: false
        }
    }

    /// A path below the root as people see it.
    func relative(_ path: String) -> String {
        path.hasPrefix(folder.root + "/") ? String(path.dropFirst(folder.root.utf8.count + 1)) : path
    }

    /// A file that the operating system does not give away is beyond what can be checked or copied.
    static func unreadable(_ error: DiskError) -> StoreError {
        StoreError(error.code == .readOnly ? .unusable : .io, "\(error)", place: error.path)
    }
}
