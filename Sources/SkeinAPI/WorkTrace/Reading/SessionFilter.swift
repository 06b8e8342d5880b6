// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinStore

/// Which sessions are asked for.
struct SessionFilter {
    /// The parameters that say so.
    static let parameters = [
        "agent", "outcome", "priority", "task", "sessionKey", "parent", "traceId", "minCost", "from", "to", "q", "text",
    ]

    let agent: String?
    let outcome: String?
    let priority: String?
    let task: String?
    let sessionKey: String?
    /// The session that started it, or ``noParent``.
    let parent: String?
    let traceID: TraceID?
    /// US dollars.
    let minCost: Double
    /// A session is at work in it.
    let range: TimeRange
    /// TraceQL or a plain condition that a span of the session's trace satisfies.
    let query: String?
    /// What the title, the agent's name or id, or an id of the session holds, in small letters.
    let text: String?

    init(_ call: APICall) throws(APIError) {
        func text(_ name: String) -> String? {
            guard let text = call.request.query(name), !text.isEmpty else { return nil }
            return text
        }
        agent = text("agent")
        outcome = text("outcome")
        if let word = text("priority") { priority = try Self.priority(word) } else { priority = nil }
        task = text("task")
        sessionKey = text("sessionKey")
        parent = text("parent")
        if let id = text("traceId") { traceID = try APICall.traceID(id, "traceId") } else { traceID = nil }
        minCost = try call.fraction("minCost", 0...1e12, usual: 0)
        range = try Self.range(call)
        query = text("q")
        if let query { _ = try NativeAPI.selection(query) }
        self.text = text("text")?.lowercased()
    }

    private static func priority(_ word: String) throws(APIError) -> String {
        guard let priority = WorkPriority(word: word) else {
            throw .invalid("priority", "\(APICall.shown(word)) is no priority: it takes \(WorkPriority.words).")
        }
        return priority.rawValue
    }

    /// The range of `from` and `to`, all of time when both are absent.
    static func range(_ call: APICall) throws(APIError) -> TimeRange {
        for name in ["from", "to"] {
            guard let text = call.request.query(name), RFC3339.isBefore1970(text) else { continue }
            throw .invalid(
                name,
                "\(name) is \(APICall.shown(text)), before 1970: no session is older; leave it out, or give a later time."
            )
        }
        let from = try call.time("from") ?? 0
        let to = try call.time("to") ?? .max
        guard from <= to else {
            throw .invalid("to", "to (\(to)) lies before from (\(from)); the range is from up to, not including, to.")
        }
        return TimeRange(start: from, end: to)
    }

    /// Whether a session is one of those asked for, as far as its record tells.
    func includes(_ record: SessionRecord) -> Bool {
        let session = record.session
        return isAtWork(from: session.startUnixNanos, to: session.endUnixNanos)
            && (agent == nil || session.agentName == agent || session.agentID == agent)
            && (outcome == nil || session.outcome == outcome || session.state.rawValue == outcome)
            && (priority == nil || session.taskPriority == priority)
            && (task == nil || session.taskID == task)
            && (sessionKey == nil || session.sessionKey == sessionKey)
            && (parent == nil || (record.parentSessionID ?? Self.noParent) == parent)
            && (traceID == nil || session.traceID == traceID)
            && (minCost == 0 || (session.usage.usd ?? 0) >= minCost)
            && holds(record)
    }

    /// Whether a session that began at `start` and lasts until `end` is at work in the range.
    func isAtWork(from start: UInt64, to end: UInt64) -> Bool {
        start < range.end && (start >= range.start || end > range.start)
    }

    private func holds(_ record: SessionRecord) -> Bool {
        guard let text else { return true }
        let session = record.session
        return [record.title, session.agentName, session.agentID, session.sessionID, session.sessionKey]
            .contains { $0?.lowercased().contains(text) ?? false }
    }

    /// Asks for sessions that no other started.
    private static let noParent = "none"

    /// What tells this question from others, for cursors.
    var question: String {
        [agent, outcome, priority, task, sessionKey, parent, traceID?.description, String(minCost), query, text]
            .map { $0 ?? "" }.joined(separator: "\0") + "\0\(range.start)\0\(range.end)"
    }

    /// Finds the traces in which such sessions are, and more.
    var search: String {
        if let traceID { return "{ trace:id = \"\(traceID)\" }" }
        if let query { return query }
        var conditions: [String] = []
        if let task { conditions.append("span.worktrace.task.id = \(WorkForest.quoted(task))") }
        if !conditions.isEmpty { return "{ \(conditions.joined(separator: " && ")) }" }
        return Self.agentic
    }

    /// Finds traces in which agents, models or tools are at work.
    static let agentic: String = {
        let keys = AgentSpan.markers.map { "span.\($0) != nil" }
        let names = AgentSpan.markerNames.map { name in
            "name =~ " + WorkForest.quoted(name.replacing(".", with: "\\.").replacing("*", with: ".*"))
        }
        return "{ \((keys + names).joined(separator: " || ")) }"
    }()
}
