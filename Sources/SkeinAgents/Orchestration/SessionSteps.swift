// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// How each session hangs below its parent: the step that started it, and whether anyone waits (`agents-api.md` §3.3).
struct SessionSteps {
    /// For each session in order; without meaning for those that have no parent.
    private(set) var links: [Link] = []
    /// Sessions that the root reaches by delegation or handoff, with itself.
    private(set) var isForeground: [Bool] = []

    struct Link {
        /// The caller's step; -1 for none.
        var stepRow = -1
        var kind = Orchestration.Edge.Kind.delegate
        var linkMode = Orchestration.LinkMode.join
        var rule = 0
        /// A later span of the parent that waits for the session or links to it; -1 for none.
        var awaitRow = -1

        var isBackground: Bool { kind == .background }
    }

    init(_ forest: AgentForest, _ sessions: SessionTable) {
        let steps = NearestSteps(forest, sessions)
        let awaits = Self.awaits(forest, sessions)
        links = sessions.entries.enumerated().map { place, entry in
            var link = Link()
            let work = forest.spans[entry.openerRow].work
            let above = forest.parents[entry.openerRow]
            if work?.isLinked == true || forest.linkedRows.contains(entry.openerRow) { link.linkMode = .link }
            guard entry.parent >= 0 else { return link }
            if entry.handoffRow >= 0 {
                link.stepRow = entry.handoffRow
            } else if above >= 0, sessions.sessionOfRow[above] == entry.parent {
                link.stepRow = steps.rows[above] >= 0 ? steps.rows[above] : above
                link.rule = Int(max(forest.rules[entry.openerRow], steps.rules[above]))
            } else {
                let parent = sessions.entries[entry.parent]
                link.stepRow =
                    forest.works.row(session: parent.sessionID, step: work?.parentStepID ?? "") ?? parent.spanRow
                if forest.spans[parent.spanRow].traceID != forest.spans[entry.spanRow].traceID { link.linkMode = .link }
            }
            if let row = awaits[Await(session: place, by: entry.parent)], row != link.stepRow,
                forest.starts[row] >= forest.starts[link.stepRow]
            {
                link.awaitRow = row
            }
            if forest.spans[link.stepRow].kind == .handoff {
                link.kind = .handoff
            } else if link.awaitRow < 0 {
                // A step that is open still may yet wait for the end.
                let isOutlived = entry.end > forest.ends[link.stepRow] && !forest.spans[link.stepRow].isOpen
                if isOutlived || link.linkMode == .link { link.kind = .background }
            }
            return link
        }
        isForeground = [Bool](repeating: false, count: links.count)
        guard !links.isEmpty else { return }
        let children = ChildRows(sessions.entries.map(\.parent))
        var stack = [sessions.root]
        while let place = stack.popLast() {
            isForeground[place] = true
            stack.append(contentsOf: children.of(place).filter { !links[$0].isBackground })
        }
    }

    private struct Await: Hashable {
        var session: Int
        var by: Int
    }

    /// The first span by which one session waits for another.
    private static func awaits(_ forest: AgentForest, _ sessions: SessionTable) -> [Await: Int] {
        var places: [String: Int] = [:]
        for (place, entry) in sessions.entries.enumerated() where places[entry.sessionID] == nil {
            places[entry.sessionID] = place
        }
        var rows: [Await: Int] = [:]
        for row in forest.spans.indices where !forest.spans[row].isHidden {
            let by = sessions.sessionOfRow[row]
            var awaited: [Int] = []
            if let wait = forest.spans[row].wait, wait.kind == "session", let place = wait.id.flatMap({ places[$0] }) {
                awaited.append(place)
            }
            for link in forest.spans[row].links.prefix(64) where link.relation != "message" {
                let target = forest.rowByReference[.init(traceID: link.traceID, spanID: link.spanID)]
                if let target { awaited.append(sessions.sessionOfRow[target]) }
            }
            for place in awaited where sessions.entries[place].parent == by {
                let key = Await(session: place, by: by)
                if rows[key] == nil { rows[key] = row }
            }
        }
        return rows
    }
}

/// For each row the nearest step of its session that may start another, and how the way there was found.
private struct NearestSteps {
    private(set) var rows: [Int]
    /// The rule by which the row, or one between it and the step, hangs where it does.
    private(set) var rules: [UInt8]

    init(_ forest: AgentForest, _ sessions: SessionTable) {
        rows = [Int](repeating: -1, count: forest.count)
        rules = [UInt8](repeating: 0, count: forest.count)
        for row in forest.order {
            let kind = forest.spans[row].kind
            if !forest.spans[row].isHidden, kind == .tool || kind == .handoff || forest.spans[row].isSpawnStep {
                rows[row] = row
                continue
            }
            let parent = forest.parents[row]
            guard parent >= 0, sessions.sessionOfRow[parent] == sessions.sessionOfRow[row] else { continue }
            rows[row] = rows[parent]
            rules[row] = max(forest.rules[row], rules[parent])
        }
    }
}

extension SessionSteps {
    /// The edges, by the start of the child, at most ``Orchestration/listMax``.
    func edges(
        _ forest: AgentForest,
        _ sessions: SessionTable,
        _ calls: ToolCallTable
    ) -> [Orchestration.Edge] {
        var edges: [(start: UInt64, place: Int, edge: Orchestration.Edge)] = []
        for (place, link) in links.enumerated()
        where sessions.entries[place].parent >= 0 && edges.count < Orchestration.listMax {
            let entry = sessions.entries[place]
            let from = sessions.entries[entry.parent]
            var edge = forest.edge(from: link.stepRow, to: entry.openerRow, start: entry.start, end: entry.end, link)
            edge.fromSessionID = from.sessionID
            edge.toSessionID = entry.sessionID
            if forest.spans[link.stepRow].reportsToolCall {
                let call = calls.callOfRow[link.stepRow]
                edge.toolName = call >= 0 ? calls.calls[call].name : forest.spans[link.stepRow].toolName
            }
            edges.append((entry.start, place, edge))
        }
        for message in messages(forest, sessions) {
            let place = sessions.sessionOfRow[message.to]
            var link = Link()
            link.kind = .message
            link.linkMode = .link
            var edge = forest.edge(
                from: message.from,
                to: message.to,
                start: forest.starts[message.to],
                end: forest.ends[message.to],
                link
            )
            if let sent = message.sent {
                edge.startUnixNanos = sent
                edge.handoffGapNanos = forest.starts[message.to] - min(sent, forest.starts[message.to])
            }
            edge.fromSessionID = sessions.entries[sessions.sessionOfRow[message.from]].sessionID
            edge.toSessionID = sessions.entries[place].sessionID
            edges.append((sessions.entries[place].start, place, edge))
        }
        return edges.enumerated()
            .sorted {
                let (a, b) = ($0.element, $1.element)
                if a.start != b.start { return a.start < b.start }
                return a.place != b.place ? a.place < b.place : $0.offset < $1.offset
            }
            .prefix(Orchestration.listMax).map(\.element.edge)
    }

    /// A message as what the span of one session caused in another.
    struct Message {
        var from: Int
        var to: Int
        /// Unix time in nanoseconds; `nil` where the sender does not say.
        var sent: UInt64?
    }

    /// Which spans a message of another session caused; one per sending span and receiving session.
    func messages(_ forest: AgentForest, _ sessions: SessionTable) -> [Message] {
        struct Pair: Hashable {
            var from: Int
            var to: Int
        }
        var seen: Set<Pair> = []
        var messages: [Message] = []
        for row in forest.spans.indices where messages.count < Orchestration.listMax && !forest.spans[row].isHidden {
            for link in forest.spans[row].links.prefix(64) where link.relation == "message" {
                guard let from = forest.rowByReference[.init(traceID: link.traceID, spanID: link.spanID)],
                    sessions.sessionOfRow[from] != sessions.sessionOfRow[row],
                    seen.insert(Pair(from: from, to: sessions.sessionOfRow[row])).inserted
                else { continue }
                messages.append(Message(from: from, to: row, sent: forest.spans[from].messageTimes[link.messageID]))
            }
        }
        return messages
    }
}

extension AgentForest {
    fileprivate func edge(
        from step: Int,
        to child: Int,
        start: UInt64,
        end: UInt64,
        _ link: SessionSteps.Link
    ) -> Orchestration.Edge {
        let (from, to) = (spans[step], spans[child])
        let (stepStart, stepEnd) = (starts[step], ends[step])
        var edge = Orchestration.Edge(
            fromSessionID: "",
            toSessionID: "",
            kind: link.kind,
            linkMode: link.linkMode,
            spanID: from.spanID,
            traceID: from.traceID,
            inferredBy: link.rule == 0 ? nil : link.rule,
            startUnixNanos: stepStart,
            durationNanos: stepEnd - stepStart,
            handoffGapNanos: start > stepStart ? start - stepStart : 0,
            childNanos: end - start
        )
        let instances = [from.serviceInstance, to.serviceInstance].compactMap { $0 }
        edge.isProcessBoundary =
            to.isParentRemote || from.serviceName != to.serviceName
            || (instances.count == 2 && instances[0] != instances[1])
        if link.kind == .delegate {
            let childStart = min(max(start, stepStart), stepEnd)
            let childEnd = max(min(end, stepEnd), childStart)
            edge.handoffGapNanos = childStart - stepStart
            edge.childNanos = childEnd - childStart
            edge.returnGapNanos = stepEnd - childEnd
        }
        return edge
    }
}
