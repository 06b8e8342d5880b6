// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
package import SkeinPipeline
import SkeinStore
import SkeinTraceQL
import Yams

/// A file with rules of what is left out at the door, or a tail sampler's policies, or both; read and checked.
package struct SamplingFile: Sendable {
    package let path: String
    /// Of the block `head_sampling`; empty when there is none.
    package let head: [HeadRule]
    /// Of all else in the file; `nil` when there is nothing else.
    package let tail: SamplingConfiguration?

    /// What stands in the file and means nothing, in whole sentences.
    var warnings: [String] { tail?.warnings.map { "\(path): \($0)" } ?? [] }

    /// Most bytes of a file.
    private static let byteCountMax = 1 << 20

    /// Reads the file at `path`.
    package init(path: String) throws(ConfigurationError) {
        try self.init(try ConfigurationSources.text(of: path), path: path)
    }

    /// Reads the text of a file, which messages call `path`.
    package init(
        _ text: String,
        path: String,
        stage: SamplingStage = .tail,
        countsBytes: Bool = false
    ) throws(ConfigurationError) {
        self.path = path
        guard text.utf8.count <= Self.byteCountMax else {
            throw ConfigurationError("\(path) has \(text.utf8.count) bytes: policies have \(Self.byteCountMax) at most")
        }
        do throws(ConfigurationNode.Failure) {
            let (head, rest) = Self.parts(try Self.tree(text))
            self.head =
                try head.map { node throws(ConfigurationNode.Failure) in try HeadConfiguration(node).rules } ?? []
            tail = try rest.map { node throws(ConfigurationNode.Failure) in
                try SamplingConfiguration(
                    node,
                    stage: stage,
                    countsBytes: countsBytes,
                    condition: Self.condition
                )
            }
        } catch {
            throw ConfigurationError("line \(error.line) of \(path): \(error.message)")
        }
    }

    /// The policies for whole traces in a text, to be tried on stored ones.
    @Sendable
    static func policies(_ text: String) throws(API.SamplingPoliciesFailure) -> SamplingPolicySet {
        do throws(ConfigurationError) {
            let file = try SamplingFile(text, path: "the policies", countsBytes: true)
            guard let tail = file.tail else {
                throw ConfigurationError(
                    "there is no tail_sampling in the policies: head_sampling decides about spans as they come, and not about "
                        + "traces that are stored"
                )
            }
            return tail.policies
        } catch {
            throw .init(error.message)
        }
    }

    /// The block `head_sampling`, and the file without it.
    private static func parts(_ root: ConfigurationNode) -> (head: ConfigurationNode?, rest: ConfigurationNode?) {
        guard case .map(let pairs) = root.content, let head = pairs.first(where: { $0.key == "head_sampling" }) else {
            return (nil, root)
        }
        let rest = pairs.filter { $0.key != "head_sampling" }
        return (head.value, rest.isEmpty ? nil : ConfigurationNode(.map(rest), line: root.line))
    }

    @Sendable
    private static func condition(
        _ text: String
    ) throws(SamplingConfiguration.ConditionFailure) -> SpanPredicate {
        do throws(QueryError) {
            return try TraceQL.plan(text)
        } catch {
            throw .init(error.pointing(into: text))
        }
    }

    /// The file as a tree.
    static func tree(_ text: String) throws(ConfigurationNode.Failure) -> ConfigurationNode {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            switch error as? YamlError {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw .init("this is no YAML: \(problem)", line: mark.line)
            case .duplicatedKeysInMapping(let keys, let context):
                let key = keys.first ?? ""
                throw .init(
                    "\(key) stands twice in a map",
                    line: secondLine(of: key, in: text, from: context.mark.line)
                )
            case .reader(let problem, let offset, _, _):
                let before = text.unicodeScalars.prefix(offset ?? 0)
                throw .init("this is no YAML: \(problem)", line: 1 + before.count { $0 == "\n" })
            default: throw .init("this is no YAML: \(error)", line: 1)
            }
        }
        guard let root else { return ConfigurationNode(.scalar(""), line: 1) }
        var nodeCount = 0
        return try tree(root, depth: 0, &nodeCount)
    }

    /// The line on which a key of the map that begins on line `start` comes for the second time; `start` where the map is not
    /// written line by line.
    private static func secondLine(of key: String, in text: String, from start: Int) -> Int {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var indents: Set<Int> = []
        for (number, line) in lines.enumerated().dropFirst(max(start - 1, 0)) {
            // What follows the dash of a list is as deep as what stands below it.
            let words = line.drop { $0 == " " || $0 == "-" }
            guard words.hasPrefix("\(key):") || words.hasPrefix("\"\(key)\":") else { continue }
            if !indents.insert(line.count - words.count).inserted { return number + 1 }
        }
        return start
    }

    /// How deep a file nests, at most.
    private static let depthMax = 64
    /// Most parts of a file, what aliases stand for counted as often as they stand there.
    private static let nodeCountMax = 100_000

    private static func tree(
        _ node: Node,
        depth: Int,
        _ nodeCount: inout Int
    ) throws(ConfigurationNode.Failure) -> ConfigurationNode {
        let line = node.mark?.line ?? 1
        nodeCount += 1
        guard depth < depthMax else { throw .init("this lies more than \(depthMax) deep", line: line) }
        guard nodeCount <= nodeCountMax else { throw .init("there are more than \(nodeCountMax) parts", line: line) }
        switch node {
        case .scalar(let scalar):
            let isNothing = scalar.style == .plain && ["null", "~"].contains(scalar.string)
            return ConfigurationNode(.scalar(isNothing ? "" : scalar.string), line: line)
        case .sequence(let nodes):
            var list: [ConfigurationNode] = []
            for node in nodes { list.append(try tree(node, depth: depth + 1, &nodeCount)) }
            return ConfigurationNode(.list(list), line: line)
        case .mapping(let mapping):
            var pairs: [(key: String, line: Int, value: ConfigurationNode)] = []
            for (key, value) in mapping {
                pairs.append((key.string ?? "", key.mark?.line ?? line, try tree(value, depth: depth + 1, &nodeCount)))
            }
            return ConfigurationNode(.map(pairs), line: line)
        case .alias:
            throw .init("this alias stands for nothing", line: line)
        }
    }
}
