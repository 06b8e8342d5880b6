// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// What contradicts what is known.
extension WorkLedger {
    /// How far up is looked for a cycle.
    private static let ancestorCountMax = 1_000

    /// A session is not below itself, and is no other's by its id.
    func checkParent(of id: String, _ fields: WorkFields) throws(APIError) {
        if let span = SpanSession(id) { throw Self.idOfSpans(id, span, at: "/sessionId") }
        guard let parent = fields.text("parentSessionId"), isAbove(id, parent, { sessions[$0]?.place.parentSessionID })
        else { return }
        throw .invalid("/parentSessionId", Self.cycle("parentSessionId", parent, of: "session", id))
    }

    /// A step is not below itself.
    func checkParent(of id: String, in sessionID: String, _ fields: WorkFields) throws(APIError) {
        if let child = fields.text("childSessionId"), let span = SpanSession(child) {
            throw Self.idOfSpans(child, span, at: "/childSessionId")
        }
        let steps = open[sessionID] ?? [:]
        func parent(_ id: String) -> String? {
            (steps[id] ?? recent.step(sessionID, id))?.fields.text("parentStepId")
        }
        guard let above = fields.text("parentStepId"), isAbove(id, above, parent) else { return }
        throw .invalid("/parentStepId", Self.cycle("parentStepId", above, of: "step", id))
    }

    private func isAbove(_ id: String, _ first: String, _ parent: (String) -> String?) -> Bool {
        var above: String? = first
        for _ in 0..<Self.ancestorCountMax {
            guard let next = above else { return false }
            if next == id { return true }
            above = parent(next)
        }
        return false
    }

    private static func cycle(_ name: String, _ parent: String, of what: String, _ id: String) -> String {
        let (parent, own) = (APICall.shown(parent), APICall.shown(id))
        let fact = parent == own ? "the \(what) itself" : "which is below \(what) \(own) itself"
        return "\(name) is \(parent), \(fact): name the \(what) that started it, or none."
    }

    private static func idOfSpans(_ id: String, _ span: SpanSession, at field: String) -> APIError {
        .invalid(
            field,
            "The id \(APICall.shown(id)) is that of a session that OTLP spans make, a trace and a span: choose another, and hang it "
                + "below that one with the traceparent 00-\(span.traceID)-\(span.spanID)-01."
        )
    }

    /// The id of an event stands for the same facts each time.
    func checkEvents(_ fields: WorkFields, in step: WorkStep) throws(APIError) {
        var events = step.fields.list("events")
        for value in fields.list("events") {
            guard case .map(let pairs) = value else { continue }
            let event = WorkFields(pairs)
            guard let id = event.text("id") else { continue }
            switch WorkStep.standing(of: event, among: events) {
            case .new: events.append(value)
            case .same: break
            case .other: throw .otherEvent(id)
            }
        }
    }
}

extension APIError {
    static func otherEvent(_ id: String) -> APIError {
        .conflict("Event", id, "give the new event another eventId, or none")
    }
}

extension WorkSession.Place {
    /// Whether a start that comes again has another parent. Of a header only the trace counts: a client that traces its own calls
    /// gives each of them a span of its own. What comes along with a model's call is of that call alone.
    func contradicts(_ fields: WorkFields, _ sent: WorkCarrier) -> Bool {
        guard sent.source != "mcp", let parent = sent.overridden(by: fields).parent else { return false }
        let isLink = linkMode == "link"
        guard let known = isLink ? origin : .init(traceID: traceID, spanID: parentSpanID) else { return false }
        guard known.traceID == parent.traceID else { return true }
        let own = WorkCarrier(traceparent: fields.text("traceparent"), tracestate: nil, baggage: nil).parent
        return own.map { $0.spanID != known.spanID } ?? false
    }
}
