// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// What counting the values of a field in a block needs beside its columns, read once.
struct ValueSource: Sendable {
    let block: Block
    /// The number of a span's key; `nil` when no span has it, or the field is no attribute.
    let keyNumber: UInt32?
    /// The resources, when any has a value that counts for its spans that have none.
    let resources: OwnerTable?

    init(_ block: Block, _ question: ValueQuestion) throws(StoreError) {
        self.block = block
        var number: UInt32?
        var table: OwnerTable?
        if case .attribute(let scope, let key) = question.field, scope == .any || scope == .span {
            number = try block.keyTable().number(.span, key)
            if scope == .any {
                let resources = try block.resourceTable()
                if resources.entries.contains(where: { resources.value(of: key, in: $0) != nil }) { table = resources }
            }
        }
        (keyNumber, resources) = (number, table)
    }
}

/// Counting the spans of a block: by its tables where they say it all, else column by column.
extension ValueCounter {
    /// Rows of a block that are read at a time where they must be.
    private static let windowRowCount = 16_384

    /// Counts all spans of a block if its tables say what their values are; returns false when they do not.
    mutating func addTables(of block: Block) throws(StoreError) -> Bool {
        switch question.field {
        case .serviceName: add(try block.resourceTable(), text: 0)
        case .scopeName: add(try block.scopeTable(), text: 0)
        case .scopeVersion: add(try block.scopeTable(), text: 1)
        case .attribute(.resource, let key): add(try block.resourceTable(), key)
        case .attribute(.instrumentation, let key): add(try block.scopeTable(), key)
        case .attribute(.any, let key) where try block.keyTable().number(.span, key) == nil:
            add(try block.resourceTable(), key)
        case .attribute(.span, let key): return try block.keyTable().number(.span, key) == nil
        case .attribute(.event, let key): return try block.keyTable().number(.event, key) == nil
        case .attribute(.link, let key): return try block.keyTable().number(.link, key) == nil
        default: return false
        }
        return true
    }

    private mutating func add(_ table: OwnerTable, text: Int) {
        for entry in table.entries where entry.spanCount > 0 {
            table.withBytes(entry.texts[text]) { add(text: $0, entry.spanCount) }
        }
    }

    private mutating func add(_ table: OwnerTable, _ key: String) {
        for entry in table.entries where entry.spanCount > 0 {
            if let value = table.value(of: key, in: entry) {
                table.withBytes(value) { add(encoded: $0, entry.spanCount) }
            }
        }
    }

    /// Counts the spans of row group `index`. Directories and tables go through the block's cache; of columns it takes what
    /// is there and adds nothing, since all of them are looked at once.
    mutating func add(_ source: ValueSource, group index: Int) throws(StoreError) {
        let passing = source.block.keepingNothing
        if try addColumns(source, passing.reader, try source.block.directory(ofGroup: index)) { return }
        let group = source.block.footer.groups[index]
        var row = group.firstRow
        let end = group.firstRow + group.rowCount
        while row < end {
            let next = min(row + Self.windowRowCount, end)
            let batch = try passing.batch(rows: row..<next, columns: question.field.columns)
            add(batch, 0..<batch.count)
            row = next
        }
    }

    /// Counts the columns that say what the values are; false when there are none.
    private mutating func addColumns(
        _ source: ValueSource,
        _ reader: ChunkReader,
        _ directory: GroupDirectory
    ) throws(StoreError) -> Bool {
        switch question.field {
        case .name: return try addTexts(directory.names, reader)
        case .statusMessage: return try addTexts(directory.statusMessages, reader)
        case .kind:
            let kinds = try reader.numbers(directory.kinds)
            addKinds((0..<kinds.count).lazy.map { UInt8(truncatingIfNeeded: kinds[$0]) })
            return true
        case .status:
            let codes = try reader.numbers(directory.statuses)
            addStatuses((0..<codes.count).lazy.map { UInt8(truncatingIfNeeded: codes[$0]) })
            return true
        case .attribute(.span, _): return try addAttribute(source, directory.attributes, reader)
        case .attribute(.any, let key):
            // The resource's value counts where the span has none.
            let isCounted = try addAttribute(source, directory.attributes, reader)
            if isCounted, let table = source.resources { try addResources(table, key, source, directory, reader) }
            return isCounted
        default: return false
        }
    }

    private mutating func addTexts(_ column: TextColumn, _ reader: ChunkReader) throws(StoreError) -> Bool {
        switch try reader.texts(column) {
        case .empty(let count): add(text: UnsafeRawBufferPointer(start: nil, count: 0), count)
        case .dictionary(let entries, let count, let dictionary):
            Self.forEach(entries, count, dictionary) { add(text: $0, $1) }
        case .ints, .doubles: return false
        }
        return true
    }

    /// Counts the values of spans; false, and nothing counted, when the key has no column of its own.
    private mutating func addAttribute(
        _ source: ValueSource,
        _ columns: AttributeColumns,
        _ reader: ChunkReader
    ) throws(StoreError) -> Bool {
        guard let local = columns.place(of: source.keyNumber) else { return true }
        let column = columns.keys[local].column
        guard columns.keys.count(where: { $0.column == column }) == 1 else { return false }
        // An owner that has the key twice counts for its first value only.
        let shapes = try reader.shapes(columns)
        for shape in 0..<shapes.count where shapes[shape].count(where: { Int($0) == local }) > 1 { return false }
        switch try reader.texts(columns.columns[column]) {
        case .empty: break
        case .dictionary(let entries, let count, let dictionary):
            Self.forEach(entries, count, dictionary) { add(encoded: $0, $1) }
        case .ints(let numbers): addNumbers(numbers) { .int($0.zigZagDecoded) }
        case .doubles(let numbers): addNumbers(numbers) { .double(Double(bitPattern: $0)) }
        }
        return true
    }

    /// Counts the resource's value for each span that lacks the key itself.
    private mutating func addResources(
        _ table: OwnerTable,
        _ key: String,
        _ source: ValueSource,
        _ directory: GroupDirectory,
        _ reader: ChunkReader
    ) throws(StoreError) {
        let resources = try reader.numbers(directory.resources)
        var spans: [UInt64: Int] = [:]
        let columns = directory.attributes
        if let local = columns.place(of: source.keyNumber), columns.shapeCount > 0 {
            let shapes = try reader.shapes(columns)
            let numbers = try reader.shapeNumbers(columns)
            let hasKey = (0..<shapes.count).map { shape in shapes[shape].contains { Int($0) == local } }
            for row in 0..<min(resources.count, numbers.count) where !hasKey[Int(truncatingIfNeeded: numbers[row])] {
                spans[resources[row], default: 0] += 1
            }
        } else if resources.values.isEmpty {
            spans[resources.constant] = resources.count
        } else {
            for resource in resources.values { spans[resource, default: 0] += 1 }
        }
        for (resource, count) in spans {
            guard resource < UInt64(table.entries.count) else {
                throw reader.corrupt("a span has a resource that the block lacks", at: directory.resources.chunk.offset)
            }
            let entry = table.entries[Int(resource)]
            if let value = table.value(of: key, in: entry) { table.withBytes(value) { add(encoded: $0, count) } }
        }
    }

    private static func forEach(
        _ entries: [UInt32],
        _ count: Int,
        _ dictionary: ByteDictionary,
        _ body: (UnsafeRawBufferPointer, Int) -> Void
    ) {
        var counts = [Int](repeating: 0, count: dictionary.count)
        if entries.isEmpty { counts[0] = count } else { for entry in entries { counts[Int(entry)] += 1 } }
        for (entry, count) in counts.enumerated() where count > 0 {
            dictionary.withBytes(UInt32(entry)) { body($0, count) }
        }
    }

    private mutating func addNumbers(_ numbers: Numbers, _ value: (UInt64) -> AttributeValue) {
        var counts: [UInt64: Int] = [:]
        if numbers.values.isEmpty {
            counts[numbers.constant] = numbers.count
        } else {
            for number in numbers.values { counts[number, default: 0] += 1 }
        }
        for (number, count) in counts { add(value(number), count) }
    }
}

extension AttributeColumns {
    /// Where a key of the block's table is among those of the group; `nil` when none of its spans has it.
    fileprivate func place(of number: UInt32?) -> Int? {
        number.flatMap { number in keys.firstIndex { $0.key == number } }
    }
}

extension OwnerTable {
    /// The first value of a key; `nil` when the entry lacks it.
    fileprivate func value(of key: String, in entry: Entry) -> Range<Int>? {
        entry.attributes.first { pair in withBytes(pair.key) { $0.elementsEqual(key.utf8) } }?.value
    }
}
