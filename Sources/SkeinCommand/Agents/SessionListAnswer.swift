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

    /// One line for each session. A narrow one leaves out the task and the priority, and in 80 columns the calls of models and the
    /// tokens.
    func table(on terminal: Terminal) -> Table {
        let isNarrow = terminal.isWindow && terminal.width < 130
        let isSlim = terminal.isWindow && terminal.width < 100
        let isOneDay = Set(sessions.map { $0.startTime.prefix(10) }).count == 1
        let ids = sessions.map { terminal.isWindow ? Self.shortID($0.sessionId) : $0.sessionId }
        // By what it is found a session is shown whole, where that can be.
        var columns: [Table.Column] = [
            .init(title: "SESSION", isElastic: ids.contains { $0.count > 20 }),
            .init(title: isNarrow ? "UTC" : "STARTED (UTC)"),
            .init(title: "DURATION", alignment: .right),
            .init(title: "STATE"), .init(title: "AGENT", isElastic: true),
        ]
        if !isNarrow { columns += [.init(title: "TASK", isElastic: true), .init(title: "PRIORITY")] }
        if !isSlim { columns.append(.init(title: "LLM", alignment: .right)) }
        columns += [.init(title: "TOOLS", alignment: .right), .init(title: "ERR", alignment: .right)]
        if !isSlim { columns.append(.init(title: "TOKENS", alignment: .right)) }
        columns.append(.init(title: "COST", alignment: .right))
        var table = Table(columns)
        for (session, id) in zip(sessions, ids) {
            let totals = session.totals
            // The day, the time and milliseconds are enough; of one day the time.
            let length = !isNarrow ? 23 : isSlim && !isOneDay ? 16 : 19
            let start = !isNarrow ? 0 : isOneDay ? 11 : 5
            let time = session.startTime.replacing("T", with: " ").prefix(length).dropFirst(start)
            var row: [Table.Cell] = [
                .init(id), .init(String(time), .dim),
                .init(Figures.duration(totals.durationMs &* 1_000_000)), Self.standing(session.state, session.outcome),
                .init(session.agentName ?? session.agentId ?? "–", .bold),
            ]
            if !isNarrow { row += [.init(session.taskId ?? "–"), .init(session.taskPriority ?? "–", .dim)] }
            if !isSlim { row.append(.init(Figures.count(totals.llmCalls))) }
            row += [
                .init(Figures.count(totals.toolCalls)),
                totals.errors > 0 ? .init(Figures.count(totals.errors), .error) : .init("0", .dim),
            ]
            if !isSlim {
                let tokens = [totals.inputTokens, totals.outputTokens].map(AgentFigures.tokens)
                row.append(.init(tokens.joined(separator: " > ")))
            }
            row.append(.init(AgentFigures.dollars(totals.usd)))
            table.add(row)
        }
        return table
    }

    /// Of the id of a session out of spans, `<traceId>:<spanId>`, the span's, by which it is found as well.
    static func shortID(_ id: String) -> String {
        let parts = id.split(separator: ":", omittingEmptySubsequences: false)
        func isHex(_ text: Substring, _ count: Int) -> Bool {
            text.utf8.count == count && text.allSatisfy(\.isHexDigit)
        }
        guard parts.count == 2, isHex(parts[0], 32), isHex(parts[1], 16) else { return id }
        return String(parts[1])
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
