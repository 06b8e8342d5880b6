// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation

extension FuzzTarget {
    private static let propagators: [any Propagator] = [
        TraceContextPropagator(), BaggagePropagator(), B3Propagator(.single), B3Propagator(.multiple),
        JaegerPropagator(),
        XRayPropagator(),
    ]

    private static let requests = [
        """
        traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03
        tracestate: ot=th:c;rv:0123456789abcd, vendor=1
        baggage: user=alice%20b;secret,plan = free
        """,
        "b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d-05e3ac9a4f6e3b90",
        """
        x-b3-traceid: 64fe8b2a57d3eff7
        x-b3-spanid: e457b5a2e4d86bd1
        x-b3-sampled: 1
        x-b3-flags: 1
        """,
        """
        uber-trace-id: 64fe8b2a57d3eff7%3Ae457b5a2e4d86bd1%3A0%3A3
        uberctx-user: alice
        jaeger-baggage: a=b, c=d
        jaeger-debug-id: why
        """,
        "x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    ]

    /// Inputs are lines `name: value`.
    static let propagation = [
        FuzzTarget(name: "propagation", seeds: { requests.map { Array($0.utf8) } }) { bytes in
            let headers = Headers(String(decoding: bytes, as: UTF8.self))
            for propagator in propagators {
                // A wish to debug counts for one step where Jaeger's flags cannot tell it from what is merely sampled.
                let twice = passed(passed(headers, propagator), propagator)
                precondition(passed(twice, propagator) == twice, "what is passed on is not passed on again")
            }
            var context = PropagatedContext()
            CompositePropagator(propagators).extract(from: headers, into: &context)
        }
    ]

    /// The headers that go out where these came in.
    private static func passed(_ headers: Headers, _ propagator: any Propagator) -> Headers {
        var context = PropagatedContext()
        propagator.extract(from: headers, into: &context)
        var out = Headers("")
        propagator.inject(context, into: &out)
        return out
    }
}

/// Headers by their names in lower case.
private struct Headers: PropagationSource, PropagationTarget, Equatable {
    private var values: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let name = parts[0].lowercased()
            let value = String(parts[1].drop { $0 == " " })
            values[name] = values[name].map { $0 + "," + value } ?? value
        }
    }

    var names: [String]? { Array(values.keys) }

    func value(_ name: String) -> String? { values[name.lowercased()] }

    mutating func set(_ name: String, _ value: String) { values[name.lowercased()] = value }
}
