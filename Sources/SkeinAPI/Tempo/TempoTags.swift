// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL

/// The older question for traces: pairs of which each is satisfied by some span of the trace.
struct TempoTags: Hashable {
    private var conditions: [String] = []

    /// The pairs of the parameter `tags`, in logfmt.
    init(_ text: String) throws(APIError) {
        let pairs: [(key: String, value: String)]
        do throws(Logfmt.Failure) {
            pairs = try Logfmt.parse(text)
        } catch {
            throw .invalid("tags", "invalid tags: \(error.message) at pos \(error.position)")
        }
        try self.init(pairs)
    }

    /// Throws when a key comes twice.
    init(_ pairs: [(key: String, value: String)]) throws(APIError) {
        var seen: Set<String> = []
        for (key, value) in pairs {
            guard seen.insert(key).inserted else {
                throw .invalid("tags", "invalid tags: tag \(key.prefix(100)) has been set twice")
            }
            conditions.append(Self.condition(key, value))
        }
    }

    /// The same question in TraceQL.
    var query: String {
        conditions.isEmpty ? "{ }" : conditions.map { "{ \($0) }" }.joined(separator: " && ")
    }

    private static func condition(_ key: String, _ value: String) -> String {
        let part = pattern(containing: value)
        switch (key, value) {
        case ("name", _): return "name =~ \(part)"
        case ("root.name", _): return "rootName =~ \(part)"
        case ("root.service.name", _): return "rootServiceName =~ \(part)"
        case ("status.code", "error"), ("status.code", "ok"), ("status.code", "unset"): return "status = \(value)"
        case ("error", "true"): return "status = error || .error = true"
        default: break
        }
        let name = ".\(TraceQL.quoted(key))"
        if value.isEmpty { return "\(name) != nil" }
        // Text that is a number, or a truth, may have been sent as one.
        let isOther = isNumber(value) || value == "true" || value == "false"
        return "\(name) =~ \(part)" + (isOther ? " || \(name) = \(value)" : "")
    }

    private static func isNumber(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count <= 2 && digits.utf8.count <= 18
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// A pattern for texts with `part` in them, as a query writes it.
    private static func pattern(containing part: String) -> String {
        var escaped = ""
        for scalar in part.unicodeScalars {
            if #"\.+*?()|[]{}^$"#.unicodeScalars.contains(scalar) { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        return TraceQL.quoted("(?s).*\(escaped).*")
    }
}
