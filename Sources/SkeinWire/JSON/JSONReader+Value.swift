// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

extension JSONReader {
    /// Reads any JSON whole: numbers of 64 bits without a fraction are integers, text that is no UTF-8 is repaired. Throws where
    /// lists and objects nest deeper than `depthMax`, which is as deep as an attribute's value may unless said.
    package mutating func readValue(depthMax: Int = EncodedValue.maxDepth) throws(WireError) -> AttributeValue {
        switch try peek() {
        case .string: return .string(UTF8Text.repaired(try readString()))
        case .number:
            switch try readNumber() {
            case .integer(let value): return .int(value)
            case .double(let value): return .double(value)
            }
        case .bool: return .bool(try readBool())
        case .null:
            try skipValue()
            return .null
        case .array, .object:
            guard depthMax > 0 else { throw error(.tooDeep, "lists and objects nest deeper than is read here") }
            if try peek() == .array {
                var elements: [AttributeValue] = []
                try openArray()
                while try nextElement() { elements.append(try readValue(depthMax: depthMax - 1)) }
                return .array(elements)
            }
            var pairs: [Attribute] = []
            try openObject()
            while let key = try nextKey() {
                let name = key.text
                pairs.append(Attribute(name, try readValue(depthMax: depthMax - 1)))
            }
            return .map(pairs)
        }
    }
}

extension AttributeValue {
    /// The value that `text` is JSON of; `nil` for text that is not JSON, and for one that nests deeper than `EncodedValue.maxDepth`.
    package init?(json text: String) {
        var text = text
        let value = text.withUTF8 { bytes -> AttributeValue? in
            var reader = JSONReader(UnsafeRawBufferPointer(bytes))
            do throws(WireError) {
                let value = try reader.readValue()
                try reader.finish()
                return value
            } catch {
                return nil
            }
        }
        guard let value else { return nil }
        self = value
    }
}
