// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// A session that spans of other instrumentation make: its id is that of the span that opens it, `<traceId>:<spanId>`.
struct SpanSession {
    let traceID: TraceID
    let spanID: SpanID

    /// `nil` when `id` is another session's.
    init?(_ id: String) {
        let parts = id.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 32, parts[1].utf8.count == 16,
            let traceID = TraceID(hex: String(parts[0])), let spanID = SpanID(hex: String(parts[1]))
        else { return nil }
        self.traceID = traceID
        self.spanID = spanID
    }

    /// The span of one of its steps, which are called by their spans' ids; the session's own where `step` is none of them.
    func link(toStep step: String) -> WorkSession.SpanLink {
        WorkSession.SpanLink(traceID: traceID, spanID: SpanID(hex: step) ?? spanID)
    }
}
