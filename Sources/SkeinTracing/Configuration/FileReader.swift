// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Parts of the file, and what is wrong with them.
struct FileReader {
    private let path: String
    private(set) var problems: [ConfigurationProblem] = []

    init(path: String) { self.path = path }

    /// A part of the file and its name.
    struct Part {
        var name: String
        var node: ConfigurationNode
        /// The line of its name.
        var line: Int
    }

    /// The parts of a map by their names, without those that are null. Other names than `known` are reported, unless the map
    /// `isOpen`; a name may have `/development` behind it, which says that it may change.
    mutating func map(_ part: Part, known: [String], isOpen: Bool = false) -> [String: Part] {
        guard !part.node.isNull else { return [:] }
        guard case .map(let pairs) = part.node.content else {
            report(part, "it is no map of \(known.joined(separator: ", "))")
            return [:]
        }
        var parts: [String: Part] = [:]
        for (key, line, value) in pairs {
            let name = key.hasSuffix(Self.development) ? String(key.dropLast(Self.development.count)) : key
            let child = Part(name: name, node: value, line: line)
            if known.contains(name) {
                if !value.isNull { parts[name] = child }
            } else {
                reportUnknown(key, child, in: part, known, isOpen: isOpen)
            }
        }
        return parts
    }

    private static let development = "/development"

    private mutating func reportUnknown(
        _ key: String,
        _ child: Part,
        in part: Part,
        _ known: [String],
        isOpen: Bool
    ) {
        let nearest = Spelling.nearest(to: child.name, among: known)
        if isOpen, nearest == nil { return }
        let hint = nearest.map { "did you mean \($0)?" } ?? "\(part.name) has \(known.joined(separator: ", "))"
        problems.append(
            ConfigurationProblem(
                .file(path: path, line: child.line),
                key,
                reason: "it is no key of \(part.name): \(hint)"
            )
        )
    }

    /// The elements of a list.
    mutating func list(_ part: Part?) -> [Part] {
        guard let part, !part.node.isNull else { return [] }
        guard case .list(let nodes) = part.node.content else {
            report(part, "it is no list")
            return []
        }
        return nodes.map { Part(name: part.name, node: $0, line: $0.line) }
    }

    /// The one name that stands in a map, or alone, and what stands behind it, which may be null.
    mutating func choice(_ part: Part, of known: [String]) -> Part? {
        switch part.node.content {
        case .map(let pairs) where pairs.count == 1:
            let (key, line, value) = pairs[0]
            let name = key.hasSuffix(Self.development) ? String(key.dropLast(Self.development.count)) : key
            let child = Part(name: name, node: value, line: line)
            if known.contains(name) { return child }
            reportUnknown(key, child, in: part, known, isOpen: false)
        case .scalar(let name) where known.contains(name):
            return Part(name: name, node: ConfigurationNode(line: part.line, content: .null), line: part.line)
        case .scalar(let name):
            let hint = Spelling.nearest(to: name, among: known).map { ": did you mean \($0)?" } ?? ""
            report(part, value: name, "is not one of \(known.joined(separator: ", "))\(hint)")
        default: report(part, "it does not have one of \(known.joined(separator: ", ")) and no more")
        }
        return nil
    }

    /// Sets `value` to what is written, where something is and it can be read.
    mutating func read<Value>(_ part: Part?, as form: ValueForm<Value>, into value: inout Value) {
        guard let part, let text = text(part, form.expected) else { return }
        if let read = form.parse(text) {
            value = read
        } else {
            report(
                part,
                value: form.isSecret ? nil : text,
                form.reason(text),
                instead: "\(form.show(value)) is used"
            )
        }
    }

    /// The text of a scalar; `nil` where there is none.
    mutating func text(_ part: Part?, _ expected: String = "a text") -> String? {
        guard let part else { return nil }
        switch part.node.content {
        case .null: return nil
        case .scalar(let text): return text
        case .list, .map:
            report(part, "it is not \(expected)")
            return nil
        }
    }

    /// The texts of a list of scalars; `nil` where there is no list.
    mutating func texts(_ part: Part?) -> [String]? {
        guard let part, !part.node.isNull else { return nil }
        return list(part).compactMap { text($0) }
    }

    mutating func report(_ part: Part, value: String? = nil, _ reason: String, instead: String? = nil) {
        report(line: part.line, part.name, value: value, reason, instead: instead)
    }

    mutating func report(line: Int, _ name: String, value: String? = nil, _ reason: String, instead: String? = nil) {
        let place = ConfigurationProblem.Place.file(path: path, line: line)
        problems.append(ConfigurationProblem(place, name, value: value, reason: reason, instead: instead))
    }
}
