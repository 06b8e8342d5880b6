// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Counts how many spans carry each value of a field.
///
/// A value is looked at once for all spans of a batch or row group that share it; where a block has a column for the
/// field alone, its dictionary and entries are counted and no span is put together.
struct ValueCounter {
    private let field: SpanField
    private let prefix: [UInt8]
    /// Plain texts of fields like the name.
    private var texts: ByteCounts
    /// Encoded values of attributes.
    private var values: ByteCounts
    /// Values of fields that are neither.
    private var others: [AttributeValue: Int] = [:]
    private let distinctMax: Int

    /// Rows of a block that are read at a time where they must be.
    private static let windowRowCount = 16_384

    /// Counts values whose text starts with `prefix`, at most `distinctMax` different ones.
    init(field: SpanField, prefix: String, distinctMax: Int) {
        self.field = field
        self.prefix = Array(prefix.utf8)
        self.distinctMax = distinctMax
        texts = ByteCounts(distinctMax: distinctMax)
        values = ByteCounts(distinctMax: distinctMax)
    }

    /// The most frequent values, ties by text. Only those are decoded.
    func mostFrequent(_ limit: Int) -> [ValueCount] {
        guard others.isEmpty else {
            let all = others.map { ValueCount(value: $0.key, count: $0.value) }.sorted {
                $0.count != $1.count ? $0.count > $1.count : $0.value.text.precedes($1.value.text)
            }
            return Array(all.prefix(max(limit, 0)))
        }
        if case .attribute = field {
            return values.mostFrequent(limit, precedes: precedes).map { index in
                ValueCount(value: values.withBytes(index) { EncodedValue.decode($0) }, count: values.counts[index])
            }
        }
        return texts.mostFrequent(limit) { a, b in
            texts.withBytes(a) { a in texts.withBytes(b) { a.lexicographicallyPrecedes($0) } }
        }.map { index in
            let text = texts.withBytes(index) { String(decoding: $0, as: UTF8.self) }
            return ValueCount(value: .string(text), count: texts.counts[index])
        }
    }

    /// The order of values `a` and `b` by their texts; strings need not be decoded for it.
    private func precedes(_ a: Int, _ b: Int) -> Bool {
        values.withBytes(a) { a in
            values.withBytes(b) { b in
                if let a = EncodedValue.text(a), let b = EncodedValue.text(b) { return a.lexicographicallyPrecedes(b) }
                return EncodedValue.decode(a).text.precedes(EncodedValue.decode(b).text)
            }
        }
    }

    // MARK: Batches

    /// Counts the spans of `batch`.
    mutating func add(_ batch: SpanBatch) {
        switch field {
        case .duration: addEach(batch) { .int(Int64(clamping: batch.durationNanos[$0])) }
        case .kind: addEach(batch) { .string("\(Span.Kind(rawValue: batch.kinds[$0]) ?? .unspecified)") }
        case .status: addEach(batch) { .string("\(Span.Status.Code(rawValue: batch.statusCodes[$0]) ?? .unset)") }
        case .traceID: addEach(batch) { .string(batch.traceIDs[$0].description) }
        case .spanID: addEach(batch) { .string(batch.spanIDs[$0].description) }
        case .parentSpanID: addEach(batch) { .string(batch.parentSpanIDs[$0].textIfValid) }
        case .name: addTexts(batch) { batch.nameRefs[$0] }
        case .statusMessage: addTexts(batch) { SpanBatch.value(batch.statusMessageRefs, $0, default: 0) }
        case .serviceName: addTexts(batch) { batch.resources.serviceNameRefs[Int(batch.resourceRows[$0])] }
        case .scopeName: addTexts(batch) { batch.scopes.nameRefs[Int(batch.scopeRows[$0])] }
        case .scopeVersion: addTexts(batch) { batch.scopes.versionRefs[Int(batch.scopeRows[$0])] }
        case .eventName: addEventNames(batch)
        case .attribute(let scope, let key): addAttributes(batch, scope, key)
        }
    }

    private mutating func addEach(_ batch: SpanBatch, _ value: (Int) -> AttributeValue) {
        for row in 0..<batch.count { add(value(row), 1) }
    }

    private mutating func addTexts(_ batch: SpanBatch, _ ref: (Int) -> SpanBatch.Ref) {
        var counts: [SpanBatch.Ref: Int] = [:]
        for row in 0..<batch.count { counts[ref(row), default: 0] += 1 }
        for (ref, count) in counts { batch.dictionary.withBytes(ref) { add(text: $0, count) } }
    }

    private mutating func addEventNames(_ batch: SpanBatch) {
        var counts: [SpanBatch.Ref: Int] = [:]
        for row in 0..<batch.count {
            for ref in Set(batch.events.range(of: row).map { batch.events.nameRefs[$0] }) {
                counts[ref, default: 0] += 1
            }
        }
        for (ref, count) in counts { batch.dictionary.withBytes(ref) { add(text: $0, count) } }
    }

    private mutating func addAttributes(_ batch: SpanBatch, _ scope: AttributeScope, _ key: String) {
        let isKey = batch.keyTest(key)
        guard isKey.contains(true) else { return }
        /// The first value of the key that the owner has.
        func value(_ table: SpanBatch.AttributeTable, _ owner: Int) -> SpanBatch.Ref? {
            for pair in table.range(of: owner) where isKey[Int(table.keyRefs[pair])] { return table.valueRefs[pair] }
            return nil
        }
        func ofResource(_ row: Int) -> SpanBatch.Ref? {
            value(batch.resources.attributes, Int(batch.resourceRows[row]))
        }
        var counts: [SpanBatch.Ref: Int] = [:]
        for row in 0..<batch.count {
            switch scope {
            case .any: if let ref = value(batch.attributes, row) ?? ofResource(row) { counts[ref, default: 0] += 1 }
            case .span: if let ref = value(batch.attributes, row) { counts[ref, default: 0] += 1 }
            case .resource: if let ref = ofResource(row) { counts[ref, default: 0] += 1 }
            case .instrumentation:
                if let ref = value(batch.scopes.attributes, Int(batch.scopeRows[row])) { counts[ref, default: 0] += 1 }
            // A span counts once for a value, however many of its events or links carry it.
            case .event:
                let ofEvents = batch.events.range(of: row).compactMap { value(batch.events.attributes, $0) }
                for ref in Set(ofEvents) { counts[ref, default: 0] += 1 }
            case .link:
                let ofLinks = batch.links.range(of: row).compactMap { value(batch.links.attributes, $0) }
                for ref in Set(ofLinks) { counts[ref, default: 0] += 1 }
            }
        }
        for (ref, count) in counts { batch.dictionary.withBytes(ref) { add(encoded: $0, count) } }
    }

    // MARK: Blocks

    /// Counts the spans of a block.
    mutating func add(_ stored: StoredBlock, _ cancellation: Cancellation) throws(StoreError) {
        switch field {
        case .serviceName:
            for service in try stored.catalogue().services { add(.string(service.name), service.spanCount) }
            return
        case .attribute(.resource, let key): return try add(stored.block.resourceTable(), key)
        case .attribute(.instrumentation, let key): return try add(stored.block.scopeTable(), key)
        default: break
        }
        for (index, group) in stored.footer.groups.enumerated() {
            try cancellation.check()
            if try addColumn(stored.block, group: index) { continue }
            var row = group.firstRow
            let end = group.firstRow + group.rowCount
            while row < end {
                let next = min(row + Self.windowRowCount, end)
                add(try stored.block.batch(rows: row..<next, columns: field.columns))
                row = next
            }
        }
    }

    private mutating func add(_ table: OwnerTable, _ key: String) {
        for entry in table.entries {
            let wanted = Array(key.utf8)
            let pair = entry.attributes.first { table.withBytes($0.key) { $0.elementsEqual(wanted) } }
            if let pair { table.withBytes(pair.value) { add(encoded: $0, entry.spanCount) } }
        }
    }

    /// Counts a column of its own that a group has for the field; false when it has none.
    private mutating func addColumn(_ block: Block, group index: Int) throws(StoreError) -> Bool {
        let directory = try block.directory(ofGroup: index)
        switch field {
        case .name:
            guard case .dictionary(let entries, let count, let dictionary) = try block.reader.texts(directory.names)
            else { return false }
            add(entries, count, dictionary) { counter, bytes, count in counter.add(text: bytes, count) }
            return true
        case .kind:
            addNumbers(try block.reader.numbers(directory.kinds)) {
                .string("\(Span.Kind(rawValue: UInt8(truncatingIfNeeded: $0)) ?? .unspecified)")
            }
            return true
        case .status:
            addNumbers(try block.reader.numbers(directory.statuses)) {
                .string("\(Span.Status.Code(rawValue: UInt8(truncatingIfNeeded: $0)) ?? .unset)")
            }
            return true
        case .attribute(.any, let key):
            // The resource's value counts where the span has none, which takes both columns side by side.
            let resources = try block.resourceTable()
            let wanted = Array(key.utf8)
            let isInResources = resources.entries.contains { entry in
                entry.attributes.contains { resources.withBytes($0.key) { $0.elementsEqual(wanted) } }
            }
            return isInResources ? false : try addAttribute(key, directory.attributes, block)
        case .attribute(.span, let key): return try addAttribute(key, directory.attributes, block)
        default: return false
        }
    }

    private mutating func addAttribute(
        _ key: String,
        _ columns: AttributeColumns,
        _ block: Block
    ) throws(StoreError) -> Bool {
        guard let number = try block.keyTable().number(.span, key),
            let local = columns.keys.firstIndex(where: { $0.key == number })
        else { return true }
        let column = columns.keys[local].column
        guard columns.keys.count(where: { $0.column == column }) == 1 else { return false }
        // An owner that has the key twice counts for its first value only.
        let shapes = try block.reader.shapes(columns)
        for shape in 0..<shapes.count where shapes[shape].count(where: { Int($0) == local }) > 1 { return false }
        switch try block.reader.texts(columns.columns[column]) {
        case .empty: break
        case .dictionary(let entries, let count, let dictionary):
            add(entries, count, dictionary) { counter, bytes, count in counter.add(encoded: bytes, count) }
        case .ints(let numbers): addNumbers(numbers) { .int($0.zigZagDecoded) }
        case .doubles(let numbers): addNumbers(numbers) { .double(Double(bitPattern: $0)) }
        }
        return true
    }

    private mutating func add(
        _ entries: [UInt32],
        _ count: Int,
        _ dictionary: ByteDictionary,
        _ add: (inout ValueCounter, UnsafeRawBufferPointer, Int) -> Void
    ) {
        var counts = [Int](repeating: 0, count: dictionary.count)
        if entries.isEmpty { counts[0] = count } else { for entry in entries { counts[Int(entry)] += 1 } }
        for (entry, count) in counts.enumerated() where count > 0 {
            dictionary.withBytes(UInt32(entry)) { add(&self, $0, count) }
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

    // MARK: Counting

    private mutating func add(text bytes: UnsafeRawBufferPointer, _ count: Int) {
        let prefix = prefix
        texts.add(bytes, count) { $0.starts(with: prefix) }
    }

    private mutating func add(encoded bytes: UnsafeRawBufferPointer, _ count: Int) {
        guard !bytes.isEmpty else { return }
        let prefix = prefix
        values.add(bytes, count) { bytes in
            if let text = EncodedValue.text(bytes) { return text.starts(with: prefix) }
            return prefix.isEmpty || EncodedValue.decode(bytes).text.utf8.starts(with: prefix)
        }
    }

    private mutating func add(_ value: AttributeValue, _ count: Int) {
        if case .attribute = field {
            var encoded = ByteWriter()
            EncodedValue.append(value, to: &encoded)
            return add(encoded: encoded.bytes, count)
        }
        if let known = others[value] {
            others[value] = known + count
        } else if value != .null, others.count < distinctMax, value.text.utf8.starts(with: prefix) {
            others[value] = count
        }
    }
}

extension SpanBatch {
    /// By ref, whether the entry is `key`.
    fileprivate func keyTest(_ key: String) -> [Bool] {
        let wanted = Array(key.utf8)
        return (0..<dictionary.count).map { ref in dictionary.withBytes(UInt32(ref)) { $0.elementsEqual(wanted) } }
    }
}
