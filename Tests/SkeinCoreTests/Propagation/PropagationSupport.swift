// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// Headers as a server has them: names without regard to case, several of one name joined.
struct Headers: PropagationSource, PropagationTarget, ExpressibleByDictionaryLiteral {
    private(set) var pairs: [(name: String, value: String)]

    init(dictionaryLiteral pairs: (String, String)...) { self.pairs = pairs.map { ($0.0.lowercased(), $0.1) } }

    func value(_ name: String) -> String? {
        let values = pairs.filter { $0.name == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    var names: [String]? { pairs.map(\.name) }

    mutating func set(_ name: String, _ value: String) {
        pairs.removeAll { $0.name == name.lowercased() }
        pairs.append((name.lowercased(), value))
    }
}

extension Propagator {
    func read(_ headers: Headers) -> PropagatedContext {
        var context = PropagatedContext()
        extract(from: headers, into: &context)
        return context
    }

    func written(_ context: PropagatedContext) -> Headers {
        var headers: Headers = [:]
        inject(context, into: &headers)
        return headers
    }
}

extension PropagatedContext {
    /// What was read, as short as a table needs it: trace, span and decision.
    var summary: String {
        guard let spanContext else { return "none \(decision)" }
        return "\(spanContext.traceID) \(spanContext.spanID) \(decision)"
    }

    static func of(_ flags: TraceFlags = [.sampled], _ state: String = "") -> PropagatedContext {
        var context = PropagatedContext()
        context.spanContext = SpanContext(
            traceID: TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736),
            spanID: SpanID(0x00f0_67aa_0ba9_02b7),
            flags: flags,
            traceState: TraceState(header: state) ?? TraceState()
        )
        context.decision = flags.contains(.sampled) ? .sampled : .notSampled
        return context
    }
}
