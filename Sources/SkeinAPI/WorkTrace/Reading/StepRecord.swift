// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

/// One step of a session: a span below the session's own.
struct StepRecord {
    let span: AgentSpan
    let sessionID: String
    /// `nil` directly below the session.
    let parentStepID: String?
    private let stored: Span

    init(_ row: Int, of trace: WorkForest.Trace, sessionID: String, parentStepID: String?) {
        span = trace.spans[row]
        stored = trace.batch.span(at: row)
        self.sessionID = sessionID
        self.parentStepID = parentStepID
    }

    /// What a step is called: WorkTrace's own name, else the span's.
    static func id(of span: AgentSpan) -> String {
        if let work = span.work, !work.isSession { work.stepID } else { span.spanID.description }
    }

    /// Writes the record; `owner` says which step of which session a linked span is.
    func write(to json: inout JSONWriter, owner: (TraceID, SpanID) -> (sessionID: String, stepID: String?)?) {
        json.object { json in
            json.member("stepId", Self.id(of: span))
            json.member("sessionId", sessionID)
            json.member("parentStepId", parentStepID)
            json.member("traceId", span.traceID)
            json.member("spanId", span.spanID)
            json.member("stepAction", span.work?.stepAction ?? span.name)
            json.member("stepKind", span.work?.stepKind ?? span.kind?.rawValue ?? "custom")
            json.member("attempt", span.attempt ?? 1)
            json.member("retryOf", span.work?.retryOf)
            json.object("stepContext") { json in
                for member in WorkContext.read(stored.attributes) {
                    json.key(text: member.key)
                    json.plain(member.value)
                }
            }
            json.member("contextTruncated", WorkContext.isTruncated(stored.attributes))
            json.member("startTime", RFC3339.format(span.startUnixNanos))
            json.member("endTime", span.isOpen ? nil : RFC3339.format(span.endUnixNanos))
            json.member("stepOutcome", Self.outcome(of: span))
            writeFacts(to: &json)
            writeLinks(to: &json, owner: owner)
        }
    }

    static func outcome(of span: AgentSpan) -> String {
        if let outcome = span.work?.outcome { return outcome }
        if span.isOpen { return "running" }
        return span.status.code == .error || span.errorType != nil ? "failure" : "success"
    }

    private func writeFacts(to json: inout JSONWriter) {
        json.key("error")
        if span.status.code == .error || span.errorType != nil {
            json.object { json in
                json.member("type", span.errorType)
                json.member("message", span.status.message.isEmpty ? nil : span.status.message)
            }
        } else {
            json.null()
        }
        json.key("usage")
        if let usage = span.usage {
            json.object { json in usage.write(to: &json) }
        } else {
            json.null()
        }
        json.key("tool")
        if let tool = span.tool {
            json.object { json in
                json.member("name", tool.name)
                json.member("callId", tool.callID)
                json.member("server", tool.server)
                json.member("layer", tool.layer.rawValue)
            }
        } else {
            json.null()
        }
        json.key("llm")
        if let model = span.model {
            json.object { json in
                json.member("model", model.answered ?? model.requested)
                json.member("provider", model.provider)
                json.array("finishReasons") { json in
                    for reason in model.finishReasons { json.string(reason) }
                }
                json.member("firstChunkNanos", decimal: model.firstChunkNanos)
            }
        } else {
            json.null()
        }
        json.key("waitsOn")
        if let wait = span.wait {
            json.object { json in
                json.member("kind", wait.kind)
                json.member("id", wait.id)
            }
        } else {
            json.null()
        }
    }

    /// What a link was said to lead to comes back; of others what is found there.
    private func writeLinks(
        to json: inout JSONWriter,
        owner: (TraceID, SpanID) -> (sessionID: String, stepID: String?)?
    ) {
        json.array("links") { json in
            for link in stored.links {
                let named = link.attributes[WorkSpan.linkedSession]?.text
                let owner =
                    named.map { ($0, link.attributes[WorkSpan.linkedStep]?.text) } ?? owner(link.traceID, link.spanID)
                json.object { json in
                    json.member("traceId", link.traceID)
                    json.member("spanId", link.spanID)
                    json.member("sessionId", owner?.0)
                    json.member("stepId", owner?.1)
                    json.member("relation", link.attributes["worktrace.link.relation"]?.text)
                }
            }
        }
        json.array("messageIds") { json in
            for link in stored.links {
                if let id = link.attributes["messaging.message.id"]?.text { json.string(id) }
            }
        }
    }
}

extension AttributeValue {
    /// The text that it is; `nil` for a value of another type.
    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}
