// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire

/// The attributes of one row of a batch that any ``Mapping`` reads, row after row.
///
/// A key is compared with the table's once for each distinct key of the batch, a text is decoded once for each distinct value.
struct RowValues {
    private let batch: SpanBatch
    private let numbers: [String: Int]
    /// By ref of a key: its number + 1, 0 for a key that no row reads, -1 when not looked up.
    private var known: [Int32]
    /// By number of a key: the value's ref + 1, 0 when the row has none.
    private var slots: [UInt32]
    private var filled: [Int] = []
    private var texts: [String?]
    /// Objects of which members were read last, by ref; few, since the rows of one span ask for the same ones.
    private var objects: [(ref: SpanBatch.Ref, members: [Attribute])] = []

    init(_ batch: SpanBatch) {
        self.batch = batch
        numbers = Dictionary(uniqueKeysWithValues: zip(Mapping.keys, 0...))
        known = [Int32](repeating: -1, count: batch.dictionary.count)
        slots = [UInt32](repeating: 0, count: Mapping.keys.count)
        texts = [String?](repeating: nil, count: batch.dictionary.count)
    }

    /// The number of a key of the table.
    func number(of key: String) -> Int { numbers[key] ?? 0 }

    /// Goes on to span `row`; whether it has any attribute that is read.
    mutating func open(_ row: Int) -> Bool {
        for number in filled { slots[number] = 0 }
        filled.removeAll(keepingCapacity: true)
        for pair in batch.attributes.range(of: row) {
            let key = batch.attributes.keyRefs[pair]
            if known[Int(key)] < 0 { known[Int(key)] = Int32((numbers[batch.dictionary.string(key)] ?? -1) + 1) }
            let number = Int(known[Int(key)]) - 1
            // Of a key given twice the first counts, as everywhere.
            guard number >= 0, slots[number] == 0 else { continue }
            slots[number] = batch.attributes.valueRefs[pair] &+ 1
            filled.append(number)
        }
        return !filled.isEmpty
    }

    func has(_ number: Int) -> Bool { slots[number] != 0 }

    /// The ref of a key's value.
    func ref(_ number: Int) -> SpanBatch.Ref? { slots[number] == 0 ? nil : slots[number] &- 1 }

    /// A key's value.
    func value(_ number: Int) -> AttributeValue? { ref(number).map { batch.dictionary.value($0) } }

    /// A key's value as text: of numbers and booleans as they are written; `nil` for none, for an empty one and for structures.
    mutating func text(_ number: Int) -> String? {
        guard let ref = ref(number) else { return nil }
        return text(ofRef: ref)
    }

    private mutating func text(ofRef ref: SpanBatch.Ref) -> String? {
        if let text = texts[Int(ref)] { return text.isEmpty ? nil : text }
        let text = batch.dictionary.value(ref).scalarText ?? ""
        texts[Int(ref)] = text
        return text.isEmpty ? nil : text
    }

    /// A member of a key's value, which is an object or JSON text of one.
    mutating func member(_ name: String, of number: Int) -> AttributeValue? {
        guard let ref = ref(number) else { return nil }
        return members(ref).first { $0.key == name }?.value
    }

    /// The members of a key's value whose values are texts or numbers.
    mutating func members(of number: Int) -> [Attribute] { ref(number).map { members($0) } ?? [] }

    private mutating func members(_ ref: SpanBatch.Ref) -> [Attribute] {
        if let known = objects.first(where: { $0.ref == ref }) { return known.members }
        if objects.count >= 4 { objects.removeFirst() }
        let members = Self.scalars(batch.dictionary, ref)
        objects.append((ref, members))
        return members
    }

    /// The members of an object, without building what is below them.
    private static func scalars(_ dictionary: ByteDictionary, _ ref: SpanBatch.Ref) -> [Attribute] {
        dictionary.withBytes(ref) { bytes in
            if let text = EncodedValue.text(bytes) { return scalars(json: text) }
            guard EncodedValue.kind(of: bytes) == .map, case .map(let pairs) = EncodedValue.decode(bytes) else {
                return []
            }
            return pairs.filter { $0.value.scalarText != nil }
        }
    }

    /// The scalar members of JSON text, as far as it is JSON.
    private static func scalars(json text: UnsafeRawBufferPointer) -> [Attribute] {
        guard let first = text.first(where: { $0 > 0x20 }), first == 0x7b else { return [] }
        var found: [Attribute] = []
        var json = JSONReader(text)
        do throws(WireError) {
            try json.openObject()
            while let key = try json.nextKey(), found.count < membersMax {
                let name = key.text
                switch try json.peek() {
                case .string:
                    found.append(Attribute(name, .string(String(decoding: try json.readString(), as: UTF8.self))))
                case .number:
                    let written = String(decoding: try json.readRaw(), as: UTF8.self)
                    found.append(
                        Attribute(name, Int64(written).map(AttributeValue.int) ?? .double(Double(written) ?? 0))
                    )
                case .bool: found.append(Attribute(name, .bool(try json.readBool())))
                case .object, .array, .null: try json.skipValue()
                }
            }
        } catch {
            return found
        }
        return found
    }

    /// More members than any metadata worth reading has.
    private static let membersMax = 256
}

extension AttributeValue {
    /// A text, or a number or boolean as it is written; `nil` for anything else.
    var scalarText: String? {
        switch self {
        case .string(let text): text
        case .bool(let bool): bool ? "true" : "false"
        case .int(let int): int.description
        case .double(let double): double.description
        case .null, .bytes, .array, .map: nil
        }
    }

    /// A number, also one that came as text; `nil` for what is negative or none.
    var amount: Double? {
        let number: Double? =
            switch self {
            case .int(let int): Double(int)
            case .double(let double): double
            case .string(let text): Double(text)
            case .null, .bool, .bytes, .array, .map: nil
            }
        guard let number, number.isFinite, number >= 0 else { return nil }
        return number
    }

    /// A whole number, rounded where it is none.
    var count: UInt64? {
        if case .int(let int) = self { return UInt64(exactly: int) }
        // Doubles reach further than any count that is meant.
        return amount.flatMap { UInt64(exactly: $0.rounded()) }
    }

    /// Texts of a list, of JSON text of one, or of one alone.
    var texts: [String] {
        switch self {
        case .array(let elements): return elements.compactMap(\.scalarText)
        case .string(let text):
            if case .array(let elements)? = JSONValue.structure(text) { return elements.compactMap(\.scalarText) }
            return text.isEmpty ? [] : [text]
        default: return scalarText.map { [$0] } ?? []
        }
    }
}
