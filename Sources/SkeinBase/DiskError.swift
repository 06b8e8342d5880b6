// SPDX-License-Identifier: Apache-2.0

/// What a disk refused to do.
package struct DiskError: Error, Hashable, CustomStringConvertible {
    /// What the caller can do about it.
    package enum Code: String, Hashable, Sendable {
        /// The disk or a quota is full: make space and try again.
        case noSpace
        /// The disk, the folder or the file may only be read.
        case readOnly
        /// There is no such file.
        case notFound
        /// There is such a file already.
        case exists
        /// Another process holds the lock.
        case locked
        /// The device failed. What was written since the last successful sync may be lost.
        case io
    }

    /// What was being done.
    package enum Operation: String, Hashable, Sendable {
        case open, read, append, sync, truncate, rename, remove, link, list, create, lock, measure
    }

    /// What the caller can do about it.
    package var code: Code
    /// What was being done.
    package var operation: Operation
    /// To which file or folder.
    package var path: String
    /// The operating system's words, or the simulation's.
    package var reason: String

    /// An error.
    package init(_ code: Code, _ operation: Operation, path: String, reason: String) {
        self.code = code
        self.operation = operation
        self.path = path
        self.reason = reason
    }

    package var description: String { "cannot \(operation.rawValue) \(path): \(reason)" }
}
