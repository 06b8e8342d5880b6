// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
public import SkeinModel
public import SkeinPropagation
public import Tracing

/// A tracer for swift-distributed-tracing, complete by itself: any number of them may stand side by side.
public struct SkeinTracer: Tracer {
    let core: TracerCore

    init(core: TracerCore) { self.core = core }

    /// A tracer that hands spans to `processors`, in their order.
    ///
    /// A child of a span that is not sampled is not sampled either under most samplers, and stands in its parent's context
    /// then, which costs nothing. With `hasStrictSpanIDs` it has an id of its own, as the specification says; only log lines tell
    /// the difference. With `recordsStackTraces` errors take along where they are recorded, if the platform can say; each costs some
    /// 40 µs more, and whoever reads the finished span the time to look up what it has not met.
    public init(
        sampler: any Sampler = ParentBasedSampler(root: AlwaysOnSampler()),
        processors: [any SpanProcessor],
        resource: Resource = Resource(),
        propagator: any Propagator = CompositePropagator([TraceContextPropagator(), BaggagePropagator()]),
        limits: SpanLimits = SpanLimits(),
        ids: any IDGenerator = RandomIDs(),
        clock: any WallClock = SystemClock(),
        hasStrictSpanIDs: Bool = false,
        recordsStackTraces: Bool = false
    ) {
        core = TracerCore(
            sampler: sampler,
            processors: processors,
            resource: resource,
            propagator: propagator,
            limits: limits,
            ids: ids,
            clock: clock,
            hasStrictSpanIDs: hasStrictSpanIDs,
            recordsStackTraces: recordsStackTraces
        )
    }

    /// A tracer that makes no spans: contexts that come are passed on as they are, and none is begun.
    package static func passing(resource: Resource, propagator: any Propagator) -> SkeinTracer {
        SkeinTracer(
            core: TracerCore(
                sampler: AlwaysOffSampler(),
                processors: [],
                resource: resource,
                propagator: propagator,
                limits: SpanLimits(),
                ids: RandomIDs(),
                clock: SystemClock(),
                hasStrictSpanIDs: false,
                isPassing: true
            )
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
        let context = context()
        return core.startSpan(
            operationName,
            kind,
            nil,
            [],
            context,
            context.spanIdentity,
            startUnixNanos: { instant().unixNanosUnlessNow },
            fileID
        )
    }

    /// Starts a span with attributes and links that samplers see. `nanos` is the start since 1970; now unless it is named.
    public func startSpan(
        name: String,
        kind: SpanKind = .internal,
        attributes: SpanAttributes? = nil,
        links: [SpanLink] = [],
        context: ServiceContext? = nil,
        atUnixNanos nanos: UInt64? = nil,
        file fileID: String = #fileID
    ) -> SkeinSpan {
        let context = context ?? .current ?? .topLevel
        let parent = context.spanIdentity
        return core.startSpan(name, kind, attributes, links, context, parent, startUnixNanos: { nanos }, fileID)
    }

    public func activeSpan(identifiedBy context: ServiceContext) -> SkeinSpan? {
        context.spanIdentity.map { SkeinSpan($0.recording, context: context) }
    }

    /// Asks all that has ended to be exported, and does not wait for it. ``forceFlush(timeout:)`` waits.
    public func forceFlush() {
        core.flushInBackground()
    }

    /// Exports all that ended before this call; returns at the latest after `timeout`.
    @discardableResult
    public func forceFlush(timeout: Duration) async -> FlushResult {
        let (processor, deadline) = (core.processor, ContinuousClock.now + timeout)
        return await OwnThread.run { processor.forceFlush(by: deadline) }
    }

    /// The same as ``shutdown(timeout:)`` on the thread of the caller, which waits: not one of Swift's cooperative pool.
    package func shutdownAndWait(by deadline: ContinuousClock.Instant) -> FlushResult {
        core.processor.shutdown(by: deadline)
    }

    /// Exports what there is and takes nothing more; returns at the latest after `timeout`. Further calls only wait
    /// for the first.
    @discardableResult
    public func shutdown(timeout: Duration = .seconds(10)) async -> FlushResult {
        let (processor, deadline) = (core.processor, ContinuousClock.now + timeout)
        return await OwnThread.run { processor.shutdown(by: deadline) }
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
        if let identity = context.spanIdentity, identity.suppressesTracing { return }
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

    /// The headers, in lower case, that a carrier must not keep from another trace when `context` is injected into it. None where
    /// nothing is injected.
    package func propagationFields(_ context: ServiceContext) -> [String] {
        context.spanIdentity?.suppressesTracing == true ? [] : core.propagator.fields
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
