// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Something about how services are instrumented that makes their traces say less than they could.
package struct HygieneFinding: Sendable {
    package var kind: Kind
    /// What was seen, in a sentence.
    package var what: String
    /// Empty for spans without a service name.
    package var service: String
    /// The span name, or the shape of several; empty where the finding is about the service as a whole.
    package var operation: String
    /// Spans that show it, each by its weight.
    package var count: Double
    package var traceCount: Int
    /// The latest few.
    package var exemplars: [TraceID]

    /// What is wrong. Raw values are what programs tell findings apart by.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A client's call has no server span, while the called service begins traces of its own.
        case brokenPropagation = "broken-propagation"
        case missingServiceName = "missing-service-name"
        /// A parent is named and not stored.
        case missingParent = "missing-parent"
        /// A name carries ids, so that there are as many names as requests.
        case highCardinalityName = "high-cardinality-name"
        /// A name that says nothing, or is not written as the service's others are.
        case unusualName = "unusual-name"
        /// One span for several operations.
        case mixedOperations = "mixed-operations"
        /// Kind is unspecified, or internal where a call from another service arrives.
        case missingKind = "missing-kind"
        /// A span starts before the span of another service that caused it, or decades ago.
        case clock
        /// The end lies before the start, or was never said.
        case negativeDuration = "negative-duration"
        /// No duration, though something went on in the span.
        case unfinished

        /// What to do about it, in a sentence.
        package var remedy: String {
            switch self {
            case .brokenPropagation:
                "Let the caller inject the W3C traceparent header and the called service extract it; check proxies, "
                    + "gateways and hand-made clients between them."
            case .missingServiceName:
                "Set the resource attribute service.name, or the environment variable OTEL_SERVICE_NAME."
            case .missingParent:
                "Let the parent's service export to the same place, keep its sampling decision (a parent-based sampler) "
                    + "and flush spans before it stops."
            case .highCardinalityName:
                "Name the span by its template, as in GET /items/{id}, and put the value into an attribute."
            case .unusualName:
                "Name the span by what it does, as the service's others are: service.operation, or verb and target."
            case .mixedOperations: "Give each operation a span of its own, with one kind and its own attributes."
            case .missingKind:
                "Set the kind when the span is started: server or consumer where a call arrives, client or producer where "
                    + "one leaves, internal for the rest."
            case .clock: "Let the hosts synchronise their clocks (NTP), and take start times from one clock."
            case .negativeDuration:
                "End every span once, and take start and end from one clock; do not set end times by hand."
            case .unfinished:
                "End the span when its work is done: in a defer, finally or with block, also after errors."
            }
        }
    }
}
