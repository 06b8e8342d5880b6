// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What the end of an orchestration waited for, at each moment (`agents.md` §5.3.2, `agents-api.md` §3.5).
///
/// From the end of the foreground backwards: of what stands below a span, the part that ends last before the present
/// moment was waited for, and the time that nothing covers is the span's own. A model that still speaks when a tool that
/// it asked for has begun was waited for up to there. Sessions stand where someone waits for them: below the step that
/// started them, below the later step that awaits them, or, after a handoff, beside the one that passed control. What
/// nobody waits for is not walked: background sessions, and spans of the same process that outlive their parent.
///
/// What halving one piece would save needs no second walk: at each level it is bounded by how far the end of another
/// branch, that ran at the same time and was not on the path, lies before the moment at which both were needed.
struct AgentPath {
    /// In order of time; contiguous from the start of the root session.
    private(set) var pieces: [Piece] = []
    /// For each tool call whether the path goes through it.
    private(set) var calls: [Bool]

    struct Piece {
        var row: Int
        var timeClass: Orchestration.TimeClass
        var start: UInt64
        var end: UInt64
        /// No more than this can be saved here.
        var savedMax: UInt64
    }

    init(
        _ forest: AgentForest,
        _ table: SessionTable,
        _ steps: SessionSteps,
        _ calls: ToolCallTable,
        _ ledger: UsageLedger,
        _ retries: RetryTable,
        to end: UInt64
    ) {
        self.calls = [Bool](repeating: false, count: calls.calls.count)
        let tree = WaitTree(forest, table, steps)
        let natures = PathNatures(forest, table, steps, calls, ledger, retries)
        let root = table.entries[table.root]
        let children = ChildRows(tree.parents)
        var frames = [PathPart(row: tree.top, start: root.start, end: end, savedMax: .max)]
        while let frame = frames.popLast() {
            let below = children.of(frame.row).compactMap { row in
                tree.isAwaited(row) ? PathPart(row: row, within: frame, forest) : nil
            }
            let parts = frame.parts(below)
            for (place, part) in parts.enumerated() {
                guard part.row == frame.row else {
                    frames.append(part)
                    continue
                }
                let passer = place + 1 < parts.count ? tree.passers[parts[place + 1].row] : nil
                if frame.row == tree.top {
                    let own = root.spanRow
                    natures.split(part, of: own, sessionEnd: root.end, passer ?? own) { pieces.append($0) }
                } else {
                    let end = passer.map { forest.ends[$0] } ?? .max
                    natures.split(part, of: part.row, sessionEnd: end, passer ?? part.row) { pieces.append($0) }
                }
            }
        }
        pieces.sort { $0.start < $1.start }
        for piece in pieces {
            var call = calls.callOfRow[piece.row]
            while call >= 0, !self.calls[call] {
                self.calls[call] = true
                call = calls.calls[call].parent
            }
        }
    }

    func segments(_ forest: AgentForest, _ table: SessionTable, _ calls: ToolCallTable) -> [Orchestration.PathSegment] {
        pieces.map { piece in
            let span = forest.spans[piece.row]
            let entry = table.entries[table.sessionOfRow[piece.row]]
            let nanos = piece.end - piece.start
            let place = calls.callOfRow[piece.row]
            let isOwn = place >= 0 && calls.calls[place].session == table.sessionOfRow[piece.row]
            return Orchestration.PathSegment(
                sessionID: entry.sessionID,
                traceID: span.traceID,
                spanID: span.spanID,
                agentName: entry.agent.name ?? "",
                name: span.name,
                timeClass: piece.timeClass,
                toolName: isOwn ? calls.calls[place].name : nil,
                toolSpanID: isOwn ? forest.spans[calls.calls[place].row].spanID : nil,
                startUnixNanos: piece.start,
                durationNanos: nanos,
                savedIfHalvedNanos: min(nanos / 2, piece.savedMax)
            )
        }
    }
}

/// A span as far as the path goes through it, or a part of its own time.
private struct PathPart: PathTime {
    var row: Int
    var start: UInt64
    var end: UInt64
    var savedMax: UInt64
    var isModel = false
    /// Whether it is what a model asks for.
    var isCall = false

    init(row: Int, start: UInt64, end: UInt64, savedMax: UInt64) {
        self.row = row
        self.start = start
        self.end = end
        self.savedMax = savedMax
    }

    /// As much as lies within `frame`; `nil` if nothing.
    init?(row: Int, within frame: PathPart, _ forest: AgentForest) {
        let (start, end) = (max(forest.starts[row], frame.start), min(forest.ends[row], frame.end))
        guard start < end else { return nil }
        self.init(row: row, start: start, end: end, savedMax: frame.savedMax)
        isModel = forest.spans[row].kind == .llm
        isCall = forest.spans[row].kind == .tool || forest.spans[row].kind == .handoff
    }

    /// The whole of this part's time: by whom of `below` it was waited for, else its own.
    func parts(_ below: [PathPart]) -> [PathPart] {
        guard !below.isEmpty else {
            return start < end ? [PathPart(row: row, start: start, end: end, savedMax: savedMax)] : []
        }
        let sorted = below.sorted { a, b in
            if a.end != b.end { return a.end > b.end }
            return a.start != b.start ? a.start < b.start : a.row < b.row
        }
        var parts: [PathPart] = []
        var beside: [PathPart] = []
        var joins: [UInt64] = [end]
        var point = end
        func addOwn(from moment: UInt64) {
            if moment < point { parts.append(PathPart(row: row, start: moment, end: point, savedMax: savedMax)) }
        }
        for var part in sorted {
            if part.isModel, part.start < point, part.end > point, let after = parts.last, after.isCall,
                after.start == point
            {
                part.end = point
            }
            guard part.end <= point else {
                beside.append(part)
                continue
            }
            addOwn(from: part.end)
            parts.append(part)
            joins.append(part.end)
            point = part.start
        }
        addOwn(from: start)
        parts.reverse()
        joins.reverse()
        if !beside.isEmpty { Self.bound(&parts, by: beside, joins) }
        return parts
    }

    /// A branch beside the path ends the same whatever is saved on it: the parts that it overlaps can save no more than
    /// lies between its end and the moment that needed both. The smallest bound comes first and is not touched again.
    private static func bound(_ parts: inout [PathPart], by beside: [PathPart], _ joins: [UInt64]) {
        let bounds = beside.map { part in
            (part: part, nanos: joins[min(joins.firstPlace { $0 >= part.end }, joins.count - 1)] - part.end)
        }
        // For each part the next one that has no bound yet.
        var next = Array(0...parts.count)
        for (part, nanos) in bounds.sorted(by: { $0.nanos < $1.nanos }) {
            let end = parts.firstPlace { $0.start >= part.end }
            var place = next.shortened(to: parts.firstPlace { $0.end > part.start })
            while place < end {
                parts[place].savedMax = min(parts[place].savedMax, nanos)
                next[place] = place + 1
                place = next.shortened(to: place)
            }
        }
    }
}

extension [Int] {
    /// Follows the places from `start` to the one that stands for itself, and shortens the way for the next time.
    fileprivate mutating func shortened(to start: Int) -> Int {
        var last = start
        while self[last] != last { last = self[last] }
        var place = start
        while self[place] != last {
            let next = self[place]
            self[place] = last
            place = next
        }
        return last
    }
}

/// Who waits for whom. The root session stands on top with a place of its own behind all rows.
private struct WaitTree {
    /// The place of the root session.
    let top: Int
    private(set) var parents: [Int]
    /// By the row that opens a session the own span of the one that passed control to it.
    private(set) var passers: [Int: Int] = [:]
    private var isLeft: [Bool]

    init(_ forest: AgentForest, _ table: SessionTable, _ steps: SessionSteps) {
        top = forest.count
        parents = [Int](repeating: -1, count: forest.count + 1)
        isLeft = [Bool](repeating: false, count: forest.count)
        let root = table.entries[table.root]
        var isAbove = [Bool](repeating: false, count: forest.count)
        var above = root.openerRow
        while above >= 0 {
            isAbove[above] = true
            above = forest.parents[above]
        }
        isAbove[root.spanRow] = true
        // What is hidden hands its place to what stands above it.
        var shown = [Int](repeating: -1, count: forest.count)
        for row in forest.order {
            let parent = forest.parents[row]
            if isAbove[row] {
                shown[row] = top
                continue
            }
            let isHidden = forest.spans[row].isHidden
            shown[row] = isHidden ? (parent < 0 ? -1 : shown[parent]) : row
            if isHidden { continue }
            let session = table.sessionOfRow[row]
            if parent >= 0, !isAbove[parent] || table.sessionOfRow[parent] == table.root && parent == root.openerRow {
                parents[row] = shown[parent]
            } else if session == table.root {
                parents[row] = top
            } else if steps.isForeground[session] {
                let own = table.entries[session].spanRow
                parents[row] = own == row ? -1 : own
            }
        }
        placeSessions(forest, table, steps, shown)
        parents.cutCircles()
        leaveOut(forest, table, steps, shown)
    }

    private mutating func placeSessions(
        _ forest: AgentForest,
        _ table: SessionTable,
        _ steps: SessionSteps,
        _ shown: [Int]
    ) {
        let children = ChildRows(table.entries.map(\.parent))
        var stack = Array(children.of(table.root))
        // What the root does not reach is not waited for.
        for (place, entry) in table.entries.enumerated() where place != table.root && !steps.isForeground[place] {
            parents[entry.openerRow] = -1
        }
        while let place = stack.popLast() {
            guard steps.isForeground[place] else { continue }
            stack.append(contentsOf: children.of(place))
            let entry = table.entries[place]
            let link = steps.links[place]
            let row = entry.openerRow
            if link.kind == .handoff {
                passers[row] = table.entries[entry.parent].spanRow
                let before = entry.parent == table.root ? top : parents[table.entries[entry.parent].openerRow]
                let fits = before >= 0 && before < top && entry.end <= forest.ends[before]
                parents[row] = fits ? before : top
            } else if link.awaitRow >= 0, entry.end > forest.ends[link.stepRow] {
                parents[row] = shown[link.awaitRow]
            } else if forest.parents[row] < 0 || table.sessionOfRow[forest.parents[row]] != entry.parent {
                parents[row] = shown[link.stepRow]
            }
        }
    }

    /// A span that outlives the one above was not waited for, unless another clock says so or a session that was
    /// waited for stands below it. Streams that stay open as long as a connection tell of no work.
    private mutating func leaveOut(
        _ forest: AgentForest,
        _ table: SessionTable,
        _ steps: SessionSteps,
        _ shown: [Int]
    ) {
        var holdsSession = [Bool](repeating: false, count: forest.count + 1)
        for (place, entry) in table.entries.enumerated() where steps.isForeground[place] {
            var row = entry.openerRow
            while row >= 0, !holdsSession[row] {
                holdsSession[row] = true
                row = parents[row]
            }
        }
        for row in forest.spans.indices where !holdsSession[row] {
            var parent = forest.parents[row]
            if parent >= 0, forest.spans[parent].isHidden { parent = shown[parent] }
            if parent == top { parent = table.entries[table.root].spanRow }
            if forest.spans[row].kind == .protocolCall, forest.spans[row].name.hasSuffix("subscriptions/listen") {
                isLeft[row] = true
            } else if parent >= 0, forest.ends[row] > forest.ends[parent], !forest.spans[parent].isOpen {
                isLeft[row] =
                    !forest.spans[row].isParentRemote
                    && forest.spans[row].serviceName == forest.spans[parent].serviceName
            }
        }
    }

    func isAwaited(_ row: Int) -> Bool { !isLeft[row] }
}
