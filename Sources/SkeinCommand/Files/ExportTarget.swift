// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where exported traces are written: standard output, or a file that has its name only once it is whole.
struct ExportTarget: ~Copyable {
    /// Bytes that are gathered before they are written.
    private static let blockBytes = 256 << 10

    /// Bytes so far.
    private(set) var byteCount = 0
    private let path: String?
    private let descriptor: Int32
    private var block = Data()
    private var isWhole = false

    /// Begins a file at `path`, or standard output for `nil`.
    init(_ path: String?) throws(CommandFailure) {
        self.path = path
        guard let path else {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = open(Self.partial(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure(description: "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
    }

    deinit {
        guard let path else { return }
        close(descriptor)
        if !isWhole { unlink(Self.partial(path)) }
    }

    private static func partial(_ path: String) -> String { path + ".partial" }

    /// Appends text.
    mutating func write(_ text: some Collection<UInt8>) throws(CommandFailure) {
        block.append(contentsOf: text)
        byteCount += text.count
        if block.count >= Self.blockBytes { try flush() }
    }

    /// Writes what was gathered, and gives the file its name.
    mutating func finish() throws(CommandFailure) {
        try flush()
        guard let path else { return }
        guard fsync(descriptor) == 0, rename(Self.partial(path), path) == 0 else { throw failure() }
        isWhole = true
    }

    private mutating func flush() throws(CommandFailure) {
        var rest = block[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else {
                // A reader that has gone (`skein export | head`) ends the command quietly.
                if path == nil, errno == EPIPE { exit(0) }
                throw failure()
            }
            rest = rest.dropFirst(written)
        }
        block.removeAll(keepingCapacity: true)
    }

    private func failure() -> CommandFailure {
        CommandFailure(
            description: "\(path ?? "Standard output") cannot be written: \(String(cString: strerror(errno)))."
        )
    }
}
