// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
import SkeinWire

/// Cuts content that is longer than a limit. Messages stay messages: their longest texts are cut first, then the oldest go.
package struct ContentCut {
    /// In bytes, of texts as UTF-8, of structures as JSON.
    let byteCountMax: Int

    package init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Shorter texts within structures are left as they are.
    private static let innerByteCountMin = 64

    /// The value, cut; `nil` when it is short enough.
    package func cut(_ value: AttributeValue) -> AttributeValue? {
        switch value {
        case .null, .bool, .int, .double: return nil
        case .bytes(let bytes): return bytes.count > byteCountMax ? .bytes(Array(bytes[..<byteCountMax])) : nil
        case .string(let text):
            guard text.utf8.count > byteCountMax else { return nil }
            if let structure = JSONValue.structure(text), let (_, json) = shrunk(structure) { return .string(json) }
            return .string(Self.cut(text, byteCountMax))
        case .array, .map:
            let json = Self.json(value)
            guard json.utf8.count > byteCountMax else { return nil }
            return shrunk(value)?.value ?? .string(Self.cut(json, byteCountMax))
        }
    }

    private func shrunk(_ value: AttributeValue) -> (value: AttributeValue, json: String)? {
        var shrunk = value
        var innerMax = byteCountMax / 2
        while innerMax >= Self.innerByteCountMin {
            shrunk = Self.withShorterTexts(value, innerMax)
            let json = Self.json(shrunk)
            if json.utf8.count <= byteCountMax { return (shrunk, json) }
            innerMax /= 4
        }
        guard case .array(let elements) = shrunk else { return nil }
        // What was said last is what this call was about.
        var count = 2
        var kept = elements.endIndex
        while kept > elements.startIndex {
            count += Self.json(elements[kept - 1]).utf8.count + 1
            guard count <= byteCountMax else { break }
            kept -= 1
        }
        guard kept < elements.endIndex else { return nil }
        let last = AttributeValue.array(Array(elements[kept...]))
        return (last, Self.json(last))
    }

    /// Values nest at most `EncodedValue.maxDepth` deep.
    private static func withShorterTexts(_ value: AttributeValue, _ byteCountMax: Int) -> AttributeValue {
        switch value {
        case .string(let text): .string(cut(text, byteCountMax))
        case .array(let elements): .array(elements.map { withShorterTexts($0, byteCountMax) })
        case .map(let pairs): .map(pairs.map { Attribute($0.key, withShorterTexts($0.value, byteCountMax)) })
        case .bytes(let bytes): .bytes(Array(bytes.prefix(byteCountMax)))
        case .null, .bool, .int, .double: value
        }
    }

    /// The text, cut between two characters so that it is no longer than the limit with the words that say so.
    private static func cut(_ text: String, _ byteCountMax: Int) -> String {
        let count = text.utf8.count
        guard count > byteCountMax else { return text }
        let note = "\(noteStart)\(count) bytes]"
        return UTF8Text.prefix(text, byteCountMax: byteCountMax - note.utf8.count) + note
    }

    /// Whether a text, or one within JSON, was cut. Only for content of which something was: anyone may write such words.
    static func isCut(_ text: String) -> Bool { text.firstRange(of: noteStart) != nil }

    private static let noteStart = "… [cut: "

    private static func json(_ value: AttributeValue) -> String {
        var json = JSONWriter()
        json.plain(value)
        return json.text
    }
}
