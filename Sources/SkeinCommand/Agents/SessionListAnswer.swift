// SPDX-License-Identifier: Apache-2.0

/// Sessions as `GET /api/worktrace/v1/sessions` lists them, as far as they are shown.
struct SessionListAnswer: Decodable {
    var sessions: [Session]
    var next: String?

    struct Session: Decodable {
        var sessionId: String
        var title: String?
        var agentName: String?
        var agentId: String?
        var taskId: String?
        var taskPriority: String?
        /// RFC 3339.
        var startTime: String
        var state: String
        var outcome: String?
        var trace: Trace
        var totals: Totals

        struct Trace: Decodable {
            /// `kept`, `held` or `reduced`; `nil` without a policy.
            var samplingDecision: String?
        }

        struct Totals: Decodable {
            var errors: Int
            var llmCalls: Int
            var toolCalls: Int
            var inputTokens: UInt64
            var outputTokens: UInt64
            var usd: Double?
            var durationMs: UInt64
        }
    }

    /// One line for each session. A narrow one leaves out the task and the priority.
    func table(isNarrow: Bool) -> Table {
        var columns: [Table.Column] = [
            .init(title: "SESSION", isElastic: true), .init(title: "STARTED (UTC)"),
            .init(title: "DURATION", alignment: .right),
            .init(title: "STATE"), .init(title: "AGENT", isElastic: true),
        ]
        if !isNarrow { columns += [.init(title: "TASK", isElastic: true), .init(title: "PRIORITY")] }
        columns += [
            .init(title: "LLM", alignment: .right), .init(title: "TOOLS", alignment: .right),
            .init(title: "ERR", alignment: .right), .init(title: "TOKENS", alignment: .right),
            .init(title: "COST", alignment: .right),
        ]
        var table = Table(columns)
        for session in sessions {
            let totals = session.totals
            // The day, the time and milliseconds are enough.
            let time = session.startTime.replacing("T", with: " ").prefix(isNarrow ? 19 : 23).dropFirst(
                isNarrow ? 5 : 0
            )
            var row: [Table.Cell] = [
                .init(session.sessionId), .init(String(time), .dim),
                .init(Figures.duration(totals.durationMs &* 1_000_000)), Self.standing(session.state, session.outcome),
                .init(session.agentName ?? session.agentId ?? "–", .bold),
            ]
            if !isNarrow { row += [.init(session.taskId ?? "–"), .init(session.taskPriority ?? "–", .dim)] }
            row += [
                .init(Figures.count(totals.llmCalls)), .init(Figures.count(totals.toolCalls)),
                totals.errors > 0 ? .init(Figures.count(totals.errors), .error) : .init("0", .dim),
                .init("\(AgentFigures.tokens(totals.inputTokens)) > \(AgentFigures.tokens(totals.outputTokens))"),
                .init(AgentFigures.dollars(totals.usd)),
            ]
            table.add(row)
        }
        return table
    }

    /// How a session stands, in a word.
    static func standing(_ state: String, _ outcome: String?) -> Table.Cell {
        switch (state, outcome) {
        case ("running", _): .init("running", .good)
        case ("waiting", _): .init("waiting", .warning)
        case ("abandoned", _): .init("abandoned", .warning)
        case (_, "success"?): .init("success")
        case (_, let outcome?): .init(outcome, AgentFigures.isFailure(outcome) ? .error : .plain)
        case (let state, nil): .init(state)
        }
    }
}

/// Figures of agents' work as people read them.
enum AgentFigures {
    /// `870`, `1.2k`, `3.4M`.
    static func tokens(_ count: UInt64) -> String {
        for (unit, name) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where Double(count) >= unit {
            let value = Double(count) / unit
            let places = value < 10 ? 100.0 : value < 100 ? 10.0 : 1.0
            let cut = (value * places).rounded(.down) / places
            return (cut == cut.rounded() ? String(Int(cut)) : "\(cut)") + name
        }
        return String(count)
    }

    /// `$0.63`, `$0.0042`, `–` when nobody knows.
    static func dollars(_ usd: Double?) -> String {
        guard let usd, usd.isFinite, usd >= 0 else { return "–" }
        if usd == 0 { return "$0" }
        if usd < 0.00005 { return "<$0.0001" }
        let places = usd < 0.1 ? 10_000.0 : 100.0
        let digits = String(UInt64(clamping: Int64((min(usd, 9e12) * places).rounded())))
        let count = usd < 0.1 ? 4 : 2
        let padded = String(repeating: "0", count: max(0, count + 1 - digits.count)) + digits
        return "$\(padded.dropLast(count)).\(padded.suffix(count))"
    }

    static func isFailure(_ outcome: String) -> Bool {
        ["failure", "timeout", "blocked", "rejected"].contains(outcome)
    }

    /// What a time class is called.
    static let classNames: [(key: String, name: String)] = [
        ("llm", "model"), ("tool", "tools"), ("childAgent", "sub-agents"), ("humanWait", "waiting for people"),
        ("messageWait", "waiting for messages"), ("handoffGap", "hand-off gaps"), ("returnGap", "return gaps"),
        ("retry", "retries"), ("own", "unaccounted"),
    ]

    static func name(ofClass key: String) -> String { classNames.first { $0.key == key }?.name ?? key }
}
