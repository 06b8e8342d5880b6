// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Counts how many spans carry each value of a field.
///
/// Within a batch it counts refs, so that a value is decoded once for all spans of the batch that carry it.
struct ValueCounter {
    private let field: SpanField
    private let prefix: String
    private let distinctMax: Int
    private var counts: [AttributeValue: Int] = [:]

    /// Counts values whose text starts with `prefix`, at most `distinctMax` different ones.
    init(field: SpanField, prefix: String, distinctMax: Int) {
        self.field = field
        self.prefix = prefix
        self.distinctMax = distinctMax
    }

    /// The most frequent values, ties by text.
    func values(limit: Int) -> [ValueCount] {
        let all = counts.map { ValueCount(value: $0.key, count: $0.value) }
        let sorted = all.sorted { $0.count != $1.count ? $0.count > $1.count : $0.value.text.precedes($1.value.text) }
        return Array(sorted.prefix(max(limit, 0)))
    }

    /// Counts the spans of `batch`.
    mutating func add(_ batch: SpanBatch) {
        switch field {
        case .duration: addEach(batch) { .int(Int64(clamping: batch.durationNanos[$0])) }
        case .kind: addEach(batch) { .string("\(Span.Kind(rawValue: batch.kinds[$0]) ?? .unspecified)") }
        case .status: addEach(batch) { .string("\(Span.Status.Code(rawValue: batch.statusCodes[$0]) ?? .unset)") }
        case .traceID: addEach(batch) { .string(batch.traceIDs[$0].description) }
        case .spanID: addEach(batch) { .string(batch.spanIDs[$0].description) }
        case .parentSpanID:
            addEach(batch) { .string(batch.parentSpanIDs[$0].isValid ? batch.parentSpanIDs[$0].description : "") }
        case .name: addTexts(batch) { batch.nameRefs[$0] }
        case .statusMessage: addTexts(batch) { SpanBatch.value(batch.statusMessageRefs, $0, default: 0) }
        case .serviceName: addTexts(batch) { batch.resources.serviceNameRefs[Int(batch.resourceRows[$0])] }
        case .scopeName: addTexts(batch) { batch.scopes.nameRefs[Int(batch.scopeRows[$0])] }
        case .scopeVersion: addTexts(batch) { batch.scopes.versionRefs[Int(batch.scopeRows[$0])] }
        case .attribute(let scope, let key): addAttributes(batch, scope, key)
        }
    }

    private mutating func addEach(_ batch: SpanBatch, _ value: (Int) -> AttributeValue) {
        for row in 0..<batch.count { count(value(row), 1) }
    }

    private mutating func addTexts(_ batch: SpanBatch, _ ref: (Int) -> SpanBatch.Ref) {
        var refs: [SpanBatch.Ref: Int] = [:]
        for row in 0..<batch.count { refs[ref(row), default: 0] += 1 }
        for (ref, spanCount) in refs { count(.string(batch.dictionary.string(ref)), spanCount) }
    }

    private mutating func addAttributes(_ batch: SpanBatch, _ scope: AttributeScope, _ key: String) {
        let isKey = batch.keyTest(key)
        /// The first value of the key that the owner has.
        func value(_ table: SpanBatch.AttributeTable, _ owner: Int) -> SpanBatch.Ref? {
            for pair in table.range(of: owner) where isKey[Int(table.keyRefs[pair])] { return table.valueRefs[pair] }
            return nil
        }
        func ofResource(_ row: Int) -> SpanBatch.Ref? {
            value(batch.resources.attributes, Int(batch.resourceRows[row]))
        }
        guard isKey.contains(true) else { return }
        var refs: [SpanBatch.Ref: Int] = [:]
        for row in 0..<batch.count {
            switch scope {
            case .any: if let ref = value(batch.attributes, row) ?? ofResource(row) { refs[ref, default: 0] += 1 }
            case .span: if let ref = value(batch.attributes, row) { refs[ref, default: 0] += 1 }
            case .resource: if let ref = ofResource(row) { refs[ref, default: 0] += 1 }
            case .instrumentation:
                if let ref = value(batch.scopes.attributes, Int(batch.scopeRows[row])) { refs[ref, default: 0] += 1 }
            // A span counts once for a value, however many of its events or links carry it.
            case .event:
                let ofEvents = batch.events.range(of: row).compactMap { value(batch.events.attributes, $0) }
                for ref in Set(ofEvents) { refs[ref, default: 0] += 1 }
            case .link:
                let ofLinks = batch.links.range(of: row).compactMap { value(batch.links.attributes, $0) }
                for ref in Set(ofLinks) { refs[ref, default: 0] += 1 }
            }
        }
        for (ref, spanCount) in refs { count(batch.dictionary.value(ref), spanCount) }
    }

    private mutating func count(_ value: AttributeValue, _ spanCount: Int) {
        if let known = counts[value] {
            counts[value] = known + spanCount
        } else if value != .null, counts.count < distinctMax, value.text.utf8.starts(with: prefix.utf8) {
            counts[value] = spanCount
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
