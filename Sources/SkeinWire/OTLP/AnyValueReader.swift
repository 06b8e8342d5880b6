// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Reads an `AnyValue` (opentelemetry-proto 1.9 `common/v1/common.proto`) that is not in canonical form: unknown fields,
/// long varints, fields given twice, text that is not UTF-8. Canonical ones, which is nearly all, are never parsed.
///
///     1 string_value   2 bool_value     3 int_value      4 double_value (fixed64)
///     5 array_value { 1 values* }       6 kvlist_value { 1 values* { 1 key, 2 value } }      7 bytes_value
struct AnyValueReader {
    /// Elements and pairs of one value with all that nests in it: two bytes of a message may become forty in memory.
    private static let elementsMax = 1_000_000
    private var elementCount = 0

    /// The value in the message. Throws `.tooDeep` where arrays and maps nest beyond `EncodedValue.maxDepth`, `.tooLarge`
    /// where it has more elements than are read.
    static func read(_ message: ProtobufReader) throws(WireError) -> AttributeValue {
        var reader = AnyValueReader()
        return try reader.read(message, depth: 0)
    }

    private mutating func read(_ message: ProtobufReader, depth: Int) throws(WireError) -> AttributeValue {
        var message = message
        var value = AttributeValue.null
        while let tag = try message.nextTag() {
            switch tag {
            case 0x0a: value = .string(UTF8Text.repaired(try message.readBytes()))
            case 0x10: value = .bool(try message.readVarint() != 0)
            case 0x18: value = .int(Int64(bitPattern: try message.readVarint()))
            case 0x21: value = .double(Double(bitPattern: try message.readFixed64()))
            case 0x2a:
                // A message given twice is the two joined (encoding guide, "Last One Wins").
                let elements = try readArray(try message.readMessage(), depth: depth)
                if case .array(let earlier) = value {
                    value = .array(earlier + elements)
                } else {
                    value = .array(elements)
                }
            case 0x32:
                let pairs = try readMap(try message.readMessage(), depth: depth)
                if case .map(let earlier) = value { value = .map(earlier + pairs) } else { value = .map(pairs) }
            case 0x3a: value = .bytes([UInt8](try message.readBytes()))
            default: try message.skip(tag, known: 0b1111_1110)
            }
        }
        return value
    }

    private mutating func readArray(_ message: ProtobufReader, depth: Int) throws(WireError) -> [AttributeValue] {
        try Self.checkDepth(message, depth)
        var message = message
        var elements: [AttributeValue] = []
        while let tag = try message.nextTag() {
            guard tag == 0x0a else {
                try message.skip(tag, known: 0b10)
                continue
            }
            try countElement(at: message.offset)
            elements.append(try read(try message.readMessage(), depth: depth + 1))
        }
        return elements
    }

    private mutating func readMap(_ message: ProtobufReader, depth: Int) throws(WireError) -> [Attribute] {
        try Self.checkDepth(message, depth)
        var message = message
        var pairs: [Attribute] = []
        while let tag = try message.nextTag() {
            guard tag == 0x0a else {
                try message.skip(tag, known: 0b10)
                continue
            }
            try countElement(at: message.offset)
            pairs.append(try readPair(try message.readMessage(), depth: depth))
        }
        return pairs
    }

    private mutating func readPair(_ message: ProtobufReader, depth: Int) throws(WireError) -> Attribute {
        var message = message
        var pair = Attribute("", .null)
        while let tag = try message.nextTag() {
            switch tag {
            case 0x0a: pair.key = UTF8Text.repaired(try message.readBytes())
            case 0x12: pair.value = try read(try message.readMessage(), depth: depth + 1)
            default: try message.skip(tag, known: 0b110)
            }
        }
        return pair
    }

    private mutating func countElement(at offset: Int) throws(WireError) {
        elementCount += 1
        guard elementCount <= Self.elementsMax else {
            throw WireError(.tooLarge, "a value has more than \(Self.elementsMax) elements", at: offset)
        }
    }

    private static func checkDepth(_ message: ProtobufReader, _ depth: Int) throws(WireError) {
        if depth >= EncodedValue.maxDepth, !message.isAtEnd {
            throw WireError(
                .tooDeep,
                "a value nests deeper than \(EncodedValue.maxDepth) arrays and maps",
                at: message.offset
            )
        }
    }
}
