// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Synchronization

/// Another disk, of which it is known at any time how many bytes the files in some folders take.
///
/// Files are measured once at the beginning; from then on it counts what goes through it, so all changes to these folders
/// must. A file takes whole pages, as most file systems give them out; names and folders are not counted.
final class MeteredDisk: Disk {
    private struct State {
        /// The number of each file that there is, by path.
        var numbers: [String: Int] = [:]
        /// Of each file that there is, by number.
        var files: [Int: (folder: String, byteCount: Int)] = [:]
        var nextNumber = 0
        /// Bytes that the files of each folder take.
        var totals: [String: Int]

        mutating func add(_ path: String, byteCount: Int) -> Int {
            nextNumber += 1
            link(path, nextNumber, byteCount)
            return nextNumber
        }

        mutating func link(_ path: String, _ number: Int, _ byteCount: Int) {
            remove(path)
            guard let folder = DiskPath.parent(of: path), totals[folder] != nil else { return }
            numbers[path] = number
            files[number] = (folder, byteCount)
            totals[folder, default: 0] += MeteredDisk.taken(byteCount)
        }

        @discardableResult
        mutating func remove(_ path: String) -> (number: Int, byteCount: Int)? {
            guard let number = numbers.removeValue(forKey: path), let file = files.removeValue(forKey: number) else {
                return nil
            }
            totals[file.folder, default: 0] -= MeteredDisk.taken(file.byteCount)
            return (number, file.byteCount)
        }

        /// Does nothing for a file that was removed.
        mutating func measure(_ number: Int, _ change: (Int) -> Int) {
            guard let file = files[number] else { return }
            let byteCount = change(file.byteCount)
            files[number] = (file.folder, byteCount)
            totals[file.folder, default: 0] += MeteredDisk.taken(byteCount) - MeteredDisk.taken(file.byteCount)
        }
    }

    private static let pageByteCount = 4_096

    private let disk: any Disk
    private let state: Mutex<State>

    /// Measures the files in `folders`. One that cannot be measured counts as empty.
    init(_ disk: any Disk, folders: [String]) {
        self.disk = disk
        var state = State(totals: Dictionary(uniqueKeysWithValues: folders.map { ($0, 0) }))
        for folder in folders {
            for name in (try? disk.list(folder)) ?? [] {
                let path = folder + "/" + name
                guard (try? disk.kind(of: path)) == .file else { continue }
                _ = state.add(path, byteCount: (try? disk.open(path, .read).size()) ?? 0)
            }
        }
        self.state = Mutex(state)
    }

    /// Bytes that a file of `byteCount` bytes takes.
    static func taken(_ byteCount: Int) -> Int {
        let (padded, overflow) = byteCount.addingReportingOverflow(pageByteCount - 1)
        return overflow ? byteCount : padded / pageByteCount * pageByteCount
    }

    /// Bytes that the files in all folders take.
    var byteCount: Int { state.withLock { $0.totals.values.reduce(0, +) } }

    /// Bytes that the files in one of the folders take.
    func byteCount(in folder: String) -> Int { state.withLock { $0.totals[folder] ?? 0 } }

    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let file = try disk.open(path, mode)
        switch mode {
        case .read: return file
        case .create:
            let number = state.withLock { $0.add(path, byteCount: 0) }
            return MeteredFile(file, number, of: self)
        case .append:
            guard let number = state.withLock({ $0.numbers[path] }) else { return file }
            return MeteredFile(file, number, of: self)
        }
    }

    func rename(_ path: String, to target: String) throws(DiskError) {
        try disk.rename(path, to: target)
        state.withLock { state in
            if let file = state.remove(path) { state.link(target, file.number, file.byteCount) }
        }
    }

    func remove(_ path: String) throws(DiskError) {
        try disk.remove(path)
        state.withLock { _ = $0.remove(path) }
    }

    func link(_ path: String, to target: String) throws(DiskError) { try disk.link(path, to: target) }
    func createDirectory(_ path: String) throws(DiskError) { try disk.createDirectory(path) }
    func list(_ path: String) throws(DiskError) -> [String] { try disk.list(path) }
    func kind(of path: String) throws(DiskError) -> DiskEntryKind { try disk.kind(of: path) }
    func removeDirectory(_ path: String) throws(DiskError) { try disk.removeDirectory(path) }
    func syncDirectory(_ path: String) throws(DiskError) { try disk.syncDirectory(path) }
    func freeBytes(_ path: String) throws(DiskError) -> Int { try disk.freeBytes(path) }
    func lock(_ path: String) throws(DiskError) -> any DiskLock { try disk.lock(path) }

    fileprivate func measure(_ number: Int, _ change: (Int) -> Int) {
        state.withLock { $0.measure(number, change) }
    }
}

/// A file whose growth is counted.
private final class MeteredFile: DiskFile {
    private let file: any DiskFile
    private let number: Int
    private let disk: MeteredDisk

    init(_ file: any DiskFile, _ number: Int, of disk: MeteredDisk) {
        self.file = file
        self.number = number
        self.disk = disk
    }

    func size() throws(DiskError) -> Int { try file.size() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try file.read(into: buffer, at: offset)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        do throws(DiskError) {
            try file.append(bytes)
        } catch {
            // A part of them may be there.
            if let size = try? file.size() { disk.measure(number) { _ in size } }
            throw error
        }
        disk.measure(number) { $0 + bytes.count }
    }

    func sync() throws(DiskError) { try file.sync() }

    func truncate(to count: Int) throws(DiskError) {
        try file.truncate(to: count)
        disk.measure(number) { min($0, count) }
    }
}
