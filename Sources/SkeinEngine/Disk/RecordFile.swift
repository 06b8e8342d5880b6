// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The frame that log segments and the catalog share: a file header, then checksummed records.
///
///     header  0  magic u64   8  version u32   12  zero u32   16  number u64   24  checksum u64 of bytes 0..<24
///     record  0  checksum u64 of all that follows   8  type u32   12  length u32   16  `length` bytes
///
/// Integers are little-endian; checksums are ``Checksum``.
enum RecordFile {
    static let headerByteCount = 32
    static let recordHeaderByteCount = 16
    /// A record longer than this is not written, and one that says so in a file is damaged.
    static let payloadBytesMax = 1 << 30
    /// A damaged file is searched for good records by trying places that could be one, until so many bytes were hashed
    /// in vain.
    private static let searchedByteCountMax = 256 << 20

    static func header(magic: UInt64, version: UInt32, number: UInt64) -> ByteWriter {
        var out = ByteWriter(capacity: headerByteCount)
        out.appendLittleEndian(magic)
        out.appendLittleEndian(version)
        out.appendLittleEndian(UInt32(0))
        out.appendLittleEndian(number)
        out.appendLittleEndian(Checksum.of(out.bytes))
        return out
    }

    /// A record whose payload `write` appends.
    static func record(type: UInt32, _ write: (inout ByteWriter) -> Void) -> ByteWriter {
        var out = ByteWriter()
        append(type: type, to: &out, write)
        return out
    }

    /// Appends a record whose payload `write` appends.
    static func append(type: UInt32, to out: inout ByteWriter, _ write: (inout ByteWriter) -> Void) {
        let start = out.count
        out.appendLittleEndian(UInt64(0))
        out.appendLittleEndian(type)
        out.appendLittleEndian(UInt32(0))
        write(&out)
        out.overwriteLittleEndian(UInt32(clamping: out.count - start - recordHeaderByteCount), at: start + 12)
        let checksum = Checksum.of(UnsafeRawBufferPointer(rebasing: out.bytes[(start + 8)...]))
        out.overwriteLittleEndian(UInt32(truncatingIfNeeded: checksum), at: start)
        out.overwriteLittleEndian(UInt32(truncatingIfNeeded: checksum &>> 32), at: start + 4)
    }

    /// What the header of a file says.
    enum Header: Equatable {
        case good(version: UInt32, number: UInt64)
        /// Shorter than a header: the machine stopped while the file was being made.
        case short
        case damaged
    }

    static func readHeader(_ bytes: UnsafeRawBufferPointer, magic: UInt64) -> Header {
        guard bytes.count >= headerByteCount else { return .short }
        let checked = UnsafeRawBufferPointer(rebasing: bytes[..<24])
        guard UInt64(littleEndian: bytes.unsafelyLoad(0, as: UInt64.self)) == magic,
            Checksum.matches(UInt64(littleEndian: bytes.unsafelyLoad(24, as: UInt64.self)), checked)
        else { return .damaged }
        return .good(
            version: UInt32(littleEndian: bytes.unsafelyLoad(8, as: UInt32.self)),
            number: UInt64(littleEndian: bytes.unsafelyLoad(16, as: UInt64.self))
        )
    }

    /// A record that checks.
    struct Record {
        var type: UInt32
        var payload: UnsafeRawBufferPointer
        /// Where it starts and ends in the file.
        var range: Range<Int>
    }

    /// How reading all records went.
    struct Outcome: Equatable {
        /// Bytes up to which the file is good; what follows, if anything, is a torn end.
        var goodByteCount: Int
        /// Offset of the first record that does not check although good ones follow it, or might: the search for them was
        /// given up.
        var firstBadOffset: Int?
    }

    /// Calls `body` with each good record from `offset` on, until it returns false. Records that do not check are passed
    /// over. `types` are the record types there are, `searchedByteCountMax` is for tests.
    static func forEachRecord(
        _ bytes: UnsafeRawBufferPointer,
        from first: Int = headerByteCount,
        types: Set<UInt32>,
        searchedByteCountMax: Int = searchedByteCountMax,
        _ body: (Record) -> Bool
    ) -> Outcome {
        var outcome = Outcome(goodByteCount: min(first, bytes.count))
        var offset = first
        var budget = searchedByteCountMax
        while offset < bytes.count {
            guard let record = record(bytes, at: offset, types) else {
                let next = nextRecord(bytes, after: offset, types, &budget)
                // Without having looked at all of it nobody may call the rest a torn end, and cut it off.
                if next == nil, budget < 0 { outcome.firstBadOffset = outcome.firstBadOffset ?? offset }
                guard let next else { break }
                outcome.firstBadOffset = outcome.firstBadOffset ?? offset
                offset = next
                continue
            }
            offset = record.range.upperBound
            outcome.goodByteCount = offset
            if !body(record) { break }
        }
        return outcome
    }

    /// Whether what begins at `offset` is, by the length that it says, a record that ends with the file.
    static func isWhole(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard bytes.count - offset >= recordHeaderByteCount else { return false }
        return Int(UInt32(littleEndian: bytes.unsafelyLoad(offset + 12, as: UInt32.self)))
            == bytes.count - offset - recordHeaderByteCount
    }

    /// The length of the payload of what may be a record; `nil` when the bytes at `offset` cannot be one.
    private static func payloadByteCount(
        _ bytes: UnsafeRawBufferPointer,
        at offset: Int,
        _ types: Set<UInt32>
    ) -> Int? {
        guard bytes.count - offset >= recordHeaderByteCount,
            types.contains(UInt32(littleEndian: bytes.unsafelyLoad(offset + 8, as: UInt32.self)))
        else { return nil }
        let length = Int(UInt32(littleEndian: bytes.unsafelyLoad(offset + 12, as: UInt32.self)))
        return length <= payloadBytesMax && length <= bytes.count - offset - recordHeaderByteCount ? length : nil
    }

    private static func record(_ bytes: UnsafeRawBufferPointer, at offset: Int, _ types: Set<UInt32>) -> Record? {
        guard let length = payloadByteCount(bytes, at: offset, types) else { return nil }
        let type = UInt32(littleEndian: bytes.unsafelyLoad(offset + 8, as: UInt32.self))
        let start = offset + recordHeaderByteCount
        let checked = UnsafeRawBufferPointer(rebasing: bytes[(offset + 8)..<(start + length)])
        guard Checksum.matches(UInt64(littleEndian: bytes.unsafelyLoad(offset, as: UInt64.self)), checked) else {
            return nil
        }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)])
        return Record(type: type, payload: payload, range: offset..<(start + length))
    }

    /// Offset of the first good record behind the bad one at `offset`. `budget` is what may still be hashed for it; it is
    /// below 0 when that was not enough to know.
    private static func nextRecord(
        _ bytes: UnsafeRawBufferPointer,
        after offset: Int,
        _ types: Set<UInt32>,
        _ budget: inout Int
    ) -> Int? {
        // Most likely only the payload is damaged, and the length still says where the next one starts.
        if bytes.count - offset >= recordHeaderByteCount {
            let length = Int(UInt32(littleEndian: bytes.unsafelyLoad(offset + 12, as: UInt32.self)))
            let next = offset + recordHeaderByteCount + length
            if next < bytes.count, record(bytes, at: next, types) != nil { return next }
        }
        var next = offset + 1
        while bytes.count - next >= recordHeaderByteCount {
            // Text that merely looks like a type mostly names a length that the file does not have.
            if let length = payloadByteCount(bytes, at: next, types) {
                budget -= recordHeaderByteCount + length
                if budget < 0 { return nil }
                if record(bytes, at: next, types) != nil { return next }
            }
            next += 1
        }
        return nil
    }
}

/// Numbers in file names: sixteen decimal digits or more, so that names sort as numbers do.
enum FileNumber {
    /// A greater number is nobody's: a store makes a few in a second, and counting on from it must not overflow.
    static let greatest: UInt64 = 1 << 62

    static func text(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 16 - digits.count)) + digits
    }

    /// The number that is written so, and not in another way; `nil` for any other text.
    static func parse(_ written: some StringProtocol) -> UInt64? {
        guard let number = UInt64(written), number <= greatest, text(number) == written else { return nil }
        return number
    }
}
