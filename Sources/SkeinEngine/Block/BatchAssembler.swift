// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Turns rows of a block back into a batch.
struct BatchAssembler: ~Copyable {
    private let block: Block
    private let columns: SpanColumns
    private let resourceTable: OwnerTable
    private let scopeTable: OwnerTable
    private let keyTable: KeyTable
    private var batch = SpanBatch()
    private var interner: Interner
    private var scratch: ByteWriter
    /// By entry of the block's tables: row of the batch's + 1, or 0.
    private var resources: [UInt32]
    private var scopes: [UInt32]
    /// By key of the block's table: ref + 1, or 0.
    private var keyRefs: [UInt32]

    init(_ block: Block, _ columns: SpanColumns) throws(StoreError) {
        self.block = block
        self.columns = columns
        let (resources, scopes, keys) = (try block.resourceTable(), try block.scopeTable(), try block.keyTable())
        resourceTable = resources
        scopeTable = scopes
        keyTable = keys
        interner = Interner()
        scratch = ByteWriter()
        keyRefs = [UInt32](repeating: 0, count: keyTable.entries.count)
        self.resources = [UInt32](repeating: 0, count: resources.entries.count)
        // Without details all scopes look alike, and one entry serves them all.
        self.scopes = [UInt32](repeating: 0, count: scopes.entries.count)
    }

    /// The batch of all rows appended.
    consuming func finish() -> SpanBatch {
        batch.dictionary = interner.finish()
        batch.receivedUnixNanos = block.footer.receivedMax
        batch.dropDefaults()
        return batch
    }

    /// Appends rows of group `index`, counted from its first.
    mutating func append(group index: Int, rows: Range<Int>) throws(StoreError) {
        let group = block.footer.groups[index]
        let directory = try block.directory(ofGroup: index)
        let reader = block.reader
        let traces = try block.traces(inGroup: index)
        try appendIDsAndTimes(group, directory, traces, rows)

        let kinds = try reader.numbers(directory.kinds)
        let statuses = try reader.numbers(directory.statuses)
        let resourceNumbers = try reader.numbers(directory.resources)
        let scopeNumbers = try reader.numbers(directory.scopes)
        var names = RefColumn(try reader.texts(directory.names), rows.count)
        for row in rows {
            batch.kinds.append(UInt8(truncatingIfNeeded: kinds[row]))
            batch.statusCodes.append(UInt8(truncatingIfNeeded: statuses[row]))
            batch.nameRefs.append(names.ref(row, &interner, &scratch))
            batch.resourceRows.append(try resource(resourceNumbers[row], directory))
            batch.scopeRows.append(try scope(scopeNumbers[row], directory))
        }
        batch.weights += try block.reader.numbers(directory.weights, rows) {
            Double(bitPattern: $0 ^ BlockSection.weightOne)
        }
        batch.marks += try block.reader.numbers(directory.marks, rows) {
            SpanBatch.Marks(rawValue: UInt8(truncatingIfNeeded: $0))
        }
        if columns.contains(.details) { try appendDetails(directory, rows) }
        if columns.contains(.attributes) {
            try appendAttributes(directory.attributes, rows, \.attributes)
        }
        if columns.contains(.events) { try appendEvents(directory, group, rows) }
        if columns.contains(.links) { try appendLinks(directory, group, rows) }
        guard !interner.isFull else { throw .tooMuchText }
    }

    private mutating func appendIDsAndTimes(
        _ group: BlockFooter.Group,
        _ directory: GroupDirectory,
        _ traces: TraceTable,
        _ rows: Range<Int>
    ) throws(StoreError) {
        let reader = block.reader
        let spanIDs = try reader.numbers(directory.spanIDs)
        let durations = try reader.numbers(directory.durations)
        batch.startUnixNanos += try block.starts(group, directory, traces, rows)
        batch.parentSpanIDs += try block.parentIDs(group, directory, rows)
        var trace = traces.index(ofRow: group.firstRow + rows.lowerBound)
        for row in rows {
            while group.firstRow + row >= traces.firstRows[trace + 1] { trace += 1 }
            batch.traceIDs.append(traces.ids[trace])
            batch.spanIDs.append(SpanID(spanIDs[row]))
            batch.durationNanos.append(durations[row])
        }
    }

    private mutating func appendDetails(_ directory: GroupDirectory, _ rows: Range<Int>) throws(StoreError) {
        batch.flags += try block.reader.numbers(directory.flags, rows) { UInt32(truncatingIfNeeded: $0) }
        batch.droppedAttributesCounts += try block.reader.numbers(directory.droppedAttributes, rows) {
            UInt32(truncatingIfNeeded: $0)
        }
        batch.droppedEventsCounts += try block.reader.numbers(directory.droppedEvents, rows) {
            UInt32(truncatingIfNeeded: $0)
        }
        batch.droppedLinksCounts += try block.reader.numbers(directory.droppedLinks, rows) {
            UInt32(truncatingIfNeeded: $0)
        }
        batch.statusMessageRefs += try refs(directory.statusMessages, rows)
        batch.traceStateRefs += try refs(directory.traceStates, rows)
    }

    private mutating func appendEvents(
        _ directory: GroupDirectory,
        _ group: BlockFooter.Group,
        _ rows: Range<Int>
    ) throws(StoreError) {
        guard directory.eventCount > 0 else {
            batch.events.ends.append(contentsOf: repeatElement(batch.events.ends.last ?? 0, count: rows.count))
            return
        }
        let reader = block.reader
        let children = try block.children(directory.eventCounts, directory.eventCount, rows)
        let times = try reader.numbers(directory.eventTimes)
        var names = RefColumn(try reader.texts(directory.eventNames), children.all.count)
        let first = batch.count - rows.count
        for (offset, count) in children.counts.enumerated() {
            let start = batch.startUnixNanos[first + offset]
            let end = (batch.events.ends.last ?? 0) &+ UInt32(truncatingIfNeeded: count)
            for event in children.starts[offset]..<(children.starts[offset] + count) {
                batch.events.timeUnixNanos.append(start &+ UInt64(bitPattern: times[event].zigZagDecoded))
                batch.events.nameRefs.append(names.ref(event, &interner, &scratch))
            }
            batch.events.ends.append(end)
        }
        batch.events.droppedAttributesCounts += try block.reader.numbers(directory.eventDroppedAttributes, children.all)
        { UInt32(truncatingIfNeeded: $0) }
        try appendAttributes(directory.eventAttributes, children.all, \.events.attributes)
    }

    private mutating func appendLinks(
        _ directory: GroupDirectory,
        _ group: BlockFooter.Group,
        _ rows: Range<Int>
    ) throws(StoreError) {
        guard directory.linkCount > 0 else {
            batch.links.ends.append(contentsOf: repeatElement(batch.links.ends.last ?? 0, count: rows.count))
            return
        }
        let reader = block.reader
        let children = try block.children(directory.linkCounts, directory.linkCount, rows)
        let highs = try reader.numbers(directory.linkTraceHighs)
        let lows = try reader.numbers(directory.linkTraceLows)
        let spanIDs = try reader.numbers(directory.linkSpanIDs)
        for count in children.counts {
            batch.links.ends.append((batch.links.ends.last ?? 0) &+ UInt32(truncatingIfNeeded: count))
        }
        for link in children.all {
            batch.links.traceIDs.append(TraceID(high: highs[link], low: lows[link]))
            batch.links.spanIDs.append(SpanID(spanIDs[link]))
        }
        batch.links.traceStateRefs += try refs(directory.linkTraceStates, children.all)
        batch.links.flags += try block.reader.numbers(directory.linkFlags, children.all) {
            UInt32(truncatingIfNeeded: $0)
        }
        batch.links.droppedAttributesCounts += try block.reader.numbers(directory.linkDroppedAttributes, children.all) {
            UInt32(truncatingIfNeeded: $0)
        }
        try appendAttributes(directory.linkAttributes, children.all, \.links.attributes)
    }

    private mutating func appendAttributes(
        _ columns: AttributeColumns,
        _ owners: Range<Int>,
        _ path: WritableKeyPath<SpanBatch, SpanBatch.AttributeTable>
    ) throws(StoreError) {
        var table = SpanBatch.AttributeTable()
        swap(&table, &batch[keyPath: path])
        defer { swap(&table, &batch[keyPath: path]) }
        guard columns.shapeCount > 0 else {
            table.ends.append(contentsOf: repeatElement(UInt32(table.keyRefs.count), count: owners.count))
            return
        }
        let shapes = try block.reader.shapes(columns)
        let numbers = try block.reader.shapeNumbers(columns)
        // By shape, how many of the owners have it; by column, the first value of theirs and how many they have.
        var counts = [Int](repeating: 0, count: shapes.count)
        var firsts = [Int](repeating: 0, count: columns.columns.count)
        var lengths = firsts
        for owner in 0..<owners.lowerBound { counts[Int(truncatingIfNeeded: numbers[owner])] += 1 }
        for shape in 0..<shapes.count where counts[shape] > 0 {
            for key in shapes[shape] { firsts[columns.keys[Int(key)].column] += counts[shape] }
            counts[shape] = 0
        }
        for owner in owners { counts[Int(truncatingIfNeeded: numbers[owner])] += 1 }
        // Pairs of all shapes in use, side by side: ref of the key, column.
        var pairs: [(key: UInt32, column: Int)] = []
        var pairStarts = [0]
        for shape in 0..<shapes.count {
            if counts[shape] > 0 {
                for local in shapes[shape] {
                    let (key, column) = columns.keys[Int(local)]
                    pairs.append((try keyRef(key), column))
                    lengths[column] += counts[shape]
                }
            }
            pairStarts.append(pairs.count)
        }
        // A column at a time, so that the loops are short; then the owners pick what is theirs.
        var refs: [UInt32] = []
        refs.reserveCapacity(lengths.reduce(0, +))
        var next = [Int](repeating: 0, count: lengths.count)
        for column in lengths.indices where lengths[column] > 0 {
            let texts = try block.reader.texts(columns.columns[column])
            guard lengths[column] <= texts.count - firsts[column] else {
                throw block.reader.corrupt("a column has fewer values than owners", at: columns.shapes.offset)
            }
            next[column] = refs.count
            var values = RefColumn(texts, lengths[column])
            values.append(firsts[column]..<(firsts[column] + lengths[column]), to: &refs, &interner, &scratch)
        }
        table.keyRefs.reserveCapacity(table.keyRefs.count + refs.count)
        table.valueRefs.reserveCapacity(table.valueRefs.count + refs.count)
        for owner in owners {
            let shape = Int(truncatingIfNeeded: numbers[owner])
            for pair in pairStarts[shape]..<pairStarts[shape + 1] {
                let (key, column) = pairs[pair]
                table.keyRefs.append(key)
                table.valueRefs.append(refs[next[column]])
                next[column] += 1
            }
            table.ends.append(UInt32(table.keyRefs.count))
        }
    }

    private mutating func keyRef(_ key: UInt32) throws(StoreError) -> UInt32 {
        guard key < keyRefs.count else {
            throw block.reader.corrupt("an attribute has a key that the block lacks", at: block.footer.keys.offset)
        }
        if keyRefs[Int(key)] == 0 { keyRefs[Int(key)] = keyTable.withName(key) { interner.intern($0).ref } + 1 }
        return keyRefs[Int(key)] - 1
    }

    private mutating func refs(_ column: TextColumn, _ rows: Range<Int>) throws(StoreError) -> [UInt32] {
        var texts = RefColumn(try block.reader.texts(column), rows.count)
        return rows.map { texts.ref($0, &interner, &scratch) }
    }

    private mutating func resource(_ number: UInt64, _ directory: GroupDirectory) throws(StoreError) -> UInt32 {
        guard number < resources.count else {
            throw block.reader.corrupt(
                "a span has a resource that the block lacks",
                at: directory.resources.chunk.offset
            )
        }
        if resources[Int(number)] != 0 { return resources[Int(number)] - 1 }
        let entry = resourceTable.entries[Int(number)]
        let row = UInt32(batch.resources.count)
        batch.resources.serviceNameRefs.append(intern(entry.texts[0], resourceTable))
        if columns.contains(.details) {
            batch.resources.schemaURLRefs.append(intern(entry.texts[1], resourceTable))
            batch.resources.droppedAttributesCounts.append(entry.droppedAttributesCount)
            append(entry, resourceTable, to: \.resources.attributes)
        } else {
            batch.resources.schemaURLRefs.append(0)
            batch.resources.droppedAttributesCounts.append(0)
            batch.resources.attributes.ends.append(0)
        }
        resources[Int(number)] = row + 1
        return row
    }

    private mutating func scope(_ number: UInt64, _ directory: GroupDirectory) throws(StoreError) -> UInt32 {
        guard number < scopes.count else {
            throw block.reader.corrupt("a span has a scope that the block lacks", at: directory.scopes.chunk.offset)
        }
        let known = columns.contains(.details) ? Int(number) : 0
        if scopes[known] != 0 { return scopes[known] - 1 }
        let row = UInt32(batch.scopes.count)
        if columns.contains(.details) {
            let entry = scopeTable.entries[Int(number)]
            batch.scopes.nameRefs.append(intern(entry.texts[0], scopeTable))
            batch.scopes.versionRefs.append(intern(entry.texts[1], scopeTable))
            batch.scopes.schemaURLRefs.append(intern(entry.texts[2], scopeTable))
            batch.scopes.droppedAttributesCounts.append(entry.droppedAttributesCount)
            append(entry, scopeTable, to: \.scopes.attributes)
        } else {
            batch.scopes.nameRefs.append(0)
            batch.scopes.versionRefs.append(0)
            batch.scopes.schemaURLRefs.append(0)
            batch.scopes.droppedAttributesCounts.append(0)
            batch.scopes.attributes.ends.append(0)
        }
        scopes[known] = row + 1
        return row
    }

    private mutating func append(
        _ entry: OwnerTable.Entry,
        _ table: OwnerTable,
        to path: WritableKeyPath<SpanBatch, SpanBatch.AttributeTable>
    ) {
        for pair in entry.attributes {
            let key = intern(pair.key, table)
            let value = intern(pair.value, table)
            batch[keyPath: path].keyRefs.append(key)
            batch[keyPath: path].valueRefs.append(value)
        }
        let end = UInt32(batch[keyPath: path].keyRefs.count)
        batch[keyPath: path].ends.append(end)
    }

    private mutating func intern(_ range: Range<Int>, _ table: OwnerTable) -> UInt32 {
        table.bytes.withUnsafeBytes { interner.intern(UnsafeRawBufferPointer(rebasing: $0[range])).ref }
    }
}

extension ChunkReader {
    /// Some rows of a column of numbers, converted.
    fileprivate func numbers<T>(
        _ column: NumberColumn,
        _ rows: Range<Int>,
        _ convert: (UInt64) -> T
    ) throws(StoreError) -> [T] {
        let numbers = try numbers(column)
        return rows.map { convert(numbers[$0]) }
    }
}

/// A column of texts whose refs in the new batch are looked up once each, when there are enough rows to repay it.
private struct RefColumn {
    private let texts: Texts
    /// By entry: ref + 1, or 0. Empty when every row is looked up anew.
    private var known: [UInt32]

    init(_ texts: Texts, _ rowCount: Int) {
        self.texts = texts
        known = []
        if case .dictionary(_, _, let dictionary) = texts, rowCount * 8 >= dictionary.count {
            known = [UInt32](repeating: 0, count: dictionary.count)
        }
    }

    /// Appends the refs of rows `rows`, which must lie within the column.
    mutating func append(
        _ rows: Range<Int>,
        to refs: inout [UInt32],
        _ interner: inout Interner,
        _ scratch: inout ByteWriter
    ) {
        guard case .dictionary(let entries, _, let dictionary) = texts, !entries.isEmpty, !known.isEmpty else {
            for row in rows { refs.append(ref(row, &interner, &scratch)) }
            return
        }
        for row in rows {
            let entry = Int(entries[row])
            if known[entry] == 0 { known[entry] = dictionary.withBytes(entries[row]) { interner.intern($0).ref } + 1 }
            refs.append(known[entry] - 1)
        }
    }

    /// The ref of row `row`, which must be below the column's count.
    mutating func ref(_ row: Int, _ interner: inout Interner, _ scratch: inout ByteWriter) -> UInt32 {
        switch texts {
        case .empty: return 0
        case .dictionary(let entries, _, let dictionary):
            let entry = entries.isEmpty ? 0 : entries[row]
            if !known.isEmpty, known[Int(entry)] != 0 { return known[Int(entry)] - 1 }
            let ref = dictionary.withBytes(entry) { interner.intern($0).ref }
            if !known.isEmpty { known[Int(entry)] = ref + 1 }
            return ref
        case .ints(let numbers):
            scratch.removeAll()
            scratch.append(EncodedValue.Kind.int.rawValue)
            scratch.appendVarint(UInt64(bitPattern: numbers[row].zigZagDecoded))
            return interner.intern(scratch.bytes).ref
        case .doubles(let numbers):
            scratch.removeAll()
            scratch.append(EncodedValue.Kind.double.rawValue)
            scratch.appendLittleEndian(numbers[row])
            return interner.intern(scratch.bytes).ref
        }
    }
}

extension SpanBatch {
    /// Empties the optional columns in which nothing is said, as a builder would have left them.
    fileprivate mutating func dropDefaults() {
        if flags.allSatisfy({ $0 == 0 }) { flags = [] }
        if statusMessageRefs.allSatisfy({ $0 == 0 }) { statusMessageRefs = [] }
        if traceStateRefs.allSatisfy({ $0 == 0 }) { traceStateRefs = [] }
        if droppedAttributesCounts.allSatisfy({ $0 == 0 }) { droppedAttributesCounts = [] }
        if droppedEventsCounts.allSatisfy({ $0 == 0 }) { droppedEventsCounts = [] }
        if droppedLinksCounts.allSatisfy({ $0 == 0 }) { droppedLinksCounts = [] }
        if weights.allSatisfy({ $0 == 1 }) { weights = [] }
        if marks.allSatisfy({ $0.rawValue == 0 }) { marks = [] }
        if attributes.keyRefs.isEmpty { attributes.ends = [] }
        if resources.attributes.keyRefs.isEmpty { resources.attributes.ends = [] }
        if scopes.attributes.keyRefs.isEmpty { scopes.attributes.ends = [] }
        if events.nameRefs.isEmpty { events.ends = [] }
        if events.droppedAttributesCounts.allSatisfy({ $0 == 0 }) { events.droppedAttributesCounts = [] }
        if events.attributes.keyRefs.isEmpty { events.attributes.ends = [] }
        if links.spanIDs.isEmpty { links.ends = [] }
        if links.traceStateRefs.allSatisfy({ $0 == 0 }) { links.traceStateRefs = [] }
        if links.flags.allSatisfy({ $0 == 0 }) { links.flags = [] }
        if links.droppedAttributesCounts.allSatisfy({ $0 == 0 }) { links.droppedAttributesCounts = [] }
        if links.attributes.keyRefs.isEmpty { links.attributes.ends = [] }
    }
}
