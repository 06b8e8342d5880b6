// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The calls of the API, from the object that a caller sent to the books; of every door the same.
extension WorkTrace {
    /// A step with its session as it is afterwards.
    struct StepOfSession: Sendable {
        var step: WorkStep
        var session: WorkSession
    }

    typealias Answer<Value: Sendable> = Done<WorkLedger.Answer<Value>>

    func startSession(_ object: WorkObject, _ carrier: WorkCarrier) async throws(APIError) -> Answer<WorkSession> {
        var object = object
        let given = try object.id("sessionId")
        let fields = try WorkFields(session: object, content)
        if let given { try await recall(given, startedBy: fields, carrier) }
        let done = try await perform { ledger, now, effects throws(APIError) in
            let id = given ?? ledger.announced(fields, carrier) ?? WorkID.fresh("ses_")
            return try ledger.startSession(id, fields, carrier, at: now, &effects)
        }
        try await restamp([done.value.record.id])
        return done
    }

    func heartbeat(_ id: String) async throws(APIError) -> WorkSession {
        try await recallToWrite(id)
        return try await perform { ledger, now, _ throws(APIError) in try ledger.heartbeat(id, at: now) }.value
    }

    func endSession(_ id: String, _ object: WorkObject) async throws(APIError) -> Answer<WorkSession> {
        try await recallToWrite(id)
        guard knows(session: id) else { throw .unknownSession(id) }
        let end = try WorkFields(sessionEnd: object, content)
        let done = try await perform { ledger, now, effects throws(APIError) in
            try ledger.endSession(id, end, at: now, &effects)
        }
        // Whoever reads the session now finds all of its steps, those that ended before a stop of the server as well.
        await storeWhatWaits(of: id)
        return done
    }

    func startStep(of sessionID: String, _ object: WorkObject) async throws(APIError) -> Answer<StepOfSession> {
        var object = object
        let id = try object.id("stepId") ?? WorkID.fresh("st_")
        var fields = try WorkFields(step: object, content)
        try fields.completeAction(object)
        return try await startStep(id, of: sessionID, fields)
    }

    private func startStep(
        _ id: String,
        of sessionID: String,
        _ fields: WorkFields
    ) async throws(APIError) -> Answer<StepOfSession> {
        try await recallToWrite(sessionID)
        let done = try await perform { ledger, now, effects throws(APIError) in
            let answer = try ledger.startStep(id, of: sessionID, fields, at: now, &effects)
            guard let session = ledger.sessions[sessionID] else { throw APIError.unknownSession(sessionID) }
            return WorkLedger.Answer(
                status: answer.status,
                record: StepOfSession(step: answer.record, session: session)
            )
        }
        try await noteCauses(of: done.value.record.step, in: sessionID, fields)
        return done
    }

    func patchStep(_ id: String, of sessionID: String, _ object: WorkObject) async throws(APIError) -> Answer<WorkStep>
    {
        let fields = try WorkFields(step: object, content)
        try await recallToWrite(sessionID)
        let done = try await perform { ledger, now, effects throws(APIError) in
            try ledger.patchStep(id, of: sessionID, fields, at: now, &effects)
        }
        try await noteCauses(of: done.value.record, in: sessionID, fields)
        return done
    }

    func spawn(of sessionID: String, _ object: WorkObject) async throws(APIError) -> Answer<StepOfSession> {
        var object = object
        guard let agent = try object.id("childAgentId") else {
            throw object.invalid("childAgentId", "childAgentId is missing: name the agent that is started.")
        }
        let id = try object.id("stepId") ?? WorkID.fresh("st_")
        let (mode, linkMode) = (try object.linkMode("mode"), try object.linkMode("linkMode"))
        let child = try object.id("childSessionId")
        let task = object.value("task")
        var fields = try WorkFields(step: object, content)
        fields.set("childAgentId", agent)
        // A repeated call of the same step gets the same child.
        fields.set(
            "childSessionId",
            child ?? "ses_" + WorkDigest(Array("wt:c:\(sessionID)/\(id)".utf8)).description.prefix(20)
        )
        fields.set("linkMode", mode ?? linkMode ?? "join")
        switch task {
        case .string(let text)?: fields.set("task", WorkContent.cut(Array(text.utf8), WorkContext.valueByteCountMax))
        case let value?:
            fields.set("task", WorkContent.cut(WorkFields.canonical(value), WorkContext.valueByteCountMax))
        case nil: break
        }
        if fields["stepAction"] == nil { fields.set("stepAction", "agent:\(agent)") }
        if fields["stepKind"] == nil { fields.set("stepKind", "agent") }
        return try await startStep(id, of: sessionID, fields)
    }
}

extension WorkFields {
    /// A step says what it does, or at least of which kind it is.
    mutating func completeAction(_ object: WorkObject) throws(APIError) {
        guard text("stepAction") == nil else { return }
        let tool = fields("tool").text("name")
        guard let kind = text("stepKind") ?? (tool == nil ? nil : "tool") else {
            throw object.invalid("stepAction", "stepAction is missing: say what the step does, as in tool:grep.")
        }
        set("stepAction", tool.map { "\(kind):\($0)" } ?? kind)
    }
}
