// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
import SkeinStore

/// Messages on their way into the books.
extension WorkTrace {
    /// A message as it came.
    struct Post: Sendable {
        var id: String
        var fields: WorkFields
        var carrier: WorkCarrier
    }

    /// Keeps messages: each is stamped with the step that sent it, and is an event of that step. Answers each with 201, or 200
    /// for a repetition.
    func post(_ posts: [Post]) async throws(APIError) -> [Result<WorkLedger.Answer<WorkFields>, APIError>] {
        guard messages.hasRoom else {
            throw .tooMuchWork("The disk does not take messages as fast as they come: try again later.")
        }
        var asked: Set<String> = []
        for post in posts {
            guard let id = post.fields.text("sessionId"), asked.insert(id).inserted else { continue }
            try await recall(id)
        }
        let now = clock.unixNanos
        let records = posts.map { post in
            var record = stamped(post)
            record.set("t", "message")
            record.set("messageId", post.id)
            record.set("digest", post.fields.digest.description)
            record.set("received", nanos: now)
            if record["time"] == nil { record.set("time", nanos: now) }
            return record
        }
        var answers: [Result<WorkLedger.Answer<WorkFields>, APIError>] = []
        var written: [(id: String, record: WorkFields)] = []
        var repeated: [(place: Int, id: String)] = []
        for (standing, (post, record)) in zip(
            messages.reserve(records.compactMap(WorkMessages.Entry.init)),
            zip(posts, records)
        ) {
            switch standing {
            case .new:
                written.append((post.id, record))
                answers.append(.success(.init(status: 201, record: record)))
            case .same(let known):
                repeated.append((answers.count, post.id))
                answers.append(.success(.init(status: 200, record: known.stamp)))
            case .other:
                answers.append(.failure(.conflict("Message", post.id, "give the new message another id, or none")))
            }
        }
        do throws(StoreError) {
            try await messages.write(written)
        } catch {
            throw APIError(error, requestID: "worktrace")
        }
        if messages.isOverfull { messages.expire(before: 0) }
        for (place, id) in repeated where await !messages.isWritten(id) {
            answers[place] = .failure(
                .tooMuchWork("Message \(APICall.shown(id)) is being written for somebody else: try again in a moment.")
            )
        }
        _ = try await perform { ledger, now, effects in
            for message in written { Self.note(message.record, in: &ledger, now, &effects) }
        }
        // Their sessions may have begun meanwhile.
        try await restamp(written.filter { $0.record.flag(Self.isGuess) }.compactMap { $0.record.text("sessionId") })
        return answers
    }

    /// Marks a message whose session nobody knew: its trace is what it would be.
    static let isGuess = "guessed"

    /// Messages that came before their sessions get the place of these.
    func restamp(_ sessions: [String]) async throws(APIError) {
        for session in Set(sessions) {
            var corrected: [(id: String, record: WorkFields)] = []
            for entry in messages.guesses(ofSession: session) {
                let link = read { ledger in
                    ledger.sessions[session]?.isStarted == true ? ledger.resolve(session, entry.stepID ?? "") : nil
                }
                guard let link, link.traceID != entry.traceID || link.spanID != entry.spanID,
                    var record = await messages.record(entry)
                else { continue }
                record[Self.isGuess] = nil
                record.set("traceId", link.traceID.description)
                record.set("spanId", link.spanID.description)
                corrected.append((entry.id, record))
            }
            do throws(StoreError) {
                try await messages.rewrite(corrected)
            } catch {
                throw APIError(error, requestID: "worktrace")
            }
        }
    }

    private static func note(
        _ record: WorkFields,
        in ledger: inout WorkLedger,
        _ now: UInt64,
        _ effects: inout WorkEffects
    ) {
        guard let session = record.text("sessionId") else { return }
        var attributes = [
            Attribute("message.id", .string(record.text("messageId") ?? "")), Attribute("direction", "sent"),
        ]
        if let thread = record["threadId"] { attributes.append(Attribute("thread", thread)) }
        var event = WorkFields()
        event.set("name", "worktrace.message")
        event.set("time", nanos: record.nanos("time"))
        event["attributes"] = .map(attributes)
        let reference = WorkReference(session: session, step: record.text("stepId") ?? "")
        _ = ledger.addEvent(event, to: reference, at: now, &effects)
    }

    /// The message with the step that sent it: which it says itself, else whose context came with it, else the one that its
    /// sender is in.
    private func stamped(_ post: Post) -> WorkFields {
        var record = post.fields
        let own = WorkCarrier(traceparent: post.fields.text("traceparent"), tracestate: nil, baggage: nil)
        record["traceparent"] = nil
        let context = own.parent ?? post.carrier.parent
        return read { ledger in
            if let session = record.text("sessionId") {
                let link = ledger.resolve(session, record.text("stepId") ?? "")
                let isKnown = ledger.sessions[session] != nil || SpanSession(session) != nil
                if record["traceId"] == nil, isKnown || context == nil {
                    if ledger.sessions[session]?.isStarted != true, SpanSession(session) == nil {
                        record[Self.isGuess] = true
                    }
                    record.set("traceId", link.traceID.description)
                    record.set("spanId", link.spanID.description)
                }
            } else if record["traceId"] == nil, context == nil,
                let sender = record.text("from").flatMap({
                    ledger.current(ofAgent: $0, thread: record.text("threadId"))
                })
            {
                let link = ledger.resolve(sender.session, sender.step)
                record.set("sessionId", sender.session)
                if !sender.step.isEmpty { record.set("stepId", sender.step) }
                record.set("traceId", link.traceID.description)
                record.set("spanId", link.spanID.description)
            }
            if record["traceId"] == nil, let context {
                record.set("traceId", context.traceID.description)
                record.set("spanId", context.spanID.description)
            }
            if record["sessionId"] == nil, let span = record.text("spanId").flatMap({ SpanID(hex: $0) }),
                let known = ledger.spans[span]
            {
                record.set("sessionId", known.session)
                if !known.step.isEmpty { record.set("stepId", known.step) }
            }
            return record
        }
    }

    /// Notes which messages a step answers.
    func noteCauses(of step: WorkStep, in sessionID: String, _ fields: WorkFields) async throws(APIError) {
        let ids = fields.texts("messageIds")
        guard !ids.isEmpty else { return }
        let link = read { $0.resolve(sessionID, step.id) }
        do throws(StoreError) {
            try await messages.write(
                ids.map { id in
                    WorkMessages.Cause(
                        message: id,
                        reference: WorkReference(session: sessionID, step: step.id),
                        traceID: link.traceID,
                        spanID: link.spanID
                    )
                }
            )
        } catch {
            throw APIError(error, requestID: "worktrace")
        }
    }
}

extension WorkMessages.Entry {
    /// What a repetition is answered.
    var stamp: WorkFields {
        var fields = WorkFields()
        fields.set("messageId", id)
        fields.set("traceId", traceID?.description)
        fields.set("spanId", spanID?.description)
        fields.set("sessionId", sessionID)
        fields.set("stepId", stepID)
        return fields
    }
}

extension WorkLedger {
    /// The step that an agent, `agent:coder` or its name or id alone, is in now: of its running sessions the one of the thread,
    /// else the one last heard of, and of its open steps the last one begun.
    func current(ofAgent name: String, thread: String?) -> WorkReference? {
        let name = name.hasPrefix("agent:") ? String(name.dropFirst(6)) : name
        let running = sessions.running(ofAgent: name)
        func rank(_ session: WorkSession) -> (Int, UInt64, String) {
            (thread != nil && session.threadID == thread ? 1 : 0, session.lastUnixNanos, session.id)
        }
        guard let session = running.max(by: { rank($0) < rank($1) }) else { return nil }
        let step = (open[session.id] ?? [:]).values.filter { !$0.isEnded }.max {
            ($0.startUnixNanos, $0.id) < ($1.startUnixNanos, $1.id)
        }
        return WorkReference(session: session.id, step: step?.id ?? "")
    }
}
