// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Takes secrets out of spans and log records before anything of them is kept: what ``ScrubRules`` say.
///
/// Keys are looked at once a batch, and so is each distinct text. A batch in which nothing is found goes on as it is.
package struct Scrubber: IntakeStage {
    private let rules: ScrubRules
    private let detector: SecretDetector
    private let hash: @Sendable ([UInt8]) -> String
    private let counters: [Change: Counter]

    /// What happened to an attribute or text.
    private enum Change: CaseIterable {
        case dropped, masked, hashed, detected

        var label: StaticString {
            switch self {
            case .dropped: "dropped"
            case .masked: "masked"
            case .hashed: "hashed"
            case .detected: "detected"
            }
        }
    }

    /// A scrubber. `hash` makes a short text of bytes that cannot be told from it without the key it has.
    package init(_ rules: ScrubRules, telemetry: Telemetry, hash: @escaping @Sendable ([UInt8]) -> String) {
        self.rules = rules
        self.hash = hash
        detector = SecretDetector(rules.detected)
        var counters: [Change: Counter] = [:]
        for change in Change.allCases {
            counters[change] = telemetry.counter(
                "skein_scrubbed_items_total",
                "Attributes and texts that were changed before they were kept, by what was done.",
                ["change": change.label]
            )
        }
        self.counters = counters
    }

    package func process(_ batch: SpanBatch, from source: IntakeSource) throws(Refusal) -> SpanBatch { scrubbed(batch) }

    /// The same without secrets.
    package func scrubbed(_ batch: SpanBatch) -> SpanBatch {
        let dictionary = batch.dictionary
        var actions: [SpanBatch.Ref: ScrubRules.Action?] = [:]
        var values: [SpanBatch.Ref: [UInt8]?] = [:]
        var texts: [SpanBatch.Ref: [UInt8]?] = [:]
        var hashes: [SpanBatch.Ref: [UInt8]] = [:]
        var counts: [Change: Int] = [:]
        func cached<Value>(
            _ ref: SpanBatch.Ref,
            in cache: inout [SpanBatch.Ref: Value],
            _ make: () -> Value
        ) -> Value {
            if let known = cache[ref] { return known }
            let value = make()
            cache[ref] = value
            return value
        }
        var rewriter = SpanBatchRewriter(batch)
        rewriter.changeAttributes { key, value in
            let action = cached(key, in: &actions) { rules.action(forKey: dictionary.string(key)) }
            switch action {
            case .drop:
                counts[.dropped, default: 0] += 1
                return .drop
            case .mask:
                counts[.masked, default: 0] += 1
                return .replace(Self.encoded("[redacted]"))
            case .hash:
                counts[.hashed, default: 0] += 1
                return .replace(
                    cached(value, in: &hashes) { Self.encoded(hash(dictionary.withBytes(value) { Array($0) })) }
                )
            case nil:
                let found = cached(value, in: &values) { dictionary.withBytes(value) { scrubbedValue($0) } }
                guard let found else { return .keep }
                counts[.detected, default: 0] += 1
                return .replace(found)
            }
        }
        if detector.isActive {
            func scrubbedText(_ ref: SpanBatch.Ref) -> [UInt8]? {
                let found = cached(ref, in: &texts) { dictionary.withBytes(ref) { detector.scrubbed($0) } }
                if found != nil { counts[.detected, default: 0] += 1 }
                return found
            }
            rewriter.changeTexts(scrubbedText)
            rewriter.changeTraceStates(scrubbedText)
            // All keys were seen above.
            let hasSecretKeys = actions.keys.contains { dictionary.withBytes($0) { detector.scrubbed($0) } != nil }
            if hasSecretKeys { rewriter.changeKeys(scrubbedText) }
        }
        for (change, count) in counts { counters[change]?.add(count) }
        return rewriter.finish()
    }

    /// An encoded value without secrets, those within lists and maps included; `nil` when there is none.
    private func scrubbedValue(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        switch EncodedValue.kind(of: bytes) {
        case .string:
            guard detector.isActive, let text = EncodedValue.text(bytes), let found = detector.scrubbed(text) else {
                return nil
            }
            return Self.encoded(String(decoding: found, as: UTF8.self))
        case .int:
            // The digits of a card may come as a number.
            guard detector.isActive, let number = EncodedValue.int(bytes) else { return nil }
            return scrubbed("\(number)").map { Self.encoded($0) }
        case .array, .map:
            let value = EncodedValue.decode(bytes)
            guard let found = scrubbed(value) else { return nil }
            return Self.encoded(found)
        case .bytes:
            guard detector.isActive, let found = scrubbed(EncodedValue.decode(bytes)) else { return nil }
            return Self.encoded(found)
        default: return nil
        }
    }

    /// A text without secrets; `nil` when there is none.
    private func scrubbed(_ text: String) -> String? {
        var text = text
        return text.withUTF8 { detector.scrubbed(UnsafeRawBufferPointer($0)) }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func scrubbed(_ value: AttributeValue) -> AttributeValue? {
        switch value {
        case .string(let text): return scrubbed(text).map { .string($0) }
        case .bytes(let bytes):
            // What is no text is none of the forms that are looked for.
            guard detector.isActive, String(validating: bytes, as: UTF8.self) != nil else { return nil }
            return bytes.withUnsafeBytes { detector.scrubbed($0) }.map { .bytes($0) }
        case .array(let values):
            let found = values.map { scrubbed($0) }
            return found.contains { $0 != nil } ? .array(zip(values, found).map { $1 ?? $0 }) : nil
        case .map(let pairs):
            let found = pairs.map { pair -> AttributeValue? in
                switch rules.action(forKey: pair.key) {
                case .drop, .mask: return .string("[redacted]")
                case .hash: return .string(hash(Self.encoded(pair.value)))
                case nil: return scrubbed(pair.value)
                }
            }
            let keys = pairs.map { scrubbed($0.key) }
            guard found.contains(where: { $0 != nil }) || keys.contains(where: { $0 != nil }) else { return nil }
            return .map(pairs.indices.map { Attribute(keys[$0] ?? pairs[$0].key, found[$0] ?? pairs[$0].value) })
        default: return nil
        }
    }

    private static func encoded(_ text: String) -> [UInt8] { encoded(.string(text)) }

    private static func encoded(_ value: AttributeValue) -> [UInt8] {
        var out = ByteWriter()
        EncodedValue.append(value, to: &out)
        return out.array()
    }
}
