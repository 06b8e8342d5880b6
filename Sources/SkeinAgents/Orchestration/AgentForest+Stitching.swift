// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Parents for rows that have none: by what WorkTrace knows, by links, and by the rules of `agents.md` §5.4 "Stitching".
extension AgentForest {
    mutating func stitch() {
        let trees = Trees(parents)
        let orphans = parents.indices.filter { parents[$0] < 0 && !spans[$0].isHidden }
        joinWork(orphans, trees)
        joinLinks(orphans, trees)
        joinToolCalls(orphans, trees)
        joinSpawned(orphans, trees)
    }

    private mutating func attach(_ row: Int, to parent: Int, rule: UInt8, _ trees: Trees) -> Bool {
        guard parents[row] < 0, trees.join(row, below: parent) else { return false }
        parents[row] = parent
        rules[row] = rule
        return true
    }

    /// WorkTrace's sessions hang below the step that started them, else below their parent's own span.
    private mutating func joinWork(_ orphans: [Int], _ trees: Trees) {
        for row in orphans {
            guard let work = spans[row].work else { continue }
            if work.isSession, let parent = work.parentSessionID {
                guard
                    let above = works.row(session: parent, step: work.parentStepID ?? "") ?? works.row(session: parent)
                else { continue }
                let isJoined = attach(row, to: above, rule: 0, trees)
                if isJoined, work.isLinked || spans[above].traceID != spans[row].traceID { linkedRows.insert(row) }
            } else if !work.isSession {
                guard let above = works.row(session: work.sessionID) else { continue }
                _ = attach(row, to: above, rule: 0, trees)
            }
        }
    }

    /// A link says what caused a span, unless it tells of a message or of another attempt.
    private mutating func joinLinks(_ orphans: [Int], _ trees: Trees) {
        var reduced: ReducedSessions?
        for row in orphans where parents[row] < 0 {
            for link in spans[row].links.prefix(64) where link.relation != "message" && link.relation != "retry_of" {
                let above: Int
                var rule: UInt8 = 0
                if let linked = rowByReference[.init(traceID: link.traceID, spanID: link.spanID)] {
                    above = linked
                } else {
                    let sessions = reduced ?? ReducedSessions(self)
                    reduced = sessions
                    guard let session = sessions.session(in: link.traceID, at: starts[row]) else { continue }
                    (above, rule) = (session.row, session.isOnlyOne ? 0 : 4)
                }
                if attach(row, to: above, rule: rule, trees) {
                    linkedRows.insert(row)
                    break
                }
            }
        }
    }

    /// Rules 1 and 2: the layers of one tool call, by the model's id of the call or the protocol's id of the request.
    private mutating func joinToolCalls(_ orphans: [Int], _ trees: Trees) {
        guard orphans.contains(where: { parents[$0] < 0 && spans[$0].tool != nil }) else { return }
        var byCall: [String: [Int]] = [:]
        var byRequest: [RequestKey: [Int]] = [:]
        for (row, span) in spans.enumerated() where !span.isHidden {
            guard let tool = span.tool else { continue }
            if let callID = tool.callID { byCall[callID, default: []].append(row) }
            if let key = RequestKey(span) { byRequest[key, default: []].append(row) }
        }
        for row in orphans where parents[row] < 0 {
            guard let tool = spans[row].tool else { continue }
            let byID = tool.callID.flatMap { byCall[$0] } ?? []
            let caller = bestCaller(of: row, among: byID, trees) { overlaps(row, $0) && mayShareCall(row, $0) }
            if let caller, attach(row, to: caller, rule: 1, trees) { continue }
            let requests = RequestKey(spans[row]).flatMap { byRequest[$0] } ?? []
            let sender = bestCaller(of: row, among: requests, trees) {
                contains($0, row) && mayShareCall(row, $0) && spans[$0].tool?.name == tool.name
            }
            if let sender { _ = attach(row, to: sender, rule: 2, trees) }
        }
    }

    /// Rule 1 for a proxy that has a parent, which its client gave it when it was started: what the client itself was started
    /// by. The call that the model asked for is nearer.
    mutating func moveProxies() {
        guard spans.indices.contains(where: { spans[$0].tool?.layer == .proxy }) else { return }
        var asked: [String: [Int]] = [:]
        var proxies: [(row: Int, callID: String)] = []
        for (row, span) in spans.enumerated() where !span.isHidden {
            guard let tool = span.tool, let callID = tool.callID else { continue }
            if tool.layer == .agent { asked[callID, default: []].append(row) }
            if tool.layer == .proxy, parents[row] >= 0, spans[parents[row]].tool == nil {
                proxies.append((row, callID))
            }
        }
        for (row, callID) in proxies {
            guard let rows = asked[callID] else { continue }
            let place = rows.firstPlace { $0 >= row }
            let near = rows[max(0, place - 64)..<min(rows.count, place + 16)]
            let caller = near.filter { overlaps(row, $0) && mayShareCall(row, $0) }
                .min { nanos(of: $0) != nanos(of: $1) ? nanos(of: $0) < nanos(of: $1) : $0 < $1 }
            guard let caller else { continue }
            parents[row] = caller
            rules[row] = 1
        }
    }

    /// The innermost span of an outer layer that `mayCall` accepts. `rows` are in order; only those near are looked at,
    /// so that one id on every span costs no square of their number.
    private func bestCaller(
        of row: Int,
        among rows: [Int],
        _ trees: Trees,
        where mayCall: (Int) -> Bool
    ) -> Int? {
        let place = rows.firstPlace { $0 >= row }
        var best: Int?
        for candidate in rows[max(0, place - 64)..<min(rows.count, place + 16)] {
            guard isOuter(candidate, than: row), !trees.areOne(candidate, row), mayCall(candidate) else { continue }
            guard let other = best else {
                best = candidate
                continue
            }
            if callerRank(candidate, of: row) < callerRank(other, of: row) { best = candidate }
        }
        return best
    }

    private func callerRank(_ candidate: Int, of row: Int) -> CallerRank {
        CallerRank(
            isElsewhere: spans[candidate].traceID != spans[row].traceID,
            isPartial: !contains(candidate, row),
            nanos: nanos(of: candidate),
            row: candidate
        )
    }

    private struct CallerRank: Comparable {
        var isElsewhere: Bool
        var isPartial: Bool
        var nanos: UInt64
        var row: Int

        static func < (a: CallerRank, b: CallerRank) -> Bool {
            if a.isElsewhere != b.isElsewhere { return b.isElsewhere }
            if a.isPartial != b.isPartial { return b.isPartial }
            return a.nanos != b.nanos ? a.nanos < b.nanos : a.row < b.row
        }
    }

    private func isOuter(_ a: Int, than b: Int) -> Bool {
        guard let outer = spans[a].tool?.layer, let inner = spans[b].tool?.layer else { return false }
        return outer.index < inner.index
    }

    /// Sessions that name different keys in different traces are not one.
    private func mayShareCall(_ a: Int, _ b: Int) -> Bool {
        if spans[a].traceID == spans[b].traceID { return true }
        guard let key = spans[a].sessionKey, let other = spans[b].sessionKey else { return true }
        return key == other
    }

    private func overlaps(_ a: Int, _ b: Int) -> Bool { starts[a] <= ends[b] && starts[b] <= ends[a] }

    private func contains(_ outer: Int, _ inner: Int) -> Bool {
        starts[outer] <= starts[inner] && ends[inner] <= ends[outer]
    }

    private struct RequestKey: Hashable {
        var requestID: String
        var server: String

        init?(_ span: AgentSpan) {
            guard let tool = span.tool, let requestID = tool.requestID else { return nil }
            guard let server = tool.server ?? (tool.layer == .server ? span.serviceName : nil) else { return nil }
            self.requestID = requestID
            self.server = server
        }
    }

    /// Rule 3: an agent without parent was started by the step that says so and was open then.
    private mutating func joinSpawned(_ orphans: [Int], _ trees: Trees) {
        guard orphans.contains(where: { parents[$0] < 0 && spans[$0].isNamedAgent }) else { return }
        var steps: [String: [Int]] = [:]
        for row in spans.indices where !spans[row].isHidden {
            if let target = spans[row].spawnTarget { steps[target, default: []].append(row) }
        }
        guard !steps.isEmpty else { return }
        var used: Set<Int> = []
        for row in orphans where parents[row] < 0 {
            guard spans[row].isNamedAgent, let name = spans[row].runName, let rows = steps[name] else { continue }
            let place = rows.firstPlace { starts[$0] > starts[row] }
            for step in rows[max(0, place - 64)..<place].reversed() where step != row && !used.contains(step) {
                guard starts[row] <= ends[step], attach(row, to: step, rule: 3, trees) else { continue }
                used.insert(step)
                break
            }
        }
    }
}

/// The sessions of which a policy kept no more than what they came to, where links to their steps lead.
private struct ReducedSessions {
    /// By start.
    private var rows: [TraceID: [Int]] = [:]
    private let starts: [UInt64]
    private let ends: [UInt64]

    init(_ forest: AgentForest) {
        for row in forest.spans.indices where forest.spans[row].totals != nil && !forest.spans[row].isHidden {
            rows[forest.spans[row].traceID, default: []].append(row)
        }
        (starts, ends) = (forest.starts, forest.ends)
    }

    /// The innermost one that was open then, as far as times tell; the first of the trace where none was.
    func session(in trace: TraceID, at time: UInt64) -> (row: Int, isOnlyOne: Bool)? {
        guard let rows = rows[trace], let first = rows.first else { return nil }
        let place = rows.firstPlace { starts[$0] > time }
        let open = rows[max(0, place - 64)..<place].last { time <= ends[$0] }
        return (open ?? first, rows.count == 1)
    }
}

/// Where WorkTrace's sessions and steps are.
struct WorkRows {
    private var rows: [Key: Int] = [:]

    private struct Key: Hashable {
        var session: String
        var step: String
    }

    init(_ spans: [AgentSpan]) {
        for row in spans.indices where spans[row].isWork && !spans[row].isHidden {
            guard let work = spans[row].work else { continue }
            let key = Key(session: work.sessionID, step: work.stepID)
            // Of several spans that carry a session's id the session's own is the one that knows its state.
            if let other = rows[key] {
                guard work.isSession, work.state != nil, spans[other].work?.state == nil else { continue }
            }
            rows[key] = row
        }
    }

    /// The span of a step; of the session without one.
    func row(session: String, step: String = "") -> Int? { rows[Key(session: session, step: step)] }
}

/// Which rows hang together, so that no row is put below itself.
final class Trees {
    private var above: [Int]

    init(_ parents: [Int]) {
        above = parents.indices.map { parents[$0] < 0 ? $0 : parents[$0] }
        for row in above.indices { _ = find(row) }
    }

    /// The root of a row's tree. Shortens the way for the next time.
    private func find(_ row: Int) -> Int {
        var root = row
        while above[root] != root { root = above[root] }
        var row = row
        while above[row] != root {
            let next = above[row]
            above[row] = root
            row = next
        }
        return root
    }

    func areOne(_ a: Int, _ b: Int) -> Bool { find(a) == find(b) }

    /// `false`, and nothing is done, where `row` stands in the tree of `root`.
    func join(_ root: Int, below row: Int) -> Bool {
        let other = find(row)
        guard other != find(root) else { return false }
        above[root] = other
        return true
    }
}

extension AgentSpan.ToolLayer {
    var index: Int {
        switch self {
        case .agent: 0
        case .client: 1
        case .transport: 2
        case .proxy: 3
        case .server: 4
        }
    }
}

extension AgentSpan {
    /// Whether the span runs an agent and says which.
    var isNamedAgent: Bool { !isHidden && kind == .agent && runName?.isEmpty == false && work?.isSession != false }

    /// What the agent is called: a session of WorkTrace may say no more than its id.
    var runName: String? { agent.name ?? (isWork ? agent.id : nil) }

    /// Whether the span is a step of WorkTrace that starts another agent.
    var isSpawnStep: Bool {
        guard let work, !work.isSession else { return false }
        return work.stepKind == "agent" || work.stepAction?.hasPrefix("agent:") == true
    }

    /// The agent that the span starts or hands over to, where it says so.
    var spawnTarget: String? {
        if let to = handoff?.to { return to }
        if let work, !work.isSession {
            guard let action = work.stepAction, let colon = action.firstIndex(of: ":") else { return nil }
            guard ["agent", "handoff"].contains(action[..<colon]) else { return nil }
            return String(action[action.index(after: colon)...])
        }
        return kind == .agent && spanKind == .client ? agent.name : nil
    }
}

extension Array {
    /// The first place whose element `isBehind`, which once true stays so.
    func firstPlace(where isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
