// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire

/// The context of a step or a session: what its caller tells of it under names of its own (`agents.md` §1.3).
enum WorkContext {
    static let keyCountMax = 64
    static let valueByteCountMax = 4 << 10
    static let byteCountMax = 64 << 10

    /// `old` with the members of `new`, which take the place of those of the same name, within the limits; and whether something
    /// was left out or cut.
    static func merged(_ old: [Attribute], _ new: [Attribute]) -> (context: [Attribute], isTruncated: Bool) {
        var isTruncated = false
        var places: [String: Int] = [:]
        var context: [Attribute] = []
        for pair in old + new where pair.value != .null {
            let key = pair.key.utf8.count <= 256 ? pair.key : WorkContent.cut(Array(pair.key.utf8), 256)
            let value = cut(pair.value, &isTruncated)
            if let place = places[key] {
                context[place].value = value
            } else if context.count < keyCountMax {
                places[key] = context.count
                context.append(Attribute(key, value))
            } else {
                isTruncated = true
            }
        }
        var byteCount = 0
        let kept = context.prefix { pair in
            byteCount += pair.key.utf8.count + self.byteCount(pair.value)
            return byteCount <= byteCountMax
        }
        return (Array(kept), isTruncated || kept.count < context.count)
    }

    /// A long text is cut, and of a long list or object the text of its JSON.
    private static func cut(_ value: AttributeValue, _ isTruncated: inout Bool) -> AttributeValue {
        switch value {
        case .string(let text):
            guard text.utf8.count > valueByteCountMax else { return value }
            isTruncated = true
            return .string(WorkContent.cut(Array(text.utf8), valueByteCountMax))
        case .array, .map:
            let json = WorkFields.canonical(value)
            guard json.count > valueByteCountMax else { return value }
            isTruncated = true
            return .string(WorkContent.cut(json, valueByteCountMax))
        default: return value
        }
    }

    private static func byteCount(_ value: AttributeValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .array, .map: WorkFields.canonical(value).count
        default: 8
        }
    }

    /// As attributes of a span: scalars, lists of them and objects of them one by one, what nests deeper as one JSON text.
    static func attributes(_ context: [Attribute], isTruncated: Bool) -> [Attribute] {
        var attributes: [Attribute] = []
        var objects: [AttributeValue] = []
        var rest: [Attribute] = []
        for pair in context {
            switch pair.value {
            case .map(let inner)
            where (1...keyCountMax).contains(inner.count) && inner.allSatisfy({ isScalar($0.value) }):
                objects.append(.string(pair.key))
                for member in inner {
                    attributes.append(Attribute("worktrace.context.\(pair.key).\(member.key)", member.value))
                }
            case .array(let elements) where elements.allSatisfy(isScalar):
                attributes.append(Attribute("worktrace.context.\(pair.key)", .array(elements)))
            case .map, .array: rest.append(pair)
            default: attributes.append(Attribute("worktrace.context.\(pair.key)", pair.value))
            }
        }
        if !objects.isEmpty { attributes.append(Attribute(objectsKey, .array(objects))) }
        if !rest.isEmpty {
            let json = WorkFields.canonical(.map(rest))
            attributes.append(Attribute("worktrace.context", .string(String(decoding: json, as: UTF8.self))))
        }
        if isTruncated { attributes.append(Attribute(truncatedKey, true)) }
        return attributes
    }

    /// The context that ``attributes(_:isTruncated:)`` wrote, with what nests as it was.
    static func read(_ attributes: [Attribute]) -> [Attribute] {
        var objects: [String] = []
        if case .array(let names)? = attributes[objectsKey] {
            for case .string(let name) in names.prefix(keyCountMax) { objects.append(name) }
        }
        var places: [String: Int] = [:]
        var members: [String: [Attribute]] = [:]
        var context: [Attribute] = []
        func put(_ key: String, _ value: AttributeValue) {
            if let place = places[key] {
                context[place].value = value
            } else {
                places[key] = context.count
                context.append(Attribute(key, value))
            }
        }
        for attribute in attributes {
            if attribute.key == jsonKey {
                guard case .string(let text) = attribute.value, case .map(let rest)? = AttributeValue(json: text) else {
                    continue
                }
                for pair in rest { put(pair.key, pair.value) }
            } else if attribute.key.hasPrefix(prefix) {
                let key = String(attribute.key.dropFirst(prefix.count))
                if let object = objects.first(where: { key.hasPrefix($0 + ".") }) {
                    members[object, default: []].append(
                        Attribute(String(key.dropFirst(object.count + 1)), attribute.value)
                    )
                    put(object, .null)
                } else {
                    put(key, attribute.value)
                }
            }
        }
        for (object, inner) in members { put(object, .map(inner)) }
        return context
    }

    /// Whether something of the context was left out or cut.
    static func isTruncated(_ attributes: [Attribute]) -> Bool {
        attributes[truncatedKey] == true || attributes[oldTruncatedKey] == true
    }

    private static let prefix = "worktrace.context."
    private static let jsonKey = "worktrace.context"
    /// Names the objects whose members stand one by one, since names may hold dots.
    private static let objectsKey = "worktrace.context_objects"
    /// Below ``prefix`` are the caller's own names.
    private static let truncatedKey = "worktrace.context_truncated"
    /// What earlier versions of the SDKs and of this wrote.
    private static let oldTruncatedKey = "worktrace.context.truncated"

    private static func isScalar(_ value: AttributeValue) -> Bool {
        switch value {
        case .array, .map: false
        default: true
        }
    }
}
