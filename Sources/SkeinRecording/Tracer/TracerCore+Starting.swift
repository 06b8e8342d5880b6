// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
import Tracing

extension TracerCore {
    /// Starts a span that stands in `context`, now unless `nanos` names when.
    func startSpan(
        _ name: String,
        _ kind: SpanKind,
        _ attributes: SpanAttributes?,
        _ links: [SpanLink],
        _ context: ServiceContext,
        atUnixNanos nanos: UInt64?,
        _ fileID: String
    ) -> SkeinSpan {
        startSpan(name, kind, attributes, links, context, startUnixNanos: { nanos }, fileID)
    }

    /// Starts a span that stands in `context`. The moment is asked for only if it is recorded, and is now if it is `nil`.
    func startSpan(
        _ name: String,
        _ kind: SpanKind,
        _ attributes: SpanAttributes?,
        _ links: [SpanLink],
        _ context: ServiceContext,
        startUnixNanos: () -> UInt64?,
        _ fileID: String
    ) -> SkeinSpan {
        let parent = context.spanIdentity
        if let parent, parent.suppressesTracing || drops(childOf: parent) { return SkeinSpan(nil, context: context) }
        let hasParent = parent?.spanContext.traceID.isValid ?? false
        let request = SamplingRequest(
            parent: hasParent ? parent?.spanContext : nil,
            parentDecision: parent?.decision ?? .deferred,
            traceID: hasParent ? parent?.spanContext.traceID ?? .zero : ids.traceID(),
            name: name,
            kind: kind,
            attributes: attributes,
            fileID: fileID
        )
        let result = sampler.sample(request)
        if result.decision == .drop, !hasStrictSpanIDs, result.traceState == nil, let parent, parent.isDroppedHere {
            return SkeinSpan(nil, context: context)
        }
        let spanContext = spanContext(request, parent, result)
        let decision: PropagatedContext.Decision =
            parent?.decision == .debug ? .debug : result.decision == .recordAndSample ? .sampled : .notSampled
        var context = context
        guard result.decision != .drop else {
            context.spanIdentity = SpanIdentity(spanContext, decision: decision)
            return SkeinSpan(nil, context: context)
        }
        let recording = RecordingSpan(
            spanContext,
            decision: decision,
            parent: hasParent ? parent : nil,
            name: name,
            kind: kind,
            startUnixNanos: startUnixNanos(),
            fileID: fileID,
            isSampled: result.decision == .recordAndSample,
            core: self
        )
        context.spanIdentity = recording
        let span = SkeinSpan(recording, context: context)
        prepare(span, attributes, links, result, debugID: hasParent ? nil : parent?.debugID)
        if processor.wantsStart { processor.onStart(span, parent: request.parent) }
        return span
    }

    private func spanContext(
        _ request: borrowing SamplingRequest,
        _ parent: SpanIdentity?,
        _ result: SamplingResult
    ) -> SpanContext {
        var flags: TraceFlags = result.decision == .recordAndSample ? [.sampled] : []
        // Of a trace that goes on the flag stays as it came, set or not (W3C Trace Context 2 §3.2.2.5.2).
        let isRandom = request.parent.map { $0.flags.contains(.random) } ?? ids.isRandom
        if isRandom { flags.insert(.random) }
        return SpanContext(
            traceID: request.traceID,
            spanID: ids.spanID(),
            flags: flags,
            traceState: result.traceState ?? request.parent?.traceState ?? TraceState()
        )
    }

    /// Sets what a span begins with.
    private func prepare(
        _ span: SkeinSpan,
        _ attributes: SpanAttributes?,
        _ links: [SpanLink],
        _ result: SamplingResult,
        debugID: String?
    ) {
        if let attributes { span.setAttributes(attributes) }
        if !result.attributes.isEmpty { span.setAttributes(result.attributes) }
        for link in links { span.addLink(link) }
        if let debugID { span.setAttribute("jaeger-debug-id", debugID) }
    }
}
