// SPDX-License-Identifier: Apache-2.0
import Dispatch
package import SkeinBase
package import SkeinModel
package import SkeinStore
import Synchronization

/// Batches in files of a folder of its own: a ``RecordFile`` each, whose records are batches as in the log.
///
/// Batches are appended to one file until it is long enough, and a file is removed when no batch in it is wanted any more, so
/// that one of them keeps up to ``segmentByteCountMax`` on the disk. Nothing is synced: what a process leaves is removed by the
/// next.
package final class SpillFolder: SpanSpill {
    /// What all files take, and what they may.
    fileprivate final class Room: Sendable {
        let used = Mutex(0)
    }

    private struct Writing {
        /// The file that is appended to; `nil` when the next batch begins one.
        var segment: SpillSegment?
        var lastNumber: UInt64 = 0
    }

    static let magic: UInt64 = 0x6c69_7053_6965_6b53
    static let version: UInt32 = 1
    static let batchType: UInt32 = 0x4348_5442
    private static let suffix = ".spill"

    /// A file that is longer gets no more batches.
    private let segmentByteCountMax: Int
    /// A disk with less room is left to those who keep what they write.
    private static let freeByteCountMin = 256 << 20

    private let path: String
    private let disk: any Disk
    private let byteCountMax: Int
    private let freeByteCountMin: Int
    private let room = Room()
    private let writing = Mutex(Writing())
    private let thread = DispatchQueue(label: "skein.spill")

    /// The folder for spilled spans in a data folder that the caller has open, of at most `byteCountMax` bytes.
    package convenience init(in dataDirectory: String, byteCountMax: Int) throws(StoreError) {
        try self.init(Self.path(in: dataDirectory), disk: PosixDisk(), byteCountMax: byteCountMax)
    }

    /// The folder `path` of at most `byteCountMax` bytes, made when missing; what an earlier process left in it is removed.
    package init(
        _ path: String,
        disk: any Disk,
        byteCountMax: Int,
        freeByteCountMin: Int = freeByteCountMin
    ) throws(StoreError) {
        self.path = path
        self.disk = disk
        self.byteCountMax = byteCountMax
        self.freeByteCountMin = freeByteCountMin
        segmentByteCountMax = min(64 << 20, byteCountMax / 8)
        do throws(DiskError) {
            try disk.createDirectory(path)
            // What stands there instead of a folder is told now, and not at the first batch.
            _ = try disk.list(path)
            try Self.clear(path, on: disk)
        } catch {
            throw StoreError(.unusable, "spans cannot be spilled: \(error)", place: path)
        }
    }

    /// The folder in a data folder.
    private static func path(in dataDirectory: String) -> String { dataDirectory + "/" + StoreFolder.spillName }

    /// Removes what an earlier process left in a data folder, if there is anything.
    package static func clear(in dataDirectory: String) {
        // What cannot be removed now is in nobody's way.
        try? clear(path(in: dataDirectory), on: PosixDisk())
    }

    /// Removes what a process left in the folder `path`, if there is one; files that are none of ours stay.
    private static func clear(_ path: String, on disk: any Disk) throws(DiskError) {
        let names: [String]
        do throws(DiskError) { names = try disk.list(path) } catch {
            if error.code == .notFound { return }
            throw error
        }
        for name in names where name.hasSuffix(suffix) { try disk.remove(path + "/" + name) }
    }

    package var byteCount: Int { room.used.withLock { $0 } }

    package func write(_ batches: [SpanBatch]) async throws(StoreError) -> [any SpilledBatch] {
        try await onThread { () throws(StoreError) in try self.append(batches) }
    }

    /// Runs `body` on a thread that may wait for the device.
    fileprivate func onThread<T: Sendable>(
        _ body: @escaping @Sendable () throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let outcome: Result<T, StoreError> = await withCheckedContinuation { done in
            thread.async { done.resume(returning: Result(catching: body)) }
        }
        return try outcome.get()
    }

    private func append(_ batches: [SpanBatch]) throws(StoreError) -> [any SpilledBatch] {
        var records = ByteWriter()
        var ranges: [Range<Int>] = []
        for batch in batches {
            let start = records.count
            RecordFile.append(type: Self.batchType, to: &records) { PackedBatch.append(batch, to: &$0) }
            ranges.append(start..<records.count)
        }
        try requireRoom(records.count)
        return try writing.withLock { writing throws(StoreError) in
            do throws(DiskError) {
                let segment = if let segment = writing.segment { segment } else { try begin(&writing) }
                // A file of which nobody knows how it ends is not written to again.
                writing.segment = nil
                let start = try segment.append(records.bytes)
                if segment.byteCount < segmentByteCountMax { writing.segment = segment }
                return ranges.map { range in
                    StoredSpill(segment, start + range.lowerBound..<start + range.upperBound, of: self)
                }
            } catch {
                let code: StoreError.Code = error.code == .noSpace ? .full : .io
                throw StoreError(code, "spans cannot be spilled: \(error)", place: path)
            }
        }
    }

    private func requireRoom(_ needed: Int) throws(StoreError) {
        let used = byteCount
        guard needed <= byteCountMax - used else {
            throw StoreError(
                .full,
                "the spilled spans take \(used) bytes of \(byteCountMax): raise tail-spill-bytes-max",
                place: path
            )
        }
        guard let free = try? disk.freeBytes(path), free - freeByteCountMin < needed else { return }
        throw StoreError(.full, "the disk has \(free) bytes left, too few to spill spans: make space", place: path)
    }

    private func begin(_ writing: inout Writing) throws(DiskError) -> SpillSegment {
        writing.lastNumber += 1
        let name = path + "/" + FileNumber.text(writing.lastNumber) + Self.suffix
        let file: any DiskFile
        do throws(DiskError) { file = try disk.open(name, .create) } catch {
            guard error.code == .notFound else { throw error }
            // Somebody has removed the folder.
            try disk.createDirectory(path)
            file = try disk.open(name, .create)
        }
        let segment = SpillSegment(file, name, on: disk, in: room)
        let header = RecordFile.header(magic: Self.magic, version: Self.version, number: writing.lastNumber)
        _ = try segment.append(header.bytes)
        return segment
    }
}

/// One file, removed when nobody refers to it any more.
private final class SpillSegment: Sendable {
    private let file: any DiskFile
    private let path: String
    private let disk: any Disk
    private let room: SpillFolder.Room
    private let length = Atomic<Int>(0)

    init(_ file: any DiskFile, _ path: String, on disk: any Disk, in room: SpillFolder.Room) {
        self.file = file
        self.path = path
        self.disk = disk
        self.room = room
    }

    deinit {
        // One that cannot be removed is the next process's to remove.
        try? disk.remove(path)
        let byteCount = byteCount
        room.used.withLock { $0 -= byteCount }
    }

    var byteCount: Int { length.load(ordering: .relaxed) }

    /// Returns where the bytes begin. By one writer at a time.
    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) -> Int {
        let start = byteCount
        // Counted before: a part may have been written when it throws.
        length.store(start + bytes.count, ordering: .relaxed)
        room.used.withLock { $0 += bytes.count }
        try file.append(bytes)
        return start
    }

    func bytes(_ range: Range<Int>) throws(DiskError) -> [UInt8] {
        try file.bytes(at: range.lowerBound, count: range.count)
    }
}

/// A batch in a segment.
private final class StoredSpill: SpilledBatch {
    private let segment: SpillSegment
    private let range: Range<Int>
    private let folder: SpillFolder

    init(_ segment: SpillSegment, _ range: Range<Int>, of folder: SpillFolder) {
        self.segment = segment
        self.range = range
        self.folder = folder
    }

    func read() async throws(StoreError) -> SpanBatch {
        try await folder.onThread { [segment, range] () throws(StoreError) in try Self.read(range, of: segment) }
    }

    private static func read(_ range: Range<Int>, of segment: SpillSegment) throws(StoreError) -> SpanBatch {
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try segment.bytes(range)
        } catch {
            throw StoreError(.io, "spilled spans cannot be read: \(error)", place: error.path)
        }
        do throws(PackedBatch.Failure) {
            return try bytes.withUnsafeBufferPointer { bytes throws(PackedBatch.Failure) in
                var payload: UnsafeRawBufferPointer?
                _ = RecordFile.forEachRecord(UnsafeRawBufferPointer(bytes), from: 0, types: [SpillFolder.batchType]) {
                    if $0.range == 0..<bytes.count { payload = $0.payload }
                    return false
                }
                guard let payload else { throw PackedBatch.Failure(description: "the record does not check") }
                return try PackedBatch.read(payload)
            }
        } catch {
            throw StoreError(.corrupt, "spilled spans are damaged: \(error)")
        }
    }
}
