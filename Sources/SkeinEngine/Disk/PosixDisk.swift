// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The machine's own file system.
package struct PosixDisk: Disk {
    /// The file system; there is no state.
    package init() {}

    package func createDirectory(_ path: String) throws(DiskError) {
        var failure = mkdir(path, 0o755) == 0 ? 0 : errno
        if failure == ENOENT, let parent = DiskPath.parent(of: path), parent != path {
            try createDirectory(parent)
            failure = mkdir(path, 0o755) == 0 ? 0 : errno
        }
        switch failure {
        case 0: try syncDirectory(DiskPath.parent(of: path) ?? ".")
        case EEXIST: return
        default: throw DiskError(errno: failure, .create, path: path)
        }
    }

    package func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .create: O_RDWR | O_APPEND | O_CREAT | O_EXCL
            case .append: O_RDWR | O_APPEND
            }
        let descriptor = openFile(path, flags)
        guard descriptor >= 0 else { throw DiskError(errno: errno, .open, path: path) }
        return PosixFile(descriptor, path: path)
    }

    package func list(_ path: String) throws(DiskError) -> [String] {
        guard let folder = opendir(path) else { throw DiskError(errno: errno, .list, path: path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package func kind(of path: String) throws(DiskError) -> DiskEntryKind {
        var answer = stat()
        guard statFile(path, &answer) == 0 else { throw DiskError(errno: errno, .measure, path: path) }
        return switch answer.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        guard renameFile(path, target) == 0 else { throw DiskError(errno: errno, .rename, path: path) }
    }

    package func remove(_ path: String) throws(DiskError) {
        guard unlink(path) == 0 else { throw DiskError(errno: errno, .remove, path: path) }
    }

    package func removeDirectory(_ path: String) throws(DiskError) {
        guard rmdir(path) == 0 else { throw DiskError(errno: errno, .remove, path: path) }
    }

    package func link(_ path: String, to target: String) throws(DiskError) {
        // The file itself, should a folder hold symbolic links to files elsewhere.
        guard linkat(AT_FDCWD, path, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0 else {
            throw DiskError(errno: errno, .link, path: path)
        }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        let descriptor = openFile(path, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { throw DiskError(errno: errno, .sync, path: path) }
        defer { closeFile(descriptor) }
        guard fsync(descriptor) == 0 else { throw DiskError(errno: errno, .sync, path: path) }
    }

    package func freeBytes(_ path: String) throws(DiskError) -> Int {
        var answer = statvfs()
        guard statvfs(path, &answer) == 0 else { throw DiskError(errno: errno, .measure, path: path) }
        let (bytes, overflow) = UInt64(answer.f_bavail).multipliedReportingOverflow(by: UInt64(answer.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }

    package func lock(_ path: String) throws(DiskError) -> any DiskLock {
        let descriptor = openFile(path, O_RDWR | O_CREAT)
        guard descriptor >= 0 else { throw DiskError(errno: errno, .lock, path: path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = errno
            closeFile(descriptor)
            if failure == EWOULDBLOCK {
                throw DiskError(.locked, .lock, path: path, reason: "another process holds it")
            }
            throw DiskError(errno: failure, .lock, path: path)
        }
        return PosixLock(descriptor)
    }
}

/// An open file of the machine's file system.
final class PosixFile: DiskFile {
    private let descriptor: Int32
    private let path: String

    init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { closeFile(descriptor) }

    func size() throws(DiskError) -> Int {
        var answer = stat()
        guard fstat(descriptor, &answer) == 0 else { throw DiskError(errno: errno, .measure, path: path) }
        return Int(answer.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskError(errno: errno, .read, path: path)
            }
            done += count
        }
        return done
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = write(descriptor, base + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskError(errno: errno, .append, path: path)
            }
            done += count
        }
    }

    func sync() throws(DiskError) {
        #if canImport(Darwin)
            // Only this reaches the medium there; fsync stops at the drive's cache.
            guard fcntl(descriptor, F_FULLFSYNC) == 0 || fsync(descriptor) == 0 else {
                throw DiskError(errno: errno, .sync, path: path)
            }
        #else
            guard fdatasync(descriptor) == 0 else { throw DiskError(errno: errno, .sync, path: path) }
        #endif
    }

    func truncate(to count: Int) throws(DiskError) {
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw DiskError(errno: errno, .truncate, path: path) }
    }
}

/// A lock of the machine's file system; the kernel lets go when the process ends, however it ends.
final class PosixLock: DiskLock {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { closeFile(descriptor) }
}

extension DiskError {
    init(errno code: Int32, _ operation: Operation, path: String) {
        let kind: Code =
            switch code {
            case ENOSPC, EDQUOT, EFBIG: .noSpace
            case EROFS, EACCES, EPERM: .readOnly
            case ENOENT, ENOTDIR: .notFound
            case EEXIST: .exists
            default: .io
            }
        self.init(kind, operation, path: path, reason: String(cString: strerror(code)))
    }
}

// The C names that methods above shadow.
private func openFile(_ path: String, _ flags: Int32) -> Int32 { open(path, flags | O_CLOEXEC, 0o644) }
@discardableResult private func closeFile(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func statFile(_ path: String, _ answer: inout stat) -> Int32 { stat(path, &answer) }
private func renameFile(_ path: String, _ target: String) -> Int32 { rename(path, target) }
