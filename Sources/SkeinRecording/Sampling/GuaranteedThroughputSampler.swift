// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
import SkeinPropagation
import Synchronization
import Tracing

/// Samples a share of the traces of each operation, which is the name of the root, and beside it some of each a second, however
/// small the share is (Jaeger's per-operation sampling). To be used for roots.
///
/// A span of the share has a threshold in its `tracestate`, see ``ProbabilitySampler``. One that is taken beside it stands for
/// nobody knows how many: it has the tags `sampler.type` `lowerbound` and `sampler.param`, the share that did not take it.
public final class GuaranteedThroughputSampler: Sampler {
    /// Operations that are told apart; of further ones the default share is sampled, and no lower bound holds.
    public static let operationCountMax = 2_000
    /// Bytes of a name that is told apart.
    static let nameByteCountMax = 1_024

    private struct Operation {
        var share: ProbabilitySampler
        var bucket: LeakyBucket
    }

    private struct State {
        var defaultShare: ProbabilitySampler
        var lowerBoundPerSecond: Double
        var named: [String: Double]
        var operations: [String: Operation] = [:]
    }

    private let clock: any WallClock
    private let fill: Double?
    private let state: Mutex<State>

    /// `probabilities` are shares of operations by name; `lowerBoundPerSecond` holds for each operation alone, and 0 for none.
    public convenience init(
        defaultProbability: Double,
        lowerBoundPerSecond: Double,
        probabilities: [String: Double] = [:],
        clock: any WallClock = SystemClock()
    ) {
        self.init(
            defaultProbability: defaultProbability,
            lowerBoundPerSecond: lowerBoundPerSecond,
            probabilities: probabilities,
            clock: clock,
            fill: nil
        )
    }

    /// `fill` is how much of the largest balance an operation has at first, 0 to 1; `nil` for random.
    package init(
        defaultProbability: Double,
        lowerBoundPerSecond: Double,
        probabilities: [String: Double],
        clock: any WallClock,
        fill: Double?
    ) {
        self.clock = clock
        self.fill = fill
        state = Mutex(
            State(
                defaultShare: ProbabilitySampler(probability: defaultProbability),
                lowerBoundPerSecond: lowerBoundPerSecond,
                named: probabilities
            )
        )
    }

    public var description: String {
        state.withLock { state in
            "GuaranteedThroughputSampler{default:\(state.defaultShare.probability),"
                + "lowerBound:\(state.lowerBoundPerSecond),operations:\(state.named.count)}"
        }
    }

    /// Samples by other numbers from now on. Operations keep what they are owed, unless the lower bound has changed.
    package func update(defaultProbability: Double, lowerBoundPerSecond: Double, probabilities: [String: Double]) {
        state.withLock { state in
            if lowerBoundPerSecond != state.lowerBoundPerSecond { state.operations = [:] }
            state.defaultShare = ProbabilitySampler(probability: defaultProbability)
            state.lowerBoundPerSecond = lowerBoundPerSecond
            state.named = probabilities
            for name in Array(state.operations.keys) {
                let share = share(of: name, state)
                state.operations[name]?.share = share
            }
        }
    }

    public func sample(_ request: borrowing SamplingRequest) -> SamplingResult {
        let nanos = clock.monotonicNanos
        let (share, hasRoom) = decide(request.name, nanos: nanos)
        let result = share.sample(request)
        guard result.decision == .drop, hasRoom else { return result }
        return SamplingResult(
            .recordAndSample,
            attributes: .sampler("lowerbound", share.probability),
            traceState: result.traceState
        )
    }

    /// The share of an operation, and whether the lower bound takes the span, which what the share takes counts for too.
    private func decide(_ name: String, nanos: UInt64) -> (ProbabilitySampler, hasRoom: Bool) {
        state.withLock { state in
            if let index = state.operations.index(forKey: name) {
                let hasRoom = state.operations.values[index].bucket.take(nanos: nanos)
                return (state.operations.values[index].share, hasRoom)
            }
            let share = share(of: name, state)
            guard state.operations.count < Self.operationCountMax, name.utf8.count <= Self.nameByteCountMax else {
                return (share, false)
            }
            var bucket = LeakyBucket(
                perSecond: state.lowerBoundPerSecond,
                fill: fill ?? .random(in: 0...1),
                nanos: nanos
            )
            let hasRoom = bucket.take(nanos: nanos)
            state.operations[name] = Operation(share: share, bucket: bucket)
            return (share, hasRoom)
        }
    }

    private func share(of name: String, _ state: State) -> ProbabilitySampler {
        state.named[name].map { ProbabilitySampler(probability: $0) } ?? state.defaultShare
    }
}
