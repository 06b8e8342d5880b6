// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
public import SkeinPropagation
public import Tracing

/// A span of this tracer, recorded or not.
///
/// What is set after the end, or on a span that is not recorded, is ignored.
public struct SkeinSpan: Tracing.Span {
    /// `nil` for a span that is not recorded.
    let recording: RecordingSpan?
    public let context: ServiceContext

    init(_ recording: RecordingSpan?, context: ServiceContext) {
        self.recording = recording
        self.context = context
    }

    /// The span alone, outside of a context.
    init(_ recording: RecordingSpan) {
        self.recording = recording
        var context = ServiceContext.topLevel
        context.spanIdentity = recording
        self.context = context
    }

    /// What of it crosses to other processes.
    public var spanContext: SpanContext? { context.spanContext }

    public var isRecording: Bool { recording.map { !$0.isEnded } ?? false }

    /// Nanoseconds since 1970; `nil` for a span that is not recorded.
    package var startUnixNanos: UInt64? { recording?.startUnixNanos }

    public var operationName: String {
        get { recording?.snapshot.name ?? "" }
        nonmutating set { recording?.change { state, _ in state.name = newValue } }
    }

    /// Sets an attribute, in place of one with that key. Cheaper than through ``attributes``, which copies all.
    public func setAttribute(_ key: String, _ value: AttributeValue) { set(key, RecordedValue(value)) }

    /// Sets an attribute, in place of one with that key.
    public func setAttribute(_ key: String, _ value: String) { set(key, .string(value)) }

    /// Sets an attribute, in place of one with that key.
    public func setAttribute(_ key: String, _ value: Int) { set(key, .int(Int64(value))) }

    /// Sets an attribute, in place of one with that key.
    public func setAttribute(_ key: String, _ value: Double) { set(key, .double(value)) }

    /// Sets an attribute, in place of one with that key.
    public func setAttribute(_ key: String, _ value: Bool) { set(key, .bool(value)) }

    /// Sets several attributes, each in place of one with that key.
    public func setAttributes(_ attributes: SpanAttributes) {
        recording?.change { state, limits in
            state.attributes.set(
                attributes,
                limit: limits.attributeCount,
                valueLengthMax: limits.attributeValueLength
            )
        }
    }

    func set(_ key: String, _ value: RecordedValue) {
        recording?.change { state, limits in
            state.attributes.set(
                key,
                value,
                limit: limits.attributeCount,
                valueLengthMax: limits.attributeValueLength
            )
        }
    }

    public var attributes: SpanAttributes {
        get {
            var attributes = SpanAttributes()
            for (key, value) in recording?.snapshot.attributes.pairs ?? [] {
                attributes.set(key, value: value.spanAttribute)
            }
            return attributes
        }
        nonmutating set {
            recording?.change { state, limits in
                var changed = newValue
                for (key, value) in state.attributes.pairs {
                    guard let new = newValue.get(key) else {
                        state.attributes.remove(key)
                        continue
                    }
                    // What was only read and written back stays as it is: bytes and maps have no form here.
                    if new == value.spanAttribute { changed.set(key, value: nil) }
                }
                state.attributes.set(
                    changed,
                    limit: limits.attributeCount,
                    valueLengthMax: limits.attributeValueLength
                )
            }
        }
    }

    /// Sets the status. Of several the last counts, but that nothing comes after OK (OpenTelemetry tracing API, "Set Status"). Only
    /// an error has a description.
    public func setStatus(_ status: SpanStatus) {
        recording?.change { state, _ in
            if let present = state.status, present.code == .ok { return }
            state.status = status.code == .ok ? SpanStatus(code: .ok) : status
        }
    }

    public func addEvent(_ event: SpanEvent) { add(event.name, event.attributes, at: event.nanosecondsSinceEpoch) }

    /// Adds an event of this moment.
    public func addEvent(_ name: String, attributes: SpanAttributes = [:]) {
        guard let recording else { return }
        add(name, attributes, at: recording.nowUnixNanos)
    }

    private func add(
        _ name: String,
        _ attributes: SpanAttributes,
        at nanos: UInt64,
        _ stackTrace: StackTrace? = nil
    ) {
        recording?.change { state, limits in
            guard state.events.count < limits.eventCount else {
                state.droppedEventCount += 1
                return
            }
            var recorded = RecordedAttributes()
            recorded.set(
                attributes,
                limit: limits.attributeCountPerEvent,
                valueLengthMax: limits.attributeValueLength
            )
            state.events.append(.init(name: name, unixNanos: nanos, attributes: recorded, stackTrace: stackTrace))
        }
    }

    /// Adds an event `exception` with `exception.type` and `exception.message`, and sets `error.type` of the span unless it is set
    /// (OpenTelemetry semantic conventions 1.38, "Exceptions on spans"), and `exception.stacktrace` where the tracer is told to.
    /// The status stays as it is.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        guard recording != nil else { return }
        record(error, attributes, at: instant().nanosecondsSinceEpoch)
    }

    /// The same at a moment of the trace's clock.
    func record(_ error: any Error, _ attributes: SpanAttributes = [:], at nanos: UInt64) {
        let type = ErrorType.name(of: error)
        var attributes = attributes
        if attributes.get("exception.type") == nil { attributes.set("exception.type", value: .string(type)) }
        if attributes.get("exception.message") == nil {
            attributes.set("exception.message", value: .string("\(error)"))
        }
        let wantsStack = recording.map(\.wantsStackTrace) ?? false && attributes.get("exception.stacktrace") == nil
        add("exception", attributes, at: nanos, wantsStack ? StackTrace.current() : nil)
        recording?.change { state, limits in
            guard !state.attributes.pairs.contains(where: { $0.key == "error.type" }) else { return }
            state.attributes.set(
                "error.type",
                .string(type),
                limit: limits.attributeCount,
                valueLengthMax: limits.attributeValueLength
            )
        }
    }

    /// Links the span to another, also after its start. A context without a span links to nothing.
    public func addLink(_ link: SpanLink) {
        guard let target = link.context.spanContext else { return }
        addLink(target, attributes: link.attributes)
    }

    /// Links the span to another, also after its start.
    public func addLink(_ target: SpanContext, attributes: SpanAttributes = [:]) {
        recording?.change { state, limits in
            guard state.links.count < limits.linkCount else {
                state.droppedLinkCount += 1
                return
            }
            var recorded = RecordedAttributes()
            recorded.set(
                attributes,
                limit: limits.attributeCountPerLink,
                valueLengthMax: limits.attributeValueLength
            )
            state.links.append(.init(spanContext: target, attributes: recorded))
        }
    }

    /// Ends the span now. Further calls are ignored.
    public func end() { recording?.end(at: nil) }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        recording?.end(at: instant().unixNanosUnlessNow)
    }
}

extension TracerInstant {
    /// The moment; `nil` for one that has just passed. Who names no moment means now, and now is better told by a clock that is
    /// never set.
    var unixNanosUnlessNow: UInt64? {
        let nanos = nanosecondsSinceEpoch
        let now = DefaultTracerClock.now.nanosecondsSinceEpoch
        return now >= nanos && now - nanos < 10_000 ? nil : nanos
    }
}
