// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// What came along with a call beside what it says: the context of its sender (W3C Trace Context, Baggage).
struct WorkCarrier: Hashable, Sendable {
    /// `nil` where none came, or one that cannot be read.
    var parent: SpanContext?
    var traceState = ""
    var baggage = ""
    /// How the call came: `api`, `batch` or `mcp`.
    var source = "api"

    init(source: String = "api") { self.source = source }

    init(traceparent: String?, tracestate: String?, baggage: String?) {
        var context = PropagatedContext()
        let source = Source(values: ["traceparent": traceparent, "tracestate": tracestate].compactMapValues(\.self))
        TraceContextPropagator().extract(from: source, into: &context)
        parent = context.spanContext
        traceState = context.spanContext?.traceState.header() ?? ""
        self.baggage = baggage.map { String($0.prefix(Baggage.headerByteCountMax)) } ?? ""
    }

    /// The headers of a request.
    init(_ request: APIRequest) {
        self.init(
            traceparent: request.header("traceparent"),
            tracestate: request.header("tracestate"),
            baggage: request.header("baggage")
        )
    }

    /// What the body says itself wins.
    func overridden(by fields: WorkFields) -> WorkCarrier {
        let own = WorkCarrier(
            traceparent: fields.text("traceparent"),
            tracestate: fields.text("tracestate"),
            baggage: fields.text("baggage")
        )
        var carrier = own.parent == nil ? self : own
        if !own.baggage.isEmpty { carrier.baggage = own.baggage }
        return carrier
    }

    private struct Source: PropagationSource {
        var values: [String: String]
        func value(_ name: String) -> String? { values[name.lowercased()] }
    }
}
