// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Writes log segments, one after the other, one open at a time. Used by one thread at a time.
///
/// A segment is made when the first record needs it. After a failure that leaves doubt about what is on the device, the
/// segment is given up and the next record goes to a new one: no `fsync` that failed is ever repeated and believed.
struct LogWriter: ~Copyable {
    private let disk: any Disk
    private let folder: String
    private var file: (any DiskFile)?
    /// Of the open segment, or of the one opened next.
    private(set) var segment: UInt64
    /// Bytes of the open segment that a failure must leave in place.
    private var byteCount = 0
    /// Whether bytes were written since the last sync.
    private(set) var hasUnsyncedBytes = false
    private(set) var counters = Counters()

    /// What was done since the start.
    struct Counters {
        var syncCount = 0
        var failedSyncCount = 0
        var writtenByteCount = 0
        var segmentCount = 0
    }

    /// A writer whose first segment will have the number `segment`; no file of that or a higher number may exist.
    init(disk: any Disk, folder: String, segment: UInt64) {
        self.disk = disk
        self.folder = folder
        self.segment = segment
    }

    /// Bytes of the open segment.
    var openByteCount: Int { file == nil ? 0 : byteCount }

    /// Appends whole records. When it throws, the segment holds what it held before, or is given up.
    mutating func write(_ records: UnsafeRawBufferPointer) throws(DiskError) {
        let file = try openSegment()
        do throws(DiskError) {
            try file.append(records)
        } catch {
            // On a full disk nothing written before is in doubt, so the file is cut and used on.
            let isCut = (try? file.truncate(to: byteCount)) != nil
            if error.code != .noSpace || !isCut { giveUp() }
            throw error
        }
        byteCount += records.count
        counters.writtenByteCount += records.count
        hasUnsyncedBytes = true
    }

    /// Makes all written records durable. When it throws, none written since the last sync can be relied on, and the
    /// segment is given up.
    mutating func sync() throws(DiskError) {
        guard hasUnsyncedBytes, let file else { return }
        counters.syncCount += 1
        do throws(DiskError) {
            try file.sync()
        } catch {
            counters.failedSyncCount += 1
            giveUp()
            throw error
        }
        hasUnsyncedBytes = false
    }

    /// Ends the open segment, if any, so that the next record goes to a new one. Returns the number of the last segment
    /// that may hold records.
    mutating func finish() -> UInt64 {
        guard let file else { return segment - 1 }
        // Without the end mark a reader only knows less about damage at the very end.
        let end = LogSegment.endRecord()
        try? file.append(end.bytes)
        let finished = segment
        giveUp()
        return finished
    }

    private mutating func giveUp() {
        file = nil
        byteCount = 0
        hasUnsyncedBytes = false
        segment += 1
    }

    private mutating func openSegment() throws(DiskError) -> any DiskFile {
        if let file { return file }
        let path = folder + "/" + LogSegment.fileName(segment)
        guard segment <= FileNumber.greatest else {
            let reason =
                "segments are numbered up to \(FileNumber.greatest); move the file with the greatest number away"
            throw DiskError(.io, .create, path: path, reason: reason)
        }
        do throws(DiskError) {
            let file = try disk.open(path, .create)
            let header = LogSegment.header(segment)
            try file.append(header.bytes)
            try disk.syncDirectory(folder)
            self.file = file
            byteCount = header.count
            hasUnsyncedBytes = true
            counters.segmentCount += 1
            return file
        } catch {
            // The file may be there in part; its number is not used again.
            try? disk.remove(path)
            segment += 1
            throw error
        }
    }
}
