// SPDX-License-Identifier: Apache-2.0
import Tracing

/// The span of a session or a step, of whatever tracer. Of our own it has the ids that everybody computes, and attributes are set
/// without a copy of all of them.
struct WorkSpan: Sendable {
    let span: any Span
    private let own: SkeinSpan?

    var context: ServiceContext { span.context }

    init(
        _ name: String,
        kind: SpanKind,
        context: ServiceContext,
        plan: SpanPlan,
        links: [SpanLink] = [],
        tracer: any Tracer,
        own ours: SkeinTracer?
    ) {
        if let ours {
            let span = ours.core.startSpan(
                name,
                kind,
                nil,
                links,
                context,
                context.spanIdentity,
                startUnixNanos: { nil },
                "worktrace/",
                plan: plan
            )
            (self.span, self.own) = (span, span)
            return
        }
        own = nil
        span = tracer.startSpan(name, context: context, ofKind: kind)
        span.attributes = plan.spanAttributes
        for link in links { span.addLink(link) }
    }

    subscript(key: String) -> RecordedValue? {
        get { nil }
        nonmutating set {
            guard let newValue else { return }
            guard let own else {
                span.attributes[key] = newValue.spanAttribute
                return
            }
            own.set(key, newValue)
        }
    }

    func set(_ pairs: [(key: String, value: RecordedValue)]) {
        for (key, value) in pairs { self[key] = value }
    }
}
