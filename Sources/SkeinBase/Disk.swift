// SPDX-License-Identifier: Apache-2.0

/// The file system as the engine sees it, so that a test can own it.
///
/// Calls are synchronous and may block: keep them off the cooperative pool where they wait for the device. Any thread
/// may call. What is promised after a crash, and nothing more:
/// - bytes of a file survive once ``DiskFile/sync()`` returned; bytes appended since may survive in part or garbled;
/// - a file made, renamed or removed is so for good once ``syncDirectory(_:)`` of its folder returned; before that
///   each such change may be undone on its own;
/// - after ``DiskFile/sync()`` threw, bytes appended before it may be lost though a later sync returns.
package protocol Disk: Sendable {
    /// Makes the folder `path` and those above it, for good. Does nothing when it exists: its name may then still wait for
    /// ``syncDirectory(_:)`` of the folder above.
    func createDirectory(_ path: String) throws(DiskError)

    /// Opens the file `path`; see ``DiskOpenMode``.
    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile

    /// Names of what lies in the folder `path`, sorted.
    func list(_ path: String) throws(DiskError) -> [String]

    /// What lies at `path`. Throws ``DiskError/Code/notFound`` when nothing does.
    func kind(of path: String) throws(DiskError) -> DiskEntryKind

    /// Gives the file or folder `path` the name `target` in one step. A file takes the place of any file of that name;
    /// a folder that of none.
    func rename(_ path: String, to target: String) throws(DiskError)

    /// Takes the file `path` away. Files open at the time can still be read.
    func remove(_ path: String) throws(DiskError)

    /// Takes the empty folder `path` away.
    func removeDirectory(_ path: String) throws(DiskError)

    /// Gives the file `path` the second name `target`: both are the same bytes until one of them is removed. Throws
    /// ``DiskError/Code/exists`` when there is such a file, and some other error where the file system cannot do it, as
    /// between two of them.
    func link(_ path: String, to target: String) throws(DiskError)

    /// Makes the names in folder `path` durable.
    func syncDirectory(_ path: String) throws(DiskError)

    /// Bytes that can still be written in folder `path`.
    func freeBytes(_ path: String) throws(DiskError) -> Int

    /// Takes the exclusive lock on the file `path`, made when missing; it is held until the value is released or the
    /// process ends. Throws ``DiskError/Code/locked`` when another holds it.
    func lock(_ path: String) throws(DiskError) -> any DiskLock
}

/// How a file is opened.
package enum DiskOpenMode: Sendable {
    /// An existing file, for reading.
    case read
    /// A new file, for appending and reading. Throws ``DiskError/Code/exists`` when there is one.
    case create
    /// An existing file, for appending at its end and reading.
    case append
}

/// What a name in a folder stands for.
package enum DiskEntryKind: Sendable {
    case file, folder
    /// A device, a socket and the like: nothing that is ever read.
    case other
}

/// An open file. It is closed when the last reference goes.
///
/// Reading is safe from many threads at once; one writer at a time.
package protocol DiskFile: AnyObject, Sendable {
    /// Bytes in the file.
    func size() throws(DiskError) -> Int

    /// Reads from byte `offset` on until `buffer` is full or the file ends; returns the number of bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int

    /// Writes all of `bytes` at the end. When it throws, a part of them may have been written.
    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError)

    /// Makes the bytes of the file durable (`fdatasync`). Never believe a file again after this threw.
    func sync() throws(DiskError)

    /// Cuts the file to its first `count` bytes.
    func truncate(to count: Int) throws(DiskError)
}

/// An exclusive lock, held as long as the value lives.
package protocol DiskLock: AnyObject, Sendable {}

/// Paths as text.
package enum DiskPath {
    /// The folder that the name of `path` lies in; `nil` for a name in the working folder, "/" for itself.
    package static func parent(of path: String) -> String? {
        guard let end = path.lastIndex(where: { $0 != "/" }) else { return path.isEmpty ? nil : "/" }
        guard let slash = path[...end].lastIndex(of: "/") else { return nil }
        guard let parentEnd = path[..<slash].lastIndex(where: { $0 != "/" }) else { return "/" }
        return String(path[...parentEnd])
    }
}

extension Disk {
    /// The whole content of the file `path`, which must not be longer than `limit` bytes.
    package func contents(of path: String, limit: Int) throws(DiskError) -> [UInt8] {
        let file = try open(path, .read)
        let size = try file.size()
        guard size <= limit else {
            throw DiskError(.io, .read, path: path, reason: "it has \(size) bytes, more than the limit of \(limit)")
        }
        return try file.bytes(at: 0, count: size)
    }
}

extension DiskFile {
    /// Up to `count` bytes from byte `offset` on; fewer where the file ends.
    package func bytes(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        var failure: DiskError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(DiskError) {
                filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
