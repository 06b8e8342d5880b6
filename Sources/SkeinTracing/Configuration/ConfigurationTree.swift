// SPDX-License-Identifier: Apache-2.0
import Foundation
import Yams

/// A part of the file, with variables put in.
struct ConfigurationNode {
    indirect enum Content {
        /// Nothing is said (YAML 1.2 §10.2.1.1).
        case null
        case scalar(String)
        case list([ConfigurationNode])
        /// In the order of the file; keys are distinct.
        case map([(key: String, line: Int, value: ConfigurationNode)])
    }

    /// From 1 on.
    var line: Int
    var content: Content

    var isNull: Bool { if case .null = content { true } else { false } }
}

/// Reads the text of a file into nodes.
struct ConfigurationTree {
    /// Why there is no tree.
    struct Failure: Error, Hashable {
        var line: Int
        var reason: String
    }

    private let environment: [String: String]
    private var nodeCount = 0
    /// References to variables that cannot be read.
    private(set) var faults: [(line: Int, reason: String)] = []

    /// How deep a file nests, at most.
    private static let depthMax = 32
    /// Most parts of a file, what aliases stand for counted as often as they stand there.
    private static let nodeCountMax = 20_000
    /// Most aliases. What they can make of a small file grows with each.
    private static let aliasCountMax = 24

    init(environment: [String: String]) { self.environment = environment }

    /// Reads a text whole, or not at all.
    mutating func read(_ text: String) throws(Failure) -> ConfigurationNode {
        try Self.checkAliases(text)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            switch error as? YamlError {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw Failure(line: mark.line, reason: "this is no YAML: \(problem)")
            case .duplicatedKeysInMapping(let keys, let context):
                throw Failure(line: context.mark.line, reason: "\(keys.first ?? "a key") stands twice in a map")
            default: throw Failure(line: 1, reason: "this is no YAML: \(error)")
            }
        }
        guard let root else { return ConfigurationNode(line: 1, content: .null) }
        return try node(root, depth: 0)
    }

    /// Counts what looks like an alias before anything follows one.
    private static func checkAliases(_ text: String) throws(Failure) {
        var (line, count) = (1, 0)
        var last = UInt8(ascii: "\n")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "*"), " \t\n[{,:-?".utf8.contains(last) { count += 1 }
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard count <= aliasCountMax else {
                throw Failure(
                    line: line,
                    reason: "there are more than \(aliasCountMax) aliases: write out what they stand for"
                )
            }
            last = byte
        }
    }

    private mutating func node(_ node: Node, depth: Int) throws(Failure) -> ConfigurationNode {
        let line = node.mark?.line ?? 1
        nodeCount += 1
        guard depth < Self.depthMax else {
            throw Failure(line: line, reason: "this lies more than \(Self.depthMax) deep")
        }
        guard nodeCount <= Self.nodeCountMax else {
            throw Failure(line: line, reason: "there are more than \(Self.nodeCountMax) parts, aliases written out")
        }
        switch node {
        case .scalar(let scalar): return ConfigurationNode(line: line, content: content(scalar, line: line))
        case .sequence(let nodes):
            var list: [ConfigurationNode] = []
            for element in nodes { list.append(try self.node(element, depth: depth + 1)) }
            return ConfigurationNode(line: line, content: .list(list))
        case .mapping(let mapping): return try map(mapping, line: line, depth: depth)
        case .alias: throw Failure(line: line, reason: "this alias stands for nothing")
        }
    }

    /// A map, with what `<<` merges into it beneath its own keys (YAML 1.1, "Merge Key").
    private mutating func map(
        _ mapping: Node.Mapping,
        line: Int,
        depth: Int
    ) throws(Failure) -> ConfigurationNode {
        var pairs: [(key: String, line: Int, value: ConfigurationNode)] = []
        var merged: [(key: String, line: Int, value: ConfigurationNode)] = []
        for (key, value) in mapping {
            guard case .scalar(let name) = key else {
                throw Failure(line: key.mark?.line ?? line, reason: "a key is no word")
            }
            let value = try node(value, depth: depth + 1)
            if name.string == "<<", case .map(let others) = value.content {
                merged += others
            } else {
                pairs.append((name.string, key.mark?.line ?? line, value))
            }
        }
        for other in merged where !pairs.contains(where: { $0.key == other.key }) { pairs.append(other) }
        return ConfigurationNode(line: line, content: .map(pairs))
    }

    private mutating func content(_ scalar: Node.Scalar, line: Int) -> ConfigurationNode.Content {
        var text = scalar.string
        if text.utf8.contains(UInt8(ascii: "$")) {
            switch EnvironmentSubstitution.substitute(text, environment) {
            case .success(let substituted): text = substituted
            case .failure(let failure):
                faults.append((line, failure.reason))
                return .null
            }
        }
        // What a variable holds is typed as if it stood there, and is never more than one scalar.
        let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(text)
        return isNull ? .null : .scalar(text)
    }
}
