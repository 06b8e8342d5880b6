// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

extension LateDecisions {
    /// Gives rows of kept traces that have no weight of this kind yet theirs: weight, `tracestate` and reason are what the tail
    /// sampler would have written, and a mark says that it is done. A row that stands for itself weighs what it did, and says what it is
    /// to say; the rows that go get no mark, by which they are known.
    func weigh(_ batch: inout SpanBatch) {
        var rows: [(row: Int, kept: Kept)] = []
        for row in 0..<batch.count {
            guard let kept = kept[batch.traceIDs[row]],
                !SpanBatch.value(batch.marks, row, default: []).contains(.lateSampled)
            else { continue }
            if isLeftOut(batch.spanIDs[row], of: batch.traceIDs[row]) { continue }
            rows.append((row, kept))
        }
        guard !rows.isEmpty else { return }
        if batch.weights.isEmpty { batch.weights = [Double](repeating: 1, count: batch.count) }
        if batch.marks.isEmpty { batch.marks = [SpanBatch.Marks](repeating: [], count: batch.count) }
        if batch.traceStateRefs.isEmpty, decisions.contains(where: { $0.threshold > 0 }) {
            batch.traceStateRefs = [SpanBatch.Ref](repeating: 0, count: batch.count)
        }
        var words = Words(after: batch.dictionary)
        var states: [RaisedState: (ref: SpanBatch.Ref, weightFactor: Double)] = [:]
        let reserved = Self.reserved(batch.dictionary)
        var reasons: [Int: [(key: SpanBatch.Ref, value: SpanBatch.Ref)]] = [:]
        for (row, kept) in rows {
            let decision = decisions[kept.decision]
            let skeleton = skeletons[batch.traceIDs[row]]
            if !(skeleton?.alone.contains(batch.spanIDs[row]) ?? false) {
                let state = RaisedState(
                    ref: SpanBatch.value(batch.traceStateRefs, row, default: 0),
                    decision: kept.decision
                )
                let known = states[state] ?? raise(state, batch.dictionary, &words)
                states[state] = known
                if !batch.traceStateRefs.isEmpty { batch.traceStateRefs[row] = known.ref }
                batch.weights[row] = min(batch.weights[row] * known.weightFactor, Self.weightMax)
            }
            batch.marks[row].insert(.lateSampled)
            // What a row that has the mark says of the decision was written here, never by a client.
            if batch.attributes.range(of: row).contains(where: { reserved.contains(batch.attributes.keyRefs[$0]) }) {
                reasons[row] = []
            }
            for attribute in skeleton?.attributes[batch.spanIDs[row]] ?? [] {
                reasons[row, default: []].append((words.ref(attribute.key), words.ref(attribute.value)))
            }
            guard kept.reasonSpanID.isValid, kept.reasonSpanID == batch.spanIDs[row],
                kept.reasonKind == batch.kinds[row]
            else { continue }
            reasons[row, default: []].append(
                (words.ref(ReasonSpan.reasonKey), words.ref(.string(decision.reason)))
            )
            // With more to say of single spans those that come late weigh what they do, and ask for nothing.
            if skeleton != nil { continue }
            if decision.factor != 1 {
                reasons[row]?.append((words.ref(ReasonSpan.factorKey), words.ref(.double(decision.factor))))
            }
            if decision.threshold != 0 {
                let threshold = AttributeValue.int(Int64(decision.threshold))
                reasons[row]?.append((words.ref(ReasonSpan.thresholdKey), words.ref(threshold)))
            }
        }
        words.append(to: &batch.dictionary)
        if !reasons.isEmpty {
            batch.attributes.set(reasons, dropping: reserved, ownerCount: batch.count, batch.dictionary)
        }
    }

    /// The entries that name what late sampling alone says of a decision.
    private static func reserved(_ dictionary: ByteDictionary) -> Set<SpanBatch.Ref> {
        let keys = [ReasonSpan.factorKey, ReasonSpan.thresholdKey].map { Array($0.utf8) }
        var found: Set<SpanBatch.Ref> = []
        for ref in 0..<SpanBatch.Ref(dictionary.count)
        where dictionary.withBytes(ref, { entry in keys.contains { entry.elementsEqual($0) } }) { found.insert(ref) }
        return found
    }

    private static let weightMax = SamplingThreshold.weight(ofThreshold: SamplingThreshold.end)

    /// A `tracestate` of a batch under a decision.
    private struct RaisedState: Hashable {
        var ref: SpanBatch.Ref
        var decision: Int
    }

    private func raise(
        _ state: RaisedState,
        _ dictionary: ByteDictionary,
        _ words: inout Words
    ) -> (ref: SpanBatch.Ref, weightFactor: Double) {
        let decision = decisions[state.decision]
        let raised = dictionary.withBytes(state.ref) {
            SamplingThreshold.applying(decision.threshold, factor: decision.factor, toTraceState: $0)
        }
        let isSame = dictionary.withBytes(state.ref) { $0.elementsEqual(raised.traceState) }
        return (isSame ? state.ref : words.ref(raised.traceState), raised.weightFactor)
    }
}

/// What is to come behind the entries of a dictionary.
private struct Words {
    private let first: Int
    private var refs: [[UInt8]: SpanBatch.Ref] = [:]
    private var words: [[UInt8]] = []

    init(after dictionary: ByteDictionary) { first = dictionary.count }

    mutating func ref(_ bytes: [UInt8]) -> SpanBatch.Ref {
        if bytes.isEmpty { return 0 }
        if let known = refs[bytes] { return known }
        let ref = SpanBatch.Ref(first + words.count)
        refs[bytes] = ref
        words.append(bytes)
        return ref
    }

    mutating func ref(_ text: String) -> SpanBatch.Ref { ref(Array(text.utf8)) }

    mutating func ref(_ value: AttributeValue) -> SpanBatch.Ref {
        var encoded = ByteWriter()
        EncodedValue.append(value, to: &encoded)
        return ref(encoded.array())
    }

    func append(to dictionary: inout ByteDictionary) {
        var (offsets, bytes) = (dictionary.offsets, dictionary.bytes)
        for word in words {
            bytes += word
            offsets.append(UInt32(bytes.count))
        }
        dictionary = ByteDictionary(offsets: offsets, bytes: bytes)
    }
}

extension SpanBatch.AttributeTable {
    /// Gives some owners these attributes, in the place of those of the same keys and of those of keys that are `dropping`.
    fileprivate mutating func set(
        _ added: [Int: [(key: SpanBatch.Ref, value: SpanBatch.Ref)]],
        dropping: Set<SpanBatch.Ref>,
        ownerCount: Int,
        _ dictionary: ByteDictionary
    ) {
        var table = SpanBatch.AttributeTable()
        table.ends.reserveCapacity(ownerCount)
        table.keyRefs.reserveCapacity(keyRefs.count + 2 * added.count)
        table.valueRefs.reserveCapacity(keyRefs.count + 2 * added.count)
        for owner in 0..<ownerCount {
            let (new, isChanged) = (added[owner] ?? [], added[owner] != nil)
            for pair in range(of: owner) {
                let isReplaced = new.contains { new in
                    dictionary.withBytes(new.key) { new in
                        dictionary.withBytes(keyRefs[pair]) { $0.elementsEqual(new) }
                    }
                }
                if isReplaced || isChanged && dropping.contains(keyRefs[pair]) { continue }
                table.keyRefs.append(keyRefs[pair])
                table.valueRefs.append(valueRefs[pair])
            }
            for pair in new {
                table.keyRefs.append(pair.key)
                table.valueRefs.append(pair.value)
            }
            table.ends.append(UInt32(table.keyRefs.count))
        }
        self = table
    }
}
