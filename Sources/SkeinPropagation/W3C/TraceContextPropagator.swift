// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// `traceparent` and `tracestate` (W3C Trace Context 2).
public struct TraceContextPropagator: Propagator {
    public init() {}

    public var fields: [String] { [Self.parent, Self.state] }

    private static let parent = "traceparent"
    private static let state = "tracestate"
    /// Bytes of a header of version 00.
    private static let byteCount = 55

    public func extract(from source: some PropagationSource, into context: inout PropagatedContext) {
        guard let text = source.value(Self.parent), var found = Self.read(text) else { return }
        // A state that cannot be read is dropped, and the parent stays (§4.3).
        if let text = source.value(Self.state), let state = TraceState(header: text) { found.traceState = state }
        context.take(found, found.flags.contains(.sampled) ? .sampled : .notSampled)
    }

    public func inject(_ context: PropagatedContext, into target: inout some PropagationTarget) {
        guard let span = context.spanContext, span.isValid else { return }
        target.set(Self.parent, Self.header(span))
        let state = span.traceState.header()
        if !state.isEmpty { target.set(Self.state, state) }
    }

    /// The header of a span, of version 00.
    public static func header(_ span: SpanContext) -> String {
        let flags = String(span.flags.intersection(.known).rawValue, radix: 16)
        return "00-\(span.traceID)-\(span.spanID)-0\(flags)"
    }

    /// Reads a header of version 00 or later (§3.2); `nil` for one that has to be ignored.
    static func read(_ header: String) -> SpanContext? {
        let bytes = Array(Substring(header).utf8.trimmingBlanks)
        guard bytes.count >= byteCount, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }),
            let version = number(bytes[0..<2]), version != 0xff,
            let high = number(bytes[3..<19]), let low = number(bytes[19..<35]),
            let span = number(bytes[36..<52]), let flags = number(bytes[53..<55])
        else { return nil }
        // Later versions may go on behind another dash.
        guard bytes.count == byteCount || version > 0 && bytes[byteCount] == UInt8(ascii: "-") else { return nil }
        let context = SpanContext(
            traceID: TraceID(high: high, low: low),
            spanID: SpanID(span),
            flags: TraceFlags(rawValue: UInt8(truncatingIfNeeded: flags)).intersection(.known)
        )
        return context.isValid ? context : nil
    }

    /// At most sixteen lower-case digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard digits.allSatisfy({ !(0x41...0x46).contains($0) }) else { return nil }
        return Hex.parse(digits)?.low
    }
}
