// SPDX-License-Identifier: Apache-2.0
package import SkeinStore
import SkeinTraceQL

/// A rule of retention as it is written, such as `90d: error = true`.
package struct RetentionRuleText: Sendable {
    /// As written, without blanks around.
    package let text: String
    package let rule: RetentionRule

    /// The rules in `text`, parted by semicolons outside quotes; `nil` when one is no rule.
    static func parse(_ text: String) -> [RetentionRuleText]? {
        var rules: [RetentionRuleText] = []
        for part in split(text) {
            let trimmed = trim(part)
            if trimmed.isEmpty { continue }
            guard let rule = RetentionRuleText(trimmed) else { return nil }
            rules.append(rule)
        }
        return rules
    }

    private init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let predicate = try? TraceQL.plan(String(parts[1])), predicate != .true else {
            return nil
        }
        let age = Self.trim(parts[0])
        let duration = Quantity.duration(age)
        guard age == "off" || duration.map({ $0 >= .seconds(60) }) == true else { return nil }
        self.text = text
        rule = RetentionRule(
            predicate: predicate,
            ageNanos: duration.map { UInt64($0.components.seconds) * 1_000_000_000 }
        )
    }

    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var quote: Character?
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if isEscaped {
                isEscaped = false
            } else if let open = quote {
                if character == "\\", open == "\"" { isEscaped = true } else if character == open { quote = nil }
            } else if character == "\"" || character == "`" {
                quote = character
            } else if character == ";" {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        parts.append(text[start...])
        return parts
    }

    private static func trim(_ text: some StringProtocol) -> String {
        let isBlank = { (character: Character) in character.isWhitespace }
        guard let first = text.firstIndex(where: { !isBlank($0) }), let last = text.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(text[first...last])
    }
}
