// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Length and checksum of a whole file.
struct FileSum: Hashable, Sendable {
    var byteCount = 0
    var checksum: UInt64 = 0
}

extension Disk {
    /// Reads the file `path` from its first byte to its last.
    func sum(of path: String, progress: (Int) -> Void = { _ in }) throws(DiskError) -> FileSum {
        try open(path, .read).pieces { piece throws(DiskError) in progress(piece.count) }
    }

    /// Writes the bytes of `path` to the new file `target` and makes them durable, but not its name.
    func copy(_ path: String, to target: String, progress: (Int) -> Void = { _ in }) throws(DiskError) -> FileSum {
        let source = try open(path, .read)
        let copy = try open(target, .create)
        let sum = try source.pieces { piece throws(DiskError) in
            try copy.append(piece)
            progress(piece.count)
        }
        try copy.sync()
        return sum
    }

    /// Writes `bytes` to the new file `target` and makes them durable, but not its name.
    func write(_ bytes: [UInt8], to target: String) throws(DiskError) {
        let file = try open(target, .create)
        try bytes.withUnsafeBufferPointer { bytes throws(DiskError) in
            try file.append(UnsafeRawBufferPointer(bytes))
        }
        try file.sync()
    }
}

extension DiskFile {
    private static var pieceByteCount: Int { 1 << 20 }

    /// Lends the bytes that the file has now, piece by piece.
    fileprivate func pieces(
        _ body: (UnsafeRawBufferPointer) throws(DiskError) -> Void
    ) throws(DiskError) -> FileSum {
        var running = Checksum.Running()
        let size = try size()
        var offset = 0
        while offset < size {
            let piece = try bytes(at: offset, count: min(Self.pieceByteCount, size - offset))
            guard !piece.isEmpty else { break }
            running.add(piece)
            try piece.withUnsafeBufferPointer { piece throws(DiskError) in try body(UnsafeRawBufferPointer(piece)) }
            offset += piece.count
        }
        return FileSum(byteCount: offset, checksum: running.value)
    }
}
