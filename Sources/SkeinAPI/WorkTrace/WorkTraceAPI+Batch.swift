// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire

/// Many calls in one, as lines of JSON: for what was written while the server was away.
extension WorkTraceAPI {
    /// Lines that are taken into the books at a time.
    private static let partCount = 256
    /// A line may stand before the one that it needs: a step before its session, an end before its start. Looked at so often,
    /// every line finds what it needs, if it is there at all. The ends of sessions come behind all others.
    private static let passCount = 3

    /// One line, and what became of it.
    private struct Line: Sendable {
        var index: Int
        var object: WorkObject
        var op = ""
    }

    private struct Result: Sendable {
        var status = 0
        var session: String?
        var step: String?
        var message: String?
        var problem: APIError?
    }

    /// Most lines of a batch.
    private static let lineCountMax = 50_000

    static func batch(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let work = try api.openWork()
        try checkType(call, ["application/x-ndjson", "application/jsonl", "application/json"])
        let lineCount = call.request.body.count { $0 == 0x0a }
        guard lineCount <= lineCountMax else {
            throw APIError(
                413,
                "too-large",
                "The batch has \(lineCount) lines, at most \(lineCountMax) are taken: send several."
            )
        }
        var results: [Int: Result] = [:]
        let all = read(call.request.body, &results)
        var isBehind = false
        var searched: Set<String> = []
        // A session that ended before the rest of it would end as abandoned what has an end of its own further down.
        for isEnd in [false, true] {
            var lines = all.filter { ($0.op == "session.end") == isEnd }
            // A span links to who sent what the step answers, and so comes behind that.
            let answers = isEnd ? [] : answers(before: lines)
            for pass in 0..<passCount where !lines.isEmpty {
                var waiting = pass == 0 ? lines.filter { answers.contains($0.index) } : []
                var rest = lines[...].filter { pass > 0 || !answers.contains($0.index) }[...]
                while let first = rest.first {
                    let isMessage = first.op == "message"
                    let part = Array(rest.prefix { ($0.op == "message") == isMessage }.prefix(partCount))
                    rest = rest.dropFirst(part.count)
                    let done = isMessage ? try await post(part, work) : try await take(part, work, &searched, &isBehind)
                    for (line, result) in zip(part, done) {
                        let isEarly = ["unknown-session", "unknown-step"].contains(result.problem?.code ?? "")
                        if isEarly, pass < passCount - 1 { waiting.append(line) }
                        results[line.index] = result
                    }
                }
                // Nothing new will be found.
                if waiting.count == lines.count { break }
                lines = waiting.sorted { $0.index < $1.index }
            }
        }
        return response(results, isBehind: isBehind)
    }

    /// The places of lines that name messages which stand behind them.
    private static func answers(before lines: [Line]) -> Set<Int> {
        var places: [String: Int] = [:]
        for line in lines where line.op == "message" {
            var object = line.object
            if let id = try? object.id("messageId") { places[id] = line.index }
        }
        guard !places.isEmpty else { return [] }
        return lines.reduce(into: []) { answers, line in
            guard line.op.hasPrefix("step."), line.object.contains("messageIds") else { return }
            var object = line.object
            let ids = (try? object.ids("messageIds")) ?? []
            if ids.contains(where: { places[$0] ?? 0 > line.index }) { answers.insert(line.index) }
        }
    }

    /// The lines that are objects with a known `op`; the others have their result, but for those without any text. The index is
    /// the line's place in the body, from zero.
    private static func read(_ body: [UInt8], _ results: inout [Int: Result]) -> [Line] {
        var lines: [Line] = []
        let texts = body.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (index, text) in texts.enumerated()
        where text.contains(where: { $0 != 0x20 && $0 != 0x0d && $0 != 0x09 }) {
            do throws(APIError) {
                var line = Line(index: index, object: try WorkObject(body: Array(text)))
                let op = try line.object.text("op") ?? ""
                guard operations.contains(op) else {
                    throw .invalid("/op", "op is \(APICall.shown(op)): it takes \(operations.joined(separator: ", ")).")
                }
                line.op = op
                lines.append(line)
            } catch {
                results[index] = Result(status: error.status, problem: error)
            }
        }
        return lines
    }

    private static let operations = [
        "session.start", "session.heartbeat", "step.start", "step.event", "step.end", "session.end", "message",
    ]

    /// Takes lines into the books, in order and in one go.
    private static func take(
        _ lines: [Line],
        _ work: WorkTrace,
        _ searched: inout Set<String>,
        _ isBehind: inout Bool
    ) async throws(APIError) -> [Result] {
        try await recall(lines, work, &searched)
        let content = work.content
        let done = try await work.perform { ledger, now, effects in
            lines.map { line in
                do throws(APIError) {
                    return try take(line, into: &ledger, content, now, &effects)
                } catch {
                    var object = line.object
                    return Result(
                        status: error.status,
                        session: (try? object.id("sessionId")) ?? nil,
                        step: (try? object.id("stepId")) ?? nil,
                        problem: error
                    )
                }
            }
        }
        isBehind = isBehind || done.isBehind
        let begun = zip(lines, done.value).filter { $0.op == "session.start" && $1.problem == nil }
        try await work.restamp(begun.compactMap(\.1.session))
        for (line, result) in zip(lines, done.value) where result.problem == nil {
            guard let session = result.session, let step = result.step, line.object.contains("messageIds") else {
                continue
            }
            let fields = try? WorkFields(step: line.object, content)
            try await work.noteCauses(of: WorkStep(id: step, startUnixNanos: 0), in: session, fields ?? WorkFields())
        }
        return done.value
    }

    /// Makes known what the lines are about, each session once, those before all that begin here; of a batch, all of the store is
    /// looked through once for a session, which is put down in `searched`.
    private static func recall(
        _ lines: [Line],
        _ work: WorkTrace,
        _ searched: inout Set<String>
    ) async throws(APIError) {
        var known: Set<String> = []
        for isStart in [true, false] {
            for line in lines where (line.op == "session.start") == isStart {
                var object = line.object
                guard let id = try? object.id("sessionId"), known.insert(id).inserted else { continue }
                if isStart {
                    guard let fields = try? WorkFields(session: object, work.content) else { continue }
                    try await work.recall(id, startedBy: fields, WorkCarrier(source: "batch"))
                } else if searched.insert(id).inserted {
                    try await work.recall(id)
                }
            }
        }
    }

    private static func take(
        _ line: Line,
        into ledger: inout WorkLedger,
        _ content: WorkContent,
        _ now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Result {
        var object = line.object
        if line.op == "session.start" {
            let given = try object.id("sessionId")
            let fields = try WorkFields(session: object, content)
            let carrier = WorkCarrier(source: "batch")
            let id = given ?? ledger.announced(fields, carrier) ?? WorkID.fresh("ses_")
            let answer = try ledger.startSession(id, fields, carrier, at: now, &effects)
            return Result(status: answer.status, session: id)
        }
        guard let session = try object.id("sessionId") else {
            throw object.invalid("sessionId", "sessionId is missing: name the session.")
        }
        if line.op == "session.end" {
            object.completeOutcome("outcome")
            let answer = try ledger.endSession(session, try WorkFields(sessionEnd: object, content), at: now, &effects)
            return Result(status: answer.status, session: session)
        }
        if line.op == "session.heartbeat" {
            _ = try ledger.heartbeat(session, at: now)
            return Result(status: 200, session: session)
        }
        guard let step = try object.id("stepId") ?? (line.op == "step.start" ? WorkID.fresh("st_") : nil) else {
            throw object.invalid("stepId", "stepId is missing: name the step.")
        }
        switch line.op {
        case "step.start":
            var fields = try WorkFields(step: object, content)
            try fields.completeAction(object)
            let answer = try ledger.startStep(step, of: session, fields, at: now, &effects)
            return Result(status: answer.status, session: session, step: step)
        case "step.end":
            var fields = try WorkFields(step: object, content)
            if fields.text("stepOutcome") == nil { fields.set("stepOutcome", "success") }
            let answer = try ledger.patchStep(step, of: session, fields, at: now, &effects)
            return Result(status: answer.status, session: session, step: step)
        default:
            let event = try WorkFields.event(object, content)
            let isNew = try ledger.addEvent(event, toStep: step, of: session, at: now, &effects)
            return Result(status: isNew ? 201 : 200, session: session, step: step)
        }
    }

    private static func post(_ lines: [Line], _ work: WorkTrace) async throws(APIError) -> [Result] {
        var results = [Result](repeating: Result(), count: lines.count)
        var posts: [(place: Int, post: WorkTrace.Post)] = []
        for (place, line) in lines.enumerated() {
            do throws(APIError) {
                posts.append((place, try WorkTrace.Post(line.object, WorkCarrier(), work.content)))
            } catch {
                results[place] = Result(status: error.status, problem: error)
            }
        }
        for ((place, post), answer) in zip(posts, try await work.post(posts.map(\.post))) {
            var result = Result(message: post.id)
            do throws(APIError) {
                result.status = try answer.get().status
                result.session = try answer.get().record.text("sessionId")
                result.step = try answer.get().record.text("stepId")
            } catch {
                result.status = error.status
                result.problem = error
            }
            results[place] = result
        }
        return results
    }

    private static func response(_ results: [Int: Result], isBehind: Bool) -> APIResponse {
        let rejected = results.values.count { $0.problem != nil }
        var response = APIResponse.json(capacity: 256 + results.count * 128) { json in
            json.object { json in
                json.array("results") { json in
                    for index in results.keys.sorted() {
                        guard let result = results[index] else { continue }
                        json.object { json in
                            json.member("index", index)
                            json.member("status", result.status)
                            json.member("sessionId", result.session)
                            json.member("stepId", result.step)
                            json.member("messageId", result.message)
                            json.key("problem")
                            if let problem = result.problem {
                                json.object { json in NativeAPI.write(problem, to: &json) }
                            } else {
                                json.null()
                            }
                        }
                    }
                }
                json.member("accepted", results.count - rejected)
                json.member("rejected", rejected)
            }
        }
        if isBehind { response.headers.append(("Retry-After", "1")) }
        return response
    }
}

extension WorkLedger {
    /// Adds an event to a step by name; `false` when the very same is there already, by its id or by the time that it says.
    mutating func addEvent(
        _ event: WorkFields,
        toStep stepID: String,
        of sessionID: String,
        at now: UInt64,
        _ effects: inout WorkEffects
    ) throws(APIError) -> Bool {
        guard sessions[sessionID] != nil else { throw .unknownSession(sessionID) }
        let known = open[sessionID]?[stepID] ?? recent.step(sessionID, stepID)
        let standing = known.map { WorkStep.standing(of: event, among: $0.fields.list("events")) } ?? .new
        if standing == .same { return false }
        if standing == .other, let id = event.text("id") { throw .otherEvent(id) }
        guard let step = open[sessionID]?[stepID], !step.isEnded || step.isAbandoned else {
            guard knows(stepID, of: sessionID) else { throw .unknownStep(stepID, sessionID) }
            throw .conflict("Step", stepID, "it has ended, and what has ended is not changed")
        }
        guard !step.isEnded else {
            var fields = WorkFields()
            fields["events"] = .array([event.value])
            _ = try patchStep(stepID, of: sessionID, fields, at: now, &effects)
            return true
        }
        try checkRoom(in: step)
        _ = addEvent(event, to: WorkReference(session: sessionID, step: stepID), at: now, &effects)
        return true
    }
}
