// SPDX-License-Identifier: Apache-2.0
import Foundation
package import SkeinPipeline
package import SkeinStore
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
        self.path = path
        let text = try ConfigurationSources.text(of: path)
        guard text.utf8.count <= Self.byteCountMax else {
            throw ConfigurationError("\(path) has \(text.utf8.count) bytes: policies have \(Self.byteCountMax) at most")
        }
        do throws(ConfigurationNode.Failure) {
            let (head, rest) = Self.parts(try Self.tree(text))
            self.head =
                try head.map { node throws(ConfigurationNode.Failure) in try HeadConfiguration(node).rules } ?? []
            tail = try rest.map { node throws(ConfigurationNode.Failure) in
                try SamplingConfiguration(node, condition: Self.condition)
            }
        } catch {
            throw ConfigurationError("line \(error.line) of \(path): \(error.message)")
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
            default: throw .init("this is no YAML: \(error)", line: 1)
            }
        }
        guard let root else { return ConfigurationNode(.scalar(""), line: 1) }
        var nodeCount = 0
        return try tree(root, depth: 0, &nodeCount)
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
