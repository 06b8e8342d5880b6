// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The logical tool calls of a forest, and which rows tell of them (`agents-api.md` §3.4).
struct ToolCallTable {
    /// By start.
    private(set) var calls: [Call] = []
    /// For each row the innermost call that it is part of or runs in, across sessions; -1 for none.
    private(set) var callOfRow: [Int] = []
    /// Between two rounds of a call, in which somebody is asked what the server wants to know (MCP 2026-07-28, "Multi round-trip
    /// requests"); by start.
    private(set) var roundWaits: [RoundWait] = []
    /// For each call what its layers say of its end, the worst; `nil` while it is open.
    private(set) var outcomes: [String?] = []

    struct RoundWait {
        var session: Int
        /// Of the second round.
        var call: Int
        var start: UInt64
        var end: UInt64
    }

    struct Call {
        var session: Int
        /// The spans that tell of it, each after those around it.
        var rows: [Int]
        /// The call around it, of whatever session; -1 for none.
        var parent = -1
        /// Sessions that opened in it and in no call inside it.
        var childSessions: [Int] = []
        /// Whether a session opened in it or in a call of the same session inside it.
        var holdsSessions = false
        var name: String
        var callID: String?
        var requestID: String?

        var row: Int { rows[0] }
    }

    init(_ forest: AgentForest, _ sessions: SessionTable) {
        callOfRow = [Int](repeating: -1, count: forest.count)
        // The nearest row above in the same session that tells of a call, with nothing but plain work between.
        var reporter = [Int](repeating: -1, count: forest.count)
        var hasInner = [Bool](repeating: false, count: forest.count)
        for row in forest.order {
            let span = forest.spans[row]
            let parent = forest.parents[row]
            callOfRow[row] = parent < 0 ? -1 : callOfRow[parent]
            let isSameSession = parent >= 0 && sessions.sessionOfRow[parent] == sessions.sessionOfRow[row]
            let outer = isSameSession ? reporter[parent] : -1
            guard span.reportsToolCall else {
                reporter[row] = span.isHidden || span.kind == nil || span.kind == .protocolCall ? outer : -1
                if span.kind == .custom || span.kind == .wait || span.kind == .human { reporter[row] = outer }
                continue
            }
            reporter[row] = row
            if outer >= 0, join(row, below: outer, hasInner[outer], forest) {
                hasInner[outer] = true
                callOfRow[row] = callOfRow[outer]
            } else {
                let call = Call(
                    session: sessions.sessionOfRow[row],
                    rows: [row],
                    parent: callOfRow[row],
                    name: span.toolName,
                    callID: span.tool?.callID,
                    requestID: span.tool?.requestID
                )
                callOfRow[row] = calls.count
                calls.append(call)
            }
        }
        sortByStart()
        noteSessions(forest, sessions)
        noteRoundWaits(forest, sessions)
        outcomes = calls.indices.map { calls[$0].outcome(forest) }
    }

    /// Whether `row` tells of the same call as `outer`, which may have told of an inner layer already.
    private mutating func join(_ row: Int, below outer: Int, _ hasInner: Bool, _ forest: AgentForest) -> Bool {
        let (span, above) = (forest.spans[row], forest.spans[outer])
        let place = callOfRow[outer]
        let callID = span.tool?.callID
        let requestID = span.tool?.requestID
        let isSameCallID = callID != nil && callID == calls[place].callID
        let isSameRequest = requestID != nil && requestID == above.tool?.requestID
        let isNextRound = span.links.prefix(64).contains { link in
            guard link.relation == "continues" else { return false }
            return forest.rowByReference[.init(traceID: link.traceID, spanID: link.spanID)].map { callOfRow[$0] }
                == place
        }
        if !isSameCallID && !isNextRound {
            // Another id is another call, and so is a second span of an inner layer that no id ties to the call.
            if callID != nil, calls[place].callID != nil { return false }
            if !isSameRequest {
                if requestID != nil, let other = calls[place].requestID, other != requestID { return false }
                guard !hasInner, AgentSpan.isSameTool(span.toolName, calls[place].name) else { return false }
            }
        }
        calls[place].rows.append(row)
        // A tool that calls tools hides their names.
        if span.tool != nil { calls[place].name = span.toolName }
        calls[place].callID = calls[place].callID ?? callID
        calls[place].requestID = calls[place].requestID ?? requestID
        return true
    }

    private mutating func sortByStart() {
        let rows = calls.indices.map { calls[$0].row }
        guard !zip(rows, rows.dropFirst()).allSatisfy({ $0 < $1 }) else { return }
        let sorted = calls.indices.sorted { rows[$0] < rows[$1] }
        var places = [Int](repeating: -1, count: calls.count)
        for (place, old) in sorted.enumerated() { places[old] = place }
        calls = sorted.map { calls[$0] }
        for place in calls.indices where calls[place].parent >= 0 { calls[place].parent = places[calls[place].parent] }
        for row in callOfRow.indices where callOfRow[row] >= 0 { callOfRow[row] = places[callOfRow[row]] }
    }

    private mutating func noteRoundWaits(_ forest: AgentForest, _ sessions: SessionTable) {
        for row in forest.spans.indices where callOfRow[row] >= 0 && forest.spans[row].tool?.layer == .proxy {
            for link in forest.spans[row].links.prefix(64) where link.relation == "continues" {
                let reference = Orchestration.SpanReference(traceID: link.traceID, spanID: link.spanID)
                guard let before = forest.rowByReference[reference], forest.spans[before].tool?.layer == .proxy,
                    sessions.sessionOfRow[before] == sessions.sessionOfRow[row],
                    forest.ends[before] < forest.starts[row]
                else { continue }
                roundWaits.append(
                    RoundWait(
                        session: sessions.sessionOfRow[row],
                        call: callOfRow[row],
                        start: forest.ends[before],
                        end: forest.starts[row]
                    )
                )
            }
        }
        roundWaits.sort { ($0.start, $0.end, $0.call) < ($1.start, $1.end, $1.call) }
    }

    private mutating func noteSessions(_ forest: AgentForest, _ sessions: SessionTable) {
        for (place, entry) in sessions.entries.enumerated() where entry.handoffRow < 0 {
            let parent = forest.parents[entry.openerRow]
            var call = parent < 0 ? -1 : callOfRow[parent]
            guard call >= 0, calls[call].session == entry.parent else { continue }
            calls[call].childSessions.append(place)
            while call >= 0, !calls[call].holdsSessions, calls[call].session == entry.parent {
                calls[call].holdsSessions = true
                call = calls[call].parent
            }
        }
    }
}

// MARK: What is said of a call

extension ToolCallTable.Call {
    /// What people read of it; attempts and children are added by others.
    func summary(_ forest: AgentForest, _ entry: SessionTable.Entry, outcome: String?) -> Orchestration.ToolCall {
        let first = forest.spans[row]
        let tools = rows.compactMap { forest.spans[$0].tool }
        return Orchestration.ToolCall(
            traceID: first.traceID,
            spanID: first.spanID,
            sessionID: entry.sessionID,
            agentName: entry.agent.name ?? "",
            toolName: name,
            server: tools.last { $0.server != nil }?.server ?? serverService(forest),
            callID: callID,
            outcome: outcome,
            errorType: errorType(forest),
            startUnixNanos: first.startUnixNanos,
            durationNanos: forest.nanos(of: row),
            resultBytes: tools.first { $0.resultBytes != nil }?.resultBytes,
            argumentsHash: tools.first { $0.argumentsHash != nil }?.argumentsHash,
            weight: first.weight,
            layers: layers(forest)
        )
    }

    /// The service of the server's own span, where no layer says what the server calls itself.
    private func serverService(_ forest: AgentForest) -> String? {
        rows.first { forest.spans[$0].tool?.layer == .server }.map { forest.spans[$0].serviceName }
    }

    /// The worst that a layer says: an MCP client's `MCP send …` stays UNSET where the server saw the tool fail.
    fileprivate func outcome(_ forest: AgentForest) -> String? {
        guard !forest.spans[row].isOpen else { return nil }
        var worst = Self.knownOutcomes.count
        var hasFailed = false
        for row in rows {
            let error = forest.spans[row].errorType
            hasFailed = hasFailed || error != nil || forest.spans[row].statusCode == .error
            for said in [error, forest.spans[row].work?.outcome] where said != nil {
                guard let said, let rank = Self.knownOutcomes.firstIndex(of: said) else { continue }
                worst = min(worst, rank)
            }
        }
        if worst < Self.knownOutcomes.count { return Self.knownOutcomes[worst] }
        if hasFailed { return "failure" }
        // Such as that its session ended first.
        return forest.spans[row].work?.outcome ?? "success"
    }

    /// What tells more than that a call failed, the worst first.
    private static let knownOutcomes = ["timeout", "rejected", "blocked", "cancelled"]

    private func errorType(_ forest: AgentForest) -> String? {
        rows.lazy.compactMap { forest.spans[$0].errorType }.first
    }

    /// Spans of one layer are one. What sticks out of the layer around is cut off, so that the selfs sum to the whole.
    private func layers(_ forest: AgentForest) -> [Orchestration.ToolCall.Layer] {
        var parts: [(layer: AgentSpan.ToolLayer, row: Int, start: UInt64, end: UInt64)] = []
        for row in rows {
            let layer = forest.spans[row].tool?.layer ?? .agent
            // A tool that its server's own framework reports again is still the server's.
            if let place = parts.lastIndex(where: { $0.layer.index >= layer.index }) {
                guard parts[place].layer == layer else { continue }
                parts[place].start = min(parts[place].start, forest.starts[row])
                parts[place].end = max(parts[place].end, forest.ends[row])
            } else {
                parts.append((layer, row, forest.starts[row], forest.ends[row]))
            }
        }
        if !parts.isEmpty { (parts[0].start, parts[0].end) = (forest.starts[row], forest.ends[row]) }
        var layers: [Orchestration.ToolCall.Layer] = []
        var visible: UInt64 = 0
        var (start, end) = (forest.starts[row], forest.ends[row])
        for part in parts {
            start = min(max(start, part.start), end)
            end = max(min(end, part.end), start)
            if !layers.isEmpty { layers[layers.count - 1].selfNanos = visible - (end - start) }
            visible = end - start
            layers.append(
                .init(
                    layer: part.layer,
                    spanID: forest.spans[part.row].spanID,
                    serviceName: forest.spans[part.row].serviceName,
                    durationNanos: part.end - part.start,
                    selfNanos: visible,
                    weight: forest.spans[part.row].weight
                )
            )
        }
        return layers
    }
}

extension AgentSpan {
    /// Whether the span tells of a tool call; a handoff, another call of the protocol or our own tool never does.
    var reportsToolCall: Bool { kind == .tool && !isHidden }

    var toolName: String { tool?.name ?? name }

    /// Clients spell a server's tool with the server's name before it: `mcp__demo__add`.
    fileprivate static func isSameTool(_ a: String, _ b: String) -> Bool { a == b || bareName(a) == bareName(b) }

    private static func bareName(_ name: String) -> Substring {
        guard name.hasPrefix("mcp__"), let end = name.dropFirst(5).firstRange(of: "__") else { return name[...] }
        return name[end.upperBound...]
    }
}
