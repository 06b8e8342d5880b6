// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
public import SkeinRecording
import SkeinWire
import Synchronization

/// Samples by the strategy that an agent or a collector has for this service, and asks for it again and again (OpenTelemetry
/// tracing SDK, "JaegerRemoteSampler"). To be used for roots, inside of ``ParentBasedSampler``.
///
/// Before the first answer a share of traces is sampled. An answer that does not come, or cannot be read, changes nothing; it is
/// told once, and again after the next good one. Limits of rates keep what they are owed when an answer leaves them as they
/// are. Shares are told in the `tracestate`, see ``ProbabilitySampler``, and not in tags beside it.
public final class JaegerRemoteSampler: Sampler {
    /// Fetches the strategy of a service as JSON; may wait until the deadline, and is called by one thread of its own.
    public typealias Source =
        @Sendable (_ service: String, _ deadline: ContinuousClock.Instant) -> Result<[UInt8], SourceFailure>

    /// Why no strategy came: what was tried, and what may be done.
    public struct SourceFailure: Error, Hashable, CustomStringConvertible {
        public var description: String
        public init(_ description: String) { self.description = description }
    }

    /// For how long one answer is waited for.
    private static let fetchTimeout = Duration.seconds(10)
    /// An answer with more bytes is not read.
    static let answerByteCountMax = 1 << 20

    private let service: String
    private let source: Source
    private let clock: any WallClock
    private let log: @Sendable (String) -> Void
    /// What is in force; the sampler of a strategy that stays keeps its balances.
    private let strategy: Mutex<any Sampler>
    private let hasFailed = Mutex(false)
    private let thread = Mutex<PeriodicThread?>(nil)

    /// - Parameters:
    ///   - service: whose strategy is asked for.
    ///   - initialProbability: of all traces before the first answer; 0 to 1.
    ///   - pollingInterval: from one question to the next, at least a second, give or take a tenth, so that a fleet does not ask all
    ///     at once.
    ///   - log: is told what an operator should know.
    ///   - source: fetches the answer.
    public convenience init(
        service: String,
        initialProbability: Double = 0.001,
        pollingInterval: Duration = .seconds(60),
        clock: any WallClock = SystemClock(),
        log: @escaping @Sendable (String) -> Void = { _ in },
        source: @escaping Source
    ) {
        self.init(service: service, initialProbability: initialProbability, clock: clock, log: log, source: source)
        // Nobody is asked more than once in a second.
        let pause = max(pollingInterval, .seconds(1))
        let made = PeriodicThread { [weak self] in
            self?.poll()
            return pause * Double.random(in: 0.9...1.1)
        }
        if !made.isRunning {
            log(
                "remote sampling stays at the share \(initialProbability), since no thread is to be had that asks for more"
            )
        }
        thread.withLock { $0 = made }
    }

    /// A sampler that asks when somebody calls ``poll()``.
    package init(
        service: String,
        initialProbability: Double = 0.001,
        clock: any WallClock,
        log: @escaping @Sendable (String) -> Void,
        source: @escaping Source
    ) {
        self.service = service
        self.source = source
        self.clock = clock
        self.log = log
        strategy = Mutex(ProbabilitySampler(probability: initialProbability))
    }

    public var description: String { "JaegerRemoteSampler{\(current.description)}" }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult { current.sample(request) }

    /// Asks no more; what is in force stays so. A question that is under way is not waited for. Further calls do nothing.
    public func shutdown() {
        let stopped = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        stopped?.stop()
    }

    /// Asks once, and waits for the answer.
    package func poll() {
        switch source(service, .now + Self.fetchTimeout) {
        case .failure(let failure): report(failure.description)
        case .success(let answer):
            guard answer.count <= Self.answerByteCountMax else {
                return report("it has \(answer.count) bytes, and at most \(Self.answerByteCountMax) are read")
            }
            do {
                apply(try answer.withUnsafeBytes { try Jaeger.SamplingStrategy(json: $0) })
                hasFailed.withLock { $0 = false }
            } catch {
                report("\(error)")
            }
        }
    }

    private var current: any Sampler { strategy.withLock { $0 } }

    private func report(_ problem: String) {
        let isNews = hasFailed.withLock { hasFailed in
            defer { hasFailed = true }
            return !hasFailed
        }
        guard isNews else { return }
        log("the sampling strategy of \(service) did not arrive, and \(current.description) stays in force: \(problem)")
    }

    private func apply(_ told: Jaeger.SamplingStrategy) {
        strategy.withLock { strategy in
            if let operations = told.operations {
                let probabilities = Dictionary(
                    operations.probabilities.prefix(GuaranteedThroughputSampler.operationCountMax)
                        .map { ($0.operation, $0.probability) },
                    uniquingKeysWith: { $1 }
                )
                if let sampler = strategy as? GuaranteedThroughputSampler {
                    sampler.update(
                        defaultProbability: operations.defaultProbability,
                        lowerBoundPerSecond: operations.lowerBoundTracesPerSecond,
                        probabilities: probabilities
                    )
                } else {
                    strategy = GuaranteedThroughputSampler(
                        defaultProbability: operations.defaultProbability,
                        lowerBoundPerSecond: operations.lowerBoundTracesPerSecond,
                        probabilities: probabilities,
                        clock: clock
                    )
                }
                return
            }
            switch told.kind {
            case .probabilistic(let probability):
                strategy = ProbabilitySampler(probability: probability)
            case .rateLimiting(let rate):
                let present = strategy as? RateLimitingSampler
                guard present?.tracesPerSecond != Double(rate) else { return }
                strategy = RateLimitingSampler(tracesPerSecond: Double(rate), clock: clock)
            }
        }
    }
}
