// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinTraceQL

/// Reads the query that a client is still writing.
enum TempoFilter {
    /// What is certain of the spans of one `{ … }`; `nil` when nothing is, or there are several. Never fails.
    ///
    /// Conditions that lack their value are left out, unless what is joined by `||` would then hold for too few spans.
    static func predicate(of text: String) -> SpanPredicate? {
        guard let open = text.firstIndex(of: "{"), text[..<open].allSatisfy(\.isWhitespace) else { return nil }
        let parts = Parts(text[text.index(after: open)...])
        guard parts.isOneFilter, parts.conditions.allSatisfy({ !$0.allSatisfy(\.isWhitespace) }) else { return nil }
        if let whole = try? TraceQL.plan("{ \(parts.body) }") { return whole == .true ? nil : whole }
        guard !parts.hasAlternatives else { return nil }
        let known = parts.conditions.compactMap { try? TraceQL.plan("{ \($0) }") }.filter { $0 != .true }
        return known.isEmpty ? nil : known.count == 1 ? known[0] : .and(known)
    }

    /// What stands behind an opening brace, taken apart at `&&` and `||`.
    private struct Parts {
        var body = ""
        var conditions = [""]
        var hasAlternatives = false
        var isOneFilter = true

        init(_ text: Substring) {
            var quote: Character?
            var depth = 0
            var isClosed = false
            var characters = text[...]
            while let character = characters.popFirst() {
                if isClosed {
                    if character == "{" { isOneFilter = false }
                    continue
                }
                if quote != nil {
                    if character == quote { quote = nil }
                    append(character)
                    if character == "\\", quote == "\"", let escaped = characters.popFirst() { append(escaped) }
                    continue
                }
                switch character {
                case "\"", "`": quote = character
                case "(": depth += 1
                case ")": depth -= 1
                case "{": isOneFilter = false
                case "}":
                    isClosed = true
                    continue
                case "&" where depth == 0 && characters.first == "&", "|" where depth == 0 && characters.first == "|":
                    characters.removeFirst()
                    body += "\(character)\(character)"
                    hasAlternatives = hasAlternatives || character == "|"
                    conditions.append("")
                    continue
                default: break
                }
                append(character)
            }
        }

        private mutating func append(_ character: Character) {
            body.append(character)
            conditions[conditions.count - 1].append(character)
        }
    }
}
