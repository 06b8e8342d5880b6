// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
package import SkeinPropagation

/// The traces that stand around a message: that of the HTTP request which brought it, and that which this process was started in.
package struct Ambience: Sendable {
    /// Of the header `traceparent` and its like; names no trace on pipes.
    package var header = PropagatedContext()
    /// Of the variable `TRACEPARENT` and its like.
    package var environment = PropagatedContext()

    /// None.
    package init() {}

    /// Of a process's environment. Its baggage is for processes that it starts, not for servers elsewhere.
    package init(environment variables: [String: String], keepsBaggage: Bool) {
        environment = Self.context(EnvironmentCarrier(variables))
        if !keepsBaggage { environment.baggage = Baggage() }
    }

    /// With what the headers of a request say.
    func with(_ headers: HTTPHeaders) -> Ambience {
        var ambience = self
        ambience.header = Self.context(HeaderSource(headers: headers))
        return ambience
    }

    /// What `_meta` says; values that are none of the W3C's are as none (SEP-414).
    static func context(traceparent: String?, tracestate: String?) -> PropagatedContext {
        context(PairSource(values: ["traceparent": traceparent, "tracestate": tracestate]))
    }

    private static func context(_ source: some PropagationSource) -> PropagatedContext {
        var context = PropagatedContext()
        TraceContextPropagator().extract(from: source, into: &context)
        BaggagePropagator().extract(from: source, into: &context)
        return context
    }

    private struct HeaderSource: PropagationSource {
        let headers: HTTPHeaders

        func value(_ name: String) -> String? {
            let values = headers[name]
            return values.isEmpty ? nil : values.joined(separator: ",")
        }
    }

    private struct PairSource: PropagationSource {
        let values: [String: String?]
        func value(_ name: String) -> String? { values[name] ?? nil }
    }
}
