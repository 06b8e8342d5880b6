// SPDX-License-Identifier: Apache-2.0

/// The requests that a door refused, by reason.
package struct RefusalCounters: Sendable {
    private let counters: [Counter]

    /// Makes the counters; `name` is the value of the `protocol` label.
    package init(protocol name: StaticString, in telemetry: Telemetry) {
        counters = Refusal.Reason.allCases.map { reason in
            telemetry.counter(
                "skein_rejected_requests_total",
                "Requests and datagrams that were not taken, by reason.",
                ["protocol": name, "reason": reason.label]
            )
        }
    }

    /// Counts a request that is refused.
    package func add(_ reason: Refusal.Reason) { counters[reason.rawValue].add() }

    /// How many were refused for this reason.
    package func count(_ reason: Refusal.Reason) -> UInt64 { counters[reason.rawValue].value }
}
