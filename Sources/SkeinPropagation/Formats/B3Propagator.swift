// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// B3, in one header or in several (openzipkin/b3-propagation). Both are read, the single one first; one is written.
public struct B3Propagator: Propagator {
    public enum Form: Hashable, Sendable {
        /// `b3`
        case single
        /// `x-b3-traceid` and others
        case multiple
    }

    private let form: Form

    public init(_ form: Form = .single) { self.form = form }

    private static let single = "b3"
    private static let traceID = "x-b3-traceid"
    private static let spanID = "x-b3-spanid"
    private static let sampled = "x-b3-sampled"
    private static let flags = "x-b3-flags"

    public var fields: [String] {
        form == .single ? [Self.single] : [Self.traceID, Self.spanID, Self.sampled, Self.flags]
    }

    public func extract(from source: some PropagationSource, into context: inout PropagatedContext) {
        guard let (ids, decision) = source.value(Self.single).flatMap(Self.read) ?? Self.readMultiple(source) else {
            return
        }
        if let ids {
            context.take(ids, decision)
        } else if context.spanContext == nil {
            context.decision = decision
        }
    }

    public func inject(_ context: PropagatedContext, into target: inout some PropagationTarget) {
        guard let span = context.spanContext, span.isValid else { return }
        let isDebug = context.decision == .debug
        let isSampled = span.flags.contains(.sampled)
        switch form {
        case .single:
            target.set(Self.single, "\(span.traceID)-\(span.spanID)-\(isDebug ? "d" : isSampled ? "1" : "0")")
        case .multiple:
            target.set(Self.traceID, span.traceID.description)
            target.set(Self.spanID, span.spanID.description)
            if isDebug {
                target.set(Self.flags, "1")
            } else {
                target.set(Self.sampled, isSampled ? "1" : "0")
            }
        }
    }

    /// What a header says: a trace, or a decision alone.
    private typealias Reading = (ids: SpanContext?, decision: PropagatedContext.Decision)

    private static func read(_ header: String) -> Reading? {
        let parts = Substring(header).utf8.trimmingBlanks.split(
            separator: UInt8(ascii: "-"),
            omittingEmptySubsequences: false
        )
        if parts.count == 1 { return decision(parts[0]).map { (nil, $0) } }
        guard (2...4).contains(parts.count), let ids = context(parts[0], parts[1]) else { return nil }
        guard parts.count > 2 else { return (ids, .deferred) }
        guard let decision = decision(parts[2]) else { return nil }
        // The parent's parent is looked at for its form alone.
        guard parts.count < 4 || parts[3].count == 16 && Hex.parse(parts[3]) != nil else { return nil }
        return (ids, decision)
    }

    private static func readMultiple(_ source: some PropagationSource) -> Reading? {
        func text(_ name: String) -> Substring.UTF8View? {
            source.value(name).map { Substring($0).utf8.trimmingBlanks }
        }
        var decision: PropagatedContext.Decision?
        if text(flags).map({ $0.elementsEqual("1".utf8) }) == true {
            decision = .debug
        } else if let sampled = text(sampled) {
            switch String(Substring(sampled)).lowercased() {
            case "1", "true": decision = .sampled
            case "0", "false": decision = .notSampled
            default: return nil
            }
        }
        guard let trace = text(traceID), let span = text(spanID) else {
            // A trace without a span, or the other way round, is malformed; a decision may stand alone.
            return text(traceID) == nil && text(spanID) == nil ? decision.map { (nil, $0) } : nil
        }
        return context(trace, span).map { ($0, decision ?? .deferred) }
    }

    private static func context(_ trace: Substring.UTF8View, _ span: Substring.UTF8View) -> SpanContext? {
        guard trace.count == 16 || trace.count == 32, span.count == 16, let id = Hex.parse(trace),
            let spanID = Hex.parse(span)
        else { return nil }
        let context = SpanContext(traceID: TraceID(high: id.high, low: id.low), spanID: SpanID(spanID.low))
        return context.isValid ? context : nil
    }

    private static func decision(_ text: Substring.UTF8View) -> PropagatedContext.Decision? {
        guard text.count == 1 else { return nil }
        return switch text.first {
        case UInt8(ascii: "0"): .notSampled
        case UInt8(ascii: "1"): .sampled
        case UInt8(ascii: "d"): .debug
        default: nil
        }
    }
}
