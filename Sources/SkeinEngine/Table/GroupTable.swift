// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// A row group of a block as a table. Its traces are those that lie whole in the group; rows of others are there, too.
///
/// Measured: a million spans counted by service and step in 7 ms.
final class GroupTable: SpanTable {
    let block: Block
    let index: Int
    let entries: TraceTable
    private let group: BlockFooter.Group
    private let directory: GroupDirectory
    private var knownTraces: [TableTrace]?
    private var knownForest: SpanForest?
    private var knownStarts: [UInt64]?
    private var knownParentIDs: [UInt64]?
    private var columns: [SpanField: FieldColumn] = [:]
    /// Columns that are kept.
    private static let columnCountMax = 32

    /// The table of group `index`. Reads its directory and its traces.
    init(_ block: Block, group index: Int) throws(StoreError) {
        self.block = block
        self.index = index
        group = block.footer.groups[index]
        directory = try block.directory(ofGroup: index)
        entries = try block.traces(inGroup: index)
    }

    private var reader: ChunkReader { block.reader }
    var rowCount: Int { group.rowCount }
    /// Memory that its columns take, roughly.
    var byteCount: Int { rowCount * (40 + 8 * columns.count) + 64 * entries.count + 4096 }

    /// Whether trace `number` of the group's lies whole in it.
    func isWhole(_ number: Int) -> Bool {
        entries.firstRows[number] >= group.firstRow
            && entries.firstRows[number + 1] <= group.firstRow + group.rowCount
    }

    /// Trace `number` of the group's, which must be whole.
    func trace(_ number: Int) -> TableTrace {
        let entry = entries[number]
        return TableTrace(
            id: entry.id,
            rows: (entry.rows.lowerBound - group.firstRow)..<(entry.rows.upperBound - group.firstRow),
            startUnixNanos: entry.startUnixNanos,
            endUnixNanos: entry.endUnixNanos,
            rootRow: entry.rootRow.map { $0 - group.firstRow }
        )
    }

    func traces() -> [TableTrace] {
        if let knownTraces { return knownTraces }
        let traces = (0..<entries.count).filter(isWhole).map(trace)
        knownTraces = traces
        return traces
    }

    func forest() throws(StoreError) -> SpanForest {
        if let knownForest { return knownForest }
        let places = try reader.numbers(directory.orders)
        let below = try reader.numbers(directory.descendants)
        var orders = [UInt32](repeating: 0, count: rowCount)
        let traces = traces()
        for trace in traces {
            for row in trace.rows {
                let place = Int64(row - trace.rows.lowerBound) &+ places[row].zigZagDecoded
                orders[row] = UInt32(truncatingIfNeeded: place)
            }
        }
        let descendants = (0..<rowCount).map { UInt32(truncatingIfNeeded: below[$0]) }
        let known = SpanForest(orders: orders, descendantCounts: descendants, traces: traces.lazy.map(\.rows))
        guard var forest = known else {
            throw reader.corrupt("the tree of a trace contradicts itself", at: directory.orders.chunk.offset)
        }
        for number in 0..<entries.count where entries.hasSharedIDs(number) && isWhole(number) {
            let rows = trace(number).rows
            forest = forest.replacing(rows, with: SpanForest(ParentIndex(try batch(rows: rows, columns: .fixed))))
        }
        knownForest = forest
        return forest
    }

    func starts() throws(StoreError) -> [UInt64] {
        if let knownStarts { return knownStarts }
        let starts = try block.starts(group, directory, entries, 0..<rowCount)
        knownStarts = starts
        return starts
    }

    func durations() throws(StoreError) -> [UInt64] { try reader.numbers(directory.durations).array }
    func spanIDs() throws(StoreError) -> [UInt64] { try reader.numbers(directory.spanIDs).array }

    func parentSpanIDs() throws(StoreError) -> [UInt64] {
        if let knownParentIDs { return knownParentIDs }
        let ids = try block.parentIDs(group, directory, 0..<rowCount).map(\.rawValue)
        knownParentIDs = ids
        return ids
    }

    func weights() throws(StoreError) -> [Double] {
        let numbers = try reader.numbers(directory.weights)
        if numbers.values.isEmpty, numbers.constant == 0 { return [] }
        return (0..<rowCount).map { Double(bitPattern: numbers[$0] ^ BlockSection.weightOne) }
    }

    func errors() throws(StoreError) -> RowSet {
        let numbers = try reader.numbers(directory.statuses)
        return RowSet(count: rowCount) { numbers[$0] == UInt64(Span.Status.Code.error.rawValue) }
    }

    func rows(matching predicate: CompiledPredicate) throws(StoreError) -> RowSet {
        var scan = BlockScan(block, range: .all, predicate: predicate)
        return try scan.rows(inGroup: index)
    }

    func batch(rows: Range<Int>, columns: SpanColumns) throws(StoreError) -> SpanBatch {
        try block.batch(rows: (group.firstRow + rows.lowerBound)..<(group.firstRow + rows.upperBound), columns: columns)
    }

    func attributeFields() throws(StoreError) -> [SpanField] {
        var fields: Set<SpanField> = []
        let keys = try block.keyTable()
        for (key, _) in directory.attributes.keys where Int(key) < keys.entries.count {
            fields.insert(.attribute(.span, keys.withName(key) { String(decoding: $0, as: UTF8.self) }))
        }
        let owners = [
            (AttributeScope.resource, directory.resources, try block.resourceTable()),
            (.instrumentation, directory.scopes, try block.scopeTable()),
        ]
        for (scope, column, table) in owners {
            for number in Set(try reader.numbers(column).array) where number < table.entries.count {
                for pair in table.entries[Int(number)].attributes {
                    fields.insert(.attribute(scope, table.string(pair.key)))
                }
            }
        }
        return Array(fields)
    }

    // MARK: Columns

    func column(_ field: SpanField) throws(StoreError) -> FieldColumn {
        if let known = columns[field] { return known }
        let column = try read(field)
        // Whoever looks at every attribute looks at each once.
        if columns.count >= Self.columnCountMax { columns.removeAll() }
        columns[field] = column
        return column
    }

    private func read(_ field: SpanField) throws(StoreError) -> FieldColumn {
        switch field {
        case .duration:
            let durations = try durations()
            return .ints(durations.map { Int64(clamping: $0) }, has: RowSet(count: rowCount, all: true))
        case .name: return try texts(directory.names)
        case .statusMessage: return try texts(directory.statusMessages)
        case .kind:
            return try words(directory.kinds, Span.Kind.allCases.map { "\($0)" })
        case .status:
            return try words(directory.statuses, Span.Status.Code.allCases.map { "\($0)" })
        case .serviceName:
            return try owned(directory.resources, try block.resourceTable()) { .string($1.string($0.texts[0])) }
        case .scopeName:
            return try owned(directory.scopes, try block.scopeTable()) { .string($1.string($0.texts[0])) }
        case .scopeVersion:
            return try owned(directory.scopes, try block.scopeTable()) { .string($1.string($0.texts[1])) }
        case .traceID:
            var trace = 0
            return build { row in
                while self.group.firstRow + row >= self.entries.firstRows[trace + 1] { trace += 1 }
                return .string(self.entries.ids[trace].description)
            }
        case .spanID:
            let ids = try spanIDs()
            return build { .string(SpanID(ids[$0]).description) }
        case .parentSpanID:
            let ids = try block.parentIDs(group, directory, 0..<rowCount)
            return build { .string(ids[$0].textIfValid) }
        case .attribute(.resource, let key):
            return try owned(directory.resources, try block.resourceTable()) { Self.value(key, $0, $1) }
        case .attribute(.instrumentation, let key):
            return try owned(directory.scopes, try block.scopeTable()) { Self.value(key, $0, $1) }
        case .attribute(.span, let key): return try ofSpans(key).values
        case .attribute(.any, let key):
            let span = try ofSpans(key)
            return span.values.over(
                try column(.attribute(.resource, key)),
                isPresent: span.has,
                rowCount: rowCount
            )
        case .eventName, .linkTraceID, .attribute: return .none
        }
    }

    private func ofSpans(_ key: String) throws(StoreError) -> (values: FieldColumn, has: RowSet) {
        let number = try block.keyTable().number(.span, key)
        guard number != nil else { return (.none, RowSet(count: rowCount)) }
        let scan = AttributeScan(directory.attributes, number, reader)
        let column = try scan.column()
        // Without any attribute there are no owners either.
        return column.has.count == rowCount ? column : (.none, RowSet(count: rowCount))
    }

    private static func value(_ key: String, _ entry: OwnerTable.Entry, _ table: OwnerTable) -> AttributeValue {
        let pair = entry.attributes.first { table.bytes[$0.key].elementsEqual(key.utf8) }
        return pair.map { table.withBytes($0.value) { EncodedValue.decode($0) } } ?? .null
    }

    private func build(_ value: (Int) -> AttributeValue?) -> FieldColumn {
        var builder = FieldColumnBuilder(rowCount: rowCount)
        for row in 0..<rowCount { builder.append(value(row)) }
        return builder.finish()
    }

    private func texts(_ column: TextColumn) throws(StoreError) -> FieldColumn {
        switch try reader.texts(column) {
        case .empty, .ints, .doubles: return .same(.string(""))
        case .dictionary(let entries, _, let dictionary):
            if entries.isEmpty { return .same(.string(dictionary.string(0))) }
            let values = (0..<UInt32(dictionary.count)).map { AttributeValue.string(dictionary.string($0)) }
            return .dictionary([.null] + values, entries: entries.map { $0 + 1 })
        }
    }

    /// A column of raw values; the first word is for those that have none.
    private func words(_ column: NumberColumn, _ words: [String]) throws(StoreError) -> FieldColumn {
        let numbers = try reader.numbers(column)
        func place(_ number: UInt64) -> Int { number < words.count ? Int(number) : 0 }
        if numbers.values.isEmpty { return .same(.string(words[place(numbers.constant)])) }
        return .dictionary(
            [.null] + words.map { .string($0) },
            entries: numbers.values.map { UInt32(place($0)) + 1 }
        )
    }

    /// A column of what resources or scopes say. Each is asked once, and those with equal answers share a place.
    private func owned(
        _ column: NumberColumn,
        _ table: OwnerTable,
        _ value: (OwnerTable.Entry, OwnerTable) -> AttributeValue
    ) throws(StoreError) -> FieldColumn {
        let numbers = try reader.numbers(column)
        let count = UInt64(table.entries.count)
        guard numbers.constant < count || !numbers.values.isEmpty, numbers.values.allSatisfy({ $0 < count }) else {
            throw reader.corrupt("a span has a resource or scope that the block lacks", at: column.chunk.offset)
        }
        if numbers.values.isEmpty {
            let value = value(table.entries[Int(numbers.constant)], table)
            return value == .null ? .none : .same(value)
        }
        var values: [AttributeValue] = [.null]
        var known: [AttributeValue: UInt32] = [:]
        var places = [UInt32](repeating: .max, count: table.entries.count)
        let entries = numbers.values.map { number in
            let owner = Int(truncatingIfNeeded: number)
            if places[owner] != .max { return places[owner] }
            let value = value(table.entries[owner], table)
            if value == .null {
                places[owner] = 0
            } else if let place = known[value] {
                places[owner] = place
            } else {
                places[owner] = UInt32(values.count)
                known[value] = places[owner]
                values.append(value)
            }
            return places[owner]
        }
        return values.count == 1 ? .none : .dictionary(values, entries: entries)
    }
}

extension Numbers {
    /// All of them.
    var array: [UInt64] { values.isEmpty ? [UInt64](repeating: constant, count: count) : values }
}
