// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinCompression
package import SkeinModel
package import SkeinStore

/// Writes a block: an immutable file of spans, see `docs/format.md`.
///
/// Give it sections with ``append(_:order:)`` and row groups of other blocks with `append(copyOf:)`, then ``finish()``.
/// A trace lies whole within one of them unless its parts say that they are. Memory is that of one section and one row
/// group; the bytes leave through the sink, front to back, a row group at a time.
package struct BlockEncoder: ~Copyable {
    /// Takes the next bytes of the file.
    package typealias Sink = (UnsafeRawBufferPointer) throws(StoreError) -> Void

    private let sink: Sink
    private let groupRows: Int
    private let groupByteCount: Int
    private var offset = 0
    private var footer = BlockFooter()
    private var traceFilters = FilterWriter(bitsPerEntry: 16)
    private var valueFilters = FilterWriter(bitsPerEntry: 12)
    private var tables = BlockTables()
    private var columns = ColumnWriter()
    private var attributes = AttributeWriter()
    private var tree = TraceTree()
    private var rows = GroupRows()
    private var counter: RollupCounter?

    /// An encoder of a new file. A row group ends with the trace that brings it to `groupRows` rows.
    ///
    /// Small groups let a trace be read with little around it, large ones pack better. On the bench corpus 4, 8, 16 and
    /// 64 K rows gave 27.4, 26.0, 25.1 and 24.4 bytes a span, and a trace took 0.8, 1.5, 2.1 and 6.5 ms to read cold on
    /// a busy machine.
    ///
    /// - Parameters:
    ///   - groupByteCount: About the most bytes of text in a row group: encoding one takes five times as much memory.
    ///   - countsRollup: Whether ``takeRollup()`` will be asked for.
    package init(
        groupRows: Int = 8_192,
        groupByteCount: Int = 64 << 20,
        countsRollup: Bool = false,
        sink: @escaping Sink
    ) throws(StoreError) {
        precondition(groupRows > 0)
        counter = countsRollup ? RollupCounter() : nil
        self.groupRows = groupRows
        self.groupByteCount = groupByteCount
        self.sink = sink
        var header = ByteWriter()
        for byte in BlockFormat.magic { header.append(byte) }
        header.appendLittleEndian(BlockFormat.version)
        header.appendLittleEndian(UInt32(0))
        try write(header.bytes)
    }

    /// Appends the rows of `batches` that `order` names.
    package mutating func append(_ batches: [SpanBatch], order: RowOrder) throws(StoreError) {
        guard !order.sources.isEmpty else { return }
        let section = try BlockSection(batches, order, tables: &tables)
        columns.use(slotCount: section.slots.count)
        counter?.add(section, tables)
        for batch in batches where !batch.isEmpty {
            footer.receivedMin = min(footer.receivedMin, batch.receivedUnixNanos)
            footer.receivedMax = max(footer.receivedMax, batch.receivedUnixNanos)
        }
        // Rows with much text come in smaller groups, so that no dictionary outgrows memory.
        let rowBytes = section.slots.byteCount / section.count + 1
        let target = min(groupRows, max(64, groupByteCount / rowBytes))
        var firstTrace = 0
        var firstRow = 0
        while firstTrace < section.traces.count {
            var endTrace = firstTrace
            var rowCount = 0
            while endTrace < section.traces.count, rowCount < target {
                if section.traces[endTrace].stretch != section.traces[firstTrace].stretch { break }
                let next = Int(section.traces[endTrace].rowCount)
                // A trace too long for one group is not put behind others: its groups are its own.
                if rowCount > 0, rowCount + next > target + target / 2 { break }
                rowCount += next
                endTrace += 1
            }
            let isLong = endTrace == firstTrace + 1 && rowCount > target
            rows.build(section, traces: firstTrace..<endTrace, firstRow: firstRow, &tree)
            var start = firstRow
            while start < firstRow + rowCount {
                let end = isLong ? min(start + target, firstRow + rowCount) : firstRow + rowCount
                try appendGroup(section, traces: firstTrace..<endTrace, traceRow: firstRow, rows: start..<end)
                start = end
            }
            footer.traceCount += endTrace - firstTrace
            firstRow += rowCount
            firstTrace = endTrace
        }
    }

    /// What the spans appended add up to, copies left out; those of row groups copied from other blocks are not among them.
    package mutating func takeRollup() -> Rollup { counter?.take() ?? Rollup() }

    /// Writes what is left and says what the file holds. Nothing may be appended to the file afterwards.
    package consuming func finish() throws(StoreError) -> BlockFooter {
        try tables.check()
        footer.traceFilters = try traceFilters.finish(at: offset, to: sink)
        offset += footer.traceFilters.byteCount(groups: footer.groups.count)
        footer.valueFilters = try valueFilters.finish(at: offset, to: sink)
        offset += footer.valueFilters.byteCount(groups: footer.groups.count)
        let tailOffset = offset
        var table = ByteWriter()
        tables.finishResources(into: &table)
        footer.resources = try writeChunk(table.bytes)
        table.removeAll()
        tables.finishScopes(into: &table)
        footer.scopes = try writeChunk(table.bytes)
        table.removeAll()
        tables.finishKeys(into: &table)
        footer.keys = try writeChunk(table.bytes)
        table.removeAll()
        tables.finishOperations(into: &table)
        footer.operations = try writeChunk(table.bytes)
        table.removeAll()
        footer.append(to: &table)
        let chunk = try writeChunk(table.bytes)

        var trailer = ByteWriter()
        trailer.appendLittleEndian(UInt64(chunk.offset))
        trailer.appendLittleEndian(UInt32(chunk.storedCount))
        trailer.appendLittleEndian(UInt32(chunk.rawCount))
        trailer.appendLittleEndian(chunk.checksum)
        trailer.appendLittleEndian(UInt64(tailOffset))
        trailer.appendLittleEndian(BlockFormat.version)
        trailer.appendLittleEndian(UInt32(0))
        trailer.appendLittleEndian(Checksum.of(trailer.bytes))
        for byte in BlockFormat.magic { trailer.append(byte) }
        try write(trailer.bytes)
        footer.byteCount = offset
        return footer
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        try sink(bytes)
        offset += bytes.count
    }

    /// Writes a chunk of the tail, packed when that is smaller.
    private mutating func writeChunk(_ raw: UnsafeRawBufferPointer) throws(StoreError) -> ChunkAddress {
        let packed = ZstdCompressor(level: 1).compress(raw)
        var address = ChunkAddress(offset: offset, storedCount: raw.count, rawCount: raw.count, checksum: 0)
        if BlockFormat.packs, packed.count < raw.count {
            address.storedCount = packed.count
            address.checksum = Checksum.of(packed)
            try packed.withUnsafeBufferPointer { bytes throws(StoreError) in try write(UnsafeRawBufferPointer(bytes)) }
        } else {
            address.checksum = Checksum.of(raw)
            try write(raw)
        }
        return address
    }

    /// Writes the row group of rows `range` of the section, which hold `traces` or, of a long trace, a part.
    private mutating func appendGroup(
        _ section: borrowing BlockSection,
        traces: Range<Int>,
        traceRow: Int,
        rows range: Range<Int>
    ) throws(StoreError) {
        var group = BlockFooter.Group()
        group.rowCount = range.count
        group.firstTrace = footer.traceCount
        group.traceCount = traces.count
        group.offset = offset
        group.filtersLinks = true
        group.traceRow = footer.spanCount - (range.lowerBound - traceRow)
        rows.describe(section, range, traceRow: traceRow, &group)
        columns.chunks.removeAll()
        rows.writeTraces(section, traces, to: &columns)
        rows.writeSpans(section, range, traceRow: traceRow, to: &columns, &valueFilters)
        attributes.append(section.attributes, range, of: section.slots, to: &columns, &tables, &valueFilters)
        writeEvents(section, range)
        writeLinks(section, range)
        rows.note(section, range, in: &tables, &valueFilters)
        for trace in traces { traceFilters.add(FilterHash.of(section.traces[trace].id)) }
        traceFilters.finishGroup()
        valueFilters.finishGroup()
        try finish(&group)
    }

    /// Writes the chunks and the directory of a group.
    private mutating func finish(_ group: inout BlockFooter.Group) throws(StoreError) {
        try write(columns.chunks.chunks.bytes)
        group.directory = try writeChunk(columns.chunks.directory.bytes)
        footer.add(group)
    }

    /// Takes in when the spans of another block were received.
    mutating func noteReceived(_ other: BlockFooter) {
        footer.receivedMin = min(footer.receivedMin, other.receivedMin)
        footer.receivedMax = max(footer.receivedMax, other.receivedMax)
    }

    /// Appends row group `index` of another block as it is. The groups of a long trace come one after the other; with
    /// `isPartial` the new block holds more of that trace in another place.
    mutating func append(
        copyOf index: Int,
        of block: Block,
        _ numbers: inout GroupCopy.TableNumbers,
        isPartial: Bool = false
    ) throws(StoreError) {
        let source = block.footer.groups[index]
        var group = source
        let before = source.firstRow - source.traceRow
        group.firstTrace = footer.traceCount - (before > 0 ? 1 : 0)
        group.offset = offset
        group.traceRow = footer.spanCount - before
        columns.chunks.removeAll()
        let copy = try GroupCopy(block, group: index, &numbers, in: &tables)
        try copy.write(to: &columns, isPartial: isPartial)
        try copy.note(in: &tables)
        traceFilters.append(copyOf: index, of: numbers.traceFilters)
        valueFilters.append(copyOf: index, of: numbers.valueFilters)
        try finish(&group)
        footer.traceCount += before > 0 ? 0 : group.traceCount
    }

    /// `event count (varint)`, and when not 0: events of each span, time since its start, name, dropped attributes,
    /// attributes.
    private mutating func writeEvents(_ section: borrowing BlockSection, _ range: Range<Int>) {
        let first = section.events.times.count == 0 ? 0 : Int(section.events.starts[range.lowerBound])
        let end = section.events.times.count == 0 ? 0 : Int(section.events.starts[range.upperBound])
        columns.chunks.directory.appendVarint(UInt64(end - first))
        guard first < end else { return }
        var numbers = ColumnBuffer<UInt64>(capacity: range.count)
        var offsets = ColumnBuffer<UInt64>(capacity: end - first)
        for row in range {
            let part = Int(section.events.starts[row])..<Int(section.events.starts[row + 1])
            numbers.append(UInt64(part.count))
            for event in part {
                let sinceStart = Int64(bitPattern: section.events.times[event] &- section.starts[row])
                offsets.append(sinceStart.zigZagEncoded)
            }
        }
        columns.append(numbers: numbers.elements)
        columns.append(numbers: offsets.elements)
        columns.append(slots: section.events.names.elements(first..<end), of: section.slots, areValues: false)
        columns.forEachEntry(of: section.slots) { valueFilters.add(FilterHash.of($0, key: Self.eventNameKey)) }
        columns.append(optional: section.events.droppedAttributes, first..<end)
        attributes.append(
            section.events.attributes,
            first..<end,
            of: section.slots,
            to: &columns,
            &tables,
            &valueFilters
        )
    }

    private static let eventNameKey = FilterHash.key(.eventName)

    /// `link count (varint)`, and when not 0: links of each span, both halves of the trace id, span id, trace state,
    /// flags, dropped attributes, attributes.
    private mutating func writeLinks(_ section: borrowing BlockSection, _ range: Range<Int>) {
        let first = section.links.spanIDs.count == 0 ? 0 : Int(section.links.starts[range.lowerBound])
        let end = section.links.spanIDs.count == 0 ? 0 : Int(section.links.starts[range.upperBound])
        columns.chunks.directory.appendVarint(UInt64(end - first))
        guard first < end else { return }
        var numbers = ColumnBuffer<UInt64>(capacity: range.count)
        for row in range { numbers.append(UInt64(section.links.starts[row + 1] - section.links.starts[row])) }
        columns.append(numbers: numbers.elements)
        var linked: Set<TraceID> = []
        for link in first..<end {
            linked.insert(TraceID(high: section.links.traceHighs[link], low: section.links.traceLows[link]))
        }
        for id in linked { valueFilters.add(FilterHash.of(linkTo: id)) }
        columns.append(numbers: section.links.traceHighs.elements(first..<end), isRandom: true)
        columns.append(numbers: section.links.traceLows.elements(first..<end), isRandom: true)
        columns.append(numbers: section.links.spanIDs.elements(first..<end), isRandom: true)
        columns.append(optional: section.links.traceStates, first..<end, of: section.slots)
        columns.append(optional: section.links.flags, first..<end)
        columns.append(optional: section.links.droppedAttributes, first..<end)
        attributes.append(
            section.links.attributes,
            first..<end,
            of: section.slots,
            to: &columns,
            &tables,
            &valueFilters
        )
    }
}

extension ColumnWriter {
    /// Writes an optional column of numbers; an empty one reads as zeros.
    mutating func append(optional column: borrowing ColumnBuffer<UInt64>, _ range: Range<Int>) {
        if column.count == 0 {
            append(numbers: UnsafeBufferPointer<UInt64>(start: nil, count: 0))
        } else {
            append(numbers: column.elements(range))
        }
    }

    /// Writes an optional column of texts; an empty one reads as empty texts.
    mutating func append(
        optional column: borrowing ColumnBuffer<UInt32>,
        _ range: Range<Int>,
        of arena: borrowing BlockSection.SlotArena
    ) {
        if column.count == 0 {
            append(slots: UnsafeBufferPointer(start: nil, count: 0), of: arena, areValues: false)
        } else {
            append(slots: column.elements(range), of: arena, areValues: false)
        }
    }
}
