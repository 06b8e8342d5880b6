// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Which values are asked for: those of a field whose text starts with a prefix.
struct ValueQuestion: Hashable, Sendable {
    let field: SpanField
    let prefix: [UInt8]
    /// The key of an attribute, by its bytes.
    private let key: ExactText

    init(_ field: SpanField, prefix: String) {
        self.field = field
        self.prefix = Array(prefix.utf8)
        key = if case .attribute(_, let key) = field { ExactText(key) } else { ExactText("") }
    }

    /// The same field without a prefix.
    var ofAll: ValueQuestion { ValueQuestion(field, prefix: "") }

    /// Whether values are counted in the encoding of attributes, otherwise as texts.
    var isEncoded: Bool {
        switch field {
        case .attribute, .duration: true
        default: false
        }
    }

    /// Whether a counted value has the prefix.
    func wants(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if prefix.isEmpty { return true }
        if !isEncoded { return bytes.starts(with: prefix) }
        if let text = EncodedValue.text(bytes) { return text.starts(with: prefix) }
        return EncodedValue.decode(bytes).text.utf8.starts(with: prefix)
    }

    /// The value that was counted as `bytes`.
    func value(_ bytes: UnsafeRawBufferPointer) -> AttributeValue {
        isEncoded ? EncodedValue.decode(bytes) : .string(String(decoding: bytes, as: UTF8.self))
    }

    /// The order of counted values: by text, then by type. Texts need not be decoded for it.
    func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        if !isEncoded { return a.lexicographicallyPrecedes(b) }
        if let a = EncodedValue.text(a), let b = EncodedValue.text(b) { return a.lexicographicallyPrecedes(b) }
        return ValueCount(value: EncodedValue.decode(a), count: 0).precedes(
            ValueCount(value: EncodedValue.decode(b), count: 0)
        )
    }

    /// Where a cache keeps what a block answers: a negative number, since no chunk of a file lies there. Two questions
    /// may share it.
    var cacheOffset: Int {
        var hasher = Hasher()
        hash(into: &hasher)
        // -1 is taken.
        return -2 - (hasher.finalize() & (Int.max >> 1))
    }
}
