// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension Orchestration {
    /// What `spans` tell, which are all spans of one session forest in any order. Without any it is empty.
    ///
    /// - Parameters:
    ///   - asked: a trace whose root session is that of the whole; without it the earliest root is.
    ///   - nowUnixNanos: nanoseconds since 1970 until when the open spans last; without it as long as they say.
    ///   - listMax: how many sessions and tool calls are listed. For those who look for one it is `.max`.
    package init(
        _ spans: [AgentSpan],
        around asked: TraceID? = nil,
        nowUnixNanos: UInt64? = nil,
        listMax: Int = Self.listMax
    ) {
        guard !spans.isEmpty else { return }
        let forest = AgentForest(spans, nowUnixNanos: nowUnixNanos)
        let table = SessionTable(forest, around: asked)
        let calls = ToolCallTable(forest, table)
        let ledger = UsageLedger(forest, table)
        let retryTable = RetryTable(forest, table, calls, ledger)
        let steps = SessionSteps(forest, table)
        let times = SessionTimes(forest, table, steps, calls, ledger, retryTable)
        let foreground = zip(table.entries, steps.isForeground).lazy.filter(\.1).map(\.0.end).max() ?? 0
        startUnixNanos = table.entries[table.root].start
        durationNanos = max(foreground, startUnixNanos) - startUnixNanos
        let path = AgentPath(forest, table, steps, calls, ledger, retryTable, to: max(foreground, startUnixNanos))

        let counted = Counted(forest, table, calls, ledger)
        let all = table.entries.indices.map { place in
            counted.session(place, forest, table, steps, times)
        }
        let root = all[table.root]
        traceID = root.traceID
        rootSessionID = root.sessionID
        // What only links join is other work, with a task and a state of its own.
        let own = table.places(around: table.root, forest).map { all[$0] }
        sessionKey = root.sessionKey ?? own.lazy.compactMap(\.sessionKey).first
        taskID = root.taskID ?? own.lazy.compactMap(\.taskID).first
        taskPriority = root.taskPriority ?? own.lazy.compactMap(\.taskPriority).first
        state = Self.state(of: own, root: root)
        spanCount = all.reduce(0) { $0 + $1.spanCount }
        errorCount = all.reduce(0) { $0 + $1.errorCount }
        sessionCount = all.count
        toolCallCount = all.reduce(0) { $0 + $1.toolCallCount }
        usage = counted.total(of: all, forest, table)
        truncated = all.count > listMax || calls.calls.count > listMax
        sessions = Array(all.prefix(listMax))
        edges = steps.edges(forest, table, calls)
        toolCalls = calls.summaries(forest, table, retryTable, path, listMax)
        criticalPath = path.segments(forest, table, calls)
        retries = retryTable.retries.map { $0.summary(forest, table) }
        loops = LoopFinder(forest, table, calls).loops
        graph = AgentGraph(forest, all, table, steps, calls).graph
        sessionIndexBySpan = forest.rowByReference.mapValues { table.sessionOfRow[$0] }
    }

    private static func state(of sessions: [Session], root: Session) -> State {
        if sessions.contains(where: { $0.state == .running }) { return .running }
        if sessions.contains(where: { $0.state == .waiting }) { return .waiting }
        return root.state
    }
}

/// What is counted for each session, of its own spans only.
private struct Counted {
    private var spans: [Int]
    private var hidden: [Int]
    private var errors: [Int]
    private var modelCalls: [Int]
    private var toolCalls: [Int]
    private var toolErrors: [Int]
    private var usage: [UsageSum]
    private var keys: [String?]

    init(_ forest: AgentForest, _ table: SessionTable, _ calls: ToolCallTable, _ ledger: UsageLedger) {
        let none = [Int](repeating: 0, count: table.entries.count)
        (spans, hidden, errors, modelCalls, toolCalls, toolErrors) = (none, none, none, none, none, none)
        usage = none.map { _ in UsageSum() }
        keys = none.map { _ in nil }
        // Of sessions that say what they come to only what came after that.
        func counts(_ row: Int) -> Bool {
            forest.spans[row].isLate || forest.spans[table.entries[table.sessionOfRow[row]].spanRow].totals == nil
        }
        for row in forest.spans.indices {
            let place = table.sessionOfRow[row]
            if keys[place] == nil { keys[place] = forest.spans[row].sessionKey }
            guard counts(row) else { continue }
            let isHidden = forest.spans[row].isHidden
            spans[place] += 1
            if isHidden { hidden[place] += 1 }
            if forest.spans[row].statusCode == .error, !isHidden { errors[place] += 1 }
            if ledger.isModelCall[row] { modelCalls[place] += 1 }
            if ledger.counts[row], let more = forest.spans[row].usage { usage[place].add(more) }
        }
        for (call, outcome) in calls.outcomes.enumerated() {
            guard counts(calls.calls[call].row) else { continue }
            let place = calls.calls[call].session
            toolCalls[place] += 1
            if Orchestration.ToolCall.isError(outcome) { toolErrors[place] += 1 }
        }
    }

    /// Of sessions without their steps what they say of themselves.
    func total(of sessions: [Orchestration.Session], _ forest: AgentForest, _ table: SessionTable) -> AgentSpan.Usage {
        var sum = UsageSum()
        for (place, entry) in table.entries.enumerated() {
            if forest.spans[entry.spanRow].totals != nil {
                sum.add(sessions[place].usage)
            } else {
                sum.add(usage[place])
            }
        }
        return sum.total
    }

    func session(
        _ place: Int,
        _ forest: AgentForest,
        _ table: SessionTable,
        _ steps: SessionSteps,
        _ times: SessionTimes
    ) -> Orchestration.Session {
        let entry = table.entries[place]
        let span = forest.spans[entry.spanRow]
        let work = span.work
        var session = Orchestration.Session(
            sessionID: entry.sessionID,
            traceID: span.traceID,
            spanID: span.spanID,
            agentName: entry.agent.name ?? "",
            serviceName: span.serviceName,
            startUnixNanos: entry.start,
            durationNanos: entry.end - entry.start
        )
        session.parentSessionID = entry.parent < 0 ? nil : table.entries[entry.parent].sessionID
        session.agentID = entry.agent.id
        session.agentVersion = entry.agent.version
        session.sessionKey = span.sessionKey ?? keys[place]
        session.taskID = span.taskID
        session.taskPriority = span.taskPriority
        session.linkMode = steps.links[place].linkMode
        session.isBackground = entry.parent >= 0 && steps.links[place].isBackground
        session.state = work?.state.flatMap { Orchestration.State(rawValue: $0) } ?? (span.isOpen ? .running : .ended)
        switch session.state {
        case .running, .waiting: session.outcome = nil
        case .abandoned: session.outcome = work?.outcome ?? "abandoned"
        case .ended:
            session.outcome = work?.outcome ?? (span.status.code == .error && !span.isHidden ? "failure" : "success")
        }
        session.spanCount = spans[place]
        session.stepCount = max(spans[place] - hidden[place] - 1, 0)
        session.errorCount = errors[place]
        session.llmCallCount = modelCalls[place]
        session.toolCallCount = toolCalls[place]
        session.toolErrorCount = toolErrors[place]
        session.fanOut = times.fanOuts[place]
        session.usage = usage[place].total
        session.timeClasses = times.classes[place]
        session.waitNanos = times.waitNanos[place]
        if var totals = span.totals {
            totals.add(session, stepCount: spans[place] - hidden[place])
            session.take(totals)
        }
        return session
    }
}

extension ToolCallTable {
    /// At most `countMax`, by start.
    fileprivate func summaries(
        _ forest: AgentForest,
        _ table: SessionTable,
        _ retries: RetryTable,
        _ path: AgentPath,
        _ countMax: Int
    ) -> [Orchestration.ToolCall] {
        calls.prefix(countMax).enumerated().map { place, call in
            var summary = call.summary(forest, table.entries[call.session], outcome: outcomes[place])
            let before = retries.previous[place]
            summary.attempt = max(forest.spans[call.row].attempt ?? before?.attempt ?? 1, 1)
            summary.retryOf = before.map { forest.spans[calls[$0.call].row].spanID }
            summary.childSessionIDs = call.childSessions.map { table.entries[$0].sessionID }
            summary.isOnCriticalPath = path.calls[place]
            return summary
        }
    }
}

extension RetryTable.Chain {
    fileprivate func summary(_ forest: AgentForest, _ table: SessionTable) -> Orchestration.Retry {
        let (first, last) = (forest.starts[rows.first ?? 0], forest.starts[rows.last ?? 0])
        return Orchestration.Retry(
            sessionID: table.entries[session].sessionID,
            kind: kind,
            name: name,
            spanIDs: rows.map { forest.spans[$0].spanID },
            succeeded: succeeded,
            wastedNanos: last - first
        )
    }
}
