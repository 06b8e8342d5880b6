// SPDX-License-Identifier: Apache-2.0

/// What is taken out of spans and log records before anything of them is kept.
///
/// Rules are parted by `;`, each `ACTION: NAME, NAME`:
///
///     drop: http.request.header.authorization, *.password      the attribute goes
///     mask: user.email                                          its value becomes `[redacted]`
///     hash: user.id                                             its value becomes a keyed hash of it: equal ones stay equal
///     detect: tokens, cards                                     in every text, see ``SecretDetector``
///
/// Names are compared without regard to case; a `*` at either end stands for any text. Of several rules for a key the first
/// counts.
package struct ScrubRules: Hashable, Sendable {
    package enum Action: String, Hashable, Sendable, CaseIterable {
        case drop, mask, hash
    }

    package struct Rule: Hashable, Sendable {
        package var action: Action
        package var pattern: String
    }

    package private(set) var rules: [Rule] = []
    package private(set) var detected: Set<SecretDetector.Kind> = []

    /// Nothing is taken out.
    package init() {}

    package var isEmpty: Bool { rules.isEmpty && detected.isEmpty }
    package var needsHash: Bool { rules.contains { $0.action == .hash } }

    /// What is wrong with a text.
    package struct Failure: Error {
        package var message: String
    }

    /// Reads the form above.
    package init(parsing text: String) throws(Failure) {
        for part in text.split(separator: ";") {
            let sides = part.split(separator: ":", maxSplits: 1).map { $0.trimmed }
            let names = sides.count == 2 ? sides[1].split(separator: ",").map { String($0.trimmed) } : []
            guard let word = sides.first, !names.isEmpty else {
                throw Failure(
                    message: "\"\(part.trimmed)\" is no rule: it is ACTION: NAME, NAME, such as drop: user.email"
                )
            }
            if word == "detect" {
                for name in names {
                    guard let kind = SecretDetector.Kind(rawValue: name) else {
                        throw Failure(message: "\"\(name)\" cannot be detected: tokens and cards can")
                    }
                    detected.insert(kind)
                }
                continue
            }
            guard let action = Action(rawValue: String(word)) else {
                throw Failure(message: "\"\(word)\" is no action: there are drop, mask, hash and detect")
            }
            for name in names {
                let inner = name.drop { $0 == "*" }
                guard !inner.isEmpty, !inner.dropLast().contains("*") else {
                    throw Failure(message: "\"\(name)\" is no name of attributes: a * stands at either end alone")
                }
                rules.append(Rule(action: action, pattern: name.lowercased()))
            }
        }
    }

    /// The form above.
    package var text: String {
        var parts: [String] = []
        var last: Action?
        // In their order, since of several for a key the first counts.
        for rule in rules {
            if rule.action == last {
                parts[parts.count - 1] += ", \(rule.pattern)"
            } else {
                parts.append("\(rule.action.rawValue): \(rule.pattern)")
            }
            last = rule.action
        }
        if !detected.isEmpty {
            parts.append("detect: \(detected.map(\.rawValue).sorted(by: >).joined(separator: ", "))")
        }
        return parts.joined(separator: "; ")
    }

    /// What is done with attributes of this key.
    func action(forKey key: String) -> Action? {
        let key = key.lowercased()
        return rules.first { $0.matches(key) }?.action
    }
}

extension ScrubRules.Rule {
    /// Whether it is about a key, which is in lower case.
    fileprivate func matches(_ key: String) -> Bool {
        switch (pattern.hasPrefix("*"), pattern.hasSuffix("*")) {
        case (false, false): key == pattern
        case (true, false): key.hasSuffix(pattern.dropFirst())
        case (false, true): key.hasPrefix(pattern.dropLast())
        case (true, true): key.utf8.containsRun(pattern.dropFirst().dropLast().utf8)
        }
    }
}

extension Collection where Element == UInt8 {
    fileprivate func containsRun(_ other: some Collection<UInt8>) -> Bool {
        var start = startIndex
        while start != endIndex {
            if self[start...].starts(with: other) { return true }
            formIndex(after: &start)
        }
        return other.isEmpty
    }
}

extension StringProtocol {
    fileprivate var trimmed: SubSequence {
        var text = self[...]
        while let first = text.first, first == " " || first == "\n" || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\n" || last == "\t" { text.removeLast() }
        return text
    }
}
