// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline

/// How many queries run at once, and how long each may.
struct QueryGate: Sendable {
    /// What became of a query.
    enum Outcome<Answer: Sendable>: Sendable {
        case answered(Answer)
        /// Stopped after this time.
        case late(Duration)
        /// Not begun, since so many were running.
        case full(Int)
    }

    private let limit: Int
    private let timeout: Duration
    private let running: Gauge
    private let seconds: Histogram
    private let refused: Counter
    private let stopped: Counter

    init(limit: Int, timeout: Duration, telemetry: Telemetry) {
        self.limit = limit
        self.timeout = timeout
        running = telemetry.gauge("skein_running_queries", "Queries running now.")
        seconds = telemetry.histogram("skein_query_duration_seconds", "Time of queries, however they ended.")
        refused = telemetry.counter(
            "skein_rejected_queries_total",
            "Queries not answered, by reason.",
            ["reason": "busy"]
        )
        stopped = telemetry.counter(
            "skein_rejected_queries_total",
            "Queries not answered, by reason.",
            ["reason": "timeout"]
        )
    }

    /// Runs `query` unless too many are running, and cancels it when its time is over.
    func run<Answer: Sendable>(_ query: @escaping @Sendable () async -> Answer) async -> Outcome<Answer> {
        guard running.enter(below: limit) else {
            refused.add()
            return .full(limit)
        }
        let start = ContinuousClock.now
        defer {
            running.add(-1)
            seconds.observe(start.duration(to: .now))
        }
        return await withTaskGroup(of: Answer?.self) { group in
            group.addTask { await query() }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            // A query stops soon after it is cancelled and then has an answer too, which nobody wants any more.
            guard let first = await group.next(), let answer = first else {
                stopped.add()
                group.cancelAll()
                return .late(timeout)
            }
            group.cancelAll()
            return .answered(answer)
        }
    }
}
