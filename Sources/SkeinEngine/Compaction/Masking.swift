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

    /// Masks the matching rows of `batch` that belong to one of `traces`. Returns how many they are.
    func mask(_ batch: inout SpanBatch, in traces: Set<TraceID>) throws(StoreError) -> Int {
        var rows: [Int] = []
        try BatchScan.rows(of: batch, in: range, matching: predicate).forEach { row in
            if traces.contains(batch.traceIDs[row]) { rows.append(row) }
        }
        guard !rows.isEmpty else { return 0 }
        var keyRefs: Set<UInt32> = []
        for ref in 0..<UInt32(batch.dictionary.count)
        where batch.dictionary.withBytes(ref, { bytes in keys.contains { $0.elementsEqual(bytes) } }) {
            keyRefs.insert(ref)
        }
        let mask = batch.dictionary.appended(.string(Removal.mask))
        var resources: [UInt32: UInt32] = [:]
        for row in rows {
            batch.attributes.mask(row, keyRefs, mask)
            for event in batch.events.range(of: row) { batch.events.attributes.mask(event, keyRefs, mask) }
            for link in batch.links.range(of: row) { batch.links.attributes.mask(link, keyRefs, mask) }
            let resource = batch.resourceRows[row]
            let masked = resources[resource] ?? batch.resources.masked(Int(resource), keyRefs, mask)
            resources[resource] = masked
            batch.resourceRows[row] = masked
        }
        return rows.count
    }
}

extension ByteDictionary {
    /// Appends a value and returns its number.
    fileprivate mutating func appended(_ value: AttributeValue) -> UInt32 {
        var encoded = ByteWriter()
        EncodedValue.append(value, to: &encoded)
        let ref = UInt32(count)
        self = ByteDictionary(
            offsets: offsets + [UInt32(bytes.count + encoded.count)],
            bytes: bytes + encoded.array()
        )
        return ref
    }
}

extension SpanBatch.AttributeTable {
    fileprivate mutating func mask(_ owner: Int, _ keys: Set<UInt32>, _ mask: UInt32) {
        for pair in range(of: owner) where keys.contains(keyRefs[pair]) { valueRefs[pair] = mask }
    }
}

extension SpanBatch.ResourceTable {
    /// The number of a resource like `row` with masked values: itself when it has none of the keys, else a new one.
    fileprivate mutating func masked(_ row: Int, _ keys: Set<UInt32>, _ mask: UInt32) -> UInt32 {
        let pairs = attributes.range(of: row)
        guard pairs.contains(where: { keys.contains(attributes.keyRefs[$0]) }) else { return UInt32(row) }
        let number = UInt32(count)
        serviceNameRefs.append(serviceNameRefs[row])
        schemaURLRefs.append(schemaURLRefs[row])
        droppedAttributesCounts.append(droppedAttributesCounts[row])
        for pair in pairs {
            attributes.keyRefs.append(attributes.keyRefs[pair])
            attributes.valueRefs.append(keys.contains(attributes.keyRefs[pair]) ? mask : attributes.valueRefs[pair])
        }
        attributes.ends.append(UInt32(attributes.keyRefs.count))
        return number
    }
}
