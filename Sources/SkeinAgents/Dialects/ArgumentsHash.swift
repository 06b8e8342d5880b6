// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// A hash of what a tool is given, by which equal calls are found.
///
/// Equal for values that mean the same in JSON: the order of an object's members does not count, nor whether it came as
/// JSON text or as a structured value, nor how a number is spelled (1, 1.0, 1e0). A text is not the number that it looks like, and a member
/// that is `null` is not one that is missing. Integers beyond 64 bits are compared as doubles. Of members given twice the last counts.
enum ArgumentsHash {
    /// The hash of an attribute's value; text that is JSON of an object or a list is read as such.
    static func of(_ value: AttributeValue) -> UInt64 {
        if case .string(let text) = value, let structure = JSONValue.structure(text) { return hash(structure) }
        return hash(value)
    }

    /// The hash that stands in place of arguments which are not kept: sixteen digits of this one, or any other text.
    static func told(_ text: String) -> UInt64 {
        if text.utf8.count == 16, let hash = Hex.parse(text.utf8) { return hash.low }
        return self.text(text)
    }

    /// Values nest at most `EncodedValue.maxDepth` deep.
    private static func hash(_ value: AttributeValue) -> UInt64 {
        switch value {
        case .null: return Hash.of(0)
        case .bool(let bool): return Hash.of(bool ? 2 : 1)
        case .int(let int): return number(int)
        case .double(let double):
            if let int = Int64(exactly: double) { return number(int) }
            return Hash.of(4, double.isNaN ? 0 : double.bitPattern, seed: 1)
        case .string(let text): return self.text(text)
        case .bytes(let bytes): return bytes.withUnsafeBytes { Hash.of(6, Hash.of($0), seed: 1) }
        case .array(let elements):
            return elements.reduce(Hash.of(7)) { Hash.of($0, hash($1), seed: 7) }
        case .map(let pairs):
            var members: [String: UInt64] = [:]
            for pair in pairs { members[pair.key] = hash(pair.value) }
            // A sum does not depend on the order; each summand is mixed first.
            return members.reduce(Hash.of(8)) { $0 &+ Hash.of(text($1.key), $1.value, seed: 8) }
        }
    }

    private static func number(_ int: Int64) -> UInt64 { Hash.of(3, UInt64(bitPattern: int), seed: 1) }

    private static func text(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { Hash.of(5, Hash.of(UnsafeRawBufferPointer($0)), seed: 1) }
    }
}

/// Values that are JSON text.
enum JSONValue {
    /// The object or list that `text` is JSON of; `nil` for any other text, and for one that nests too deep to be a value.
    static func structure(_ text: String) -> AttributeValue? {
        guard let first = text.utf8.first(where: { $0 > 0x20 }), first == 0x7b || first == 0x5b else { return nil }
        return AttributeValue(json: text)
    }

    /// Bytes of a value as compact JSON, of a text its own.
    static func byteCount(_ value: AttributeValue) -> UInt64 {
        if case .string(let text) = value { return UInt64(text.utf8.count) }
        return UInt64(length(value))
    }

    private static func length(_ value: AttributeValue) -> Int {
        switch value {
        case .null: 4
        case .bool(let bool): bool ? 4 : 5
        case .int(let int): int.description.utf8.count
        case .double(let double): double.description.utf8.count
        case .string(let text): text.utf8.count &+ 2
        case .bytes(let bytes): bytes.count
        case .array(let elements): 1 &+ max(1, elements.reduce(0) { $0 &+ length($1) &+ 1 })
        case .map(let pairs): 1 &+ max(1, pairs.reduce(0) { $0 &+ $1.key.utf8.count &+ 4 &+ length($1.value) })
        }
    }
}
