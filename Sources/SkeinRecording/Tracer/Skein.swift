// SPDX-License-Identifier: Apache-2.0
import Synchronization
public import Tracing

/// Tracing of this process.
///
/// What stands here starts spans of the process's own tracer without asking `InstrumentationSystem` for it, which costs more than
/// a span that is not sampled; samplers see attributes and links. Before anything is started, spans are not recorded, and cost a
/// comparison.
public final class Skein: Sendable {
    /// What was started in this process; by itself a handle to flush and to stop it.
    public let tracer: SkeinTracer

    package init(tracer: SkeinTracer) { self.tracer = tracer }

    /// The address of the core, set once, and never let go; 0 before. `AtomicLazyReference` would do, but is not specialised
    /// and costs a tenth of a span.
    private static let processCore = Atomic<UInt>(0)

    /// Tracers in place of the process's, for tests that run side by side.
    private enum Override {
        static let isUsed = Atomic(false)
        @TaskLocal static var core: TracerCore?
    }

    /// The core of the tracer that spans started here belong to.
    static var core: TracerCore? {
        if Override.isUsed.load(ordering: .relaxed), let core = Override.core { return core }
        guard let pointer = UnsafeRawPointer(bitPattern: processCore.load(ordering: .acquiring)) else { return nil }
        return Unmanaged<TracerCore>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The tracer that spans started here belong to; `nil` as long as nothing is started.
    public static var tracer: SkeinTracer? { core.map(SkeinTracer.init(core:)) }

    /// Makes `tracer` the process's, unless there is one already; that stays. Returns whether it did.
    @discardableResult
    package static func adopt(_ tracer: SkeinTracer) -> Bool {
        let pointer = Unmanaged.passRetained(tracer.core)
        let isFirst = processCore.compareExchange(
            expected: 0,
            desired: UInt(bitPattern: pointer.toOpaque()),
            ordering: .acquiringAndReleasing
        ).exchanged
        if !isFirst { pointer.release() }
        return isFirst
    }

    /// Runs `operation` with `tracer` in place of the process's, here and in tasks that it starts: for tests.
    public static func withTracer<Value, Failure: Error>(
        _ tracer: SkeinTracer,
        _ operation: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        Override.isUsed.store(true, ordering: .relaxed)
        return try Override.$core.withValue(tracer.core) { () -> Result<Value, Failure> in
            Result(catching: operation)
        }.get()
    }

    /// Runs `operation` with `tracer` in place of the process's, here and in tasks that it starts: for tests.
    public static func withTracer<Value, Failure: Error>(
        _ tracer: SkeinTracer,
        isolation: isolated (any Actor)? = #isolation,
        _ operation: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        Override.isUsed.store(true, ordering: .relaxed)
        return try await Override.$core.withValue(tracer.core) { () async -> Result<Value, Failure> in
            do throws(Failure) { return .success(try await operation()) } catch { return .failure(error) }
        }.get()
    }
}

extension Skein {
    /// Starts a span that its caller ends. It is the parent of nothing by itself: hand its `context` on, or use
    /// ``withSpan(_:kind:attributes:links:context:file:_:)``.
    public static func startSpan(
        _ name: String,
        kind: SpanKind = .internal,
        attributes: SpanAttributes? = nil,
        links: [SpanLink] = [],
        context: ServiceContext? = nil,
        file fileID: String = #fileID
    ) -> SkeinSpan {
        begin(name, kind, attributes, links, context, fileID).span
    }

    /// Runs `operation` in a span, which is the parent of those that are started inside, and ends with it. An error that is thrown
    /// is recorded, and the span's status is an error then.
    ///
    /// `links` are other spans that led to this one; `context` is where it belongs, unless that is the current one.
    @inlinable
    public static func withSpan<Value, Failure: Error>(
        _ name: String,
        kind: SpanKind = .internal,
        attributes: SpanAttributes? = nil,
        links: [SpanLink] = [],
        context: ServiceContext? = nil,
        file fileID: String = #fileID,
        _ operation: (SkeinSpan) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let (span, isCurrent) = begin(name, kind, attributes, links, context, fileID)
        if isCurrent { return try operation(span) }
        return try ServiceContext.withValue(span.context) { () -> Result<Value, Failure> in
            do throws(Failure) {
                let value = try operation(span)
                span.end()
                return .success(value)
            } catch {
                span.fail(error)
                return .failure(error)
            }
        }.get()
    }

    /// Runs `operation` in a span, as the function of the same name that does not wait.
    @inlinable
    public static func withSpan<Value, Failure: Error>(
        _ name: String,
        kind: SpanKind = .internal,
        attributes: SpanAttributes? = nil,
        links: [SpanLink] = [],
        context: ServiceContext? = nil,
        file fileID: String = #fileID,
        isolation: isolated (any Actor)? = #isolation,
        _ operation: (SkeinSpan) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let (span, isCurrent) = begin(name, kind, attributes, links, context, fileID)
        if isCurrent { return try await operation(span) }
        return try await ServiceContext.withValue(span.context) { () async -> Result<Value, Failure> in
            do throws(Failure) {
                let value = try await operation(span)
                span.end()
                return .success(value)
            } catch {
                span.fail(error)
                return .failure(error)
            }
        }.get()
    }

    /// Starts a span where this code stands, unless `context` says where. A span that is not recorded may stand in the place that
    /// is current already; then there is nothing to enter and nothing to end.
    @usableFromInline
    static func begin(
        _ name: String,
        _ kind: SpanKind,
        _ attributes: SpanAttributes?,
        _ links: [SpanLink],
        _ context: ServiceContext?,
        _ fileID: String
    ) -> (span: SkeinSpan, isCurrent: Bool) {
        let place = context ?? .current ?? .topLevel
        guard let core else { return (SkeinSpan(nil, context: place), context == nil) }
        let identity = place.spanIdentity
        if let identity, core.drops(childOf: identity) {
            core.metrics?.start(.drop, parent: identity)
            return (SkeinSpan(nil, context: place), context == nil)
        }
        return (core.startSpan(name, kind, attributes, links, place, identity, startUnixNanos: { nil }, fileID), false)
    }
}

extension Skein {
    /// The span that stands around this code; `nil` outside of any.
    public static var currentSpan: SkeinSpan? {
        guard let context = ServiceContext.current, let identity = context.spanIdentity else { return nil }
        return SkeinSpan(identity.recording, context: context)
    }

    /// Exports all spans that ended before this call; returns at the latest after `timeout`.
    @discardableResult
    public func forceFlush(timeout: Duration = .seconds(30)) async -> FlushResult {
        await tracer.forceFlush(timeout: timeout)
    }

    /// Exports what there is and takes nothing more, on the thread of the caller, which waits until `deadline` at the latest. For
    /// code that cannot be suspended, such as that which runs at the end of the process. Further calls only wait for the first.
    @discardableResult
    public func shutdownAndWait(by deadline: ContinuousClock.Instant) -> FlushResult {
        tracer.shutdownAndWait(by: deadline)
    }

    /// Exports what there is and takes nothing more; returns at the latest after `timeout`. Further calls only wait for the
    /// first.
    @discardableResult
    public func shutdown(timeout: Duration = .seconds(10)) async -> FlushResult {
        await tracer.shutdown(timeout: timeout)
    }
}

extension SkeinSpan {
    /// Ends the span of something that threw.
    @usableFromInline
    func fail(_ error: any Error) {
        guard let recording else { return }
        record(error, at: recording.nowUnixNanos)
        recording.change { state, _ in
            // Who set one has said it better.
            if state.status == nil { state.status = SpanStatus(code: .error) }
        }
        end()
    }
}
