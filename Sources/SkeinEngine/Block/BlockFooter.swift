// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Where a chunk of the tail lies and what it must be.
struct ChunkAddress: Hashable, Sendable {
    var offset = 0
    /// Bytes in the file.
    var storedCount = 0
    /// Bytes once unpacked; equal to `storedCount` when it is not packed.
    var rawCount = 0
    /// Of the stored bytes.
    var checksum: UInt64 = 0

    init() {}

    init(offset: Int, storedCount: Int, rawCount: Int, checksum: UInt64) {
        self.offset = offset
        self.storedCount = storedCount
        self.rawCount = rawCount
        self.checksum = checksum
    }
}

/// What a block says of itself: read once when it is opened, small enough to stay in memory.
package struct BlockFooter: Sendable {
    /// Stored span copies.
    package var spanCount = 0
    package var traceCount = 0
    /// Least and greatest span start.
    package var start: ClosedRange<UInt64> = UInt64.max...UInt64.max
    /// When the first and the last batch in it was received.
    package var receivedMin = UInt64.max
    package var receivedMax: UInt64 = 0
    /// Size of the file.
    package var byteCount = 0
    /// In order of rows.
    package var groups: [Group] = []
    /// Greatest span duration.
    package var durationMax: UInt64 = 0

    var resources = ChunkAddress()
    var scopes = ChunkAddress()
    var keys = ChunkAddress()
    var operations = ChunkAddress()
    /// Of trace ids.
    var traceFilters = FilterTable()
    /// Of names and of values with their keys.
    var valueFilters = FilterTable()

    /// Some thousand rows: the unit of reading.
    package struct Group: Sendable {
        /// First row of the block in this group.
        package var firstRow = 0
        package var rowCount = 0
        /// First trace of the block of which rows lie in this group.
        package var firstTrace = 0
        /// More than 1 only when all rows of all of them lie here; a long trace fills several groups alone.
        package var traceCount = 0
        /// Row of the block where the first trace begins: `firstRow`, or less in the later groups of a long trace.
        package var traceRow = 0
        /// Of the whole traces.
        package var traceStart: ClosedRange<UInt64> = 0...0
        /// Of the rows here.
        package var start: ClosedRange<UInt64> = 0...0
        package var duration: ClosedRange<UInt64> = 0...0
        /// A bit for each raw value of ``Span/Kind``, bit 7 for greater ones.
        package var kinds: UInt8 = 0
        /// A bit for each raw value of ``Span/Status/Code``, bit 7 for greater ones.
        package var statuses: UInt8 = 0
        /// Whether the filter of values knows the traces that links lead to. The first blocks leave that out.
        var filtersLinks = false

        /// Where its chunks begin.
        var offset = 0
        var directory = ChunkAddress()

        /// Of ``filtersLinks``, beside the bits of ``statuses``, none of which it can be: readers that do not know it take it for a
        /// status code that no one asks for.
        fileprivate static let linksBit: UInt8 = 1 << 6

        /// Rows of the block.
        package var rows: Range<Int> { firstRow..<(firstRow + rowCount) }
    }

    init() {}

    /// Adds a group that was written, and counts it.
    mutating func add(_ group: Group) {
        var group = group
        group.firstRow = spanCount
        start =
            spanCount == 0
            ? group.start
            : min(start.lowerBound, group.start.lowerBound)...max(start.upperBound, group.start.upperBound)
        durationMax = max(durationMax, group.duration.upperBound)
        spanCount += group.rowCount
        groups.append(group)
    }
}

extension BlockFooter {
    func append(to out: inout ByteWriter) {
        out.appendVarint(UInt64(traceCount))
        out.appendVarint(receivedMin)
        out.appendVarint(receivedMax)
        for address in [resources, scopes, keys, operations] { address.append(to: &out) }
        for table in [traceFilters, valueFilters] {
            out.appendVarint(UInt64(table.offset))
            out.append(UInt8(table.lineBits))
        }
        out.appendVarint(UInt64(groups.count))
        for group in groups {
            out.appendVarint(UInt64(group.rowCount))
            out.appendVarint(UInt64(group.firstTrace))
            out.appendVarint(UInt64(group.traceCount))
            out.appendVarint(UInt64(group.traceRow))
            for range in [group.traceStart, group.start, group.duration] {
                out.appendVarint(range.lowerBound)
                out.appendVarint(range.upperBound - range.lowerBound)
            }
            out.append(group.kinds)
            out.append(group.statuses | (group.filtersLinks ? Group.linksBit : 0))
            out.appendVarint(UInt64(group.offset))
            group.directory.append(to: &out)
        }
    }

    /// Reads a footer whose checksum was right, and holds it to what must be true of any.
    init(parsing bytes: UnsafeRawBufferPointer, fileSize: Int) throws(ByteError) {
        var reader = ByteReader(bytes)
        traceCount = try reader.readCount(max: Int(UInt32.max))
        receivedMin = try reader.readVarint()
        receivedMax = try reader.readVarint()
        resources = try ChunkAddress(&reader, fileSize: fileSize)
        scopes = try ChunkAddress(&reader, fileSize: fileSize)
        keys = try ChunkAddress(&reader, fileSize: fileSize)
        operations = try ChunkAddress(&reader, fileSize: fileSize)
        traceFilters = try FilterTable(&reader, fileSize: fileSize)
        valueFilters = try FilterTable(&reader, fileSize: fileSize)
        // A group needs more bytes than this, so the count cannot reserve what is not there.
        let count = try reader.readCount(max: reader.remaining / 16)
        groups.reserveCapacity(count)
        var tracesSeen = 0
        for _ in 0..<count {
            let at = reader.position
            var group = Group()
            group.rowCount = try reader.readCount(max: BlockFormat.groupRowsMax)
            group.firstTrace = try reader.readCount(max: traceCount)
            group.traceCount = try reader.readCount(max: min(traceCount &- group.firstTrace, group.rowCount))
            group.traceRow = try reader.readCount(max: spanCount)
            group.traceStart = try reader.readRange()
            group.start = try reader.readRange()
            group.duration = try reader.readRange()
            group.kinds = try reader.readByte()
            let statuses = try reader.readByte()
            group.statuses = statuses & ~Group.linksBit
            group.filtersLinks = statuses & Group.linksBit != 0
            group.offset = try reader.readCount(max: fileSize)
            group.directory = try ChunkAddress(&reader, fileSize: fileSize)
            guard group.rowCount > 0, group.traceCount > 0, spanCount <= Int.max - group.rowCount,
                group.offset <= group.directory.offset,
                group.goesOn(from: groups.last, at: spanCount, behind: tracesSeen)
            else { throw ByteError(.truncated, at: at) }
            if group.traceRow == spanCount { tracesSeen += group.traceCount }
            add(group)
        }
        guard tracesSeen == traceCount else { throw ByteError(.truncated, at: reader.position) }
        for table in [traceFilters, valueFilters] {
            // There are fewer groups than bytes in the file, so the product fits.
            guard table.byteCount(groups: groups.count) <= fileSize - table.offset else {
                throw ByteError(.truncated, at: reader.position)
            }
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        byteCount = fileSize
    }
}

extension BlockFooter.Group {
    /// Whether the group begins with a new trace at row `row`, behind `traceCount` others, or with more of the one trace of
    /// `last`.
    fileprivate func goesOn(from last: Self?, at row: Int, behind traceCount: Int) -> Bool {
        if traceRow == row { return firstTrace == traceCount }
        guard let last else { return false }
        return self.traceCount == 1 && last.traceCount == 1 && last.traceRow == traceRow && firstTrace == traceCount - 1
    }
}

extension ChunkAddress {
    func append(to out: inout ByteWriter) {
        out.appendVarint(UInt64(offset))
        out.appendVarint(UInt64(storedCount))
        out.appendVarint(UInt64(rawCount))
        out.appendLittleEndian(checksum)
    }

    init(_ reader: inout ByteReader, fileSize: Int) throws(ByteError) {
        offset = try reader.readCount(max: fileSize)
        storedCount = try reader.readCount(max: fileSize - offset)
        rawCount = try reader.readCount(max: BlockFormat.chunkBytesMax)
        checksum = try reader.readLittleEndian(UInt64.self)
        guard storedCount <= rawCount else { throw ByteError(.truncated, at: reader.position) }
    }
}

extension FilterTable {
    fileprivate init(_ reader: inout ByteReader, fileSize: Int) throws(ByteError) {
        offset = try reader.readCount(max: fileSize)
        let at = reader.position
        lineBits = Int(try reader.readByte())
        guard lineBits <= Self.lineBitsMax else { throw ByteError(.truncated, at: at) }
    }
}

extension ByteReader {
    /// A varint that is at most `max`; a greater one cannot be true, so the bytes are called truncated.
    mutating func readCount(max most: Int) throws(ByteError) -> Int {
        let at = position
        let value = try readVarint()
        guard most >= 0, value <= UInt64(most) else { throw ByteError(.truncated, at: at) }
        return Int(value)
    }

    /// A lower bound, then how far the upper one lies above it.
    mutating func readRange() throws(ByteError) -> ClosedRange<UInt64> {
        let at = position
        let lower = try readVarint()
        let (upper, overflow) = lower.addingReportingOverflow(try readVarint())
        guard !overflow else { throw ByteError(.truncated, at: at) }
        return lower...upper
    }
}
