// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Cuts texts that are longer than a limit, and says in them how much was cut: values of attributes, those within lists and maps
/// included, names and messages. Of a value of bytes the first stay.
package struct ValueLimit: IntakeStage {
    private let byteCountMax: Int
    private let cutValues: Counter

    /// A limit of `byteCountMax` bytes of UTF-8.
    package init(byteCountMax: Int, telemetry: Telemetry) {
        self.byteCountMax = byteCountMax
        cutValues = telemetry.counter(
            "skein_cut_values_total",
            "Values, names and messages that were cut, since they were longer than value-bytes-max."
        )
    }

    package func process(_ batch: SpanBatch, from source: IntakeSource) throws(Refusal) -> SpanBatch {
        let dictionary = batch.dictionary
        // Hardly any batch has such a text.
        let isLong = (0..<dictionary.count).contains { ref in
            Int(dictionary.offsets[ref + 1] - dictionary.offsets[ref]) > byteCountMax
        }
        guard isLong else { return batch }
        var count = 0
        var rewriter = SpanBatchRewriter(batch)
        rewriter.changeAttributes { _, value in
            let shortened = dictionary.withBytes(value) { cut(encoded: $0) }
            guard let shortened else { return .keep }
            count += 1
            return .replace(shortened)
        }
        rewriter.changeTexts { text in
            let shortened = dictionary.withBytes(text) { cut($0) }
            if shortened != nil { count += 1 }
            return shortened.map { Array($0.utf8) }
        }
        cutValues.add(count)
        return rewriter.finish()
    }

    /// The encoded value, cut; `nil` when nothing in it is too long.
    private func cut(encoded bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard bytes.count > byteCountMax, let value = cut(EncodedValue.decode(bytes)) else { return nil }
        var out = ByteWriter()
        EncodedValue.append(value, to: &out)
        return out.array()
    }

    private func cut(_ value: AttributeValue) -> AttributeValue? {
        switch value {
        case .string(var text): return text.withUTF8 { cut(UnsafeRawBufferPointer($0)) }.map { .string($0) }
        case .bytes(let bytes): return bytes.count > byteCountMax ? .bytes(Array(bytes[..<byteCountMax])) : nil
        case .array(let values):
            let shortened = values.map { cut($0) }
            return shortened.contains { $0 != nil } ? .array(zip(values, shortened).map { $1 ?? $0 }) : nil
        case .map(let pairs):
            let shortened = pairs.map { cut($0.value) }
            guard shortened.contains(where: { $0 != nil }) else { return nil }
            return .map(zip(pairs, shortened).map { Attribute($0.key, $1 ?? $0.value) })
        case .null, .bool, .int, .double: return nil
        }
    }

    /// The text, cut; `nil` when it is short enough.
    private func cut(_ text: UnsafeRawBufferPointer) -> String? {
        guard text.count > byteCountMax else { return nil }
        var end = byteCountMax
        // Not within a character.
        while end > 0, text[end] & 0xc0 == 0x80 { end -= 1 }
        let kept = String(decoding: text[..<end], as: UTF8.self)
        return "\(kept)… [\(text.count - end) of \(text.count) bytes cut]"
    }
}
