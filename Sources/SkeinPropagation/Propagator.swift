// SPDX-License-Identifier: Apache-2.0

/// Headers of a request that came, or whatever carries them.
public protocol PropagationSource {
    /// The value of a header, whose name is compared without regard to case; several of one name joined with `,` in their
    /// order. `nil` when there is none.
    func value(_ name: String) -> String?

    /// The names of all headers, in lower case; `nil` where they cannot be listed.
    var names: [String]? { get }
}

extension PropagationSource {
    public var names: [String]? { nil }
}

/// Headers of a request that goes out.
public protocol PropagationTarget {
    /// Sets a header, in place of one of that name.
    mutating func set(_ name: String, _ value: String)
}

/// What headers carry from process to process.
public struct PropagatedContext: Hashable, Sendable {
    /// What the process before has decided about the trace.
    public enum Decision: Hashable, Sendable {
        case sampled
        case notSampled
        /// Nothing: whoever comes first in this process decides.
        case deferred
        /// Somebody wants this trace whatever samplers say.
        case debug
    }

    /// `nil` when no header names a trace.
    public var spanContext: SpanContext?
    /// `deferred` as long as no header says.
    public var decision = Decision.deferred
    /// Why somebody wants this trace, from `jaeger-debug-id`.
    public var debugID: String?
    public var baggage = Baggage()

    /// Carries nothing.
    public init() {}

    /// Takes over what a header names as the trace.
    mutating func take(_ context: SpanContext, _ decision: Decision) {
        var context = context
        context.isRemote = true
        if decision == .sampled || decision == .debug {
            context.flags.insert(.sampled)
        } else {
            context.flags.remove(.sampled)
        }
        spanContext = context
        self.decision = decision
    }
}

/// One form of carrying a context in headers.
///
/// Whatever bytes come, reading neither throws nor traps: what cannot be read carries nothing, and leaves what was read before
/// as it is.
public protocol Propagator: Sendable {
    /// The headers that it reads and writes, in lower case.
    var fields: [String] { get }

    /// Adds what the headers of `source` carry to `context`.
    func extract(from source: some PropagationSource, into context: inout PropagatedContext)

    /// Sets the headers of `target`.
    func inject(_ context: PropagatedContext, into target: inout some PropagationTarget)
}

/// Several forms side by side. All are written; of those read, a later one that names a trace replaces an earlier one.
public struct CompositePropagator: Propagator {
    private let propagators: [any Propagator]

    public init(_ propagators: [any Propagator]) { self.propagators = propagators }

    public var fields: [String] {
        propagators.reduce(into: []) { fields, propagator in
            fields += propagator.fields.filter { !fields.contains($0) }
        }
    }

    public func extract(from source: some PropagationSource, into context: inout PropagatedContext) {
        for propagator in propagators { propagator.extract(from: source, into: &context) }
    }

    public func inject(_ context: PropagatedContext, into target: inout some PropagationTarget) {
        for propagator in propagators { propagator.inject(context, into: &target) }
    }
}
