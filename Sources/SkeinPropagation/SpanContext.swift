// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// What of a span crosses to other processes (OpenTelemetry, "SpanContext").
public struct SpanContext: Hashable, Sendable {
    public var traceID: TraceID
    /// Zero where a header names a trace and no span in it.
    public var spanID: SpanID
    public var flags: TraceFlags
    public var traceState: TraceState
    /// Whether it came from another process.
    public var isRemote: Bool

    public init(
        traceID: TraceID,
        spanID: SpanID,
        flags: TraceFlags = [],
        traceState: TraceState = TraceState(),
        isRemote: Bool = false
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
        self.traceState = traceState
        self.isRemote = isRemote
    }

    /// Whether both ids are.
    public var isValid: Bool { traceID.isValid && spanID.isValid }
}

/// The flags of a trace (W3C Trace Context 2 §3.2.2.5).
public struct TraceFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The caller may have recorded the trace.
    public static let sampled = TraceFlags(rawValue: 1)
    /// The last seven bytes of the trace id are random.
    public static let random = TraceFlags(rawValue: 2)
    /// All that have a meaning; others are not passed on.
    static let known: TraceFlags = [.sampled, .random]
}
