// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
public import SkeinPropagation
public import Tracing

/// A span that has ended, to be read by processors and exporters. It never changes.
public struct FinishedSpan: Sendable {
    package let recording: RecordingSpan
    /// What was decided about its trace after its end; `nil` when nothing was.
    private let keeping: TailKeeping?

    init(_ recording: RecordingSpan, keeping: TailKeeping? = nil) {
        self.recording = recording
        self.keeping = keeping
    }

    /// The same span as it is exported when its trace is kept, whatever was decided at its start.
    func kept(by keeping: TailKeeping) -> FinishedSpan { FinishedSpan(recording, keeping: keeping) }

    /// What others were told of it. Where its trace was decided after its end, the threshold in the trace state is that of this
    /// decision, which others were not told.
    public var spanContext: SpanContext {
        guard let keeping else { return recording.spanContext }
        var context = recording.spanContext
        keeping.threshold.apply(to: &context.traceState)
        return context
    }

    /// What `body`, which must leave the span alone, makes of what it holds, as a rule without a copy.
    @inline(__always)
    package func withState<Result>(_ body: (borrowing RecordingSpan.State) -> Result) -> Result {
        guard keeping == nil else { return body(state) }
        recording.writeStackTraces()
        return recording.withState(body)
    }

    /// What it holds.
    package var state: RecordingSpan.State {
        recording.writeStackTraces()
        var state = recording.snapshot
        if let keeping, keeping.reasonSpanID == recording.spanContext.spanID {
            state.attributes.set(
                ReasonSpan.reasonKey,
                .string(keeping.reason),
                limit: .max,
                valueLengthMax: .max
            )
        }
        return state
    }

    /// Zero for the root of a trace.
    public var parentSpanID: SpanID { recording.parentSpanID }
    public var kind: SpanKind { recording.kind }
    /// What made it, such as a service; shared by all spans of a tracer.
    public var resource: Resource { recording.core.resource }
    public var name: String { recording.snapshot.name }
    /// Whether exporters get it; those that are only recorded stay in the process.
    public var isSampled: Bool { keeping != nil || recording.isSampled }

    /// The span as a row of the model. Its resource is that of the tracer, and left empty.
    public var span: SkeinModel.Span {
        let (state, spanContext) = (state, spanContext)
        var span = SkeinModel.Span(
            traceID: spanContext.traceID,
            spanID: spanContext.spanID,
            parentSpanID: parentSpanID,
            name: state.name,
            kind: kind.model,
            startUnixNanos: recording.startUnixNanos,
            durationNanos: (state.endUnixNanos ?? recording.startUnixNanos) - recording.startUnixNanos
        )
        span.traceState = spanContext.traceState.header()
        span.flags = flags
        span.scope = InstrumentationScope(name: String(recording.scopeName))
        span.attributes = state.attributes.attributes
        span.droppedAttributesCount = UInt32(clamping: state.attributes.droppedCount)
        span.events = state.events.map { event in
            SkeinModel.Span.Event(
                timeUnixNanos: event.unixNanos,
                name: event.name,
                attributes: event.attributes.attributes,
                droppedAttributesCount: UInt32(clamping: event.attributes.droppedCount)
            )
        }
        span.droppedEventsCount = UInt32(clamping: state.droppedEventCount)
        span.links = state.links.map { link in
            SkeinModel.Span.Link(
                traceID: link.spanContext.traceID,
                spanID: link.spanContext.spanID,
                traceState: link.spanContext.traceState.header(),
                flags: Self.flags(link.spanContext, isRemote: link.spanContext.isRemote),
                attributes: link.attributes.attributes,
                droppedAttributesCount: UInt32(clamping: link.attributes.droppedCount)
            )
        }
        span.droppedLinksCount = UInt32(clamping: state.droppedLinkCount)
        if let status = state.status {
            span.status = .init(status.code == .ok ? .ok : .error, message: status.message ?? "")
        }
        return span
    }

    /// The flags of a span in OTLP: those of the trace, and whether the parent is known to be remote.
    package var flags: UInt32 { Self.flags(spanContext, isRemote: recording.parentIsRemote) }

    package static func flags(_ context: SpanContext, isRemote: Bool) -> UInt32 {
        UInt32(context.flags.rawValue) | 0x100 | (isRemote ? 0x200 : 0)
    }
}

extension SpanKind {
    package var model: SkeinModel.Span.Kind {
        switch self {
        case .server: .server
        case .client: .client
        case .producer: .producer
        case .consumer: .consumer
        case .internal: .internal
        }
    }
}
