// SPDX-License-Identifier: Apache-2.0

/// What one protocol received, kept and refused.
///
/// `received = accepted + rejected + sampled out` holds, over all protocols, for spans of requests that could be read: what
/// sampling leaves out is counted by rule, not by protocol. Spans of a request that was refused whole are known only once it
/// was decoded and are counted as rejected from then on.
package struct IngestCounters: Sendable {
    /// What they count.
    package private(set) var source: IntakeSource
    /// Requests or datagrams that arrived, good or bad.
    package let requests: Counter
    /// Bytes of their bodies as they came over the wire.
    package let bytes: Counter
    /// Spans found in them.
    package let receivedSpans: Counter
    /// Spans that were stored, or that the tail sampler took.
    package let acceptedSpans: Counter
    private let droppedItems: [Counter]
    private let refusals: RefusalCounters
    private let rejectedSpans: [Counter]
    private let refusedSpans: [Counter]

    /// The reasons for which spans are lost after their request was decoded.
    static let storeReasons: [Refusal.Reason] = [
        .tooLarge, .busy, .rateLimited, .storeUnavailable, .storeFull, .shuttingDown,
    ]

    /// Makes the counters of a protocol; `name` is the value of the `protocol` label. Of an import nothing is sampled.
    package init(protocol name: StaticString, isImport: Bool = false, in telemetry: Telemetry) {
        source = IntakeSource(protocolName: name, isImport: isImport)
        requests = telemetry.counter(
            "skein_received_requests_total",
            "Requests and datagrams that arrived, good or bad.",
            ["protocol": name]
        )
        bytes = telemetry.counter(
            "skein_received_bytes_total",
            "Bytes of request bodies as they came over the wire.",
            ["protocol": name]
        )
        receivedSpans = telemetry.counter(
            "skein_received_spans_total",
            "Spans found in requests that could be read.",
            ["protocol": name]
        )
        acceptedSpans = telemetry.counter(
            "skein_accepted_spans_total",
            "Spans that were stored and acknowledged.",
            ["protocol": name]
        )
        droppedItems = ItemDrop.allCases.map { reason in
            telemetry.counter(
                "skein_dropped_items_total",
                "Attributes, events and links left out of accepted spans, by reason.",
                ["protocol": name, "reason": reason.label]
            )
        }
        refusals = RefusalCounters(protocol: name, in: telemetry)
        rejectedSpans = SpanRejection.allCases.map { reason in
            telemetry.counter(
                "skein_rejected_spans_total",
                "Spans that were not taken, by reason.",
                ["protocol": name, "reason": reason.label]
            )
        }
        refusedSpans = Self.storeReasons.map { reason in
            telemetry.counter(
                "skein_rejected_spans_total",
                "Spans that were not taken, by reason.",
                ["protocol": name, "reason": reason.label]
            )
        }
    }

    /// The same counters for a request whose sender imports traces.
    package var importing: IngestCounters {
        var counters = self
        counters.source.isImport = true
        return counters
    }

    /// Counts a request that is refused whole.
    package func refuse(_ reason: Refusal.Reason) { refusals.add(reason) }

    /// Counts spans that are refused although their request could be read.
    package func reject(_ count: Int, _ reason: SpanRejection) {
        if count > 0 { rejectedSpans[reason.rawValue].add(count) }
    }

    /// Counts what is left out of spans that are accepted.
    package func drop(_ count: Int, _ reason: ItemDrop) {
        if count > 0 { droppedItems[reason.rawValue].add(count) }
    }

    /// Counts the spans of a decoded request that the store did not keep.
    func reject(_ count: Int, _ reason: Refusal.Reason) {
        if let index = Self.storeReasons.firstIndex(of: reason) { refusedSpans[index].add(count) }
    }

    /// Requests refused for `reason` so far.
    package func refused(_ reason: Refusal.Reason) -> UInt64 { refusals.count(reason) }
    /// Items dropped for `reason` so far.
    package func dropped(_ reason: ItemDrop) -> UInt64 { droppedItems[reason.rawValue].value }
    /// Spans rejected for `reason` so far.
    package func rejected(_ reason: SpanRejection) -> UInt64 { rejectedSpans[reason.rawValue].value }
}
