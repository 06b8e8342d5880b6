// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What each session spends its time for, and how much it does at once (`agents-api.md` §3.2).
struct SessionTimes {
    /// For each session.
    private(set) var classes: [Orchestration.TimeClasses]
    private(set) var fanOuts: [Int]
    /// In wait steps.
    private(set) var waitNanos: [UInt64]

    init(
        _ forest: AgentForest,
        _ sessions: SessionTable,
        _ steps: SessionSteps,
        _ calls: ToolCallTable,
        _ usage: UsageLedger,
        _ retries: RetryTable
    ) {
        var times = [[ClassInterval]](repeating: [], count: sessions.entries.count)
        var waits = times
        for row in forest.spans.indices {
            if forest.spans[row].isWaiting {
                waits[sessions.sessionOfRow[row]].append(.init(.humanWait, forest.starts[row], forest.ends[row]))
            }
            let isModelCall = usage.isModelCall[row]
            guard let timeClass = forest.spans[row].timeClass(isModelCall: isModelCall) else { continue }
            times[sessions.sessionOfRow[row]].append(.init(timeClass, forest.starts[row], forest.ends[row]))
        }
        for place in calls.calls.indices where !calls.calls[place].holdsSessions {
            let row = calls.calls[place].row
            times[calls.calls[place].session].append(.init(.tool, forest.starts[row], forest.ends[row]))
        }
        for wait in calls.roundWaits {
            times[wait.session].append(.init(.humanWait, wait.start, wait.end))
            waits[wait.session].append(.init(.humanWait, wait.start, wait.end))
        }
        for (place, callers) in Self.waiting(sessions, steps).enumerated() {
            let entry = sessions.entries[place]
            for caller in callers { times[caller].append(.init(.childAgent, entry.start, entry.end)) }
        }
        for holder in SessionHolder.all(forest, sessions, steps, calls) {
            let (start, end) = (forest.starts[holder.row], forest.ends[holder.row])
            let session = sessions.sessionOfRow[holder.row]
            times[session].append(.init(.handoffGap, start, min(holder.firstStart, end)))
            times[session].append(.init(.returnGap, max(holder.lastEnd, start), end))
        }
        for pause in retries.pauses { times[pause.session].append(.init(.retry, pause.start, pause.end)) }
        classes = zip(times, sessions.entries).map { ClassInterval.sum($0, from: $1.start, to: $1.end) }
        fanOuts = Self.fanOuts(forest, sessions, calls)
        waitNanos = zip(waits, sessions.entries).map { ClassInterval.sum($0, from: $1.start, to: $1.end)[.humanWait] }
    }

    /// For each session who waits for it: its parent, and after a handoff also who waits for the one that passed control.
    private static func waiting(_ sessions: SessionTable, _ steps: SessionSteps) -> [[Int]] {
        let parents = sessions.entries.map(\.parent)
        let children = ChildRows(parents)
        var waiting = [[Int]](repeating: [], count: parents.count)
        var caller = [Int](repeating: -1, count: parents.count)
        var stack = parents.indices.filter { parents[$0] < 0 }
        while let place = stack.popLast() {
            stack.append(contentsOf: children.of(place))
            guard parents[place] >= 0, !steps.links[place].isBackground else { continue }
            let isHandoff = steps.links[place].kind == .handoff
            caller[place] = isHandoff ? caller[parents[place]] : parents[place]
            waiting[place] = [parents[place]]
            if isHandoff, caller[place] >= 0, caller[place] != parents[place] { waiting[place].append(caller[place]) }
        }
        return waiting
    }

    /// What a session starts itself; what runs inside of that is not its, as long as that lasts.
    private static func fanOuts(_ forest: AgentForest, _ sessions: SessionTable, _ calls: ToolCallTable) -> [Int] {
        var flights = [[(time: UInt64, change: Int)]](repeating: [], count: sessions.entries.count)
        func add(_ session: Int, _ start: UInt64, _ end: UInt64) {
            flights[session].append((start, 1))
            flights[session].append((end > start ? end : start &+ 1, -1))
        }
        // The direct activity that a row is or runs in; -1 for none.
        var activity = [Int](repeating: -1, count: forest.count)
        for row in forest.order {
            let parent = forest.parents[row]
            let session = sessions.sessionOfRow[row]
            if parent >= 0, sessions.sessionOfRow[parent] == session { activity[row] = activity[parent] }
            let call = calls.callOfRow[row]
            guard activity[row] < 0, forest.spans[row].isNode || (call >= 0 && calls.calls[call].row == row) else {
                continue
            }
            activity[row] = row
            add(session, forest.starts[row], forest.ends[row])
        }
        for entry in sessions.entries where entry.parent >= 0 {
            let above = forest.parents[entry.openerRow]
            let around = above >= 0 && sessions.sessionOfRow[above] == entry.parent ? activity[above] : -1
            if around < 0 || entry.handoffRow >= 0 {
                add(entry.parent, entry.start, entry.end)
            } else if entry.end > forest.ends[around] {
                // A call that only starts a session in the background is over before it.
                add(entry.parent, max(entry.start, forest.ends[around]), entry.end)
            }
        }
        return flights.map { changes in
            var most = 0
            var count = 0
            // Of one instant the ends come first.
            for (_, change) in changes.sorted(by: { ($0.time, $0.change) < ($1.time, $1.change) }) {
                count += change
                most = max(most, count)
            }
            return most
        }
    }
}

/// A tool call or spawn step in which sessions run.
struct SessionHolder {
    var row: Int
    /// The earliest start and the latest end of the sessions that it started.
    var firstStart: UInt64
    var lastEnd: UInt64

    static func all(
        _ forest: AgentForest,
        _ sessions: SessionTable,
        _ steps: SessionSteps,
        _ calls: ToolCallTable
    ) -> [SessionHolder] {
        var holders: [Int: SessionHolder] = [:]
        for (place, link) in steps.links.enumerated() where link.stepRow >= 0 {
            let entry = sessions.entries[place]
            let call = calls.callOfRow[link.stepRow]
            let span = forest.spans[link.stepRow]
            var row = link.stepRow
            if span.reportsToolCall, call >= 0 {
                row = calls.calls[call].row
            } else if !span.isSpawnStep, span.kind != .handoff || span.work == nil {
                continue
            }
            guard sessions.sessionOfRow[row] == entry.parent else { continue }
            var holder = holders[row] ?? SessionHolder(row: row, firstStart: entry.start, lastEnd: entry.end)
            holder.firstStart = min(holder.firstStart, entry.start)
            // Nobody waits for the end of a session in the background, nor of one that got the control.
            holder.lastEnd = link.kind == .delegate ? max(holder.lastEnd, entry.end) : .max
            holders[row] = holder
        }
        return holders.values.sorted { $0.row < $1.row }
    }
}

/// A time that has a class.
struct ClassInterval {
    var timeClass: Orchestration.TimeClass
    var start: UInt64
    var end: UInt64

    init(_ timeClass: Orchestration.TimeClass, _ start: UInt64, _ end: UInt64) {
        self.timeClass = timeClass
        self.start = start
        self.end = end
    }

    /// Each instant between `start` and `end` counts for the first class that applies; ``TimeClass/own`` for none.
    static func sum(_ intervals: [ClassInterval], from start: UInt64, to end: UInt64) -> Orchestration.TimeClasses {
        var edges: [(time: UInt64, timeClass: Int, change: Int)] = []
        for interval in intervals {
            let from = max(interval.start, start)
            let to = min(interval.end, end)
            guard from < to else { continue }
            edges.append((from, interval.timeClass.index, 1))
            edges.append((to, interval.timeClass.index, -1))
        }
        edges.sort { $0.time < $1.time }
        var classes = Orchestration.TimeClasses()
        var open = [Int](repeating: 0, count: Orchestration.TimeClass.allCases.count)
        var now = start
        func book(to time: UInt64) {
            let timeClass = Orchestration.TimeClass.allCases.first { open[$0.index] > 0 } ?? .own
            classes[timeClass] += time - now
            now = time
        }
        for edge in edges {
            if edge.time > now { book(to: edge.time) }
            open[edge.timeClass] += edge.change
        }
        if end > now { book(to: end) }
        return classes
    }
}

extension AgentSpan {
    /// What the span itself spends its time for; of tool calls their table knows more.
    func timeClass(isModelCall: Bool) -> Orchestration.TimeClass? {
        guard !isHidden else { return nil }
        if isModelCall || kind == .embedding { return .llm }
        switch wait?.kind {
        case "human": return .humanWait
        case "session": return .childAgent
        case "tool": return nil
        case "rate_limit": return .retry
        case nil: return kind == .human ? .humanWait : kind == .wait ? .messageWait : nil
        default: return .messageWait
        }
    }

    /// Whether the span is a wait step, whatever it waits for.
    var isWaiting: Bool {
        if isHidden { return false }
        if let work, !work.isSession, work.outcome == "needs_input" { return true }
        return wait != nil || kind == .wait || kind == .human
    }

    /// Whether the span runs a node of a workflow that is neither agent nor tool.
    var isNode: Bool {
        guard !isHidden else { return false }
        switch kind {
        case .node: return true
        case .agent, .llm, .tool, .handoff, .workflow: return false
        default: return node != nil
        }
    }
}
