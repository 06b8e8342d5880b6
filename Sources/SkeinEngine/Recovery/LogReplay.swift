// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Reads the log back after a restart, segment by segment, and mends what it can.
struct LogReplay {
    private let disk: any Disk
    private let folder: StoreFolder

    init(disk: any Disk, folder: StoreFolder) {
        self.disk = disk
        self.folder = folder
    }

    /// Numbers of the segments there are, ascending.
    func segments() throws(DiskError) -> [UInt64] {
        try disk.list(folder.log).compactMap(LogSegment.number(ofFile:)).sorted()
    }

    /// Reads segment `number`. A torn end is cut off and counted; the bytes of a segment that belongs to a later version
    /// throw.
    func read(_ number: UInt64, _ report: inout RecoveryReport) throws(StoreError) -> LogSegment {
        let path = folder.log + "/" + LogSegment.fileName(number)
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.contents(of: path, limit: .max)
        } catch {
            throw StoreError(read: error)
        }
        let segment = bytes.withUnsafeBytes { LogSegment($0, number: number) }
        if let version = segment.newerVersion {
            throw StoreError(newer: version, known: LogSegment.version, path: path)
        }
        report.segmentCount += 1
        report.replayedSpanCount += segment.batches.reduce(0) { $0 + $1.count }
        if segment.damage == nil { report.tornByteCount += bytes.count - segment.goodByteCount }
        return segment
    }
}

extension StoreError {
    /// A file of a later version: it is left as it is.
    init(newer version: UInt32, known: UInt32, path: String) {
        self.init(
            .unusable,
            "\(path) has format version \(version), this Skein knows versions up to \(known); "
                + "nothing was changed, start the newer Skein",
            place: path
        )
    }
}
