// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The sessions of a forest, and to which of them each row belongs (`agents-api.md` §3.1).
struct SessionTable {
    /// By start, then span.
    private(set) var entries: [Entry] = []
    /// For each row the place of its session.
    private(set) var sessionOfRow: [Int] = []
    /// For each row whether a span that opens its session stands above it or is it; else it went to the root session.
    private(set) var isBelowOpener: [Bool] = []
    /// The place of the root session: the earliest one without a parent, of those that hold the trace asked for.
    private(set) var root = 0

    struct Entry {
        /// Where the session opens in the tree: the first of its rows on the way down.
        var openerRow: Int
        /// Its own span.
        var spanRow: Int
        var sessionID: String
        var agent: AgentSpan.Agent
        var start: UInt64
        var end: UInt64
        var parent = -1
        /// The row of the handoff span by which it got its control; -1 for none.
        var handoffRow = -1
        /// Whether all its spans say that they are one sub-agent's; its time is theirs.
        var isSpread = false
    }

    init(_ forest: AgentForest, around traceID: TraceID? = nil) {
        guard forest.count > 0 else { return }
        sessionOfRow = [Int](repeating: -1, count: forest.count)
        openSessions(forest)
        isBelowOpener = sessionOfRow.map { $0 >= 0 }
        if entries.isEmpty { openRootSession(forest) }
        sortEntries(forest)
        findParents(forest)
        passControl(forest)
        cutCirclesOfParents()
        root = entries.indices.first { entries[$0].parent < 0 } ?? 0
        if let traceID,
            let asked = entries.indices.first(where: { forest.spans[entries[$0].spanRow].traceID == traceID })
        {
            root = asked
            while entries[root].parent >= 0 { root = entries[root].parent }
        }
        for row in sessionOfRow.indices where sessionOfRow[row] < 0 { sessionOfRow[row] = root }
    }

    // MARK: Which spans open one

    private mutating func openSessions(_ forest: AgentForest) {
        var workSessions: [String: Int] = [:]
        for row in forest.spans.indices where forest.spans[row].isWork {
            let span = forest.spans[row]
            guard !span.isHidden, let work = span.work, work.isSession, forest.works.row(session: work.sessionID) == row
            else {
                continue
            }
            workSessions[work.sessionID] = entries.count
            entries.append(Entry(work.sessionID, forest, row))
        }
        var subAgents: [SubAgentKey: Int] = [:]
        // Whether neither tool, model nor another agent stands between a row and the span that opened its session.
        var isClose = [Bool](repeating: true, count: forest.count)
        for row in forest.order {
            let span = forest.spans[row]
            let parent = forest.parents[row]
            let above = parent < 0 ? -1 : sessionOfRow[parent]
            let isParentClose = parent < 0 || isClose[parent]
            sessionOfRow[row] = above
            isClose[row] = isParentClose && !span.partsAgents
            if span.isHidden { continue }
            if let work = span.work {
                guard let session = workSessions[work.sessionID] else { continue }
                sessionOfRow[row] = session
                if session != above { isClose[row] = true }
            } else if let agent = span.subAgent, agent.id != nil || agent.name != nil {
                let key = SubAgentKey(traceID: span.traceID, name: agent.id ?? agent.name ?? "")
                sessionOfRow[row] = subAgents[key] ?? open(forest, row, agent)
                subAgents[key] = sessionOfRow[row]
                entries[sessionOfRow[row]].isSpread = true
                if sessionOfRow[row] != above { isClose[row] = true }
            } else if span.isNamedAgent {
                // A run in a trace of its own is a run of its own.
                let isNested = above >= 0 && isParentClose && forest.spans[parent].traceID == span.traceID
                if isNested, !forest.linkedRows.contains(row), entries[above].agent.isSame(as: span.agent) {
                    isClose[row] = true
                } else {
                    sessionOfRow[row] = open(forest, row, span.agent)
                    isClose[row] = true
                }
            }
        }
        spreadSubAgents(forest)
    }

    private struct SubAgentKey: Hashable {
        var traceID: TraceID
        var name: String
    }

    private mutating func open(_ forest: AgentForest, _ row: Int, _ agent: AgentSpan.Agent) -> Int {
        var entry = Entry(forest.sessionID(of: row), forest, row)
        entry.agent = agent
        entries.append(entry)
        return entries.count - 1
    }

    /// A sub-agent's time is that of its spans; the first of them is its span.
    private mutating func spreadSubAgents(_ forest: AgentForest) {
        for (row, session) in sessionOfRow.enumerated() where session >= 0 && entries[session].isSpread {
            if row < entries[session].spanRow {
                entries[session].spanRow = row
                entries[session].sessionID = forest.sessionID(of: row)
            }
            entries[session].start = min(entries[session].start, forest.starts[row])
            entries[session].end = max(entries[session].end, forest.ends[row])
        }
    }

    /// Without any agent the root span is one session, named after its service.
    private mutating func openRootSession(_ forest: AgentForest) {
        let rows = forest.parents.indices.filter { forest.parents[$0] < 0 }
        let row = rows.first { !forest.spans[$0].parentSpanID.isValid && !forest.spans[$0].isHidden } ?? rows.first ?? 0
        let place = open(forest, row, AgentSpan.Agent(name: forest.spans[row].serviceName))
        for row in sessionOfRow.indices { sessionOfRow[row] = place }
    }

    private mutating func sortEntries(_ forest: AgentForest) {
        let sorted = entries.indices.sorted {
            let (a, b) = (entries[$0], entries[$1])
            return a.start != b.start ? a.start < b.start : a.spanRow < b.spanRow
        }
        var places = [Int](repeating: 0, count: entries.count)
        for (place, old) in sorted.enumerated() { places[old] = place }
        entries = sorted.map { entries[$0] }
        for row in sessionOfRow.indices where sessionOfRow[row] >= 0 { sessionOfRow[row] = places[sessionOfRow[row]] }
    }

    // MARK: Which session stands above

    private mutating func findParents(_ forest: AgentForest) {
        var places: [String: Int] = [:]
        for (place, entry) in entries.enumerated() where places[entry.sessionID] == nil {
            places[entry.sessionID] = place
        }
        for place in entries.indices {
            let row = entries[place].openerRow
            if let above = forest.spans[row].work?.parentSessionID, let parent = places[above], parent != place {
                entries[place].parent = parent
                continue
            }
            let parent = forest.parents[row]
            guard parent >= 0, sessionOfRow[parent] >= 0, sessionOfRow[parent] != place else { continue }
            entries[place].parent = sessionOfRow[parent]
        }
    }

    /// Handoffs whose target does not hang below them: the next session of that name, or any, of the same trace.
    private mutating func passControl(_ forest: AgentForest) {
        let handoffs = forest.spans.indices.filter { forest.spans[$0].kind == .handoff && !forest.spans[$0].isHidden }
        guard !handoffs.isEmpty else { return }
        let hasTarget = rowsWithSessionsBelow(forest)
        var targets = HandoffTargets(self, forest)
        for row in handoffs where !hasTarget.contains(row) {
            let handoff = forest.spans[row].handoff
            guard let from = sessionThatPasses(row, handoff?.from, forest, &targets) else { continue }
            let to = targets.take(after: forest.starts[row], named: handoff?.to, in: forest.spans[row].traceID) {
                place in
                place != from && entries[place].handoffRow < 0
                    && (mayFollow(place, from) || handoff?.to != nil && entries[place].parent == from)
            }
            guard let to else { continue }
            entries[to].parent = from
            entries[to].handoffRow = row
        }
    }

    /// A session follows another if nothing but what stands above both started it.
    private func mayFollow(_ place: Int, _ from: Int) -> Bool {
        let parent = entries[place].parent
        // Sessions are in order of start: what stands above both started before.
        return parent < 0 || parent == entries[from].parent || parent < from
    }

    private func sessionThatPasses(
        _ row: Int,
        _ name: String?,
        _ forest: AgentForest,
        _ targets: inout HandoffTargets
    ) -> Int? {
        let own = sessionOfRow[row]
        if own >= 0, name == nil || entries[own].agent.name == name { return own }
        let named = name.flatMap {
            targets.last(before: forest.starts[row], named: $0, in: forest.spans[row].traceID)
        }
        return named ?? (own >= 0 ? own : nil)
    }

    /// Handoff spans below which a session opens.
    private func rowsWithSessionsBelow(_ forest: AgentForest) -> Set<Int> {
        var rows: Set<Int> = []
        var nearest = [Int](repeating: -1, count: forest.count)
        for row in forest.order {
            let parent = forest.parents[row]
            if forest.spans[row].kind == .handoff {
                nearest[row] = row
            } else if parent >= 0, sessionOfRow[parent] == sessionOfRow[row] {
                nearest[row] = nearest[parent]
            }
        }
        for entry in entries {
            let parent = forest.parents[entry.openerRow]
            if parent >= 0, nearest[parent] >= 0 { rows.insert(nearest[parent]) }
        }
        return rows
    }

    /// The sessions below one, with it, and what else is in their traces; by start.
    func places(around top: Int, _ forest: AgentForest) -> [Int] {
        let children = ChildRows(entries.map(\.parent))
        var traces: Set<TraceID> = []
        var isBelow = [Bool](repeating: false, count: entries.count)
        var stack = [top]
        while let place = stack.popLast() {
            isBelow[place] = true
            traces.insert(forest.spans[entries[place].spanRow].traceID)
            stack.append(contentsOf: children.of(place))
        }
        return entries.indices.filter { isBelow[$0] || traces.contains(forest.spans[entries[$0].spanRow].traceID) }
    }

    private mutating func cutCirclesOfParents() {
        var parents = entries.map(\.parent)
        parents.cutCircles()
        for place in entries.indices { entries[place].parent = parents[place] }
    }
}

extension SessionTable.Entry {
    fileprivate init(_ sessionID: String, _ forest: AgentForest, _ row: Int) {
        self.init(
            openerRow: row,
            spanRow: row,
            sessionID: sessionID,
            agent: forest.spans[row].agent,
            start: forest.starts[row],
            end: forest.ends[row]
        )
        if agent.name == nil { agent.name = agent.id ?? forest.spans[row].serviceName }
    }
}

/// The sessions of each trace by name and start, for handoffs.
private struct HandoffTargets {
    private var places: [Key: [Int]] = [:]
    private var starts: [UInt64]

    private struct Key: Hashable {
        var traceID: TraceID
        /// `nil` for all.
        var name: String?
    }

    init(_ table: SessionTable, _ forest: AgentForest) {
        starts = table.entries.map(\.start)
        for (place, entry) in table.entries.enumerated() {
            let traceID = forest.spans[entry.spanRow].traceID
            places[Key(traceID: traceID, name: nil), default: []].append(place)
            if let name = entry.agent.name { places[Key(traceID: traceID, name: name), default: []].append(place) }
        }
    }

    /// The first that starts no earlier than `start` and `isFree`. Only the next 64 are asked.
    func take(after start: UInt64, named name: String?, in traceID: TraceID, where isFree: (Int) -> Bool) -> Int? {
        let places = places[Key(traceID: traceID, name: name)] ?? []
        let first = places.firstPlace { starts[$0] >= start }
        return places[first...].prefix(64).first(where: isFree)
    }

    /// The last that starts no later than `start`.
    func last(before start: UInt64, named name: String, in traceID: TraceID) -> Int? {
        let places = places[Key(traceID: traceID, name: name)] ?? []
        let end = places.firstPlace { starts[$0] > start }
        return end > 0 ? places[end - 1] : nil
    }
}

extension AgentForest {
    func sessionID(of row: Int) -> String { "\(spans[row].traceID):\(spans[row].spanID)" }
}

extension AgentSpan {
    /// Whether what stands below is another run even of the same agent.
    fileprivate var partsAgents: Bool {
        guard !isHidden else { return false }
        return kind == .tool || kind == .llm || kind == .handoff
    }
}

extension AgentSpan.Agent {
    fileprivate func isSame(as other: AgentSpan.Agent) -> Bool {
        name == other.name && (id == nil || other.id == nil || id == other.id)
    }
}
