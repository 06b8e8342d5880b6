// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// `uber-trace-id`, baggage in `uberctx-…` and `jaeger-baggage`, and `jaeger-debug-id` (Jaeger, "Propagation Format").
public struct JaegerPropagator: Propagator {
    public init() {}

    private static let trace = "uber-trace-id"
    private static let baggagePrefix = "uberctx-"
    private static let baggage = "jaeger-baggage"
    private static let debugID = "jaeger-debug-id"

    private static let sampledFlag: UInt64 = 1
    private static let debugFlag: UInt64 = 2

    public var fields: [String] { [Self.trace] }

    public func extract(from source: some PropagationSource, into context: inout PropagatedContext) {
        if let (ids, decision) = source.value(Self.trace).flatMap(Self.read) {
            context.take(ids, decision)
        } else if let id = source.value(Self.debugID), !id.isEmpty, context.spanContext == nil {
            context.decision = .debug
            context.debugID = id
        }
        for name in source.names ?? [] where name.hasPrefix(Self.baggagePrefix) {
            guard let value = source.value(name) else { continue }
            context.baggage[String(name.dropFirst(Self.baggagePrefix.count))] = PercentCoding.decode(
                Substring(value).utf8
            )
        }
        guard let header = source.value(Self.baggage) else { return }
        for part in header.utf8.split(separator: UInt8(ascii: ",")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let value = PercentCoding.decode(pair[1].trimmingBlanks)
            context.baggage[String(Substring(pair[0].trimmingBlanks))] = value
        }
    }

    public func inject(_ context: PropagatedContext, into target: inout some PropagationTarget) {
        for member in context.baggage.members {
            target.set(Self.baggagePrefix + member.key, PercentCoding.encode(member.value))
        }
        guard let span = context.spanContext, span.isValid else { return }
        let isSampled = span.flags.contains(.sampled)
        let flags = (isSampled ? Self.sampledFlag : 0) | (context.decision == .debug ? Self.debugFlag : 0)
        target.set(Self.trace, "\(span.traceID):\(span.spanID):0:\(flags)")
    }

    /// `{trace}:{span}:{parent}:{flags}`, hexadecimal without leading zeros or with them; some clients encode the colons.
    private static func read(_ header: String) -> (ids: SpanContext, decision: PropagatedContext.Decision)? {
        let text = header.utf8.contains(UInt8(ascii: ":")) ? header : PercentCoding.decode(Substring(header).utf8)
        let parts = Substring(text).utf8.trimmingBlanks.split(
            separator: UInt8(ascii: ":"),
            omittingEmptySubsequences: false
        )
        guard parts.count == 4, (1...32).contains(parts[0].count), (1...16).contains(parts[1].count),
            (1...16).contains(parts[2].count), (1...2).contains(parts[3].count), let trace = Hex.parse(parts[0]),
            let span = Hex.parse(parts[1]), Hex.parse(parts[2]) != nil, let flags = Hex.parse(parts[3])?.low
        else { return nil }
        let context = SpanContext(traceID: TraceID(high: trace.high, low: trace.low), spanID: SpanID(span.low))
        guard context.isValid else { return nil }
        // Some clients set debug on whatever is sampled, so that it means no more than that. Debug alone is somebody's wish.
        let isSampled = flags & sampledFlag != 0
        return (context, isSampled ? .sampled : flags & debugFlag != 0 ? .debug : .notSampled)
    }
}
