// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Synchronization

/// Another disk, whose files opened for reading share a bounded number of descriptors: the one used longest ago is closed
/// and opened again when it is read. So there may be any number of blocks.
///
/// A file that is removed or renamed while it is in use here is opened before, if it is not, and stays so until its last
/// user lets go: whoever has it can read it to the end, as ``Disk`` promises.
final class PooledDisk: Disk {
    private struct Open {
        var file: any DiskFile
        /// Greater is later.
        var lastUse: UInt64
    }

    private struct Known {
        weak var file: PooledFile?
    }

    private struct State {
        /// Files that have a descriptor of the pool's.
        var open: [ObjectIdentifier: Open] = [:]
        var useCount: UInt64 = 0
        /// Files in use, by path.
        var known: [String: [ObjectIdentifier: Known]] = [:]
    }

    private let disk: any Disk
    private let openCountMax: Int
    private let state = Mutex(State())

    /// A pool that keeps at most `openCountMax` files open.
    init(_ disk: any Disk, openCountMax: Int = 512) {
        self.disk = disk
        self.openCountMax = openCountMax
    }

    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let file = try disk.open(path, mode)
        guard mode == .read else { return file }
        let pooled = PooledFile(path: path, pool: self)
        state.withLock { $0.known[path, default: [:]][ObjectIdentifier(pooled)] = Known(file: pooled) }
        keep(file, of: ObjectIdentifier(pooled))
        return pooled
    }

    func rename(_ path: String, to target: String) throws(DiskError) {
        hold(path)
        hold(target)
        try disk.rename(path, to: target)
    }

    func remove(_ path: String) throws(DiskError) {
        hold(path)
        try disk.remove(path)
    }

    func createDirectory(_ path: String) throws(DiskError) { try disk.createDirectory(path) }
    func list(_ path: String) throws(DiskError) -> [String] { try disk.list(path) }
    func kind(of path: String) throws(DiskError) -> DiskEntryKind { try disk.kind(of: path) }
    func link(_ path: String, to target: String) throws(DiskError) { try disk.link(path, to: target) }
    func removeDirectory(_ path: String) throws(DiskError) { try disk.removeDirectory(path) }
    func syncDirectory(_ path: String) throws(DiskError) { try disk.syncDirectory(path) }
    func freeBytes(_ path: String) throws(DiskError) -> Int { try disk.freeBytes(path) }
    func lock(_ path: String) throws(DiskError) -> any DiskLock { try disk.lock(path) }

    /// The file behind `pooled`, opened if it is not.
    fileprivate func file(of pooled: PooledFile) throws(DiskError) -> any DiskFile {
        let id = ObjectIdentifier(pooled)
        let known = state.withLock { state -> (any DiskFile)? in
            state.useCount += 1
            state.open[id]?.lastUse = state.useCount
            return state.open[id]?.file
        }
        if let known { return known }
        let file = try disk.open(pooled.path, .read)
        keep(file, of: id)
        return file
    }

    fileprivate func forget(_ id: ObjectIdentifier, path: String) {
        let closed = state.withLock { state -> (any DiskFile)? in
            state.known[path]?[id] = nil
            if state.known[path]?.isEmpty ?? false { state.known[path] = nil }
            return state.open.removeValue(forKey: id)?.file
        }
        // Closed outside the lock.
        _ = consume closed
    }

    private func keep(_ file: any DiskFile, of id: ObjectIdentifier) {
        let closed = state.withLock { state -> (any DiskFile)? in
            state.useCount += 1
            state.open[id] = Open(file: file, lastUse: state.useCount)
            guard state.open.count > openCountMax,
                let oldest = state.open.min(by: { $0.value.lastUse < $1.value.lastUse })
            else { return nil }
            return state.open.removeValue(forKey: oldest.key)?.file
        }
        _ = consume closed
    }

    /// Lets the users of `path` keep what the name stands for now.
    private func hold(_ path: String) {
        let users = state.withLock { $0.known[path]?.values.compactMap(\.file) ?? [] }
        for user in users { user.hold() }
    }
}

/// A file that is open when it is read.
private final class PooledFile: DiskFile {
    let path: String
    private let pool: PooledDisk
    /// What there is once its name no longer leads to it: the file, or why that could not be kept open.
    private let held = Mutex<Result<any DiskFile, DiskError>?>(nil)

    init(path: String, pool: PooledDisk) {
        self.path = path
        self.pool = pool
    }

    deinit { pool.forget(ObjectIdentifier(self), path: path) }

    /// Keeps the file open from now on. Where that fails, reads that come later fail.
    func hold() {
        guard held.withLock({ $0 == nil }) else { return }
        let kept: Result<any DiskFile, DiskError>
        do throws(DiskError) { kept = .success(try pool.file(of: self)) } catch { kept = .failure(error) }
        held.withLock { $0 = $0 ?? kept }
    }

    private var file: any DiskFile {
        get throws(DiskError) {
            if let kept = held.withLock({ $0 }) { return try kept.get() }
            let opened: Result<any DiskFile, DiskError>
            do throws(DiskError) { opened = .success(try pool.file(of: self)) } catch { opened = .failure(error) }
            // Its name may have gone to another file meanwhile.
            return try (held.withLock { $0 } ?? opened).get()
        }
    }

    func size() throws(DiskError) -> Int { try file.size() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try file.read(into: buffer, at: offset)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) { try file.append(bytes) }
    func sync() throws(DiskError) { try file.sync() }
    func truncate(to count: Int) throws(DiskError) { try file.truncate(to: count) }
}
