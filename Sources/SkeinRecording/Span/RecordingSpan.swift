// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
package import SkeinPropagation
import Synchronization
package import Tracing

/// What a span is made of while it is recorded, and after: the object in its service context is the one that processors are
/// handed.
// Unchecked, as its superclass is: all that changes is in `state`, behind its lock.
package final class RecordingSpan: SpanIdentity, @unchecked Sendable {
    /// What may change until the end.
    package struct State {
        package var name: String
        package var attributes = RecordedAttributes()
        package var events: [Event] = []
        package var links: [Link] = []
        package var droppedEventCount = 0
        package var droppedLinkCount = 0
        package var status: SpanStatus?
        /// Whether processors are told, or were told, that it is about to end.
        var isEnding = false
        /// `nil` as long as it is not ended.
        package var endUnixNanos: UInt64?
    }

    package struct Event {
        package var name: String
        package var unixNanos: UInt64
        package var attributes: RecordedAttributes
        /// To be written among the attributes by whoever reads the span after its end.
        var stackTrace: StackTrace?
    }

    package struct Link {
        package var spanContext: SpanContext
        package var attributes: RecordedAttributes
    }

    package let parentSpanID: SpanID
    package let parentIsRemote: Bool
    package let kind: SpanKind
    package let startUnixNanos: UInt64
    /// Where the caller stands, `Module/File.swift`, which names the scope.
    package let fileID: String
    /// Whether exporters get it.
    package let isSampled: Bool
    /// A moment of both clocks, that of the first span of the trace in this process: steps of the wall clock part no spans of a
    /// trace, and make none end before it began.
    private let anchor: (unixNanos: UInt64, monotonicNanos: UInt64)
    package let core: TracerCore
    private let state: Mutex<State>

    init(
        _ spanContext: SpanContext,
        decision: PropagatedContext.Decision,
        parent: SpanIdentity?,
        name: String,
        kind: SpanKind,
        startUnixNanos: UInt64?,
        fileID: String,
        isSampled: Bool,
        core: TracerCore
    ) {
        parentSpanID = parent?.spanContext.spanID ?? .zero
        parentIsRemote = parent?.spanContext.isRemote ?? false
        self.kind = kind
        self.fileID = fileID
        self.isSampled = isSampled
        let now = core.clock.monotonicNanos
        anchor = parent?.recording?.anchor ?? (core.clock.unixNanos, now)
        self.startUnixNanos = startUnixNanos ?? anchor.unixNanos &+ (now &- anchor.monotonicNanos)
        self.core = core
        state = Mutex(State(name: name))
        super.init(spanContext, decision: decision)
    }

    package override var recording: RecordingSpan? { self }

    /// The module of the caller.
    package var scopeName: Substring { fileID.prefix { $0 != "/" } }

    /// All of it as it is now.
    package var snapshot: State { state.withLock { $0 } }

    /// What `body`, which must leave the span alone, makes of it as it is now. Without the copy that a ``snapshot`` is.
    @inline(__always)
    package func withState<Result>(_ body: (borrowing State) -> Result) -> Result { state.withLock { body($0) } }

    /// Writes the stacks of errors among their attributes. Only readers of a finished span call it: it may take long, and is done
    /// outside of the lock, since others may still ask the span something.
    func writeStackTraces() {
        guard core.recordsStackTraces else { return }
        let stacks = state.withLock { state in
            state.events.indices.compactMap { index in state.events[index].stackTrace.map { (index, $0) } }
        }
        guard !stacks.isEmpty else { return }
        let texts = stacks.map { index, stack in (index, stack.text) }
        state.withLock { state in
            // Events of an ended span stay where they are; another reader may have been faster.
            for (index, text) in texts where state.events[index].stackTrace != nil {
                state.events[index].stackTrace = nil
                guard let text else { continue }
                state.events[index].attributes.set(
                    "exception.stacktrace",
                    .string(text),
                    limit: core.limits.attributeCountPerEvent,
                    valueLengthMax: core.limits.attributeValueLength
                )
            }
        }
    }

    var isEnded: Bool { state.withLock { $0.endUnixNanos != nil } }

    /// Whether an error that is recorded now takes its stack trace along. Nothing is looked up for an event that would be left out.
    var wantsStackTrace: Bool {
        core.recordsStackTraces
            && state.withLock { $0.endUnixNanos == nil && $0.events.count < core.limits.eventCount }
    }

    /// Sets the attributes that it has from its start, each key once.
    func begin(with attributes: [(key: String, value: RecordedValue)]) {
        change { state, limits in
            state.attributes.begin(
                with: attributes,
                limit: limits.attributeCount,
                valueLengthMax: limits.attributeValueLength
            )
        }
    }

    /// Changes the span unless it is ended.
    func change(_ body: (inout State, SpanLimits) -> Void) {
        state.withLock { state in
            if state.endUnixNanos == nil { body(&state, core.limits) }
        }
    }

    /// Now, by the anchor and the time since.
    var nowUnixNanos: UInt64 { anchor.unixNanos &+ (core.clock.monotonicNanos &- anchor.monotonicNanos) }

    /// Ends the span, once. `nanos` is the moment that the caller names; `nil` for now.
    func end(at nanos: UInt64?) {
        let end = nanos ?? nowUnixNanos
        if core.processor.wantsEnding {
            let isFirst = state.withLock { state in
                defer { state.isEnding = true }
                return !state.isEnding
            }
            guard isFirst else { return }
            core.processor.onEnding(SkeinSpan(self))
        }
        let isFirst = state.withLock { state in
            guard state.endUnixNanos == nil else { return false }
            state.endUnixNanos = max(end, startUnixNanos)
            return true
        }
        guard isFirst else { return }
        core.metrics?.end(isSampled: isSampled)
        core.processor.onEnd(FinishedSpan(self))
    }
}
