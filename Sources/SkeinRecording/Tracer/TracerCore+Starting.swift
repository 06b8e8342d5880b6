// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
import Tracing

extension TracerCore {
    /// Starts a span that stands in `context`, in which `parent` was found. The moment is asked for only if it is recorded, and is
    /// now if it is `nil`. What `plan` says of ids takes the place of new ones.
    func startSpan(
        _ name: String,
        _ kind: SpanKind,
        _ attributes: SpanAttributes?,
        _ links: [SpanLink],
        _ context: ServiceContext,
        _ parent: SpanIdentity?,
        startUnixNanos: () -> UInt64?,
        _ fileID: String,
        plan: SpanPlan? = nil
    ) -> SkeinSpan {
        if isPassing { return SkeinSpan(nil, context: context) }
        if let parent {
            if drops(childOf: parent) {
                metrics?.start(.drop, parent: parent)
                return SkeinSpan(nil, context: context)
            }
            if samples(childOf: parent) {
                let start = startUnixNanos()
                return record(
                    name,
                    kind,
                    attributes,
                    links,
                    context,
                    parent,
                    parent.spanContext,
                    .sample,
                    start,
                    fileID,
                    plan
                )
            }
        }
        let hasParent = parent?.spanContext.traceID.isValid ?? false
        let request = SamplingRequest(
            parent: hasParent ? parent?.spanContext : nil,
            parentDecision: parent?.decision ?? .deferred,
            traceID: hasParent ? parent?.spanContext.traceID ?? .zero : plan?.traceID ?? ids.traceID(),
            name: name,
            kind: kind,
            attributes: attributes ?? plan?.spanAttributes,
            fileID: fileID,
            context: context
        )
        let result = sampler.sample(request)
        if result.decision == .drop { metrics?.start(.drop, parent: parent) }
        if result.decision == .drop, !hasStrictSpanIDs, result.traceState == nil, let parent, parent.isDroppedHere {
            return SkeinSpan(nil, context: context)
        }
        // The trace goes on, or begins here.
        let isRandom = ids.isRandom && plan?.traceID == nil
        var trace =
            request.parent ?? SpanContext(traceID: request.traceID, spanID: .zero, flags: isRandom ? [.random] : [])
        if let traceState = result.traceState { trace.traceState = traceState }
        guard result.decision != .drop else {
            var context = context
            let decision: PropagatedContext.Decision = parent?.decision == .debug ? .debug : .notSampled
            let own = spanContext(in: trace, isSampled: false, plan)
            context.spanIdentity = SpanIdentity(own, decision: decision)
            return SkeinSpan(nil, context: context)
        }
        return record(name, kind, attributes, links, context, parent, trace, result, startUnixNanos(), fileID, plan)
    }

    /// Starts a span that is recorded, in the trace of `trace`.
    private func record(
        _ name: String,
        _ kind: SpanKind,
        _ attributes: SpanAttributes?,
        _ links: [SpanLink],
        _ context: ServiceContext,
        _ parent: SpanIdentity?,
        _ trace: SpanContext,
        _ result: SamplingResult,
        _ startUnixNanos: UInt64?,
        _ fileID: String,
        _ plan: SpanPlan?
    ) -> SkeinSpan {
        metrics?.start(result.decision, parent: parent)
        let isSampled = result.decision == .recordAndSample
        let hasParent = parent?.spanContext.traceID.isValid ?? false
        let recording = RecordingSpan(
            spanContext(in: trace, isSampled: isSampled, plan),
            decision: parent?.decision == .debug ? .debug : isSampled ? .sampled : .notSampled,
            parent: hasParent ? parent : nil,
            name: name,
            kind: kind,
            startUnixNanos: startUnixNanos,
            fileID: fileID,
            isSampled: isSampled,
            core: self
        )
        var context = context
        context.spanIdentity = recording
        let span = SkeinSpan(recording, context: context)
        if let plan { recording.begin(with: plan.attributes) }
        if let attributes { span.setAttributes(attributes) }
        if !result.attributes.isEmpty { span.setAttributes(result.attributes) }
        for link in links { span.addLink(link) }
        if !hasParent, let debugID = parent?.debugID { span.setAttribute("jaeger-debug-id", debugID) }
        if processor.wantsStart { processor.onStart(span, parent: hasParent ? parent?.spanContext : nil) }
        return span
    }

    /// A new span of the trace of `trace`, whose flag `random` stays as it came, set or not (W3C Trace Context 2 §3.2.2.5.2).
    private func spanContext(in trace: SpanContext, isSampled: Bool, _ plan: SpanPlan?) -> SpanContext {
        SpanContext(
            traceID: trace.traceID,
            spanID: plan?.spanID ?? ids.spanID(),
            flags: trace.flags.intersection(.random).union(isSampled ? .sampled : []),
            traceState: trace.traceState
        )
    }
}
