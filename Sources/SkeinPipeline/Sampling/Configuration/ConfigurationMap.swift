// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// A map of a configuration while it is read: what is asked for is known, and what nobody asked for is refused at the end.
package struct ConfigurationMap {
    /// Where it stands.
    package let line: Int
    /// What it is, for messages.
    let title: String
    private let pairs: [(key: String, line: Int, value: ConfigurationNode)]
    private var known: [String] = []

    /// `title` says in messages what the map is.
    package init(_ node: ConfigurationNode, _ title: String) throws(ConfigurationNode.Failure) {
        line = node.line
        self.title = title
        switch node.content {
        case .map(let pairs): self.pairs = pairs
        case .scalar(""): pairs = []
        case .scalar, .list: throw .init("\(title) has to be a map of keys and values", line: node.line)
        }
        for (number, pair) in pairs.enumerated() where pairs[..<number].contains(where: { $0.key == pair.key }) {
            throw .init("\(pair.key) stands twice in \(title)", line: pair.line)
        }
    }

    /// Refuses keys that nobody asked for.
    package func finish() throws(ConfigurationNode.Failure) {
        for pair in pairs where !known.contains(pair.key) {
            let near = Spelling.nearest(to: pair.key, among: known)
            let hint = near.map { "did you mean \($0)?" } ?? "it takes \(known.sorted().joined(separator: ", "))"
            throw .init("\(pair.key) is nothing that \(title) knows: \(hint)", line: pair.line)
        }
    }

    /// The value of `key`; `nil` when there is none or it is left empty.
    mutating func node(_ key: String) -> ConfigurationNode? {
        known.append(key)
        guard let value = pairs.first(where: { $0.key == key })?.value else { return nil }
        if case .scalar("") = value.content { return nil }
        return value
    }

    /// The text of `key`; `nil` when there is none. One that is left empty is refused: it would mean something else.
    package mutating func filledText(_ key: String) throws(ConfigurationNode.Failure) -> String? {
        if let pair = pairs.first(where: { $0.key == key }), case .scalar("") = pair.value.content {
            throw .init("\(key) of \(title) is empty: name one, or leave \(key) out", line: pair.line)
        }
        return try text(key)
    }

    /// The value of a key without which there is no meaning.
    mutating func needed(_ key: String) throws(ConfigurationNode.Failure) -> ConfigurationNode {
        if let node = node(key) { return node }
        let slip = pairs.first { Spelling.nearest(to: $0.key, among: [key]) != nil }
        if let slip, slip.key != key {
            throw .init("\(slip.key) is nothing that \(title) knows: did you mean \(key)?", line: slip.line)
        }
        throw .init("\(title) lacks \(key)", line: line)
    }

    mutating func text(_ key: String) throws(ConfigurationNode.Failure) -> String? {
        guard let node = node(key) else { return nil }
        return try Self.text(node, key)
    }

    package mutating func neededText(_ key: String) throws(ConfigurationNode.Failure) -> String {
        try Self.text(try needed(key), key)
    }

    /// A list of texts with at least one.
    mutating func neededTexts(_ key: String) throws(ConfigurationNode.Failure) -> [(text: String, line: Int)] {
        var texts: [(text: String, line: Int)] = []
        for node in try neededList(key) { texts.append((try Self.text(node, "an entry of \(key)"), node.line)) }
        return texts
    }

    /// A list with at least one entry.
    package mutating func neededList(_ key: String) throws(ConfigurationNode.Failure) -> [ConfigurationNode] {
        let node = try needed(key)
        guard case .list(let nodes) = node.content else { throw .init("\(key) has to be a list", line: node.line) }
        guard !nodes.isEmpty else { throw .init("\(key) is empty: name at least one", line: node.line) }
        return nodes
    }

    mutating func bool(_ key: String) throws(ConfigurationNode.Failure) -> Bool? {
        guard let node = node(key) else { return nil }
        switch try Self.text(node, key).lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        case let other: throw .init("\(key) is \(other): it has to be true or false", line: node.line)
        }
    }

    /// A whole number within bounds.
    mutating func int(_ key: String, in bounds: ClosedRange<Int64> = 0...Int64.max) throws(ConfigurationNode.Failure)
        -> Int64?
    {
        guard let node = node(key) else { return nil }
        let text = try Self.text(node, key)
        guard let value = Int64(text.filter { $0 != "_" }) else {
            throw .init("\(key) is \(text): it has to be a whole number", line: node.line)
        }
        try Self.check(value, text, key, bounds, node.line)
        return value
    }

    /// A number within bounds.
    package mutating func number(_ key: String, in bounds: ClosedRange<Double>) throws(ConfigurationNode.Failure)
        -> Double?
    {
        guard let node = node(key) else { return nil }
        let text = try Self.text(node, key)
        guard let value = Double(text.filter { $0 != "_" }), value.isFinite else {
            throw .init("\(key) is \(text): it has to be a number", line: node.line)
        }
        try Self.check(value, text, key, bounds, node.line)
        return value
    }

    /// A duration as Go writes it, such as `1m30s`, in nanoseconds; a bare number counts nanoseconds.
    mutating func nanos(_ key: String, in bounds: ClosedRange<UInt64>) throws(ConfigurationNode.Failure) -> UInt64? {
        guard let node = node(key) else { return nil }
        let text = try Self.text(node, key)
        guard let nanos = Self.nanos(text) else {
            throw .init("\(key) is \(text): it has to be a duration such as 30s, 500ms or 1m30s", line: node.line)
        }
        guard bounds.contains(nanos) else {
            throw .init(
                "\(key) is \(text): it has to be \(Double(bounds.lowerBound) / 1e9) to \(Double(bounds.upperBound) / 1e9) s",
                line: node.line
            )
        }
        return nanos
    }

    private static func check<T: Comparable>(
        _ value: T,
        _ text: String,
        _ key: String,
        _ bounds: ClosedRange<T>,
        _ line: Int
    ) throws(ConfigurationNode.Failure) {
        guard !bounds.contains(value) else { return }
        throw .init("\(key) is \(text): it has to be \(bounds.lowerBound) to \(bounds.upperBound)", line: line)
    }

    private static func text(_ node: ConfigurationNode, _ key: String) throws(ConfigurationNode.Failure) -> String {
        guard case .scalar(let text) = node.content else { throw .init("\(key) has to be a text", line: node.line) }
        return text
    }

    static func nanos(_ text: String) -> UInt64? {
        if let bare = UInt64(text) { return bare }
        let units: [(String, Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3_600e9), ("d", 86_400e9),
        ]
        var rest = Substring(text)
        var sum = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            let letters = rest.dropFirst(digits.count).prefix { $0.isLetter || $0 == "µ" }
            guard let value = Double(digits), let unit = units.first(where: { $0.0 == letters }) else { return nil }
            sum += value * unit.1
            rest = rest.dropFirst(digits.count + letters.count)
        }
        return text.isEmpty || sum >= 0x1p63 ? nil : UInt64(sum)
    }
}
