// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Cuts texts of attributes that are longer than a limit, and says in them how much was cut.
package struct ValueLimit: IntakeStage {
    private let byteCountMax: Int
    private let cutValues: Counter

    /// A limit of `byteCountMax` bytes of UTF-8.
    package init(byteCountMax: Int, telemetry: Telemetry) {
        self.byteCountMax = byteCountMax
        cutValues = telemetry.counter(
            "skein_cut_values_total",
            "Values of attributes that were cut, since they were longer than value-bytes-max."
        )
    }

    package func process(_ batch: SpanBatch, from source: IntakeSource) throws(Refusal) -> SpanBatch {
        let dictionary = batch.dictionary
        // Hardly any batch has such a value.
        let isLong = (0..<dictionary.count).contains { ref in
            Int(dictionary.offsets[ref + 1] - dictionary.offsets[ref]) > byteCountMax
        }
        guard isLong else { return batch }
        var count = 0
        var rewriter = SpanBatchRewriter(batch)
        rewriter.changeAttributes { _, value in
            let shortened = dictionary.withBytes(value) { cut($0) }
            guard let shortened else { return .keep }
            count += 1
            return .replace(shortened)
        }
        cutValues.add(count)
        return rewriter.finish()
    }

    /// The encoded value, cut; `nil` when it is no text or short enough.
    private func cut(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard EncodedValue.kind(of: bytes) == .string, let text = EncodedValue.text(bytes), text.count > byteCountMax
        else { return nil }
        var end = byteCountMax
        // Not within a character.
        while end > 0, text[end] & 0xc0 == 0x80 { end -= 1 }
        let kept = String(decoding: text[..<end], as: UTF8.self)
        var out = ByteWriter()
        EncodedValue.append(.string("\(kept)… [\(text.count - end) of \(text.count) bytes cut]"), to: &out)
        return out.array()
    }
}
