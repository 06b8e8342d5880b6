// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Counts how many spans carry each value of a field.
///
/// A value is looked at once for all spans of a batch or row group that share it; where a block has a column for the
/// field alone, its dictionary and entries are counted and no span is put together.
struct ValueCounter: Sendable {
    let question: ValueQuestion
    private(set) var counts: ByteCounts

    /// Counts into `counts`.
    init(_ question: ValueQuestion, _ counts: ByteCounts) {
        self.question = question
        self.counts = counts
    }

    /// The most frequent values. Only those are decoded.
    func mostFrequent(_ limit: Int) -> ValueList {
        let best = counts.mostFrequent(limit) { a, b in
            counts.withBytes(a) { a in counts.withBytes(b) { question.precedes(a, $0) } }
        }
        return ValueList(
            best.map { index in
                ValueCount(value: counts.withBytes(index) { question.value($0) }, count: counts.counts[index])
            },
            isCut: counts.counts.count > best.count || counts.errorMax > 0,
            countErrorMax: counts.errorMax
        )
    }

    /// Adds what was counted elsewhere; what lacks the prefix is left out.
    mutating func add(_ other: ByteCounts) { counts.add(other) { question.wants($0) } }

    /// Lets all go but the most frequent values.
    mutating func keepMostFrequent(_ countMax: Int, byteCountMax: Int) {
        counts.keepMostFrequent(countMax, byteCountMax: byteCountMax)
    }

    // MARK: Batches

    /// Counts the spans in `rows` of `batch`.
    mutating func add(_ batch: SpanBatch, _ rows: Range<Int>) {
        switch question.field {
        case .duration: addEach(rows) { .int(Int64(clamping: batch.durationNanos[$0])) }
        case .kind: addKinds(rows.lazy.map { batch.kinds[$0] })
        case .status: addStatuses(rows.lazy.map { batch.statusCodes[$0] })
        case .traceID: addEach(rows) { .string(batch.traceIDs[$0].description) }
        case .spanID: addEach(rows) { .string(batch.spanIDs[$0].description) }
        case .parentSpanID: addEach(rows) { .string(batch.parentSpanIDs[$0].textIfValid) }
        case .name: addTexts(batch, rows) { batch.nameRefs[$0] }
        case .statusMessage: addTexts(batch, rows) { SpanBatch.value(batch.statusMessageRefs, $0, default: 0) }
        case .serviceName: addTexts(batch, rows) { batch.resources.serviceNameRefs[Int(batch.resourceRows[$0])] }
        case .scopeName: addTexts(batch, rows) { batch.scopes.nameRefs[Int(batch.scopeRows[$0])] }
        case .scopeVersion: addTexts(batch, rows) { batch.scopes.versionRefs[Int(batch.scopeRows[$0])] }
        case .eventName: addEventNames(batch, rows)
        case .linkTraceID: addLinkTraces(batch, rows)
        case .attribute(let scope, let key): addAttributes(batch, rows, scope, key)
        }
    }

    private mutating func addEach(_ rows: Range<Int>, _ value: (Int) -> AttributeValue) {
        for row in rows { add(value(row), 1) }
    }

    private mutating func addTexts(_ batch: SpanBatch, _ rows: Range<Int>, _ ref: (Int) -> SpanBatch.Ref) {
        var refs: [SpanBatch.Ref: Int] = [:]
        for row in rows { refs[ref(row), default: 0] += 1 }
        for (ref, count) in refs { batch.dictionary.withBytes(ref) { add(text: $0, count) } }
    }

    private mutating func addEventNames(_ batch: SpanBatch, _ rows: Range<Int>) {
        var refs: [SpanBatch.Ref: Int] = [:]
        for row in rows {
            for ref in Set(batch.events.range(of: row).map { batch.events.nameRefs[$0] }) { refs[ref, default: 0] += 1 }
        }
        for (ref, count) in refs { batch.dictionary.withBytes(ref) { add(text: $0, count) } }
    }

    private mutating func addLinkTraces(_ batch: SpanBatch, _ rows: Range<Int>) {
        for row in rows {
            for id in Set(batch.links.range(of: row).map { batch.links.traceIDs[$0] }) {
                add(.string(id.description), 1)
            }
        }
    }

    private mutating func addAttributes(
        _ batch: SpanBatch,
        _ rows: Range<Int>,
        _ scope: AttributeScope,
        _ key: String
    ) {
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
        var refs: [SpanBatch.Ref: Int] = [:]
        for row in rows {
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
        for (ref, count) in refs { batch.dictionary.withBytes(ref) { add(encoded: $0, count) } }
    }

    // MARK: Counting

    /// Counts the names of kinds, given as raw values.
    mutating func addKinds(_ raws: some Sequence<UInt8>) {
        var kinds = [Int](repeating: 0, count: Span.Kind.allCases.count)
        for raw in raws { kinds[Int(Span.Kind(stored: raw).rawValue)] += 1 }
        for kind in Span.Kind.allCases where kinds[Int(kind.rawValue)] > 0 {
            add(.string("\(kind)"), kinds[Int(kind.rawValue)])
        }
    }

    /// Counts the names of status codes, given as raw values.
    mutating func addStatuses(_ raws: some Sequence<UInt8>) {
        var codes = [Int](repeating: 0, count: Span.Status.Code.allCases.count)
        for raw in raws { codes[Int((Span.Status.Code(rawValue: raw) ?? .unset).rawValue)] += 1 }
        for code in Span.Status.Code.allCases where codes[Int(code.rawValue)] > 0 {
            add(.string("\(code)"), codes[Int(code.rawValue)])
        }
    }

    mutating func add(text bytes: UnsafeRawBufferPointer, _ count: Int) {
        counts.add(bytes, count) { question.wants($0) }
    }

    /// `null` is no value.
    mutating func add(encoded bytes: UnsafeRawBufferPointer, _ count: Int) {
        if !bytes.isEmpty { counts.add(bytes, count) { question.wants($0) } }
    }

    mutating func add(_ value: AttributeValue, _ count: Int) {
        if !question.isEncoded, case .string(var text) = value {
            return text.withUTF8 { add(text: UnsafeRawBufferPointer($0), count) }
        }
        var encoded = ByteWriter()
        EncodedValue.append(value, to: &encoded)
        add(encoded: encoded.bytes, count)
    }
}

extension SpanBatch {
    /// By ref, whether the entry is `key`.
    fileprivate func keyTest(_ key: String) -> [Bool] {
        let wanted = Array(key.utf8)
        return (0..<dictionary.count).map { ref in dictionary.withBytes(UInt32(ref)) { $0.elementsEqual(wanted) } }
    }
}
