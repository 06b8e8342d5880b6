// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// How much open work is kept in memory, and for how long.
package struct WorkLimits: Hashable, Sendable {
    /// Sessions that the ledger knows, those included that ended within ``rememberedNanos``.
    package var sessionCountMax = 50_000
    /// Bytes of those.
    package var sessionByteCountMax = 128 << 20
    /// Sessions that a spawn announced and that have not begun.
    package var spawnedCountMax = 200_000
    /// Steps that are open, or whose spans are not stored yet.
    package var openStepCountMax = 200_000
    /// Bytes of those.
    package var openByteCountMax = 128 << 20
    /// Bytes of one open step, its events included, that take no more.
    package var stepByteCountMax = 1 << 20
    /// Ended steps that are remembered; when there are more, the session that ended first is forgotten.
    package var endedStepCountMax = 2_000_000
    /// How long a session may be silent before it counts as abandoned.
    package var idleNanos: UInt64 = 15 * 60 * 1_000_000_000
    /// How long an abandoned session may come back before its spans are written.
    package var closingNanos: UInt64 = 24 * 3600 * 1_000_000_000
    /// How long the steps that the end of a session found open may still say how they ended before their spans are written:
    /// calls overtake each other.
    package var graceNanos: UInt64 = 5_000_000_000
    /// How long a session that ended is remembered.
    package var rememberedNanos: UInt64 = 3600 * 1_000_000_000

    package init() {}
}

extension APIError {
    static func unknownSession(_ id: String) -> APIError {
        APIError(404, "unknown-session", "Session \(APICall.shown(id)) was never seen: start it with POST …/sessions.")
    }

    static func sessionOfSpans(_ id: String, _ span: SpanSession) -> APIError {
        APIError(
            404,
            "unknown-session",
            "Session \(APICall.shown(id)) is recorded by OTLP spans, which calls do not change: send more spans below it, or start a "
                + "session of its own with POST …/sessions and the traceparent 00-\(span.traceID)-\(span.spanID)-01."
        )
    }

    static func unknownStep(_ id: String, _ session: String) -> APIError {
        APIError(
            404,
            "unknown-step",
            "Step \(APICall.shown(id)) of session \(APICall.shown(session)) was never seen: start it with POST …/steps."
        )
    }

    /// An end before its start.
    static func early(
        _ end: UInt64,
        before start: UInt64,
        of what: String,
        at field: String = "/endTime"
    ) -> APIError {
        .invalid(
            field,
            "endTime is \(RFC3339.format(end)), and the \(what) starts at \(RFC3339.format(start)): give an end that is no earlier, "
                + "or none, for the time of the call."
        )
    }

    static func conflict(_ what: String, _ id: String, _ remedy: String) -> APIError {
        APIError(409, "conflict", "\(what) \(APICall.shown(id)) is there with other facts: \(remedy).")
    }

    /// Too much open work; the same call may succeed later.
    static func tooMuchWork(_ detail: String) -> APIError {
        var error = APIError(503, "busy", detail)
        error.headers = [("Retry-After", "5")]
        return error
    }
}
