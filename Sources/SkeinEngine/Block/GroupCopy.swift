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
    /// By row of the group, entries of the old block's tables that are there.
    private let resources: Numbers
    private let scopes: Numbers

    /// By entry of the old block's tables, that of the new one's, or ``unknown``.
    ///
    /// The new tables gain an entry when a group that refers to it is copied: what no span refers to any more must not
    /// come along, since it may be what was redacted.
    struct TableNumbers {
        static let unknown = UInt32.max

        private let resourceTable: OwnerTable
        private let scopeTable: OwnerTable
        private let keyTable: KeyTable
        fileprivate private(set) var resources: [UInt32]
        fileprivate private(set) var scopes: [UInt32]
        fileprivate private(set) var keys: [UInt32]
        /// By entry of the old table of keys.
        fileprivate let keyTypes: [UInt8]
        let traceFilters: Filters
        let valueFilters: Filters

        /// Nothing of `block` is known yet.
        init(of block: Block) throws(StoreError) {
            keyTable = try block.keyTable()
            resourceTable = try block.resourceTable()
            scopeTable = try block.scopeTable()
            resources = [UInt32](repeating: Self.unknown, count: resourceTable.entries.count)
            scopes = [UInt32](repeating: Self.unknown, count: scopeTable.entries.count)
            keys = [UInt32](repeating: Self.unknown, count: keyTable.entries.count)
            keyTypes = keyTable.entries.map(\.types)
            traceFilters = Filters(block, block.footer.traceFilters)
            valueFilters = Filters(block, block.footer.valueFilters)
        }

        /// Makes the entries known that these rows refer to. Returns whether all of them are there.
        fileprivate mutating func take(
            resources rows: Numbers,
            scopes scopeRows: Numbers,
            in tables: inout BlockTables
        ) -> Bool {
            Self.take(rows, &resources) { tables.resource($0, of: resourceTable) }
                && Self.take(scopeRows, &scopes) { tables.scope($0, of: scopeTable) }
        }

        private static func take(_ rows: Numbers, _ known: inout [UInt32], _ number: (Int) -> UInt32) -> Bool {
            for row in 0..<(rows.values.isEmpty ? min(rows.count, 1) : rows.values.count) {
                guard rows[row] < UInt64(known.count) else { return false }
                let entry = Int(rows[row])
                if known[entry] == unknown { known[entry] = number(entry) }
            }
            return true
        }

        /// Makes a key known. Returns whether it is there.
        fileprivate mutating func take(key: UInt32, in tables: inout BlockTables) -> Bool {
            guard key < UInt32(keys.count) else { return false }
            if keys[Int(key)] == Self.unknown { keys[Int(key)] = tables.key(Int(key), of: keyTable) }
            return true
        }
    }

    /// All rows of a table of the old block's filters.
    struct Filters {
        var rows: [UInt8]
        var lineBits: Int
    }

    /// Reads the group. The tables gain the entries that it refers to, and `numbers` says which they are.
    init(
        _ block: Block,
        group index: Int,
        _ numbers: inout TableNumbers,
        in tables: inout BlockTables
    ) throws(StoreError) {
        reader = block.reader
        group = block.footer.groups[index]
        directory = try block.directory(ofGroup: index)
        bytes = try block.reader.read(group.directory.offset - group.offset, at: group.offset)
        resources = try reader.numbers(directory.resources)
        scopes = try reader.numbers(directory.scopes)
        guard numbers.take(resources: resources, scopes: scopes, in: &tables) else {
            throw reader.corrupt(
                "a span has a resource or scope that the block lacks",
                at: directory.resources.chunk.offset
            )
        }
        for table in [directory.attributes, directory.eventAttributes, directory.linkAttributes] {
            for (key, _) in table.keys where !numbers.take(key: key, in: &tables) {
                throw reader.corrupt("an attribute has a key that the block lacks", at: table.shapes.offset)
            }
        }
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
        write(resources, translatedBy: numbers.resources, &columns)
        write(scopes, translatedBy: numbers.scopes, &columns)
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

    private func write(_ entries: Numbers, translatedBy numbers: [UInt32], _ columns: inout ColumnWriter) {
        var translated = ColumnBuffer<UInt64>(capacity: entries.count)
        for row in 0..<entries.count { translated.append(UInt64(numbers[Int(entries[row])])) }
        columns.append(numbers: translated.elements)
    }

    private func write(_ table: AttributeColumns, _ columns: inout ColumnWriter) throws(StoreError) {
        columns.chunks.directory.appendVarint(UInt64(table.shapeCount))
        guard table.shapeCount > 0 else { return }
        try write(table.shapes, &columns)
        try write(table.shapeNumbers, &columns)
        columns.chunks.directory.appendVarint(UInt64(table.keys.count))
        for (key, column) in table.keys {
            columns.chunks.directory.appendVarint(UInt64(numbers.keys[Int(key)]))
            columns.chunks.directory.appendVarint(UInt64(column))
        }
        columns.chunks.directory.appendVarint(UInt64(table.columns.count))
        for column in table.columns {
            columns.chunks.directory.appendVarint(UInt64(column.count))
            try write(column, &columns)
        }
    }

    // MARK: Counting

    /// Adds the rows to what the new block's tables say of resources, scopes, operations and keys.
    func note(in tables: inout BlockTables) throws(StoreError) {
        let kinds = try reader.numbers(directory.kinds)
        let names = try reader.texts(directory.names)
        // The number of a scope stands for its name here: what is counted are triples of numbers.
        var operations = OperationCounts()
        var scopeCounts = OperationCounts()
        for row in 0..<group.rowCount {
            // Both are entries of tables, as was checked when the group was read.
            operations.add(
                UInt32(truncatingIfNeeded: resources[row]),
                names.entry(row),
                UInt8(truncatingIfNeeded: kinds[row])
            )
            scopeCounts.add(0, UInt32(truncatingIfNeeded: scopes[row]), 0)
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
            let key = Int(table.keys[local].key)
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
