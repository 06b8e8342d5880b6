// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// What is known of a session, a step or a message, checked and under the names of `agents.md` §1.2; nothing is `null`.
struct WorkFields: Hashable, Sendable {
    var values: [String: AttributeValue] = [:]

    subscript(name: String) -> AttributeValue? {
        get { values[name] }
        set { values[name] = newValue }
    }

    func text(_ name: String) -> String? {
        if case .string(let text)? = values[name] { text } else { nil }
    }

    func nanos(_ name: String) -> UInt64? {
        if case .int(let number)? = values[name] { UInt64(exactly: number) } else { nil }
    }

    func number(_ name: String) -> Double? {
        switch values[name] {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    func flag(_ name: String) -> Bool { values[name] == .bool(true) }

    func map(_ name: String) -> [Attribute] {
        if case .map(let pairs)? = values[name] { pairs } else { [] }
    }

    /// An inner object.
    func fields(_ name: String) -> WorkFields { WorkFields(map(name)) }

    func list(_ name: String) -> [AttributeValue] {
        if case .array(let elements)? = values[name] { elements } else { [] }
    }

    func texts(_ name: String) -> [String] {
        list(name).compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    init() {}

    init(_ pairs: [Attribute]) {
        for pair in pairs { values[pair.key] = pair.value }
    }

    mutating func set(_ name: String, _ text: String?) { if let text { values[name] = .string(text) } }
    mutating func set(_ name: String, nanos: UInt64?) {
        if let nanos { values[name] = .int(Int64(clamping: nanos)) }
    }
    mutating func set(_ name: String, _ number: Double?) { if let number { values[name] = .double(number) } }

    /// As an attribute's value, members in the order of their names.
    var value: AttributeValue { .map(values.keys.sorted().map { Attribute($0, values[$0] ?? .null) }) }

    /// One text for equal fields, whatever the order they came in.
    var canonical: [UInt8] { Self.canonical(value) }

    static func canonical(_ value: AttributeValue) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.plain(sorted(value))
        return json.array()
    }

    /// Objects with their members in order; as deep as values nest, which is bounded where they are read.
    private static func sorted(_ value: AttributeValue) -> AttributeValue {
        switch value {
        case .map(let pairs):
            .map(pairs.sorted { $0.key < $1.key }.map { Attribute($0.key, sorted($0.value)) })
        case .array(let elements): .array(elements.map(sorted))
        default: value
        }
    }

    /// What tells these fields from others.
    var digest: WorkDigest { WorkDigest(canonical) }
}

/// The first half of a SHA-256.
struct WorkDigest: Hashable, Sendable, CustomStringConvertible {
    var high: UInt64
    var low: UInt64

    init(_ bytes: [UInt8]) {
        let digest = SHA256.digest(bytes)
        high = digest[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = digest[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads back ``description``.
    init?(_ text: String) {
        guard text.utf8.count == 32, let parsed = Hex.parse(text.utf8) else { return nil }
        (high, low) = (parsed.high, parsed.low)
    }

    var description: String { Hex.string(high) + Hex.string(low) }
}

/// Ids that everybody computes alike (`agents-api.md` §4).
enum WorkID {
    static func trace(ofRootSession id: String) -> TraceID {
        let digest = WorkDigest(Array("wt:t:\(id)".utf8))
        return digest.high | digest.low == 0 ? TraceID(high: 0, low: 1) : TraceID(high: digest.high, low: digest.low)
    }

    /// The span of a step; with an empty `step` that of the session itself.
    static func span(ofSession session: String, step: String = "") -> SpanID {
        let value = WorkDigest(Array("wt:s:\(session)/\(step)".utf8)).high
        return SpanID(value == 0 ? 1 : value)
    }

    /// An id for what its caller gave none.
    static func fresh(_ prefix: String) -> String {
        prefix + Hex.string(.random(in: 0 ... .max)) + Hex.string(.random(in: 0 ... .max)).prefix(4)
    }
}
