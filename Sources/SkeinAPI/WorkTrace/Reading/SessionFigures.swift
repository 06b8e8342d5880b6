// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

/// What a session came to, in the record of it that its end is answered: as whoever reads the session finds it.
struct SessionFigures {
    /// Most spans of a trace that is read for it: an end should not take long.
    static let spanCountMax = 5_000

    private let session: Orchestration.Session

    /// `nil` where the trace is larger, or cannot be read now: the running sums of the books have to do.
    init?(of session: WorkSession, _ api: API, _ call: APICall) async {
        guard session.totals.steps < Self.spanCountMax else { return nil }
        var room = AnswerRoom(api.answers)
        let read = try? await WorkForest.read(
            session.place.traceID,
            api,
            call,
            room: &room,
            spanCountMax: Self.spanCountMax
        )
        guard let trace = read ?? nil else { return nil }
        let orchestration = Orchestration(trace.spans, nowUnixNanos: api.clock.unixNanos, listMax: .max)
        guard let found = orchestration.sessions.first(where: { $0.sessionID == session.id }) else { return nil }
        self.session = found
    }

    /// Writes the members of `totals`.
    func write(to json: inout JSONWriter) { session.writeTotals(to: &json) }
}

extension Orchestration.Session {
    /// Writes the members of a record's `totals`.
    func writeTotals(to json: inout JSONWriter) {
        json.member("steps", stepCount)
        json.member("errors", errorCount)
        json.member("llmCalls", llmCallCount)
        json.member("toolCalls", toolCallCount)
        json.member("toolErrors", toolErrorCount)
        usage.write(to: &json)
        json.member("durationMs", durationNanos / 1_000_000)
        json.member("activeMs", (durationNanos - min(waitNanos, durationNanos)) / 1_000_000)
        json.member("waitMs", waitNanos / 1_000_000)
    }
}
