// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
import SkeinStore

/// What a set of policies needs to know of a trace, gathered span by span: the order in which they come is no matter.
package struct TraceDigest: Hashable, Sendable {
    package let traceID: TraceID
    /// Of the earliest span.
    package private(set) var startUnixNanos = UInt64.max
    /// Of the latest span.
    package private(set) var endUnixNanos: UInt64 = 0
    package private(set) var spanCount = 0
    /// Of the spans as OTLP, roughly; 0 when no policy asks.
    package private(set) var byteCount = 0
    /// What the spans weigh together by what was sampled before they came, in 65,536ths.
    private var weightUnits: Int64 = 0
    /// The highest threshold that a `tracestate` says was passed; 0 when none says.
    private(set) var threshold: UInt64 = 0
    /// Whether a span without a parent was among them.
    package private(set) var hasRoot = false
    /// The conditions that any span satisfied.
    private var satisfied = SIMD4<UInt64>()
    /// What a `tracestate` named as the randomness; of several the smallest.
    private var namedRandomness: UInt64?
    /// Hashes of the values of each field that makes traces alike, ascending.
    private var fieldValues: [[UInt64]] = []

    /// How many conditions a digest tells apart.
    static let conditionCountMax = 256
    /// Of one field, so many values of a trace make it differ from others.
    private static let valueCountMax = 32

    package init(traceID: TraceID) { self.traceID = traceID }

    /// Memory that it takes beside its own size.
    var heapByteCount: Int {
        guard !fieldValues.isEmpty else { return 0 }
        return fieldValues.reduce(Self.arrayByteCount + 8 * fieldValues.count) {
            $0 + ($1.isEmpty ? 0 : Self.arrayByteCount + 8 * $1.capacity)
        }
    }

    /// What the digest of a span takes beside its own size when it has a value of each of so many fields.
    static func heapByteCount(fieldCount: Int) -> Int {
        fieldCount == 0 ? 0 : arrayByteCount + fieldCount * (8 + arrayByteCount + 16)
    }

    /// Of an array without elements that are allocated.
    private static let arrayByteCount = 32

    /// R of consistent probability sampling, below 2^56.
    package var randomness: UInt64 { namedRandomness ?? traceID.low & (SamplingThreshold.end - 1) }

    /// How many spans these stand for, 1 at least.
    package var weight: Double { max(Double(weightUnits) / DurationDistribution.unitsPerSpan, 1) }

    /// Nanoseconds from the earliest start to the latest end.
    package var durationNanos: UInt64 { endUnixNanos > startUnixNanos ? endUnixNanos - startUnixNanos : 0 }

    /// Whether any span satisfied the condition `number`.
    func satisfies(_ number: Int) -> Bool { satisfied[number >> 6] & 1 << UInt64(number & 63) != 0 }

    /// A number that traces alike in these fields have in common.
    func key(of fields: [Int], usingLength: Bool) -> UInt64 {
        var key: UInt64 = usingLength ? UInt64(spanCount) : 0
        for field in fields where fieldValues.indices.contains(field) {
            key = Hash.of(key, UInt64(fieldValues[field].count), seed: 0x9e37_79b9_7f4a_7c15)
            for value in fieldValues[field] { key = Hash.of(key, value, seed: 0x9e37_79b9_7f4a_7c15) }
        }
        return key
    }

    /// Takes row `row` of a batch in.
    mutating func add(_ row: Int, of reading: BatchReading) {
        let batch = reading.batch
        startUnixNanos = min(startUnixNanos, batch.startUnixNanos[row])
        endUnixNanos = max(endUnixNanos, batch.endUnixNanos(at: row))
        spanCount += 1
        weightUnits &+= DurationDistribution.units(ofWeight: SpanBatch.value(batch.weights, row, default: 1))
        hasRoot = hasRoot || !batch.parentSpanIDs[row].isValid
        for (number, rows) in reading.satisfied.enumerated() where rows[row] {
            satisfied[number >> 6] |= 1 << UInt64(number & 63)
        }
        if reading.countsBytes { byteCount += batch.otlpByteCount(at: row) }
        let traceState = SpanBatch.value(batch.traceStateRefs, row, default: 0)
        if traceState != 0 {
            batch.dictionary.withBytes(traceState) { text in
                threshold = max(threshold, SamplingThreshold.threshold(ofTraceState: text) ?? 0)
                if let named = SamplingThreshold.randomness(ofTraceState: text) {
                    namedRandomness = min(named, namedRandomness ?? named)
                }
            }
        }
        guard !reading.fields.isEmpty else { return }
        if fieldValues.isEmpty { fieldValues = [[UInt64]](repeating: [], count: reading.fields.count) }
        for (field, values) in reading.fields.enumerated() {
            guard let value = values.hash(row) else { continue }
            let place = fieldValues[field].firstIndex { $0 >= value } ?? fieldValues[field].count
            if place < fieldValues[field].count, fieldValues[field][place] == value { continue }
            fieldValues[field].insert(value, at: place)
            // The smallest are kept, so that it is no matter in which order they came.
            if fieldValues[field].count > Self.valueCountMax { fieldValues[field].removeLast() }
        }
    }
}

/// A batch, read for the conditions and fields of a set of policies: once, for all traces in it.
package struct BatchReading: Sendable {
    package let batch: SpanBatch
    /// By condition.
    let satisfied: [RowSet]
    let fields: [FieldHashes]
    let countsBytes: Bool

    /// The digest of some rows, all of one trace.
    package func digest(of rows: some Sequence<Int>, _ traceID: TraceID) -> TraceDigest {
        var digest = TraceDigest(traceID: traceID)
        for row in rows { digest.add(row, of: self) }
        return digest
    }
}

/// What the spans of a batch say of one field, as numbers.
struct FieldHashes: Sendable {
    private let batch: SpanBatch
    private let field: SpanField
    private let key: SpanBatch.Ref?

    init(_ field: SpanField, of batch: SpanBatch) {
        self.batch = batch
        self.field = field
        key = if case .attribute(_, let key) = field { batch.dictionary.ref(of: key) } else { nil }
    }

    /// A hash of the value, the same in every batch of this process; `nil` when the span has none.
    func hash(_ row: Int) -> UInt64? {
        switch field {
        case .kind: UInt64(batch.kinds[row]) + 1
        case .status: UInt64(batch.statusCodes[row]) + 1
        case .name: hash(ref: batch.nameRefs[row])
        case .serviceName: hash(ref: batch.resources.serviceNameRefs[Int(batch.resourceRows[row])])
        case .attribute(let scope, _):
            (scope == .resource ? nil : value(batch.attributes, row))
                ?? (scope == .span ? nil : value(batch.resources.attributes, Int(batch.resourceRows[row])))
        default: nil
        }
    }

    private func value(_ table: SpanBatch.AttributeTable, _ owner: Int) -> UInt64? {
        guard let key, let pair = table.range(of: owner).first(where: { table.keyRefs[$0] == key }) else { return nil }
        return hash(ref: table.valueRefs[pair])
    }

    private func hash(ref: SpanBatch.Ref) -> UInt64 { batch.dictionary.withBytes(ref) { Hash.of($0) } }
}

extension SpanBatch {
    /// Bytes of a span as OTLP, without what it shares with others: within a tenth of the truth for usual spans.
    func otlpByteCount(at row: Int) -> Int {
        func length(_ ref: Ref) -> Int { dictionary.withBytes(ref) { $0.count } }
        func length(_ table: AttributeTable, _ owner: Int) -> Int {
            table.range(of: owner).reduce(0) { $0 + length(table.keyRefs[$1]) + length(table.valueRefs[$1]) + 6 }
        }
        var count = 64 + length(nameRefs[row]) + length(attributes, row)
        count += length(Self.value(statusMessageRefs, row, default: 0))
        count += length(Self.value(traceStateRefs, row, default: 0))
        for event in events.range(of: row) {
            count += 13 + length(events.nameRefs[event]) + length(events.attributes, event)
        }
        for link in links.range(of: row) { count += 30 + length(links.attributes, link) }
        return count
    }
}
