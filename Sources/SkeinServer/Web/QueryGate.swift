// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline

/// How many queries run at once, and how long each may, until the end of its answer.
final class QueryGate: Sendable {
    /// The most queries that run at once.
    let limit: Int
    /// The longest that each may take.
    let timeout: Duration
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

    /// What is said of a query whose time is over.
    var lateness: String {
        "The query was stopped after \(Quantity.text(timeout)): ask for a shorter time range or a narrower condition."
    }

    /// Lets a query in; `nil` when too many are running.
    func enter() -> Pass? {
        guard running.enter(below: limit) else {
            refused.add()
            return nil
        }
        return Pass(self)
    }

    /// A query that was let in. It is over when nobody holds its pass any more.
    final class Pass: Sendable {
        private let gate: QueryGate
        private let start = ContinuousClock.now

        fileprivate init(_ gate: QueryGate) { self.gate = gate }

        deinit {
            gate.running.add(-1)
            gate.seconds.observe(start.duration(to: .now))
        }

        private enum Event<Answer: Sendable>: Sendable {
            case done(Result<Answer, any Error>)
            case late
            case cancelled
        }

        /// Does some of the query's work. `nil` when the time of the query is over: the work is cancelled, and what comes
        /// of it is of no use.
        func run<Answer: Sendable>(_ work: @escaping @Sendable () async throws -> Answer) async throws -> Answer? {
            let deadline = start + gate.timeout
            let answer: Result<Answer, any Error>? = await withTaskGroup(of: Event<Answer>.self) { group in
                group.addTask {
                    do { return .done(.success(try await work())) } catch { return .done(.failure(error)) }
                }
                group.addTask {
                    do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return .cancelled }
                    return .late
                }
                defer { group.cancelAll() }
                for await event in group {
                    switch event {
                    case .done(let result): return result
                    case .late: return nil
                    // Nobody waits any more. The work hears of it too, and soon ends.
                    case .cancelled: continue
                    }
                }
                return nil
            }
            if answer == nil { gate.stopped.add() }
            return try answer?.get()
        }
    }
}
