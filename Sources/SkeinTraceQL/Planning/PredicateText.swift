// SPDX-License-Identifier: Apache-2.0
public import SkeinStore

extension TraceQL {
    /// The query, in the bare form, that plans to `predicate`: one text for one meaning, so that links and chips agree.
    public static func text(of predicate: SpanPredicate) -> String {
        predicate == .true ? "" : PredicateText.write(predicate, within: .or)
    }

    /// How the bare form names an attribute of span or resource: as it is, or with a full stop where that means something
    /// else.
    package static func bareName(ofAttribute key: String) -> String { PredicateText.name(.attribute(.any, key)) }

    /// A duration as a query writes it, in the largest unit that leaves a whole number.
    package static func text(ofDuration nanos: Int64) -> String { PredicateText.duration(nanos) }

    /// `text` in double quotes, as a query writes it.
    package static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// Writes conditions in the bare form.
private enum PredicateText {
    /// What the text will be an operand of, loosest first.
    enum Context: Int { case or, and, not }

    static func write(_ predicate: SpanPredicate, within context: Context) -> String {
        switch predicate {
        case .true: "true"
        case .exists(let field): "\(name(field)) != nil"
        case .not(.exists(let field)): "\(name(field)) = nil"
        case .not(let inner): "not \(write(inner, within: .not))"
        case .and(let parts):
            wrapped(context == .not, parts.map { write($0, within: .and) }.joined(separator: " and "))
        case .or(let parts):
            wrapped(context != .or, parts.map { write($0, within: .and) }.joined(separator: " or "))
        case .compare(let field, let comparison, let literal):
            "\(name(field)) \(comparison.rawValue) \(value(literal, of: field))"
        }
    }

    private static func wrapped(_ wraps: Bool, _ text: String) -> String { wraps ? "(\(text))" : text }

    static func name(_ field: SpanField) -> String {
        switch field {
        case .duration: "duration"
        case .name: "name"
        case .kind: "kind"
        case .status: "status"
        case .statusMessage: "statusMessage"
        case .serviceName: "service"
        case .traceID: "trace:id"
        case .spanID: "span:id"
        case .parentSpanID: "span:parentID"
        case .scopeName: "instrumentation:name"
        case .scopeVersion: "instrumentation:version"
        case .eventName: "event:name"
        case .linkTraceID: "link:traceID"
        case .attribute(.any, let key): isPlain(key) ? key : ".\(part(key))"
        case .attribute(let scope, let key): "\(scope.rawValue).\(part(key))"
        }
    }

    /// Whether a key needs no full stop before it: a word that means nothing else.
    private static func isPlain(_ key: String) -> Bool {
        guard let first = key.utf8.first, QueryByte.isWordStart(first), part(key) == key else { return false }
        let taken: Set = [
            "service", "operation", "error", "and", "or", "not", "true", "false", "nil", "minInt", "maxInt",
        ]
        let scopes: Set = ["span", "resource", "event", "link", "instrumentation", "parent", "trace"]
        let head = String(key.prefix { $0 != "." && $0 != ":" })
        let word = String(decoding: key.utf8.prefix(while: QueryByte.isWord), as: UTF8.self)
        if Intrinsic.words[word] != nil, key.utf8.dropFirst(word.utf8.count).first.map(QueryByte.isArithmetic) == true {
            return false
        }
        return !taken.contains(key.lowercased()) && !taken.contains(key) && Intrinsic.words[key] == nil
            && (head == key || !scopes.contains(head))
    }

    /// A key as it stands after its scope's full stop.
    private static func part(_ key: String) -> String {
        let isPlain = key.utf8.allSatisfy {
            !QueryByte.isSpace($0) && !QueryByte.isDelimiter($0) && $0 != UInt8(ascii: "\"")
        }
        if isPlain, !key.isEmpty { return key }
        return "\"" + key.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private static func value(_ literal: SpanPredicate.Literal, of field: SpanField) -> String {
        switch literal {
        case .string(let text): TraceQL.quoted(text)
        case .int(let int) where field == .duration: duration(int)
        case .int(.min): "minInt"
        case .int(let int): String(int)
        // No literal says these, but a division does.
        case .double(let double) where double.isNaN: "0.0 / 0.0"
        case .double(let double) where double.isInfinite: double < 0 ? "-1.0 / 0.0" : "1.0 / 0.0"
        // The shortest text of a whole double below 2^53 ends in ".0"; so it reads as a double again.
        case .double(let double): "\(double)"
        case .bool(let bool): String(bool)
        case .kind(let kind): "\(kind)"
        case .status(let status): "\(status)"
        case .pattern(let pattern): TraceQL.quoted(pattern.source)
        }
    }

    /// In the largest unit that leaves a whole number, of those people read at a glance.
    fileprivate static func duration(_ nanos: Int64) -> String {
        if nanos == .min { return "minInt" }
        let size = nanos.magnitude
        let unit = NumberReader.units.last { unit in
            ["ns", "us", "ms", "s", "m", "h"].contains(unit.name) && size >= UInt64(unit.nanos)
                && size % UInt64(unit.nanos) == 0
        }
        guard size > 0, let unit else { return "0s" }
        return "\(nanos < 0 ? "-" : "")\(size / UInt64(unit.nanos))\(unit.name)"
    }
}
