// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Lists and objects that came apart into attributes, such as `0.message.tool_calls.1.tool_call.function.name`.
///
/// What stands below numbers is a list in the order of the numbers. Names that only wrap (`message`, `tool_call`,
/// `message_content`) are left out, so that what comes out has the shape that models' own messages have.
struct FlatTree {
    private(set) var value = AttributeValue.null
    private static let wrappers: Set<String> = ["message", "tool_call", "message_content"]
    /// Deeper paths than any convention has.
    private static let depthMax = 8

    init(_ paths: [([String], AttributeValue)]) {
        let known = paths.map { ($0.0.filter { !Self.wrappers.contains($0) }[...], $0.1) }
        value = Self.build(known.filter { $0.0.count <= Self.depthMax }, 0)
    }

    var isEmpty: Bool { value == .null }

    /// Paths have at most ``depthMax`` parts, so this goes no deeper.
    private static func build(_ paths: [(ArraySlice<String>, AttributeValue)], _ depth: Int) -> AttributeValue {
        guard !paths.isEmpty else { return .null }
        if let leaf = paths.first(where: { $0.0.isEmpty }) { return leaf.1 }
        var order: [String] = []
        var groups: [String: [(ArraySlice<String>, AttributeValue)]] = [:]
        for (path, value) in paths {
            guard let head = path.first else { continue }
            if groups[head] == nil { order.append(head) }
            groups[head, default: []].append((path.dropFirst(), value))
        }
        let numbers = order.compactMap { UInt32($0) }
        if numbers.count == order.count {
            return .array(numbers.sorted().compactMap { groups[String($0)] }.map { build($0, depth + 1) })
        }
        return .map(order.map { Attribute($0, build(groups[$0] ?? [], depth + 1)) })
    }
}
