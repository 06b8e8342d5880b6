// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Zipkin {
    /// The text of an annotation that is an event with attributes. Exporters write it in one of these ways:
    ///
    ///     "name":{"key":value,…}        OpenTelemetry specification 1.50, "OpenTelemetry to Zipkin Transformation", "Events"
    ///     {"name":{"key":value,…}}      the same as a whole object
    ///     name|{"key":value,…}|count    OpenTelemetry Collector; the count is that of dropped attributes
    struct AnnotationText {
        private(set) var name: String
        private(set) var attributes: [Attribute] = []
        private(set) var droppedAttributesCount: UInt32 = 0

        /// `nil` for any other text, which is the name of an event without attributes.
        init?(_ text: UnsafeRawBufferPointer) {
            guard let first = text.first, let last = text.last else { return nil }
            switch (first, last) {
            case (UInt8(ascii: "{"), UInt8(ascii: "}")): self.init(object: text)
            case (UInt8(ascii: "\""), UInt8(ascii: "}")):
                var object = ByteWriter(capacity: text.count + 2)
                object.append(first: "{", text, last: "}")
                self.init(object: object.bytes)
            case (_, UInt8(ascii: "0")...UInt8(ascii: "9")): self.init(parts: text)
            default: return nil
            }
        }

        private init?(object text: UnsafeRawBufferPointer) {
            do throws(WireError) {
                var json = JSONReader(text)
                try json.openObject()
                guard let name = try json.nextKey()?.text, try json.peek() == .object,
                    let attributes = try json.readPlainMembers(), try json.nextKey() == nil
                else { return nil }
                try json.finish()
                self.name = name
                self.attributes = attributes
            } catch {
                return nil
            }
        }

        private init?(parts text: UnsafeRawBufferPointer) {
            let bar = UInt8(ascii: "|")
            guard
                let first = text.indices.first(where: { text[$0] == bar && $0 + 1 < text.count && text[$0 + 1] == 0x7b }
                ),
                let last = text.lastIndex(of: bar), last > first,
                let count = UInt32(UTF8Text.repaired(UnsafeRawBufferPointer(rebasing: text[(last + 1)...])))
            else { return nil }
            do throws(WireError) {
                var json = JSONReader(UnsafeRawBufferPointer(rebasing: text[(first + 1)..<last]))
                guard let attributes = try json.readPlainMembers() else { return nil }
                try json.finish()
                self.attributes = attributes
            } catch {
                return nil
            }
            name = UTF8Text.repaired(UnsafeRawBufferPointer(rebasing: text[..<first]))
            droppedAttributesCount = count
        }
    }
}

extension ByteWriter {
    fileprivate mutating func append(first: Unicode.Scalar, _ text: UnsafeRawBufferPointer, last: Unicode.Scalar) {
        append(UInt8(ascii: first))
        append(text)
        append(UInt8(ascii: last))
    }
}

extension JSONReader {
    /// The members of an object of plain JSON as attributes; `nil` where arrays and objects nest beyond
    /// `EncodedValue.maxDepth`.
    mutating func readPlainMembers(depth: Int = 0) throws(WireError) -> [Attribute]? {
        guard depth <= EncodedValue.maxDepth else { return nil }
        var members: [Attribute] = []
        try openObject()
        while let key = try nextKey()?.text {
            guard let value = try readPlainValue(depth: depth) else { return nil }
            members.append(Attribute(key, value))
        }
        return members
    }

    /// A value of plain JSON; whole numbers of 64 bits are integers.
    private mutating func readPlainValue(depth: Int) throws(WireError) -> AttributeValue? {
        switch try peek() {
        case .string: return .string(UTF8Text.repaired(try readString()))
        case .bool: return .bool(try readBool())
        case .number:
            let text = UTF8Text.repaired(try readScalar())
            return Int64(text).map { .int($0) } ?? Double(text).map { .double($0) }
        case .null:
            try skipValue()
            return .null
        case .object: return try readPlainMembers(depth: depth + 1).map { .map($0) }
        case .array:
            guard depth < EncodedValue.maxDepth else { return nil }
            var elements: [AttributeValue] = []
            try openArray()
            while try nextElement() {
                guard let element = try readPlainValue(depth: depth + 1) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        }
    }
}
