// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// Where the columns of a row group lie and how they are stored, in the order in which the encoder writes them.
struct GroupDirectory: Sendable {
    var traceIDs = ChunkAddress()
    var traceRowCounts = NumberColumn()
    var traceStarts = NumberColumn()
    var traceDurations = NumberColumn()
    var traceRoots = NumberColumn()
    var traceErrors = NumberColumn()
    var traceFlags = NumberColumn()

    var spanIDs = NumberColumn()
    var parents = NumberColumn()
    var missingParents = NumberColumn()
    var starts = NumberColumn()
    var durations = NumberColumn()
    var kinds = NumberColumn()
    var statuses = NumberColumn()
    var names = TextColumn()
    var resources = NumberColumn()
    var scopes = NumberColumn()
    var flags = NumberColumn()
    var statusMessages = TextColumn()
    var traceStates = TextColumn()
    var droppedAttributes = NumberColumn()
    var droppedEvents = NumberColumn()
    var droppedLinks = NumberColumn()
    var weights = NumberColumn()
    var marks = NumberColumn()
    /// Place in the depth-first order of the trace less place among its rows, zig-zag.
    var orders = NumberColumn()
    var descendants = NumberColumn()
    var attributes = AttributeColumns()

    var eventCount = 0
    var eventCounts = NumberColumn()
    var eventTimes = NumberColumn()
    var eventNames = TextColumn()
    var eventDroppedAttributes = NumberColumn()
    var eventAttributes = AttributeColumns()

    var linkCount = 0
    var linkCounts = NumberColumn()
    var linkTraceHighs = NumberColumn()
    var linkTraceLows = NumberColumn()
    var linkSpanIDs = NumberColumn()
    var linkTraceStates = TextColumn()
    var linkFlags = NumberColumn()
    var linkDroppedAttributes = NumberColumn()
    var linkAttributes = AttributeColumns()

    /// Memory held, roughly.
    var byteCount: Int {
        [attributes, eventAttributes, linkAttributes].reduce(4096) { $0 + $1.columns.count * 192 + $1.keys.count * 16 }
    }
}

/// The attributes of the spans, events or links of a row group; see ``AttributeWriter``.
struct AttributeColumns: Sendable {
    var ownerCount = 0
    /// 0 when no owner has any attribute.
    var shapeCount = 0
    var shapes = ChunkAddress()
    var shapeNumbers = NumberColumn()
    /// The group's keys: number in the block's table, column that holds the values.
    var keys: [(key: UInt32, column: Int)] = []
    var columns: [TextColumn] = []
}

extension GroupDirectory {
    /// Reads a directory whose checksum was right.
    init(
        parsing bytes: UnsafeRawBufferPointer,
        of group: BlockFooter.Group
    ) throws(ByteError) {
        var parser = Parser(reader: ByteReader(bytes), offset: group.offset, limit: group.directory.offset)
        let rows = group.rowCount
        let traces = group.traceCount
        traceIDs = try parser.chunk()
        traceRowCounts = try parser.numbers(traces)
        traceStarts = try parser.numbers(traces)
        traceDurations = try parser.numbers(traces)
        traceRoots = try parser.numbers(traces)
        traceErrors = try parser.numbers(traces)
        traceFlags = try parser.numbers(traces)

        spanIDs = try parser.numbers(rows)
        parents = try parser.numbers(rows)
        missingParents = try parser.numbers(try parser.count(max: rows))
        starts = try parser.numbers(rows)
        durations = try parser.numbers(rows)
        kinds = try parser.numbers(rows)
        statuses = try parser.numbers(rows)
        names = try parser.texts(rows)
        resources = try parser.numbers(rows)
        scopes = try parser.numbers(rows)
        flags = try parser.numbers(rows)
        statusMessages = try parser.texts(rows)
        traceStates = try parser.texts(rows)
        droppedAttributes = try parser.numbers(rows)
        droppedEvents = try parser.numbers(rows)
        droppedLinks = try parser.numbers(rows)
        weights = try parser.numbers(rows)
        marks = try parser.numbers(rows)
        orders = try parser.numbers(rows)
        descendants = try parser.numbers(rows)
        attributes = try parser.attributes(rows)

        eventCount = try parser.count(max: BlockFormat.groupRowsMax)
        if eventCount > 0 {
            eventCounts = try parser.numbers(rows)
            eventTimes = try parser.numbers(eventCount)
            eventNames = try parser.texts(eventCount)
            eventDroppedAttributes = try parser.numbers(eventCount)
            eventAttributes = try parser.attributes(eventCount)
        }
        linkCount = try parser.count(max: BlockFormat.groupRowsMax)
        if linkCount > 0 {
            linkCounts = try parser.numbers(rows)
            linkTraceHighs = try parser.numbers(linkCount)
            linkTraceLows = try parser.numbers(linkCount)
            linkSpanIDs = try parser.numbers(linkCount)
            linkTraceStates = try parser.texts(linkCount)
            linkFlags = try parser.numbers(linkCount)
            linkDroppedAttributes = try parser.numbers(linkCount)
            linkAttributes = try parser.attributes(linkCount)
        }
        guard parser.reader.isAtEnd, parser.offset == group.directory.offset else { throw parser.failure }
    }

    /// Walks the directory and, in step, the chunks.
    private struct Parser {
        var reader: ByteReader
        /// Where the next chunk begins.
        var offset: Int
        /// Where the chunks end.
        let limit: Int

        var failure: ByteError { ByteError(.truncated, at: reader.position) }

        mutating func count(max most: Int) throws(ByteError) -> Int { try reader.readCount(max: most) }

        mutating func chunk() throws(ByteError) -> ChunkAddress {
            let storedCount = try count(max: limit - offset)
            let rawCount = try count(max: BlockFormat.chunkBytesMax)
            guard storedCount <= rawCount else { throw failure }
            let checksum = try reader.readLittleEndian(UInt64.self)
            defer { offset += storedCount }
            return ChunkAddress(offset: offset, storedCount: storedCount, rawCount: rawCount, checksum: checksum)
        }

        mutating func numbers(_ rows: Int) throws(ByteError) -> NumberColumn {
            guard let encoding = NumberEncoding(rawValue: try reader.readByte()) else { throw failure }
            var column = NumberColumn(encoding: encoding, base: try reader.readVarint(), count: rows)
            if encoding != .constant { column.chunk = try chunk() }
            return column
        }

        mutating func texts(_ rows: Int) throws(ByteError) -> TextColumn {
            guard let encoding = TextEncoding(rawValue: try reader.readByte()) else { throw failure }
            var column = TextColumn(encoding: encoding, count: rows)
            if encoding == .dictionary || encoding == .recency {
                column.dictionaryCount = try count(max: rows)
                guard column.dictionaryCount > 0 else { throw failure }
                column.dictionary = try chunk()
            }
            if encoding != .empty { column.numbers = try numbers(rows) }
            return column
        }

        mutating func attributes(_ owners: Int) throws(ByteError) -> AttributeColumns {
            var table = AttributeColumns(ownerCount: owners, shapeCount: try count(max: owners))
            guard table.shapeCount > 0 else { return table }
            table.shapes = try chunk()
            table.shapeNumbers = try numbers(owners)
            let keyCount = try count(max: reader.remaining)
            var columnEnd = 0
            for _ in 0..<keyCount {
                let key = try count(max: Int(UInt32.max) - 1)
                let column = try count(max: keyCount - 1)
                columnEnd = max(columnEnd, column + 1)
                table.keys.append((UInt32(key), column))
            }
            let columnCount = try count(max: keyCount)
            guard columnEnd <= columnCount else { throw failure }
            for _ in 0..<columnCount { table.columns.append(try texts(try count(max: BlockFormat.groupRowsMax))) }
            return table
        }
    }
}
