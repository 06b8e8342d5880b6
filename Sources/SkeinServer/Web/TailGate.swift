// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline

/// How many live tails are open at once. Each may be for as long as somebody listens.
final class TailGate: Sendable {
    /// The most tails that are open at once.
    let limit: Int
    private let open: Gauge
    private let refused: Counter

    init(limit: Int, telemetry: Telemetry) {
        self.limit = limit
        open = telemetry.gauge("skein_open_tails", "Live tails open now.")
        refused = telemetry.counter(
            "skein_rejected_tails_total",
            "Live tails not opened, by reason.",
            ["reason": "busy"]
        )
    }

    /// Lets a tail in; `nil` when too many are open.
    func enter() -> Pass? {
        guard open.enter(below: limit) else {
            refused.add()
            return nil
        }
        return Pass(self)
    }

    /// A tail that was let in. It is over when nobody holds its pass any more.
    final class Pass: Sendable {
        private let gate: TailGate

        fileprivate init(_ gate: TailGate) { self.gate = gate }

        deinit { gate.open.add(-1) }
    }
}
