// SPDX-License-Identifier: Apache-2.0

/// The words of WorkTrace (`agents.md` §1.2).
enum WorkPriority: String, CaseIterable {
    case critical, high, normal, low, background

    /// Also reads `P0` to `P4` and `0` to `4`.
    init?(word: String) {
        if let priority = WorkPriority(rawValue: word.lowercased()) {
            self = priority
            return
        }
        let digits = word.first.map { "Pp".contains($0) } == true ? String(word.dropFirst()) : word
        guard digits.utf8.count == 1, let rank = Int(digits), Self.allCases.indices.contains(rank) else { return nil }
        self = Self.allCases[rank]
    }

    /// What is read, for whoever wrote something else.
    static let words = "critical, high, normal, low or background, or P0 to P4"

    /// 0 is the most urgent.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 2 }

    /// What a child has that says `own` below a parent of `inherited`: it may raise, and never lowers (`agents.md` §4.2).
    static func effective(_ own: String?, inherited: String?) -> String? {
        guard let own else { return inherited }
        guard let mine = WorkPriority(word: own), let theirs = inherited.flatMap({ WorkPriority(word: $0) }) else {
            return own
        }
        return mine.rank <= theirs.rank ? mine.rawValue : theirs.rawValue
    }
}

enum WorkKind {
    static let all = [
        "agent", "llm", "tool", "plan", "handoff", "wait", "human", "message", "retrieval", "memory", "guardrail",
        "eval",
        "custom",
    ]

    /// The kind that an action begins with, such as `tool` of `tool:grep`.
    static func kind(ofAction action: String) -> String {
        let word = action.prefix { $0 != ":" }.lowercased()
        return all.contains(word) ? word : "custom"
    }

    /// What follows the kind in an action; `nil` when nothing does.
    static func target(ofAction action: String) -> String? {
        guard let colon = action.firstIndex(of: ":") else { return nil }
        let target = action[action.index(after: colon)...]
        return target.isEmpty ? nil : String(target)
    }
}

enum WorkWait {
    /// What a step may wait for.
    static let kinds = ["human", "session", "message", "lock", "rate_limit", "tool"]
}

/// How a step or a session ended. What else a caller says is kept as it is, and treated as partial.
enum WorkOutcome {
    static let abandoned = "abandoned"
    private static let open: Set = ["running", "needs_input", "retrying"]
    private static let failed: Set = ["failure", "timeout", "rejected", "blocked"]

    /// Whether the step goes on with it.
    static func isOpen(_ outcome: String) -> Bool { open.contains(outcome) }
    static func isFailed(_ outcome: String) -> Bool { failed.contains(outcome) }
}
