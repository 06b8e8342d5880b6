// SPDX-License-Identifier: Apache-2.0

/// Draws the work of agents: who worked when, and what it came to.
struct OrchestrationDrawing {
    /// Sentences of what took the time, greatest first.
    var bottlenecks: [String] = []

    private let work: OrchestrationAnswer
    private let asked: String
    private let terminal: Terminal
    private let limit: Int
    private let glyphs: Glyphs
    /// Rows of ``OrchestrationAnswer/sessions`` as they are drawn, each below the one that started it.
    private let rows: [(session: Int, depth: Int)]
    private let startUnixNanos: UInt64
    /// To the end of the last session.
    private let spanNanos: UInt64
    private let colors: [String: Int]

    private static let durationWidth = 8
    private static let depthMax = 12

    /// A drawing of `work` around the session `asked`, with at most `limit` rows in each part; `0` for all.
    init(_ work: OrchestrationAnswer, asked: String, on terminal: Terminal, limit: Int) {
        self.work = work
        self.asked = asked
        self.terminal = terminal
        self.limit = limit == 0 ? .max : limit
        glyphs = terminal.hasUnicode ? .unicode : .ascii
        rows = Self.rows(work.sessions)
        let start = UInt64(work.startTimeUnixNano) ?? 0
        startUnixNanos = start
        spanNanos = work.sessions.reduce(UInt64(work.durationNanos) ?? 0) { most, session in
            max(most, Self.start(session, after: start) &+ (UInt64(session.durationNanos) ?? 0))
        }
        var colors: [String: Int] = [:]
        for session in work.sessions where colors[session.agentName] == nil { colors[session.agentName] = colors.count }
        self.colors = colors
    }

    /// Every line of the drawing.
    func lines() -> [String] {
        let parts = [header(), lanes(), times(), path(), gaps(), tools(), findings()]
        return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    /// Sessions depth-first in order of start. A parent that is missing, or that its own child claims to have started, is none.
    private static func rows(_ sessions: [OrchestrationAnswer.Session]) -> [(session: Int, depth: Int)] {
        var places: [String: Int] = [:]
        for (place, session) in sessions.enumerated() where places[session.sessionId] == nil {
            places[session.sessionId] = place
        }
        var children: [Int: [Int]] = [:]
        var roots: [Int] = []
        for (place, session) in sessions.enumerated() {
            if let parent = session.parentSessionId.flatMap({ places[$0] }), parent != place {
                children[parent, default: []].append(place)
            } else {
                roots.append(place)
            }
        }
        var rows: [(session: Int, depth: Int)] = []
        var seen: Set<Int> = []
        var waiting = roots.reversed().map { (session: $0, depth: 0) }
        while let next = waiting.popLast() {
            guard seen.insert(next.session).inserted else { continue }
            rows.append(next)
            waiting += (children[next.session] ?? []).reversed().map { (session: $0, depth: next.depth + 1) }
        }
        // What runs in a circle hangs nowhere.
        rows += sessions.indices.filter { !seen.contains($0) }.map { (session: $0, depth: 0) }
        return rows
    }

    private static func start(_ session: OrchestrationAnswer.Session, after start: UInt64) -> UInt64 {
        let own = UInt64(session.startTimeUnixNano) ?? start
        return own - min(own, start)
    }

    // MARK: Parts

    private func header() -> [String] {
        let root = work.sessions.first { $0.sessionId == work.rootSessionId }
        let name = root.map { $0.agentName.isEmpty ? "no agent named" : $0.agentName } ?? "no agent named"
        let standing = SessionListAnswer.standing(
            work.state == "ended" ? root?.state ?? "ended" : work.state,
            root?.outcome
        )
        var facts = [
            Figures.duration(UInt64(work.durationNanos) ?? 0), Figures.count(work.sessionCount, "session"),
            Figures.count(work.sessions.reduce(0) { $0 + $1.llmCallCount }, "model call"),
            Figures.count(work.sessions.reduce(0) { $0 + $1.toolCallCount }, "tool call"),
            "\(AgentFigures.tokens(work.usage.inputTokens)) tokens in, \(AgentFigures.tokens(work.usage.outputTokens)) out",
            AgentFigures.dollars(work.usage.usd),
        ]
        facts.append("started \(Figures.time(startUnixNanos)) UTC")
        let errors: (String, Terminal.Style) =
            work.errorCount == 0 ? ("no errors", .dim) : (Figures.count(work.errorCount, "error"), .error)
        let title = [
            (name, Terminal.Style.bold), (standing.text, standing.style), (work.rootSessionId ?? work.traceId, .dim),
            (work.taskId.map { "task \($0)" } ?? "", .plain),
            (work.taskPriority.map { "priority \($0)" } ?? "", .plain),
        ]
        var lines = terminal.wrapped(title.filter { !$0.0.isEmpty })
        lines += terminal.wrapped(facts.map { ($0, .plain) } + [errors])
        if work.truncated {
            lines.append(
                terminal.styled("\(glyphs.warning) Not all of it is shown here; the totals count all.", .warning)
            )
        }
        let reduced = work.sessions.count { $0.stepsKept == false }
        if reduced > 0 {
            let which =
                reduced == work.sessions.count
                ? "" : " of \(reduced) of \(Figures.count(work.sessions.count, "session"))"
            lines.append(
                terminal.styled("\(glyphs.warning) By the policy for sessions only totals\(which) were kept.", .warning)
            )
        }
        return lines
    }

    private func lanes() -> [String] {
        let shown = rows.prefix(limit)
        let facts = shown.map { row in
            let session = work.sessions[row.session]
            return "\(Figures.count(session.llmCallCount)) llm, \(Figures.count(session.toolCallCount, "tool"))"
        }
        let factWidth = facts.map { TerminalText.width($0) }.max() ?? 0
        let room = terminal.width - Self.durationWidth - factWidth - 6
        let needed =
            shown.map { 3 * min($0.depth, Self.depthMax) + TerminalText.width(name($0.session)) + 2 }.max() ?? 12
        let nameWidth = min(max(12, needed), max(12, room / 2))
        let barWidth = max(8, room - nameWidth)
        var lines: [String] = []
        for (row, facts) in zip(shown, facts) {
            let session = work.sessions[row.session]
            let stem =
                row.depth == 0
                ? "" : String(repeating: glyphs.gap, count: min(row.depth, Self.depthMax) - 1) + glyphs.last
            let isFailed = session.outcome.map { AgentFigures.isFailure($0) } ?? false
            let mark = isFailed ? "\(glyphs.error) " : session.sessionId == asked ? "\(glyphs.dot) " : ""
            let style = Terminal.Style.service(colors[session.agentName] ?? 0)
            let text = TerminalText.fitted(
                name(row.session),
                max(0, nameWidth - TerminalText.width(stem + mark)),
                ellipsis: glyphs.ellipsis
            )
            let duration = TerminalText.fitted(
                Figures.duration(UInt64(session.durationNanos) ?? 0),
                Self.durationWidth,
                alignment: .right
            )
            lines.append(
                terminal.styled(stem, .dim) + terminal.styled(mark, isFailed ? .error : style)
                    + terminal.styled(text, style)
                    + " " + terminal.styled(TerminalText.fitted(facts, factWidth, alignment: .right), .dim) + " "
                    + duration + "  "
                    + terminal.styled(bar(session, barWidth), isFailed ? .error : style)
            )
        }
        return lines + rest(rows.count - shown.count, "session")
    }

    private func name(_ place: Int) -> String {
        let session = work.sessions[place]
        let name = session.agentName.isEmpty ? "no agent named" : session.agentName
        return TerminalText.harmless(session.background ? name + " (background)" : name)
    }

    private func bar(_ session: OrchestrationAnswer.Session, _ width: Int) -> String {
        guard spanNanos > 0 else { return String(repeating: glyphs.full, count: width) }
        let scale = Double(width * 2) / Double(spanNanos)
        let from = Self.start(session, after: startUnixNanos)
        let start = min(Int(Double(from) * scale), width * 2 - 1)
        let exact = (Double(from) + Double(UInt64(session.durationNanos) ?? 0)) * scale
        let end = min(max(Int(min(exact.rounded(), Double(width * 2))), start + 1), width * 2)
        var text = String(repeating: " ", count: start / 2)
        for cell in (start / 2)..<((end + 1) / 2) {
            let (hasLeft, hasRight) = (cell * 2 >= start, cell * 2 + 1 < end)
            text += hasLeft && hasRight ? glyphs.full : hasLeft ? glyphs.leftHalf : glyphs.rightHalf
        }
        return text
    }

    /// Of all sessions, so that it adds up to the time that they took together.
    private func times() -> [String] {
        var sums: [String: UInt64] = [:]
        for session in work.sessions {
            for (key, nanos) in session.timeClasses { sums[key, default: 0] &+= UInt64(nanos) ?? 0 }
        }
        let whole = sums.values.reduce(0, &+)
        guard whole > 0 else { return [] }
        var table = Table([
            .init(title: "TIME"), .init(title: "", alignment: .right), .init(title: "", alignment: .right),
            .init(title: ""),
        ])
        let width = max(8, min(40, terminal.width - 44))
        for (key, name) in AgentFigures.classNames {
            guard let nanos = sums[key], nanos > 0 else { continue }
            let cells = max(1, Int((Double(nanos) / Double(whole) * Double(width)).rounded()))
            table.add([
                .init(name), .init(Figures.duration(nanos)), .init(Self.percent(nanos, whole), .dim),
                .init(String(repeating: glyphs.full, count: cells), key == "own" ? .dim : .plain),
            ])
        }
        return table.lines(on: terminal)
    }

    private static func percent(_ part: UInt64, _ whole: UInt64) -> String {
        guard whole > 0 else { return "" }
        let share = Double(part) / Double(whole) * 100
        return share < 0.1 ? "<0.1%" : share < 10 ? "\((share * 10).rounded() / 10)%" : "\(Int(share.rounded()))%"
    }

    /// Who had to be waited for, one after the other.
    private func path() -> [String] {
        var hops: [(name: String, nanos: UInt64)] = []
        for segment in work.criticalPath {
            let nanos = UInt64(segment.durationNanos) ?? 0
            if let last = hops.last, last.name == segment.agentName {
                hops[hops.count - 1].nanos = last.nanos &+ nanos
            } else {
                hops.append((segment.agentName, nanos))
            }
        }
        guard !hops.isEmpty else { return [] }
        var shown = hops.prefix(limit).map { hop in
            let name = hop.name.isEmpty ? "no agent named" : hop.name
            return ("\(name) \(Figures.duration(hop.nanos))", Terminal.Style.service(colors[hop.name] ?? 0))
        }
        if hops.count > shown.count { shown.append(("\(glyphs.more) \(hops.count - shown.count) more", .dim)) }
        return [terminal.styled("CRITICAL PATH", .dim)]
            + terminal.wrapped(shown, separator: terminal.hasUnicode ? " → " : " > ")
    }

    /// Calls of agents, those that waited longest first.
    private func gaps() -> [String] {
        let names = Dictionary(
            work.sessions.map { ($0.sessionId, $0.agentName) },
            uniquingKeysWith: { first, _ in first }
        )
        func waited(_ edge: OrchestrationAnswer.Edge) -> UInt64 {
            (UInt64(edge.handoffGapNanos) ?? 0) &+ (edge.returnGapNanos.flatMap { UInt64($0) } ?? 0)
        }
        let edges = work.edges.sorted { waited($0) > waited($1) }
        guard !edges.isEmpty else { return [] }
        var table = Table([
            .init(title: "CALLER", isElastic: true), .init(title: "CALLED", isElastic: true), .init(title: "HOW"),
            .init(title: "BEFORE", alignment: .right), .init(title: "AFTER", alignment: .right),
        ])
        for edge in edges.prefix(limit) {
            table.add([
                .init(names[edge.fromSessionId] ?? edge.fromSessionId),
                .init(names[edge.toSessionId] ?? edge.toSessionId),
                .init(edge.kind, .dim), .init(Figures.duration(UInt64(edge.handoffGapNanos) ?? 0)),
                .init(edge.returnGapNanos.flatMap { UInt64($0) }.map { Figures.duration($0) } ?? "–"),
            ])
        }
        return table.lines(on: terminal) + rest(edges.count - min(edges.count, limit), "call")
    }

    private func tools() -> [String] {
        var byName: [String: [OrchestrationAnswer.ToolCall]] = [:]
        // A call that runs an agent is that agent's time.
        for call in work.toolCalls where call.childSessionIds.isEmpty {
            byName[call.toolName, default: []].append(call)
        }
        guard !byName.isEmpty else { return [] }
        var table = Table([
            .init(title: "TOOL", isElastic: true), .init(title: "CALLS", alignment: .right),
            .init(title: "ERRORS", alignment: .right),
            .init(title: "RETRIES", alignment: .right), .init(title: "P50", alignment: .right),
            .init(title: "P95", alignment: .right),
            .init(title: "TOTAL", alignment: .right),
        ])
        let tools = byName.map { name, calls in (name, calls, calls.map { UInt64($0.durationNanos) ?? 0 }.sorted()) }
            .sorted { a, b in
                let (first, second) = (a.2.reduce(0, &+), b.2.reduce(0, &+))
                return first != second ? first > second : a.0 < b.0
            }
        for (name, calls, durations) in tools.prefix(limit) {
            let errors = calls.count { ($0.outcome ?? "success") != "success" && $0.outcome != "cancelled" }
            let retries = calls.count { $0.attempt > 1 }
            table.add([
                .init(name), .init(Figures.count(calls.count)),
                errors > 0 ? .init(Figures.count(errors), .error) : .init("0", .dim),
                .init(Figures.count(retries), retries > 0 ? .warning : .dim),
                .init(Figures.duration(Self.quantile(0.5, of: durations))),
                .init(Figures.duration(Self.quantile(0.95, of: durations))),
                .init(Figures.duration(durations.reduce(0, &+))),
            ])
        }
        return table.lines(on: terminal) + rest(tools.count - min(tools.count, limit), "tool")
    }

    /// The nearest rank in `sorted`, which is not empty.
    private static func quantile(_ share: Double, of sorted: [UInt64]) -> UInt64 {
        sorted[min(max(Int((share * Double(sorted.count)).rounded(.up)) - 1, 0), sorted.count - 1)]
    }

    private func findings() -> [String] {
        guard !bottlenecks.isEmpty else { return [] }
        return [terminal.styled("LOOK AT", .dim)]
            + bottlenecks.enumerated().flatMap { number, text in
                terminal.wrapped(text.split(separator: " ").map { (String($0), .plain) }, separator: " ", indent: 3)
                    .enumerated().map { ($0 == 0 ? "\(number + 1). " : "   ") + $1 }
            }
    }

    private func rest(_ count: Int, _ noun: String) -> [String] {
        count > 0
            ? [terminal.styled("\(glyphs.more) \(Figures.count(count, "more \(noun)")); --limit 0 shows all.", .dim)]
            : []
    }
}

extension ConversationAnswer {
    /// What was said, or why it is not there.
    func lines(on terminal: Terminal, hasMessages: Bool) -> [String] {
        guard !turns.isEmpty else {
            if hasMessages, contentState == "absent" { return [] }
            let why =
                switch contentState {
                case "dropped": "What was said is not kept: start the server with --worktrace-content keep."
                case "reduced": "What was said went with the steps: by the policy for sessions only totals were kept."
                default: "What was said was not sent: instrumentations leave content out until they are asked for it."
                }
            return [""] + terminal.wrapped(why.split(separator: " ").map { (String($0), .dim) }, separator: " ")
        }
        return [""]
            + turns.map { turn in
                let text = TerminalText.harmless((turn.text ?? "").replacing("\n", with: " "))
                let role = TerminalText.fitted(TerminalText.harmless(turn.role ?? "?"), 9)
                let room = terminal.isWindow ? max(20, terminal.width - 11) : 2_000
                return terminal.styled(role, .bold) + "  " + TerminalText.shortened(text, room)
            }
    }
}

extension MessageListAnswer {
    /// Who wrote what to whom; of a message whose text is not kept its length.
    func lines(on terminal: Terminal) -> [String] {
        guard !messages.isEmpty else { return [] }
        let arrow = terminal.hasUnicode ? "→" : ">"
        return ["", terminal.styled("MESSAGES", .dim)]
            + messages.map { message in
                let to = message.to.isEmpty ? message.threadId ?? "" : message.to.joined(separator: ", ")
                let whom = TerminalText.harmless("\(message.from ?? "?") \(arrow) \(to)")
                let room = terminal.isWindow ? max(20, terminal.width - TerminalText.width(whom) - 2) : 2_000
                let text = message.text.map { TerminalText.harmless($0.replacing("\n", with: " ")) }
                return terminal.styled(whom, .bold) + "  "
                    + (text.map { TerminalText.shortened($0, room) }
                        ?? terminal.styled(message.bytes.map { Figures.bytes(UInt64($0)) } ?? "not kept", .dim))
            }
    }
}
