// SPDX-License-Identifier: Apache-2.0
public import Instrumentation
import SkeinModel
public import SkeinPropagation

/// Which span a service context stands in. A class, so that it lies in a context without a box.
// Unchecked, since it has a subclass: what is here never changes, and the subclass guards what it adds.
package class SpanIdentity: @unchecked Sendable {
    package let spanContext: SpanContext
    package let decision: PropagatedContext.Decision
    package let debugID: String?
    /// Whether no spans are started here, and nothing is injected.
    final let suppressesTracing: Bool

    init(
        _ spanContext: SpanContext,
        decision: PropagatedContext.Decision = .deferred,
        debugID: String? = nil,
        suppressesTracing: Bool = false
    ) {
        self.spanContext = spanContext
        self.decision = decision
        self.debugID = debugID
        self.suppressesTracing = suppressesTracing
    }

    /// The span itself while it is recorded here.
    package var recording: RecordingSpan? { nil }

    /// Whether it is a span of this process that is not recorded.
    final var isDroppedHere: Bool {
        decision == .notSampled && !spanContext.isRemote && spanContext.traceID.isValid && recording == nil
    }
}

private enum SpanIdentityKey: ServiceContextKey {
    typealias Value = SpanIdentity
    static var nameOverride: String? { "skein-span" }
}

private enum BaggageKey: ServiceContextKey {
    typealias Value = Baggage
    static var nameOverride: String? { "baggage" }
}

extension ServiceContext {
    var spanIdentity: SpanIdentity? {
        get { self[SpanIdentityKey.self] }
        set { self[SpanIdentityKey.self] = newValue }
    }

    /// The span that this context stands in; `nil` outside of any.
    public var spanContext: SpanContext? { spanIdentity?.spanContext }

    /// The context of what another process has sent, and of nothing else.
    package static func remote(_ read: PropagatedContext) -> ServiceContext {
        var context = ServiceContext.topLevel
        context.baggage = read.baggage
        if let span = read.spanContext { context.spanIdentity = SpanIdentity(span, decision: read.decision) }
        return context
    }

    /// This context for what must not trace itself: spans inside are not recorded, and nothing is injected. Log lines keep the span
    /// that it stands in.
    package var suppressingTracing: ServiceContext {
        var context = self
        context.spanIdentity = SpanIdentity(
            spanContext ?? SpanContext(traceID: .zero, spanID: .zero),
            decision: spanIdentity?.decision ?? .notSampled,
            suppressesTracing: true
        )
        return context
    }

    /// What travels beside the trace to all that is called from here.
    public var baggage: Baggage {
        get { self[BaggageKey.self] ?? Baggage() }
        set { self[BaggageKey.self] = newValue.isEmpty ? nil : newValue }
    }
}
