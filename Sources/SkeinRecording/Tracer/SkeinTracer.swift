// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
public import SkeinModel
public import SkeinPropagation
public import Tracing

/// A tracer for swift-distributed-tracing, complete by itself: any number of them may stand side by side.
public struct SkeinTracer: Tracer {
    let core: TracerCore

    /// A tracer that hands spans to `processors`, in their order.
    ///
    /// A child of a span that is not sampled is not sampled either under most samplers, and stands in its parent's context
    /// then, which costs nothing. With `hasStrictSpanIDs` it has an id of its own, as the specification says; only log lines tell
    /// the difference.
    public init(
        sampler: any Sampler = ParentBasedSampler(root: AlwaysOnSampler()),
        processors: [any SpanProcessor],
        resource: Resource = Resource(),
        propagator: any Propagator = CompositePropagator([TraceContextPropagator(), BaggagePropagator()]),
        limits: SpanLimits = SpanLimits(),
        ids: any IDGenerator = RandomIDs(),
        clock: any WallClock = SystemClock(),
        hasStrictSpanIDs: Bool = false
    ) {
        core = TracerCore(
            sampler: sampler,
            processors: processors,
            resource: resource,
            propagator: propagator,
            limits: limits,
            ids: ids,
            clock: clock,
            hasStrictSpanIDs: hasStrictSpanIDs
        )
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> SkeinSpan {
        start(operationName, context(), kind, [:], [], { instant().nanosecondsSinceEpoch }, fileID)
    }

    /// Starts a span with attributes and links that samplers see. `nanos` is the start since 1970; now unless it is named.
    public func startSpan(
        name: String,
        kind: SpanKind = .internal,
        attributes: SpanAttributes = [:],
        links: [SpanLink] = [],
        context: ServiceContext? = nil,
        atUnixNanos nanos: UInt64? = nil,
        file fileID: String = #fileID
    ) -> SkeinSpan {
        let clock = core.clock
        return start(
            name,
            context ?? .current ?? .topLevel,
            kind,
            attributes,
            links,
            { nanos ?? clock.unixNanos },
            fileID
        )
    }

    public func activeSpan(identifiedBy context: ServiceContext) -> SkeinSpan? {
        context.spanIdentity.map { SkeinSpan($0.recording, context: context) }
    }

    /// Asks all that has ended to be exported, and does not wait for it. ``forceFlush(timeout:)`` waits.
    public func forceFlush() {
        let processor = core.processor
        OwnThread.detach { _ = processor.forceFlush(by: .now + .seconds(30)) }
    }

    /// Exports all that ended before this call; returns at the latest after `timeout`.
    @discardableResult
    public func forceFlush(timeout: Duration) async -> FlushResult {
        let (processor, deadline) = (core.processor, ContinuousClock.now + timeout)
        return await OwnThread.run { processor.forceFlush(by: deadline) }
    }

    /// Exports what there is and takes nothing more; returns at the latest after `timeout`. Further calls do nothing.
    @discardableResult
    public func shutdown(timeout: Duration = .seconds(10)) async -> FlushResult {
        let (processor, deadline) = (core.processor, ContinuousClock.now + timeout)
        return await OwnThread.run { processor.shutdown(by: deadline) }
    }

    private func start(
        _ name: String,
        _ context: ServiceContext,
        _ kind: SpanKind,
        _ attributes: SpanAttributes,
        _ links: [SpanLink],
        _ startUnixNanos: () -> UInt64,
        _ fileID: String
    ) -> SkeinSpan {
        let parent = context.spanIdentity
        let hasParent = parent?.spanContext.traceID.isValid ?? false
        let request = SamplingRequest(
            parent: hasParent ? parent?.spanContext : nil,
            parentDecision: parent?.decision ?? .deferred,
            traceID: hasParent ? parent?.spanContext.traceID ?? .zero : core.ids.traceID(),
            name: name,
            kind: kind,
            attributes: attributes,
            fileID: fileID,
            context: context
        )
        let result = core.sampler.sample(request)
        if result.decision == .drop, let parent, hasParent, !core.hasStrictSpanIDs, !parent.spanContext.isRemote,
            parent.recording == nil, result.traceState == nil
        {
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
            core: core
        )
        context.spanIdentity = recording
        let span = SkeinSpan(recording, context: context)
        prepare(span, attributes, links, result, debugID: hasParent ? nil : parent?.debugID)
        if core.processor.wantsStart { core.processor.onStart(span, parent: request.parent) }
        return span
    }

    private func spanContext(
        _ request: borrowing SamplingRequest,
        _ parent: SpanIdentity?,
        _ result: SamplingResult
    ) -> SpanContext {
        var flags: TraceFlags = result.decision == .recordAndSample ? [.sampled] : []
        // Of a trace that goes on the flag stays as it came, set or not (W3C Trace Context 2 §3.2.2.5.2).
        let isRandom = request.parent.map { $0.flags.contains(.random) } ?? core.ids.isRandom
        if isRandom { flags.insert(.random) }
        return SpanContext(
            traceID: request.traceID,
            spanID: core.ids.spanID(),
            flags: flags,
            traceState: result.traceState ?? request.parent?.traceState ?? TraceState()
        )
    }

    /// Sets what a span begins with.
    private func prepare(
        _ span: SkeinSpan,
        _ attributes: SpanAttributes,
        _ links: [SpanLink],
        _ result: SamplingResult,
        debugID: String?
    ) {
        if !attributes.isEmpty || !result.attributes.isEmpty {
            span.recording?.change { state, limits in
                for set in [attributes, result.attributes] {
                    state.attributes.set(
                        set,
                        limit: limits.attributeCount,
                        valueLengthMax: limits.attributeValueLength
                    )
                }
            }
        }
        for link in links { span.addLink(link) }
        if let debugID { span.setAttribute("jaeger-debug-id", debugID) }
    }
}

extension SkeinTracer {
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        var read = PropagatedContext()
        read.baggage = context.baggage
        core.propagator.extract(from: ExtractorSource(carrier: carrier, extractor: extractor), into: &read)
        context.baggage = read.baggage
        guard read.spanContext != nil || read.decision != .deferred else { return }
        // A decision alone is that of the next root.
        context.spanIdentity = SpanIdentity(
            read.spanContext ?? SpanContext(traceID: .zero, spanID: .zero, isRemote: true),
            decision: read.decision,
            debugID: read.debugID
        )
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        var written = PropagatedContext()
        written.baggage = context.baggage
        if let identity = context.spanIdentity {
            written.spanContext = identity.spanContext
            written.decision = identity.decision
        }
        var target = InjectorTarget(carrier: carrier, injector: injector)
        core.propagator.inject(written, into: &target)
        carrier = target.carrier
    }
}

/// Headers behind an extractor.
private struct ExtractorSource<Extract: Extractor>: PropagationSource {
    let carrier: Extract.Carrier
    let extractor: Extract

    func value(_ name: String) -> String? { extractor.extract(key: name, from: carrier) }

    var names: [String]? { (extractor as? any HeaderListing)?.names(of: carrier) }
}

/// Headers behind an injector.
private struct InjectorTarget<Inject: Injector>: PropagationTarget {
    var carrier: Inject.Carrier
    let injector: Inject

    mutating func set(_ name: String, _ value: String) { injector.inject(value, forKey: name, into: &carrier) }
}

/// An extractor that can list what there is, as Jaeger's baggage needs it.
public protocol HeaderListing {
    /// The names of the headers in `carrier`, in lower case; `nil` where it is no carrier of this extractor.
    func names(of carrier: Any) -> [String]?
}
