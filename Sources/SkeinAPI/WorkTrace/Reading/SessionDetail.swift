// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import SkeinWire

/// A session with its steps and the sessions that it started.
struct SessionDetail {
    private let record: SessionRecord
    private let childSessionIDs: [String]
    private let forest: WorkForest
    private let trace: WorkForest.Trace?
    /// Rows of ``trace``, by start.
    private let rows: [Int]
    private let orchestration: Orchestration
    /// Which rows of the trace are steps, by span id.
    private let rowBySpan: [SpanID: Int]

    var stepCount: Int { rows.count }

    /// The session at `place` among those of `orchestration`.
    init(_ place: Int, of orchestration: Orchestration, in forest: WorkForest) {
        var session = orchestration.sessions[place]
        self.orchestration = orchestration
        self.forest = forest
        let trace = forest.traces.first { $0.id == session.traceID }
        self.trace = trace
        childSessionIDs = orchestration.sessions.filter { $0.parentSessionID == session.sessionID }.map(\.sessionID)
        var rows: [Int] = []
        var rowBySpan: [SpanID: Int] = [:]
        if let trace {
            for (row, span) in trace.spans.enumerated() where span.spanID != session.spanID && !span.isHidden {
                let reference = Orchestration.SpanReference(traceID: span.traceID, spanID: span.spanID)
                guard orchestration.sessionIndexBySpan[reference] == place, rowBySpan[span.spanID] == nil else {
                    continue
                }
                rows.append(row)
                rowBySpan[span.spanID] = row
            }
            rows.sort { a, b in
                let (first, second) = (trace.spans[a], trace.spans[b])
                return first.startUnixNanos != second.startUnixNanos
                    ? first.startUnixNanos < second.startUnixNanos : first.spanID < second.spanID
            }
        }
        self.rows = rows
        self.rowBySpan = rowBySpan
        // Spans of other traces that tell of the same calls are none of its steps.
        if session.areStepsKept { session.stepCount = rows.count }
        record = SessionRecord(session, of: orchestration, in: trace)
    }

    func write(to json: inout JSONWriter, room: inout AnswerRoom) throws(APIError) {
        try json.object { json throws(APIError) in
            record.write(to: &json)
            json.array("childSessionIds") { json in
                for id in childSessionIDs { json.string(id) }
            }
            try json.array("steps") { json throws(APIError) in
                guard let trace else { return }
                for row in rows {
                    let step = StepRecord(
                        row,
                        of: trace,
                        sessionID: record.session.sessionID,
                        parentStepID: stepAbove(row, in: trace).map { StepRecord.id(of: trace.spans[$0]) }
                    )
                    step.write(to: &json, owner: owner)
                    try room.hold(json.count)
                }
            }
        }
    }

    /// The step below which that of `row` hangs; what is hidden hands its place to what stands above it, as far as spans
    /// that anyone wrote by design nest.
    private func stepAbove(_ row: Int, in trace: WorkForest.Trace) -> Int? {
        var id = trace.spans[row].parentSpanID
        for _ in 0..<64 {
            if let step = rowBySpan[id] { return step }
            guard let above = trace.row(of: id), trace.spans[above].isHidden else { return nil }
            id = trace.spans[above].parentSpanID
        }
        return nil
    }

    /// Which step of which session a span is, as far as the forest holds it; a session's own span is no step.
    private func owner(_ traceID: TraceID, _ spanID: SpanID) -> (sessionID: String, stepID: String?)? {
        let reference = Orchestration.SpanReference(traceID: traceID, spanID: spanID)
        guard let place = orchestration.sessionIndexBySpan[reference], orchestration.sessions.indices.contains(place)
        else {
            return nil
        }
        let session = orchestration.sessions[place]
        guard session.spanID != spanID || session.traceID != traceID else { return (session.sessionID, nil) }
        let span = forest.traces.first { $0.id == traceID }.flatMap { trace in
            trace.row(of: spanID).map { trace.spans[$0] }
        }
        return (session.sessionID, span.map(StepRecord.id))
    }
}
