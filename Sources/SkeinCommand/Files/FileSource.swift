// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinCompression

/// The bytes of a file or of standard input, unpacked where they are gzip or zstd, in memory for a block of them.
struct FileSource: ~Copyable {
    /// As the user named it; "standard input" for `-`.
    let name: String
    /// Bytes of the file as it is stored; `nil` where nobody knows, as of a pipe.
    let byteCount: Int?
    /// How many of them were read.
    private(set) var readCount = 0
    private let descriptor: Int32
    private var packed = UnpackingStream()
    private var block = [UInt8](repeating: 0, count: 256 << 10)
    private var isAtEnd = false

    /// Opens `path`, or standard input for `-`.
    init(_ path: String) throws(CommandFailure) {
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        let problem = errno
        var isFolder: ObjCBool = false
        if path != "-" { _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) }
        let (start, end) = (lseek(descriptor, 0, SEEK_CUR), lseek(descriptor, 0, SEEK_END))
        byteCount = !isFolder.boolValue && end > 0 ? Int(end) : nil
        guard descriptor >= 0 else {
            // Whoever opens nothing has nothing to close.
            throw CommandFailure(description: "\(path) cannot be read: \(String(cString: strerror(problem))).")
        }
        guard !isFolder.boolValue else {
            close(descriptor)
            throw CommandFailure(description: "\(path) is a folder; name the files in it.")
        }
        if end >= 0 { lseek(descriptor, start, SEEK_SET) }
    }

    deinit { close(descriptor) }

    /// Appends the next bytes to `out`. `false` at the end.
    mutating func read(into out: inout ByteWriter) throws(CommandFailure) -> Bool {
        while true {
            do throws(CompressionError) {
                if try packed.unpack(into: &out) { return true }
            } catch {
                throw CommandFailure(description: "\(error.message) near byte \(readCount)")
            }
            if isAtEnd { return false }
            let count = block.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandFailure(description: "\(String(cString: strerror(errno))) at byte \(readCount)")
            }
            readCount += count
            isAtEnd = count == 0
            block.withUnsafeBytes { packed.append(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            if isAtEnd { packed.finish() }
        }
    }
}
