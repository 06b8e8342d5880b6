// SPDX-License-Identifier: Apache-2.0
import SkeinBase
public import SkeinModel
public import Tracing

/// What a span must have at its start, all of it, for a rule to be about it. Without any condition it is about all spans.
///
/// In a pattern every `*` stands for any text, also none; without one it is the whole text.
public struct SpanMatch: Sendable, CustomStringConvertible {
    /// A condition on the value of an attribute.
    public enum AttributeCondition: Hashable, Sendable {
        case exists
        case equals(AttributeValue)
        /// A pattern of the value as text; numbers and truth values are compared by their text too.
        case matches(String)
    }

    /// A class, so that going through rules copies nothing else.
    fileprivate final class Conditions: Sendable {
        let name: Wildcard?
        let kinds: [SpanKind]
        let attributes: [AttributeMatch]
        let route: Wildcard?
        let source: Wildcard?
        let priorities: [TaskPriority]

        init(
            _ name: String?,
            _ kinds: [SpanKind],
            _ attributes: [String: AttributeCondition],
            _ route: String?,
            _ source: String?,
            _ priorities: [TaskPriority]
        ) {
            self.name = name.map { Wildcard($0) }
            self.kinds = kinds
            self.attributes = attributes.sorted { $0.key < $1.key }.map { AttributeMatch($0.key, $0.value) }
            self.route = route.map { Wildcard($0) }
            self.source = source.map { Wildcard($0) }
            self.priorities = priorities
        }
    }

    private let conditions: Conditions

    /// - Parameters:
    ///   - name: a pattern of the span's name.
    ///   - kinds: kinds of which it has one; none for any.
    ///   - attributes: conditions by key. Attributes that are set after the start are not seen.
    ///   - route: a pattern of `http.route` or, where that is not set, `url.path`.
    ///   - source: a pattern of the module of the code that starts the span, or, with a `/` in it, of `Module/File.swift`.
    ///   - priorities: priorities of tasks of which it has one, see ``TaskPriority``; none for any.
    public init(
        name: String? = nil,
        kinds: [SpanKind] = [],
        attributes: [String: AttributeCondition] = [:],
        route: String? = nil,
        source: String? = nil,
        priorities: [TaskPriority] = []
    ) {
        conditions = Conditions(name, kinds, attributes, route, source, priorities)
    }

    public func matches(_ request: borrowing SamplingRequest) -> Bool { conditions.match(request) }

    public var description: String { conditions.description }
}

extension SpanMatch.Conditions {
    fileprivate func match(_ request: borrowing SamplingRequest) -> Bool {
        if !kinds.isEmpty, !kinds.contains(request.kind) { return false }
        if let name, !name.matches(request.name[...]) { return false }
        if let source, !source.matches(Self.source(request.fileID, as: source)) { return false }
        if let route {
            let value = request.attributes.get("http.route") ?? request.attributes.get("url.path")
            guard let text = value.map(RecordedValue.init)?.text, route.matches(text[...]) else { return false }
        }
        for attribute in attributes
        where !attribute.matches(request.attributes.get(attribute.key).map(RecordedValue.init)) { return false }
        if !priorities.isEmpty {
            guard let priority = request.taskPriority, priorities.contains(priority) else { return false }
        }
        return true
    }

    private static func source(_ fileID: String, as pattern: Wildcard) -> Substring {
        pattern.text.utf8.contains(UInt8(ascii: "/")) ? fileID[...] : fileID.prefix { $0 != "/" }
    }

    fileprivate var description: String {
        var parts: [String] = []
        if let name { parts.append("name:\(name.text)") }
        if !kinds.isEmpty { parts.append("kind:\(kinds.map { "\($0)" }.joined(separator: "|"))") }
        if let route { parts.append("route:\(route.text)") }
        if let source { parts.append("source:\(source.text)") }
        parts += attributes.map(\.description)
        if !priorities.isEmpty { parts.append("priority:\(priorities.map(\.rawValue).joined(separator: "|"))") }
        return parts.isEmpty ? "all" : parts.joined(separator: ",")
    }
}
