// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import Tracing

/// Ids that everybody computes alike who knows the session and the step (`agents.md` §1.2), so that two recorders of one session
/// agree without asking each other.
enum WorkIDs {
    /// The trace of an orchestration that nobody outside began.
    static func trace(ofRootSession id: String) -> TraceID {
        let digest = SHA256.digest("wt:t:\(id)".utf8)
        let trace = TraceID(high: number(digest[0..<8]), low: number(digest[8..<16]))
        return trace.isValid ? trace : TraceID(high: 0, low: 1)
    }

    /// The span of a step; with an empty `step` that of the session itself.
    static func span(ofSession session: String, step: String = "") -> SpanID {
        let span = SpanID(number(SHA256.digest("wt:s:\(session)/\(step)".utf8)[0..<8]))
        return span.isValid ? span : SpanID(1)
    }

    /// The session of a child that a step starts.
    static func child(ofSession session: String, step: String) -> String {
        let digest = SHA256.digest("wt:c:\(session)/\(step)".utf8)
        return "ses_" + (Hex.string(number(digest[0..<8])) + Hex.string(number(digest[8..<16]))).prefix(20)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// An id that WorkTrace can hold: 1 to 128 bytes of `[A-Za-z0-9._:/@-]`.
    static func sane(_ id: String?) -> String? {
        guard let id, (1...128).contains(id.utf8.count) else { return nil }
        let isSane = id.utf8.allSatisfy { byte in
            (0x2d...0x3a).contains(byte) || (0x40...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
        }
        return isSane ? id : nil
    }

    /// An id that nobody has, of what makes the ids of `tracer` where it is our own.
    static func fresh(_ prefix: String, _ tracer: SkeinTracer?) -> String {
        prefix + Hex.string(tracer?.core.ids.spanID().rawValue ?? UInt64.random(in: 1 ... .max))
    }
}

/// What is known of a span before a tracer starts it.
struct SpanPlan {
    /// Of the trace that begins with it; one that goes on keeps its own.
    var traceID: TraceID?
    var spanID: SpanID
    /// Each key once.
    var attributes: [(key: String, value: RecordedValue)]

    /// As samplers see them.
    var spanAttributes: SpanAttributes {
        var all = SpanAttributes()
        for (key, value) in attributes { all.set(key, value: value.spanAttribute) }
        return all
    }
}
