// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline

/// Makes spans of one trace, as little as a test needs.
struct TraceSketch {
    var id: TraceID
    private(set) var spans: [Span] = []

    init(_ number: UInt64 = 1) { id = TraceID(high: number, low: Hash.of(number)) }

    /// Adds a span; the first is the root.
    mutating func add(
        _ attributes: [Attribute] = [],
        resource: [Attribute] = [],
        millis: ClosedRange<UInt64> = 0...1,
        status: Span.Status.Code = .unset,
        flags: UInt32 = 0,
        traceState: String = "",
        name: String = "work"
    ) {
        let start = 1_700_000_000_000_000_000 + millis.lowerBound * 1_000_000
        var span = Span(
            traceID: id,
            spanID: SpanID(UInt64(spans.count + 1)),
            parentSpanID: spans.first?.spanID ?? .zero,
            name: name,
            kind: .server,
            startUnixNanos: start,
            durationNanos: (millis.upperBound - millis.lowerBound) * 1_000_000
        )
        span.attributes = attributes
        span.resource = Resource(attributes: resource)
        span.status = .init(status)
        span.flags = flags
        span.traceState = traceState
        spans.append(span)
    }

    /// A trace of one span.
    static func one(
        _ number: UInt64 = 1,
        _ attributes: [Attribute] = [],
        resource: [Attribute] = [],
        millis: UInt64 = 1,
        status: Span.Status.Code = .unset,
        flags: UInt32 = 0,
        traceState: String = "",
        name: String = "work"
    ) -> TraceSketch {
        var trace = TraceSketch(number)
        trace.add(
            attributes,
            resource: resource,
            millis: 0...millis,
            status: status,
            flags: flags,
            traceState: traceState,
            name: name
        )
        return trace
    }

    /// A trace of so many spans.
    static func of(_ count: Int, _ number: UInt64 = 1) -> TraceSketch {
        var trace = TraceSketch(number)
        for _ in 0..<count { trace.add() }
        return trace
    }
}

extension SamplingPolicySet {
    /// Decides about a whole trace.
    mutating func decide(_ trace: TraceSketch, atSecond second: Double = 0) -> SamplingDecision {
        let batch = SpanBatch(spans: trace.spans)
        return decide(batch, nanos: UInt64(second * 1e9))
    }

    /// Decides about the trace that a batch is.
    mutating func decide(_ batch: SpanBatch, nanos: UInt64) -> SamplingDecision {
        decide(read(batch).digest(of: 0..<batch.count, batch.traceIDs[0]), nanos: nanos)
    }

    init(_ rules: SamplingPolicy.Rule...) throws {
        try self.init(rules.enumerated().map { SamplingPolicy("policy-\($0.offset)", $0.element) })
    }
}
