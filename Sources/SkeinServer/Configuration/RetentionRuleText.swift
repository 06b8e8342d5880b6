// SPDX-License-Identifier: Apache-2.0
package import SkeinStore
import SkeinTraceQL

/// A rule of retention as it is written, such as `90d: error = true`.
package struct RetentionRuleText: Sendable {
    /// As written, without blanks around.
    package let text: String
    package let rule: RetentionRule
    /// The condition as written.
    package let condition: String

    /// Why a text is no rule: lines that show the place.
    struct Failure: Error {
        var message: String
    }

    /// The rules in `text`, parted by semicolons outside quotes.
    static func parse(_ text: String) throws(Failure) -> [RetentionRuleText] {
        var rules: [RetentionRuleText] = []
        for part in split(text) {
            let trimmed = trim(part)
            if !trimmed.isEmpty { rules.append(try RetentionRuleText(trimmed)) }
        }
        return rules
    }

    /// What in the condition is nearly a word of the language and therefore an attribute that no span may carry; whole
    /// sentences.
    var warnings: [String] {
        TraceQL.slips(in: rule.predicate).map { key, near in
            "The retention rule \(text) asks for an attribute \(key); did you mean \(near)? "
                + "If not, write span.\(key) or resource.\(key)."
        }
    }

    private init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { throw Failure(message: "\"\(text)\" has no colon: a rule is AGE: CONDITION") }
        let age = Self.trim(parts[0])
        let duration = Quantity.duration(age)
        guard age == "off" || duration.map({ $0 >= .seconds(60) }) == true else {
            throw Failure(message: "\"\(age)\" is no age: it has to be a duration of at least 1m, or off")
        }
        condition = Self.trim(parts[1])
        let predicate: SpanPredicate
        do throws(QueryError) {
            predicate = try TraceQL.plan(condition)
        } catch {
            throw Failure(message: error.pointing(into: condition))
        }
        guard predicate != .true else {
            throw Failure(message: "\"\(text)\" holds for every trace: for all of them there is --retention")
        }
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
