// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
import Synchronization

/// Weighs spans by what was sampled before they came.
///
/// A span's weight is a product: what its `tracestate` says (which the decoder read), what Jaeger's tags `sampler.type` and
/// `sampler.param` say, and what a configured attribute says. Jaeger clients put their tags on the span only that decided,
/// the root; they hold for the other spans of the trace in the same batch and, as long as the trace is remembered, for those
/// that come later. Spans that came before the one with the tags have been stored without.
///
/// Where no span says anything, this costs a look at the lengths of the batch's texts.
package final class SpanWeights: IntakeStage {
    /// The largest weight there is, that of the highest threshold.
    package static let weightMax = 0x1p56

    private let attribute: WeightAttribute?
    private let texts: [[UInt8]]
    /// What the tags of a trace weigh, where it is not 1.
    private let traces = Mutex(RecentTraces<Double>())
    /// Whether ``traces`` holds any.
    private let isRemembering = Atomic<Bool>(false)

    /// Weighs by what Jaeger's tags say, those that OpenTelemetry's samplers of the same kind set included, and by
    /// `attribute`.
    package init(attribute: WeightAttribute? = nil) {
        self.attribute = attribute
        let names = Self.samplerTags.flatMap { [$0.type, $0.param] } + (attribute.map { [$0.key] } ?? [])
        texts = names.map { Array($0.utf8) }
    }

    private static let samplerTags = [
        (type: "sampler.type", param: "sampler.param"),
        (type: "jaeger.sampler.type", param: "jaeger.sampler.param"),
    ]
    /// Samplers whose parameter is a probability that holds for each trace. That of `lowerbound` is one which did not
    /// choose the trace, that of `ratelimiting` is traces a second, and `const` keeps all.
    private static let probabilisticTypes = ["probabilistic", "remote"].map { Array($0.utf8) }

    package func process(_ batch: SpanBatch, from source: IntakeSource) -> SpanBatch {
        let refs = batch.dictionary.refs(of: texts)
        let isSaid = refs.contains { $0 != 0 }
        guard isSaid || isRemembering.load(ordering: .relaxed) else { return batch }
        if isSaid { noteTags(of: batch, refs) }
        var factors = [Double](repeating: 1, count: batch.count)
        if isRemembering.load(ordering: .relaxed) { recall(batch, into: &factors) }
        if let attribute, let ref = refs.last, ref != 0 { multiply(&factors, by: attribute, ref, of: batch) }
        guard factors.contains(where: { $0 != 1 }) else { return batch }
        var weighed = batch
        weighed.weights = factors.indices.map { row in
            min(SpanBatch.value(batch.weights, row, default: 1) * factors[row], Self.weightMax)
        }
        return weighed
    }

    /// Notes what the tags of spans say of their traces; of a trace that says two things, the one said last.
    private func noteTags(of batch: SpanBatch, _ refs: [UInt32]) {
        for index in Self.samplerTags.indices {
            let (type, param) = (refs[2 * index], refs[2 * index + 1])
            guard type != 0, param != 0 else { continue }
            for row in 0..<batch.count {
                guard let weight = weight(type, param, of: row, in: batch) else { continue }
                traces.withLock { $0.note(weight, of: batch.traceIDs[row]) }
                isRemembering.store(true, ordering: .relaxed)
            }
        }
    }

    private func weight(_ type: UInt32, _ param: UInt32, of row: Int, in batch: SpanBatch) -> Double? {
        var isProbabilistic = false
        var probability: Double?
        for pair in batch.attributes.range(of: row) {
            let (key, value) = (batch.attributes.keyRefs[pair], batch.attributes.valueRefs[pair])
            if key == type {
                isProbabilistic = batch.dictionary.withBytes(value) { bytes in
                    EncodedValue.text(bytes).map { text in Self.probabilisticTypes.contains { text.elementsEqual($0) } }
                        ?? false
                }
            } else if key == param {
                probability = batch.dictionary.number(value)
            }
        }
        guard isProbabilistic, let probability, probability > 0, probability < 1 else { return nil }
        return 1 / probability
    }

    /// What is remembered of the traces of `batch`.
    private func recall(_ batch: SpanBatch, into factors: inout [Double]) {
        traces.withLock { traces in
            var last: (id: TraceID, factor: Double)?
            for row in 0..<batch.count {
                let id = batch.traceIDs[row]
                // Spans of a trace come together more often than not.
                let factor = last?.id == id ? last?.factor ?? 1 : traces[id] ?? 1
                factors[row] = factor
                last = (id, factor)
            }
        }
    }

    /// What the attribute of each span says, or that of its resource.
    private func multiply(
        _ factors: inout [Double],
        by attribute: WeightAttribute,
        _ key: UInt32,
        of batch: SpanBatch
    ) {
        func weight(in table: SpanBatch.AttributeTable, of owner: Int) -> Double? {
            for pair in table.range(of: owner) where table.keyRefs[pair] == key {
                return batch.dictionary.number(table.valueRefs[pair]).flatMap(attribute.weight)
            }
            return nil
        }
        let ofResources = (0..<batch.resources.count).map { weight(in: batch.resources.attributes, of: $0) ?? 1 }
        for row in 0..<batch.count {
            factors[row] *= weight(in: batch.attributes, of: row) ?? ofResources[Int(batch.resourceRows[row])]
        }
    }
}

extension ByteDictionary {
    /// The number that the value `ref` is, or that its text says; `nil` for any other value.
    fileprivate func number(_ ref: UInt32) -> Double? {
        withBytes(ref) { bytes in
            if let bits = EncodedValue.doubleBits(bytes) { return Double(bitPattern: bits) }
            if let int = EncodedValue.int(bytes) { return Double(int) }
            return EncodedValue.text(bytes).flatMap { Double(String(decoding: $0, as: UTF8.self)) }
        }
    }
}
