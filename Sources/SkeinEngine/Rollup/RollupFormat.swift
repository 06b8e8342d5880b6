// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Constants of the rollup file; `docs/format.md` draws every byte.
enum RollupFormat {
    /// The first and the last eight bytes of every rollup.
    static let magic: [UInt8] = Array("SKEINROL".utf8)
    static let version: UInt32 = 1
    /// Magic, version, zero.
    static let headerByteCount = 16
    /// Footer offset, stored and raw length, checksum, version, zero, checksum of the trailer, magic.
    static let trailerByteCount = 48
    /// What a reader asks for first: mostly the whole footer.
    static let tailGuess = 4 << 10
    /// Cells of a chunk, those of its last minute perhaps beyond.
    static let chunkCellCount = 4_096
}

/// What a rollup file says of itself.
struct RollupFooter: Sendable {
    /// When the first and the last span was received, nanoseconds since 1970.
    var receivedMin = UInt64.max
    var receivedMax: UInt64 = 0
    var table = ChunkAddress()
    /// Everything in one slot; its cells may say any minute. `nil` when there is none.
    var total: ChunkAddress?
    /// Slots of an hour; empty when all minutes lie in one and are there.
    var hours: [Part] = []
    /// Slots of a minute, in ascending order; empty when there are none any more, see ``hasOnlyHours``.
    var minutes: [Part] = []

    /// Whether the minutes were left out, since all is old.
    var hasOnlyHours: Bool { minutes.isEmpty && !hours.isEmpty }
    /// The finest slots there are.
    var finest: [Part] { hasOnlyHours ? hours : minutes }

    /// A chunk of cells.
    struct Part: Sendable {
        /// First and last minute that its slots begin at.
        var first: UInt64
        var last: UInt64
        var address: ChunkAddress
    }

    /// First and last minute; `nil` when there is none.
    var range: ClosedRange<UInt64>? {
        guard let first = finest.first, let last = finest.last else { return nil }
        return first.first...(hasOnlyHours ? last.last + 59 : last.last)
    }

    init() {}

    func append(to out: inout ByteWriter) {
        out.appendVarint(min(receivedMin, receivedMax))
        out.appendVarint(receivedMax)
        Self.append(table, to: &out)
        out.append(total == nil ? 0 : 1)
        if let total { Self.append(total, to: &out) }
        for parts in [hours, minutes] {
            out.appendVarint(UInt64(parts.count))
            for part in parts {
                out.appendVarint(part.first)
                out.appendVarint(part.last - part.first)
                Self.append(part.address, to: &out)
            }
        }
    }

    private static func append(_ address: ChunkAddress, to out: inout ByteWriter) {
        out.appendVarint(UInt64(address.offset))
        out.appendVarint(UInt64(address.storedCount))
        out.appendVarint(UInt64(address.rawCount))
        out.appendLittleEndian(address.checksum)
    }

    /// Reads what `append(to:)` wrote; chunks lie before `limit`.
    init(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(ByteError) {
        var reader = ByteReader(bytes)
        receivedMin = try reader.readVarint()
        receivedMax = try reader.readVarint()
        table = try Self.address(&reader, limit)
        let hasTotal = try reader.readByte()
        guard hasTotal <= 1, receivedMin <= receivedMax else { throw ByteError(.invalid, at: reader.position) }
        if hasTotal == 1 { total = try Self.address(&reader, limit) }
        hours = try Self.parts(&reader, limit)
        minutes = try Self.parts(&reader, limit)
        guard reader.isAtEnd, finest.isEmpty == (total == nil) else {
            throw ByteError(.invalid, at: reader.position)
        }
    }

    private static func parts(_ reader: inout ByteReader, _ limit: Int) throws(ByteError) -> [Part] {
        let count = try reader.readVarint()
        guard count <= UInt64(reader.remaining / 13) else { throw ByteError(.truncated, at: reader.position) }
        var parts: [Part] = []
        for _ in 0..<count {
            let at = reader.position
            let first = try reader.readVarint()
            let (last, overflow) = first.addingReportingOverflow(try reader.readVarint())
            guard !overflow, last <= UInt64.max / 60, parts.last.map({ $0.last < first }) ?? true else {
                throw ByteError(.invalid, at: at)
            }
            parts.append(Part(first: first, last: last, address: try address(&reader, limit)))
        }
        return parts
    }

    private static func address(_ reader: inout ByteReader, _ limit: Int) throws(ByteError) -> ChunkAddress {
        let at = reader.position
        let (offset, stored) = (try reader.readVarint(), try reader.readVarint())
        let raw = try reader.readVarint()
        let checksum = try reader.readLittleEndian(UInt64.self)
        guard offset <= UInt64(limit), stored <= UInt64(limit) - offset, stored <= raw,
            raw <= BlockFormat.chunkBytesMax
        else { throw ByteError(.invalid, at: at) }
        return ChunkAddress(offset: Int(offset), storedCount: Int(stored), rawCount: Int(raw), checksum: checksum)
    }
}
