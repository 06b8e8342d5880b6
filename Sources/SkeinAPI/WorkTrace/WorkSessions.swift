// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The sessions of the books by id, and what they are found by beside it.
struct WorkSessions: Sequence, Sendable {
    private var sessions: [String: WorkSession] = [:]
    private var idsByTrace: [TraceID: Set<String>] = [:]
    /// Of sessions that go on, by id and by name of the agent.
    private var idsByAgent: [String: Set<String>] = [:]
    /// Bytes of the records of all.
    private(set) var byteCount = 0

    var count: Int { sessions.count }
    var values: Dictionary<String, WorkSession>.Values { sessions.values }
    func makeIterator() -> Dictionary<String, WorkSession>.Iterator { sessions.makeIterator() }

    subscript(id: String) -> WorkSession? {
        get { sessions[id] }
        _modify {
            let before = sessions[id].map(Keys.init)
            defer { index(id, before, sessions[id].map(Keys.init)) }
            yield &sessions[id]
        }
    }

    mutating func removeValue(forKey id: String) -> WorkSession? {
        let session = self[id]
        self[id] = nil
        return session
    }

    /// The sessions of a trace, in no order.
    func sessions(ofTrace id: TraceID) -> [WorkSession] { (idsByTrace[id] ?? []).compactMap { sessions[$0] } }

    /// The sessions of an agent that go on, by its name or id, in no order.
    func running(ofAgent name: String) -> [WorkSession] { (idsByAgent[name] ?? []).compactMap { sessions[$0] } }

    private struct Keys: Equatable {
        var trace: TraceID
        var agentID: String?
        var agentName: String?
        var byteCount: Int

        init(_ session: WorkSession) {
            trace = session.place.traceID
            byteCount = session.byteCount
            guard !session.isEnded else { return }
            agentID = session.fields.text("agentId")
            agentName = session.fields.text("agentName")
        }
    }

    private mutating func index(_ id: String, _ before: Keys?, _ after: Keys?) {
        guard before != after else { return }
        byteCount += (after?.byteCount ?? 0) - (before?.byteCount ?? 0)
        if before?.trace != after?.trace {
            if let trace = before?.trace { Self.cut(id, trace, &idsByTrace) }
            if let trace = after?.trace { idsByTrace[trace, default: []].insert(id) }
        }
        for name in [before?.agentID, before?.agentName] { if let name { Self.cut(id, name, &idsByAgent) } }
        for name in [after?.agentID, after?.agentName] { if let name { idsByAgent[name, default: []].insert(id) } }
    }

    private static func cut<Key: Hashable>(_ id: String, _ key: Key, _ ids: inout [Key: Set<String>]) {
        ids[key]?.remove(id)
        if ids[key]?.isEmpty == true { ids[key] = nil }
    }
}
