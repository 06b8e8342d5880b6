// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Replaces the values of some attribute keys in the spans that satisfy a condition.
struct Masking {
    private let range: TimeRange
    private let predicate: CompiledPredicate
    private let keys: [[UInt8]]

    init(keys: [String], range: TimeRange, predicate: SpanPredicate) {
        self.keys = keys.map { Array($0.utf8) }
        self.range = range
        self.predicate = CompiledPredicate(predicate)
    }

    /// What masking changed.
    struct Outcome {
        /// Spans of which some value was changed.
        var spanCount = 0
        /// Their traces.
        var traces: Set<TraceID> = []
    }

    /// Whether a span of `block` may carry one of the keys.
    func mayChange(_ block: Block) throws(StoreError) -> Bool {
        var isFound = false
        try block.forEachKey { scope, name, _, _ in
            if !isFound, scope != .instrumentation { isFound = keys.contains { $0.elementsEqual(name) } }
        }
        return isFound
    }

    /// Masks the matching rows of `batch` that belong to one of `traces`.
    func mask(_ batch: inout SpanBatch, in traces: Set<TraceID>) throws(StoreError) -> Outcome {
        var rows: [Int] = []
        try BatchScan.rows(of: batch, in: range, matching: predicate).forEach { row in
            if traces.contains(batch.traceIDs[row]) { rows.append(row) }
        }
        var outcome = Outcome()
        guard !rows.isEmpty else { return outcome }
        let marks = marks(in: &batch.dictionary)
        var resources: [UInt32: UInt32] = [:]
        for row in rows {
            var isChanged = batch.attributes.mask(row, marks)
            for event in batch.events.range(of: row) where batch.events.attributes.mask(event, marks) {
                isChanged = true
            }
            for link in batch.links.range(of: row) where batch.links.attributes.mask(link, marks) { isChanged = true }
            let resource = batch.resourceRows[row]
            let masked = resources[resource] ?? batch.resources.masked(Int(resource), marks)
            resources[resource] = masked
            batch.resourceRows[row] = masked
            guard isChanged || masked != resource else { continue }
            outcome.spanCount += 1
            outcome.traces.insert(batch.traceIDs[row])
        }
        return outcome
    }

    /// Finds the keys, and what has been masked before, and appends the mask.
    private func marks(in dictionary: inout ByteDictionary) -> Marks {
        let mask = EncodedValue.bytes(of: .string(Removal.mask))
        var marks = Marks(mask: UInt32(dictionary.count))
        for ref in 0..<UInt32(dictionary.count) {
            dictionary.withBytes(ref) { bytes in
                if keys.contains(where: { $0.elementsEqual(bytes) }) { marks.keys.insert(ref) }
                if mask.elementsEqual(bytes) { marks.masked.insert(ref) }
            }
        }
        dictionary = ByteDictionary(
            offsets: dictionary.offsets + [UInt32(dictionary.bytes.count + mask.count)],
            bytes: dictionary.bytes + mask
        )
        marks.masked.insert(marks.mask)
        return marks
    }
}

/// Numbers of a batch's dictionary.
private struct Marks {
    /// Of the keys whose values are masked.
    var keys: Set<UInt32> = []
    /// Of values that are masked already.
    var masked: Set<UInt32> = []
    /// Of the value that stands in their place.
    var mask: UInt32

    init(mask: UInt32) { self.mask = mask }

    /// Whether the value of a pair is still to be masked.
    func hit(_ key: UInt32, _ value: UInt32) -> Bool { keys.contains(key) && !masked.contains(value) }
}

extension EncodedValue {
    fileprivate static func bytes(of value: AttributeValue) -> [UInt8] {
        var encoded = ByteWriter()
        append(value, to: &encoded)
        return encoded.array()
    }
}

extension SpanBatch.AttributeTable {
    /// Returns whether a value was changed.
    fileprivate mutating func mask(_ owner: Int, _ marks: Marks) -> Bool {
        var isChanged = false
        for pair in range(of: owner) where marks.hit(keyRefs[pair], valueRefs[pair]) {
            valueRefs[pair] = marks.mask
            isChanged = true
        }
        return isChanged
    }
}

extension SpanBatch.ResourceTable {
    /// The number of a resource like `row` with masked values: itself when there is nothing to mask, else a new one.
    fileprivate mutating func masked(_ row: Int, _ marks: Marks) -> UInt32 {
        let pairs = attributes.range(of: row)
        guard pairs.contains(where: { marks.hit(attributes.keyRefs[$0], attributes.valueRefs[$0]) }) else {
            return UInt32(row)
        }
        let number = UInt32(count)
        serviceNameRefs.append(serviceNameRefs[row])
        schemaURLRefs.append(schemaURLRefs[row])
        droppedAttributesCounts.append(droppedAttributesCounts[row])
        for pair in pairs {
            let (key, value) = (attributes.keyRefs[pair], attributes.valueRefs[pair])
            attributes.keyRefs.append(key)
            attributes.valueRefs.append(marks.hit(key, value) ? marks.mask : value)
        }
        attributes.ends.append(UInt32(attributes.keyRefs.count))
        return number
    }
}
