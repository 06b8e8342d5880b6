// SPDX-License-Identifier: Apache-2.0

/// The calls that wait for their answers, found by what answers carry. `Call` is the caller's own.
///
/// A call is registered before its bytes are on their way, since its answer may be there before the writer is. Ids belong to who
/// sends a request: a request of the server, and the client's answer to it, never touch what waits here. A value that takes messages
/// and gives back what they mean; who owns it acts.
package struct PendingCalls<Call> {
    /// What a message means for a call.
    package enum Event {
        case ended(Call, CallOutcome)
        /// The answer is a task, which goes on.
        case becameTask(Call, id: String, status: String?)
        case progress(Call, progress: Double?, total: Double?)
        /// The server asks something while this call waits; any of as many as `candidates`, of which there is an event each, may be meant.
        case serverRequest(Call, method: String, id: JSONRPCMessage.ID, candidates: Int)
        /// Who is at the other end.
        case server(name: String?, protocolVersion: String?)
    }

    private struct Key: Hashable {
        var scope: MessageWay.Scope
        var id: JSONRPCMessage.ID
        /// Who sent the request, whose id it is.
        var isOfServer = false
    }

    private enum Purpose {
        case call(Call, Round, progressToken: JSONRPCMessage.ID?)
        /// `initialize` and `server/discover`.
        case handshake
        /// `tasks/get`, or `tasks/result`, whose answer is that of the task's call; with what is the caller's own of the question itself.
        case poll(TaskKey, isResult: Bool, Call?)
        /// What the server asks while a call waits.
        case serverRequest(Call)
    }

    private struct Entry {
        var purpose: Purpose
        var exchange: UInt64

        /// What ends with it.
        var call: Call? {
            switch purpose {
            case .call(let call, _, _), .serverRequest(let call): call
            case .poll(_, _, let call): call
            case .handshake: nil
            }
        }
    }

    /// Whose calls go on in later messages: those of the pipes or of a session, or, where each request of HTTP stands alone, those of
    /// who asks.
    private enum Owner: Hashable {
        case scope(MessageWay.Scope)
        case client(UInt64)

        init(_ way: MessageWay) {
            if case .exchange = way.scope { self = .client(way.client) } else { self = .scope(way.scope) }
        }
    }

    /// By what the next round of a call is known: the same client calls the same tool with the same arguments, and gives back the
    /// state, if there was one.
    private struct RoundKey: Hashable {
        var owner: Owner
        /// A hash of what the client says it is.
        var clientInfo: UInt64
        var name: String
        var arguments: UInt64
        var state: UInt64?
    }

    private struct Round {
        var number: Int
        /// Without the state, which the answer gives.
        var key: RoundKey
    }

    private struct AskedRound {
        var call: Call
        var number: Int
        /// Whether another call waits for the same, and nothing says whose the next round is.
        var isAmbiguous = false
    }

    private struct TaskKey: Hashable {
        var owner: Owner
        var id: String
    }

    private struct TaskCall {
        var call: Call
        /// Questions about it that the caller got something to make of.
        var pollCount = 0
    }

    /// Requests that wait at most; what comes beyond is passed on and not watched.
    private let countMax: Int
    private var entries: [Key: [Entry]] = [:]
    private var keysOfExchange: [UInt64: Set<Key>] = [:]
    private var keysOfScope: [MessageWay.Scope: Set<Key>] = [:]
    private var tasks = Recent<TaskKey, TaskCall>(countMax: 1_024)
    private var rounds = Recent<RoundKey, AskedRound>(countMax: 1_024)
    /// What was left to its session, the oldest first, answered or not.
    private var released: [Key] = []
    private static var releasedCountMax: Int { 1_024 }
    private static var candidateCountMax: Int { 16 }
    private static var pollCountMax: Int { 128 }
    /// Requests that wait.
    package private(set) var count = 0
    /// Requests that came when too many waited.
    package private(set) var overflowCount = 0

    package init(countMax: Int = 16_384) { self.countMax = countMax }

    /// The round before the one that `message` begins, and the number of that; `nil` for a call of its own, and where two clients that
    /// cannot be told apart wait for the same: a link to another's call is worse than none.
    package mutating func roundBefore(_ message: JSONRPCMessage, on way: MessageWay) -> (call: Call, number: Int)? {
        guard let params = message.params, params.hasInputResponses || params.requestState != nil,
            let before = rounds.remove(Self.roundKey(params, way)), !before.isAmbiguous
        else { return nil }
        return (before.call, before.number)
    }

    private static func roundKey(_ params: JSONRPCMessage.Params?, _ way: MessageWay) -> RoundKey {
        RoundKey(
            owner: Owner(way),
            clientInfo: params?.meta?.clientInfo ?? 0,
            name: params?.name ?? "",
            arguments: params?.arguments ?? 0,
            state: params?.requestState
        )
    }

    private mutating func ask(_ call: Call, _ round: Round, state: UInt64?) {
        var key = round.key
        key.state = state
        var asked = AskedRound(call: call, number: round.number)
        if case .client = key.owner { asked.isAmbiguous = rounds.contains(key) }
        _ = rounds.insert(asked, for: key)
    }

    /// Registers the call that `message` makes, before it is sent, as the round of this number. `false` when there are too many, or
    /// the message has no id.
    package mutating func register(_ call: Call, of message: JSONRPCMessage, round: Int = 1, on way: MessageWay) -> Bool
    {
        guard let id = message.id else { return false }
        let params = message.params
        let round = Round(number: round, key: Self.roundKey(params, way))
        return add(.call(call, round, progressToken: params?.meta?.progressToken), Key(scope: way.scope, id: id), way)
    }

    /// The call that became the task which `message` of the client asks about; `nil` where there is none, and for what is asked too
    /// often to be told each time.
    package mutating func callPolled(by message: JSONRPCMessage, on way: MessageWay) -> Call? {
        guard Self.polls(message), let key = Self.task(message.params, way) else { return nil }
        return tasks.update(key) { task in
            guard task.pollCount < Self.pollCountMax else { return nil }
            task.pollCount += 1
            return task.call
        }
    }

    /// Registers what was made of a question about a task. `false` when there are too many, or the message asks about none.
    package mutating func register(poll: Call, of message: JSONRPCMessage, on way: MessageWay) -> Bool {
        guard let id = message.id, Self.polls(message), let task = Self.task(message.params, way) else { return false }
        let purpose = Purpose.poll(task, isResult: message.method == "tasks/result", poll)
        return add(purpose, Key(scope: way.scope, id: id), way)
    }

    /// The calls that wait, any of which may be what the server asks for; none where so many wait that nothing is said by naming each.
    package func candidates(on way: MessageWay) -> [Call] {
        let calls = Array(calls(way.scope).lazy.map(\.call).prefix(Self.candidateCountMax + 1))
        return calls.count <= Self.candidateCountMax ? calls : []
    }

    /// Registers what was made of a request of the server. `false` when there are too many.
    package mutating func register(serverRequest: Call, of message: JSONRPCMessage, on way: MessageWay) -> Bool {
        guard let id = message.id else { return false }
        return add(.serverRequest(serverRequest), Key(scope: way.scope, id: id, isOfServer: true), way)
    }

    private static func polls(_ message: JSONRPCMessage) -> Bool {
        message.kind == .request && (message.method == "tasks/get" || message.method == "tasks/result")
    }

    private mutating func add(_ purpose: Purpose, _ key: Key, _ way: MessageWay) -> Bool {
        guard count < countMax else {
            overflowCount += 1
            return false
        }
        count += 1
        entries[key, default: []].append(Entry(purpose: purpose, exchange: way.exchange))
        keysOfScope[key.scope, default: []].insert(key)
        if way.exchange != 0 { keysOfExchange[way.exchange, default: []].insert(key) }
        return true
    }

    // MARK: Messages

    /// What a message of the client, which is no call, means.
    package mutating func receive(fromClient message: JSONRPCMessage, on way: MessageWay) -> [Event] {
        switch (message.kind, message.method) {
        case (.notification, "notifications/cancelled"):
            return cancel(message, isOfServer: false, way)
        case (.request, "initialize"), (.request, "server/discover"):
            if let id = message.id { _ = add(.handshake, Key(scope: way.scope, id: id), way) }
        case (.request, "tasks/get"), (.request, "tasks/result"):
            if let id = message.id, let task = Self.task(message.params, way), tasks.contains(task) {
                let purpose = Purpose.poll(task, isResult: message.method == "tasks/result", nil)
                _ = add(purpose, Key(scope: way.scope, id: id), way)
            }
        case (.request, "tasks/cancel"):
            if let task = Self.task(message.params, way), let call = tasks.remove(task)?.call {
                return [.ended(call, .cancelled)]
            }
        case (.response, _):
            guard let id = message.id,
                let call = remove(Key(scope: way.scope, id: id, isOfServer: true), way.exchange)?.call
            else { return [] }
            return [.ended(call, Self.outcome(ofAnswer: message))]
        default: break
        }
        return []
    }

    private mutating func cancel(_ message: JSONRPCMessage, isOfServer: Bool, _ way: MessageWay) -> [Event] {
        guard let id = message.params?.requestID,
            let call = remove(Key(scope: way.scope, id: id, isOfServer: isOfServer), way.exchange)?.call
        else { return [] }
        return [.ended(call, .cancelled)]
    }

    /// Whether there was one.
    private static func outcome(ofAnswer message: JSONRPCMessage) -> CallOutcome {
        message.isError ? .failure(code: message.errorCode ?? "error") : .success
    }

    /// What a message of the server means.
    package mutating func receive(fromServer message: JSONRPCMessage, on way: MessageWay) -> [Event] {
        switch message.kind {
        case .response: return answer(message, way)
        case .notification: return notification(message, way)
        case .request:
            guard let method = message.method, let id = message.id else { return [] }
            let candidates = candidates(on: way)
            return candidates.map { .serverRequest($0, method: method, id: id, candidates: candidates.count) }
        case .other: return []
        }
    }

    private mutating func answer(_ message: JSONRPCMessage, _ way: MessageWay) -> [Event] {
        guard let id = message.id, let entry = remove(Key(scope: way.scope, id: id), way.exchange) else { return [] }
        let result = message.result
        var events: [Event] = []
        if let name = result?.serverName { events.append(.server(name: name, protocolVersion: nil)) }
        switch entry.purpose {
        case .handshake:
            return [.server(name: result?.serverName, protocolVersion: result?.protocolVersion)]
        case .poll(let task, let isResult, let poll):
            if let poll { events.append(.ended(poll, Self.outcome(ofAnswer: message))) }
            return events + (isResult ? taskResult(task, message) : taskStatus(task, result))
        case .serverRequest: return []
        case .call(let call, let round, _):
            guard !message.isError, let result else {
                return events + [.ended(call, .failure(code: message.errorCode ?? "error"))]
            }
            if result.isError { return events + [.ended(call, .toolError)] }
            if result.resultType == "input_required" {
                ask(call, round, state: result.requestState)
                return events + [.ended(call, .inputRequired)]
            }
            // MCP 2026-07-28 says by `resultType` that it is a task, 2025-11-25 by `task`, which needs no more than its id.
            guard let task = result.taskID, result.resultType == nil || result.resultType == "task" else {
                return events + [.ended(call, .success)]
            }
            events.append(.becameTask(call, id: task, status: result.status))
            if let ended = Self.outcome(status: result.status, nil) { return events + [.ended(call, ended)] }
            if let evicted = tasks.insert(TaskCall(call: call), for: TaskKey(owner: round.key.owner, id: task)) {
                events.append(.ended(evicted.call, .success))
            }
            return events
        }
    }

    private static func task(_ params: JSONRPCMessage.Params?, _ way: MessageWay) -> TaskKey? {
        params?.taskID.map { TaskKey(owner: Owner(way), id: $0) }
    }

    /// An error says nothing of the task.
    private mutating func taskStatus(_ task: TaskKey, _ result: JSONRPCMessage.Result?) -> [Event] {
        guard let outcome = Self.outcome(status: result?.status, result), let call = tasks.remove(task)?.call else {
            return []
        }
        return [.ended(call, outcome)]
    }

    private mutating func taskResult(_ task: TaskKey, _ message: JSONRPCMessage) -> [Event] {
        guard let call = tasks.remove(task)?.call else { return [] }
        if message.isError { return [.ended(call, Self.outcome(ofAnswer: message))] }
        return [.ended(call, message.result?.isError == true ? .toolError : .success)]
    }

    /// `nil` for a task that goes on.
    private static func outcome(status: String?, _ result: JSONRPCMessage.Result?) -> CallOutcome? {
        switch status {
        case "completed": result?.innerIsError == true ? .toolError : .success
        case "failed": result?.innerErrorCode.map { .failure(code: $0) } ?? .toolError
        case "cancelled": .cancelled
        default: nil
        }
    }

    private mutating func notification(_ message: JSONRPCMessage, _ way: MessageWay) -> [Event] {
        guard let params = message.params else { return [] }
        switch message.method {
        case "notifications/progress":
            guard let token = params.progressToken, let call = call(progressToken: token, way.scope) else { return [] }
            return [.progress(call, progress: params.progress, total: params.total)]
        case "notifications/tasks", "notifications/tasks/status":
            guard let task = Self.task(params, way), let outcome = Self.outcome(status: params.status, nil),
                let call = tasks.remove(task)?.call
            else { return [] }
            return [.ended(call, outcome)]
        case "notifications/cancelled": return cancel(message, isOfServer: true, way)
        default: return []
        }
    }

    // MARK: Ends

    /// What ends with a request of HTTP: its calls that have no answer.
    package mutating func close(exchange: UInt64, _ outcome: CallOutcome) -> [Event] {
        var events: [Event] = []
        for key in keysOfExchange[exchange] ?? [] {
            while let entry = remove(key, exchange, isStrict: true) {
                if let call = entry.call { events.append(.ended(call, outcome)) }
            }
        }
        return events
    }

    /// Leaves the calls of a request of HTTP to their session: their answers come along another way, if they come. Of so many that
    /// nobody seems to ask for the oldest end.
    package mutating func release(exchange: UInt64) -> [Event] {
        for key in keysOfExchange.removeValue(forKey: exchange) ?? [] {
            guard var waiting = entries[key] else { continue }
            for index in waiting.indices where waiting[index].exchange == exchange { waiting[index].exchange = 0 }
            entries[key] = waiting
            released.append(key)
        }
        var events: [Event] = []
        while released.count > Self.releasedCountMax {
            guard let entry = remove(released.removeFirst(), 0, isStrict: true) else { continue }
            if let call = entry.call { events.append(.ended(call, .connectionClosed)) }
        }
        return events
    }

    /// What ends with a connection or a session. Its tasks go on without being watched, which is no failure.
    package mutating func close(scope: MessageWay.Scope, _ outcome: CallOutcome = .connectionClosed) -> [Event] {
        var events: [Event] = []
        for key in keysOfScope[scope] ?? [] {
            while let entry = remove(key, 0) {
                if let call = entry.call { events.append(.ended(call, outcome)) }
            }
        }
        _ = rounds.removeAll { $0.owner == .scope(scope) }
        return events + tasks.removeAll { $0.owner == .scope(scope) }.map { .ended($0.call, .success) }
    }

    /// What ends with everything. Tasks go on without being watched, which is no failure.
    package mutating func closeAll() -> [Event] {
        let open = Array(keysOfScope.keys).flatMap { close(scope: $0) }
        return open + tasks.removeAll().map { .ended($0.call, .success) }
    }

    // MARK: Pieces

    /// Takes out what waits under `key`: what came along this request of HTTP, or else, unless `isStrict`, the oldest.
    private mutating func remove(_ key: Key, _ exchange: UInt64, isStrict: Bool = false) -> Entry? {
        guard var waiting = entries[key] else { return nil }
        let found = waiting.firstIndex { $0.exchange == exchange }
        guard let index = found ?? (isStrict ? nil : waiting.indices.first) else { return nil }
        let entry = waiting.remove(at: index)
        count -= 1
        if !waiting.contains(where: { $0.exchange == entry.exchange }) {
            keysOfExchange[entry.exchange]?.remove(key)
            if keysOfExchange[entry.exchange]?.isEmpty == true { keysOfExchange[entry.exchange] = nil }
        }
        entries[key] = waiting.isEmpty ? nil : waiting
        if waiting.isEmpty {
            keysOfScope[key.scope]?.remove(key)
            if keysOfScope[key.scope]?.isEmpty == true { keysOfScope[key.scope] = nil }
        }
        return entry
    }

    private func calls(_ scope: MessageWay.Scope) -> some Sequence<(call: Call, progressToken: JSONRPCMessage.ID?)> {
        (keysOfScope[scope] ?? []).lazy.flatMap { entries[$0] ?? [] }.compactMap { entry in
            if case .call(let call, _, let token) = entry.purpose { (call, token) } else { nil }
        }
    }

    private func call(progressToken: JSONRPCMessage.ID, _ scope: MessageWay.Scope) -> Call? {
        calls(scope).first { $0.progressToken == progressToken }?.call
    }
}
