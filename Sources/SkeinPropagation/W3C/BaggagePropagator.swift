// SPDX-License-Identifier: Apache-2.0

/// The header `baggage` (W3C Baggage).
public struct BaggagePropagator: Propagator {
    public init() {}

    public var fields: [String] { ["baggage"] }

    public func extract(from source: some PropagationSource, into context: inout PropagatedContext) {
        if let header = source.value("baggage") { context.baggage.add(header: header) }
    }

    public func inject(_ context: PropagatedContext, into target: inout some PropagationTarget) {
        let header = context.baggage.header
        if !header.isEmpty { target.set("baggage", header) }
    }
}
