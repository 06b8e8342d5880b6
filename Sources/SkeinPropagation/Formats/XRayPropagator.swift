// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// `x-amzn-trace-id` (AWS X-Ray, "Tracing header").
public struct XRayPropagator: Propagator {
    public init() {}

    private static let header = "x-amzn-trace-id"

    public var fields: [String] { [Self.header] }

    public func extract(from source: some PropagationSource, into context: inout PropagatedContext) {
        guard let text = source.value(Self.header) else { return }
        var ids = SpanContext(traceID: .zero, spanID: .zero)
        var decision = PropagatedContext.Decision.deferred
        // Parts come in any order, and others among them.
        for part in text.utf8.split(separator: UInt8(ascii: ";")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let value = pair[1].trimmingBlanks
            switch String(Substring(pair[0].trimmingBlanks)).lowercased() {
            case "root":
                guard let id = Self.traceID(value) else { return }
                ids.traceID = id
            case "parent":
                guard value.count == 16, let id = Hex.parse(value) else { return }
                ids.spanID = SpanID(id.low)
            case "sampled":
                if value.elementsEqual("1".utf8) { decision = .sampled }
                if value.elementsEqual("0".utf8) { decision = .notSampled }
            default: break
            }
        }
        guard ids.traceID.isValid else { return }
        context.take(ids, decision)
    }

    public func inject(_ context: PropagatedContext, into target: inout some PropagationTarget) {
        guard let span = context.spanContext, span.isValid else { return }
        let trace = span.traceID.description
        let sampled = span.flags.contains(.sampled) ? "1" : "0"
        target.set(
            Self.header,
            "Root=1-\(trace.prefix(8))-\(trace.dropFirst(8));Parent=\(span.spanID);Sampled=\(sampled)"
        )
    }

    /// `1-{8 digits}-{24 digits}`
    private static func traceID(_ text: Substring.UTF8View) -> TraceID? {
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("1".utf8), parts[1].count == 8, parts[2].count == 24,
            let id = Hex.parse(Array(parts[1]) + Array(parts[2]))
        else { return nil }
        let traceID = TraceID(high: id.high, low: id.low)
        return traceID.isValid ? traceID : nil
    }
}
