// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// One file of the write-ahead log: a ``RecordFile`` whose records are batches.
///
/// A segment may end in the middle of a record, since the machine may have stopped while it was written: that is its
/// end. A record that does not check while good ones follow it, or in a segment that was ended in order, is damage: the
/// good ones are read, and the segment is reported as damaged.
struct LogSegment {
    static let magic: UInt64 = 0x676f_4c6e_6965_6b53
    static let version: UInt32 = 1
    static let batchType: UInt32 = 0x4348_5442
    /// Nothing comes after it: the segment was ended in order. No payload.
    static let endType: UInt32 = 0x2044_4e45

    /// The batches of the good records, in order.
    private(set) var batches: [SpanBatch] = []
    /// Bytes up to which the file is good; what follows, if anything, is a torn end.
    private(set) var goodByteCount = 0
    /// Whether the segment was ended in order.
    private(set) var isEnded = false
    /// What is wrong, in words, when the segment is damaged and not only torn.
    private(set) var damage: String?
    /// Where the first of it lies.
    private(set) var damageOffset: Int?
    /// Whether neither header nor any record checks: nearly always a segment that was being made when the machine stopped.
    private(set) var isHollow = false
    /// Set when the segment was written by a later version of Skein, and so must not be touched.
    private(set) var newerVersion: UInt32?

    /// `0000000000000017.log`
    static func fileName(_ number: UInt64) -> String { FileNumber.text(number) + ".log" }

    /// The number in a segment's file name, `nil` for any other name.
    static func number(ofFile name: String) -> UInt64? {
        name.hasSuffix(".log") ? FileNumber.parse(name.dropLast(4)) : nil
    }

    static func header(_ number: UInt64) -> ByteWriter {
        RecordFile.header(magic: magic, version: version, number: number)
    }

    /// Appends the record of `batch`.
    static func append(_ batch: SpanBatch, to out: inout ByteWriter) {
        // Room for nearly every batch, so that the buffer seldom moves.
        out.reserve(4096 + batch.count * 100 + batch.dictionary.bytes.count)
        RecordFile.append(type: batchType, to: &out) { PackedBatch.append(batch, to: &$0) }
    }

    static func endRecord() -> ByteWriter { RecordFile.record(type: endType) { _ in } }

    /// The version of a segment that a later Skein wrote, `nil` for any other bytes. The header is enough.
    static func newerVersion(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        guard case .good(let version, _) = RecordFile.readHeader(bytes, magic: magic), version > Self.version else {
            return nil
        }
        return version
    }

    /// Whether a segment ends with its end mark: nothing is written to it again, or cut off it.
    static func isEnded(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let end = endRecord()
        return bytes.count >= RecordFile.headerByteCount + end.count && bytes.suffix(end.count).elementsEqual(end.bytes)
    }

    /// Where a segment is damaged, without reading its batches; `nil` when it is whole or only torn.
    static func firstBadOffset(_ bytes: UnsafeRawBufferPointer) -> Int? {
        if case .damaged = RecordFile.readHeader(bytes, magic: magic) { return 0 }
        return RecordFile.forEachRecord(bytes, types: [batchType, endType]) { $0.type != endType }.firstBadOffset
    }

    /// Reads the whole of segment `number`.
    init(_ bytes: UnsafeRawBufferPointer, number: UInt64) {
        switch RecordFile.readHeader(bytes, magic: Self.magic) {
        // It was being made when the machine stopped, and holds nothing.
        case .short: return
        case .damaged:
            damage = "its header does not check"
            damageOffset = 0
        case .good(let version, _) where version > Self.version:
            newerVersion = version
            return
        case .good(_, let found) where found != number:
            damage = "its header says it is segment \(found)"
            damageOffset = 0
        case .good: break
        }
        let outcome = RecordFile.forEachRecord(bytes, types: [Self.batchType, Self.endType]) { record in
            if record.type == Self.endType {
                isEnded = true
                return false
            }
            do throws(PackedBatch.Failure) {
                batches.append(try PackedBatch.read(record.payload))
            } catch {
                damageOffset = damageOffset ?? record.range.lowerBound
                damage = damage ?? "the batch at offset \(record.range.lowerBound) cannot be read: \(error)"
            }
            return true
        }
        goodByteCount = outcome.goodByteCount
        isHollow = damage != nil && batches.isEmpty && !isEnded
        if let offset = outcome.firstBadOffset {
            damageOffset = damageOffset ?? offset
            damage = damage ?? "the record at offset \(offset) does not check"
        }
    }
}
