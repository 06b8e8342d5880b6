// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// A row group of one block on its way into another: its chunks as they are, but for the numbers that point into the
/// block's tables.
///
/// Copying checks each chunk and unpacks only names, resources, scopes, kinds and shapes, which the tables of the new
/// block count.
struct GroupCopy {
    private let reader: ChunkReader
    private let directory: GroupDirectory
    private let group: BlockFooter.Group
    /// The chunks of the group.
    private let bytes: [UInt8]
    private let numbers: TableNumbers

    /// By entry of the old block's tables, that of the new one's.
    struct TableNumbers {
        var resources: [UInt32]
        var scopes: [UInt32]
        var keys: [UInt32]
        /// By entry of the old table of keys.
        var keyTypes: [UInt8]
        var traceFilters: Filters
        var valueFilters: Filters

        /// The entries of `block`, which the tables gain where they lacked them.
        init(of block: Block, in tables: inout BlockTables) throws(StoreError) {
            let table = try block.keyTable()
            resources = tables.resources(of: try block.resourceTable())
            scopes = tables.scopes(of: try block.scopeTable())
            keys = tables.keys(of: table)
            keyTypes = table.entries.map(\.types)
            traceFilters = Filters(block, block.footer.traceFilters)
            valueFilters = Filters(block, block.footer.valueFilters)
        }
    }

    /// All rows of a table of the old block's filters.
    struct Filters {
        var rows: [UInt8]
        var lineBits: Int
    }

    init(_ block: Block, group index: Int, _ numbers: TableNumbers) throws(StoreError) {
        reader = block.reader
        group = block.footer.groups[index]
        directory = try block.directory(ofGroup: index)
        bytes = try block.reader.read(group.directory.offset - group.offset, at: group.offset)
        self.numbers = numbers
    }

    /// Writes the chunks and the directory. `isPartial` says that the group's one trace has more rows elsewhere in the
    /// new block.
    func write(to columns: inout ColumnWriter, isPartial: Bool) throws(StoreError) {
        try write(directory.traceIDs, &columns)
        for column in [
            directory.traceRowCounts, directory.traceStarts, directory.traceDurations, directory.traceRoots,
            directory.traceErrors,
        ] { try write(column, &columns) }
        if isPartial {
            guard group.traceCount == 1 else {
                throw reader.corrupt("a trace goes on in a row group of others", at: directory.traceIDs.offset)
            }
            let flags = try reader.numbers(directory.traceFlags)[0]
            columns.append(constant: flags | 2)
        } else {
            try write(directory.traceFlags, &columns)
        }
        try write(directory.spanIDs, &columns)
        try write(directory.parents, &columns)
        columns.chunks.directory.appendVarint(UInt64(directory.missingParents.count))
        for column in [
            directory.missingParents, directory.starts, directory.durations, directory.kinds, directory.statuses,
        ] { try write(column, &columns) }
        try write(directory.names, &columns)
        try write(directory.resources, translatedBy: numbers.resources, &columns)
        try write(directory.scopes, translatedBy: numbers.scopes, &columns)
        try write(directory.flags, &columns)
        try write(directory.statusMessages, &columns)
        try write(directory.traceStates, &columns)
        for column in [
            directory.droppedAttributes, directory.droppedEvents, directory.droppedLinks, directory.weights,
            directory.marks, directory.orders, directory.descendants,
        ] { try write(column, &columns) }
        try write(directory.attributes, &columns)
        try writeEvents(&columns)
        try writeLinks(&columns)
    }

    private func writeEvents(_ columns: inout ColumnWriter) throws(StoreError) {
        columns.chunks.directory.appendVarint(UInt64(directory.eventCount))
        guard directory.eventCount > 0 else { return }
        try write(directory.eventCounts, &columns)
        try write(directory.eventTimes, &columns)
        try write(directory.eventNames, &columns)
        try write(directory.eventDroppedAttributes, &columns)
        try write(directory.eventAttributes, &columns)
    }

    private func writeLinks(_ columns: inout ColumnWriter) throws(StoreError) {
        columns.chunks.directory.appendVarint(UInt64(directory.linkCount))
        guard directory.linkCount > 0 else { return }
        try write(directory.linkCounts, &columns)
        try write(directory.linkTraceHighs, &columns)
        try write(directory.linkTraceLows, &columns)
        try write(directory.linkSpanIDs, &columns)
        try write(directory.linkTraceStates, &columns)
        try write(directory.linkFlags, &columns)
        try write(directory.linkDroppedAttributes, &columns)
        try write(directory.linkAttributes, &columns)
    }

    // MARK: Parts

    private func write(_ chunk: ChunkAddress, _ columns: inout ColumnWriter) throws(StoreError) {
        let start = chunk.offset - group.offset
        // A directory whose chunks do not fill the group exactly is not parsed.
        precondition(start >= 0 && chunk.storedCount <= bytes.count - start)
        let isSound = bytes.withUnsafeBytes {
            columns.chunks.append(
                stored: UnsafeRawBufferPointer(rebasing: $0[start..<(start + chunk.storedCount)]),
                chunk
            )
        }
        if !isSound { throw reader.corrupt("the checksum of a chunk does not match", at: chunk.offset) }
    }

    private func write(_ column: NumberColumn, _ columns: inout ColumnWriter) throws(StoreError) {
        columns.chunks.directory.append(column.encoding.rawValue)
        columns.chunks.directory.appendVarint(column.base)
        if column.encoding != .constant { try write(column.chunk, &columns) }
    }

    private func write(_ column: TextColumn, _ columns: inout ColumnWriter) throws(StoreError) {
        columns.chunks.directory.append(column.encoding.rawValue)
        if column.encoding == .dictionary || column.encoding == .recency {
            columns.chunks.directory.appendVarint(UInt64(column.dictionaryCount))
            try write(column.dictionary, &columns)
        }
        if column.encoding != .empty { try write(column.numbers, &columns) }
    }

    private func write(
        _ column: NumberColumn,
        translatedBy numbers: [UInt32],
        _ columns: inout ColumnWriter
    ) throws(StoreError) {
        let entries = try reader.numbers(column)
        var translated = ColumnBuffer<UInt64>(capacity: column.count)
        for row in 0..<column.count {
            translated.append(UInt64(numbers[try checked(entries[row], of: numbers, column)]))
        }
        columns.append(numbers: translated.elements)
    }

    /// A number that is one of the old table's.
    private func checked(_ number: UInt64, of numbers: [UInt32], _ column: NumberColumn) throws(StoreError) -> Int {
        guard number < numbers.count else {
            throw reader.corrupt("a span has a resource or scope that the block lacks", at: column.chunk.offset)
        }
        return Int(number)
    }

    private func write(_ table: AttributeColumns, _ columns: inout ColumnWriter) throws(StoreError) {
        columns.chunks.directory.appendVarint(UInt64(table.shapeCount))
        guard table.shapeCount > 0 else { return }
        try write(table.shapes, &columns)
        try write(table.shapeNumbers, &columns)
        columns.chunks.directory.appendVarint(UInt64(table.keys.count))
        for (key, column) in table.keys {
            columns.chunks.directory.appendVarint(UInt64(numbers.keys[Int(try known(key, table))]))
            columns.chunks.directory.appendVarint(UInt64(column))
        }
        columns.chunks.directory.appendVarint(UInt64(table.columns.count))
        for column in table.columns {
            columns.chunks.directory.appendVarint(UInt64(column.count))
            try write(column, &columns)
        }
    }

    private func known(_ key: UInt32, _ table: AttributeColumns) throws(StoreError) -> UInt32 {
        guard key < numbers.keys.count else {
            throw reader.corrupt("an attribute has a key that the block lacks", at: table.shapes.offset)
        }
        return key
    }

    // MARK: Counting

    /// Adds the rows to what the new block's tables say of resources, scopes, operations and keys.
    func note(in tables: inout BlockTables) throws(StoreError) {
        let resources = try reader.numbers(directory.resources)
        let scopes = try reader.numbers(directory.scopes)
        let kinds = try reader.numbers(directory.kinds)
        let names = try reader.texts(directory.names)
        // The number of a scope stands for its name here: what is counted are triples of numbers.
        var operations = OperationCounts()
        var scopeCounts = OperationCounts()
        for row in 0..<group.rowCount {
            let resource = try checked(resources[row], of: numbers.resources, directory.resources)
            let scope = try checked(scopes[row], of: numbers.scopes, directory.scopes)
            operations.add(UInt32(resource), names.entry(row), UInt8(truncatingIfNeeded: kinds[row]))
            scopeCounts.add(0, UInt32(scope), 0)
        }
        for index in 0..<operations.all.count {
            let operation = operations.all[index]
            let count = Int(operation.count)
            let resource = numbers.resources[Int(operation.resource)]
            tables.note(resource: resource, spanCount: count)
            names.withBytes(ofEntry: operation.name) {
                tables.note(resource: resource, name: $0, kind: operation.kind, spanCount: count)
            }
        }
        for index in 0..<scopeCounts.all.count {
            let scope = scopeCounts.all[index]
            tables.note(scope: numbers.scopes[Int(scope.name)], spanCount: Int(scope.count))
        }
        for table in [directory.attributes, directory.eventAttributes, directory.linkAttributes] {
            try note(table, in: &tables)
        }
    }

    private func note(_ table: AttributeColumns, in tables: inout BlockTables) throws(StoreError) {
        guard table.shapeCount > 0 else { return }
        let shapes = try reader.shapes(table)
        let shapeNumbers = try reader.shapeNumbers(table)
        var owners = [Int](repeating: 0, count: shapes.count)
        for owner in 0..<table.ownerCount { owners[Int(truncatingIfNeeded: shapeNumbers[owner])] += 1 }
        var counts = [Int](repeating: 0, count: table.keys.count)
        for shape in 0..<shapes.count {
            for key in shapes[shape] { counts[Int(key)] += owners[shape] }
        }
        for (local, count) in counts.enumerated() {
            let key = Int(try known(table.keys[local].key, table))
            tables.note(key: numbers.keys[key], count: count, types: numbers.keyTypes[key])
        }
    }
}

extension Texts {
    /// The entry of a row in the dictionary; 0 where there is none.
    fileprivate func entry(_ row: Int) -> UInt32 {
        guard case .dictionary(let entries, _, _) = self, !entries.isEmpty else { return 0 }
        return entries[row]
    }

    /// Lends an entry of the dictionary; no bytes where there is none.
    fileprivate func withBytes(ofEntry entry: UInt32, _ body: (UnsafeRawBufferPointer) -> Void) {
        if case .dictionary(_, _, let dictionary) = self {
            dictionary.withBytes(entry, body)
        } else {
            body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }
}

extension GroupCopy.Filters {
    /// Those of `block`; when they cannot be read, filters that admit everything.
    init(_ block: Block, _ table: FilterTable) {
        do throws(StoreError) {
            rows = try block.filterRows(of: table)
            lineBits = table.lineBits
        } catch {
            rows = [UInt8](repeating: 0xff, count: FilterTable.rowByteCount(groups: block.footer.groups.count))
            lineBits = 0
        }
    }
}
