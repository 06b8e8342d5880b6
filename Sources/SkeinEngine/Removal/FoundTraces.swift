// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// The traces that a removal found, kept in a file of its own from before the first block is written anew until the last
/// one was.
///
/// Blocks are written anew one by one. Once the one with the matching span is done, nobody finds the others by asking
/// again: what is left of the trace does not match.
struct FoundTraces {
    static let magic: UInt64 = 0x546d_526e_6965_6b53
    static let version: UInt32 = 1
    static let tracesType: UInt32 = 0x5343_5254
    private static let idByteCount = 16

    var ids: Set<TraceID>
    /// Spans in later segments of the log came after the removal was asked for.
    var lastSegment: UInt64

    /// Writes the file of removal `number`, for good; one that is there is replaced.
    func write(_ number: Int, _ disk: any Disk, _ folder: StoreFolder) throws(DiskError) {
        var bytes = RecordFile.header(magic: Self.magic, version: Self.version, number: UInt64(number))
        RecordFile.append(type: Self.tracesType, to: &bytes) { out in
            out.appendVarint(lastSegment)
            out.appendVarint(UInt64(ids.count))
            for id in ids.sorted() {
                out.appendLittleEndian(id.high)
                out.appendLittleEndian(id.low)
            }
        }
        try disk.replace(folder.foundTraces(number), with: bytes.bytes)
    }

    /// Reads the file of removal `number`. Throws ``StoreError/Code/corrupt`` when it does not check,
    /// ``StoreError/Code/unusable`` when a later version wrote it.
    init(_ number: Int, _ disk: any Disk, _ folder: StoreFolder) throws(StoreError) {
        let path = folder.foundTraces(number)
        let bytes: [UInt8]
        do throws(DiskError) { bytes = try disk.contents(of: path, limit: 1 << 30) } catch {
            throw StoreError(read: error)
        }
        var newer: UInt32?
        var found: FoundTraces?
        bytes.withUnsafeBytes { bytes in
            guard case .good(let version, UInt64(number)) = RecordFile.readHeader(bytes, magic: Self.magic) else {
                return
            }
            if version > Self.version { newer = version }
            _ = RecordFile.forEachRecord(bytes, types: [Self.tracesType]) { record in
                found = try? FoundTraces(decoding: record.payload)
                return false
            }
        }
        if let newer { throw StoreError(newer: newer, known: Self.version, path: path) }
        guard let found else { throw StoreError(.corrupt, "the traces of a removal do not check", place: path) }
        self = found
    }

    init(ids: Set<TraceID>, lastSegment: UInt64) {
        self.ids = ids
        self.lastSegment = lastSegment
    }

    private init(decoding bytes: UnsafeRawBufferPointer) throws(ByteError) {
        var reader = ByteReader(bytes)
        lastSegment = try reader.readVarint()
        ids = []
        for _ in 0..<(try reader.readCount(max: bytes.count / Self.idByteCount)) {
            let high = try reader.readLittleEndian(UInt64.self)
            ids.insert(TraceID(high: high, low: try reader.readLittleEndian(UInt64.self)))
        }
        guard reader.isAtEnd, lastSegment <= FileNumber.greatest else {
            throw ByteError(.invalid, at: reader.position)
        }
    }
}

extension Block {
    /// Whether any of these traces has rows here.
    func holds(anyOf ids: Set<TraceID>) throws(StoreError) -> Bool {
        for id in ids where mayContain(id) {
            if try !find(id).isEmpty { return true }
        }
        return false
    }
}
