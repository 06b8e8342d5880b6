// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
import Synchronization

/// Finds for each operation the share of its traces that gives a target of traces a second, from the roots that come.
///
/// A root that says how it was sampled counts by its weight. One that does not is taken to have been sampled by the share
/// that clients were told in the last two intervals, which is what they ask for once in each; so nothing needs to be
/// written into spans. Of clients that sample by other rules the shares have no meaning, and nobody asks for them.
///
/// Shares are found anew at the end of each interval, by whoever comes next; an operation without a root in it keeps its
/// own. A share that falls does so at once, since too much comes; one that rises is doubled at most, since an hour of
/// silence says little of the next minute.
package final class AdaptiveSampling: IntakeStage {
    package struct Settings: Hashable, Sendable {
        /// Sampled traces a second of each operation, above 0.
        package var targetPerSecond: Double
        /// A share that would miss the target by less than this part of it stays as it is.
        package var tolerance = 0.3
        package var intervalNanos: UInt64 = 60_000_000_000
        /// Of operations that are not known yet.
        package var initialProbability = 0.001
        package var probabilityMin = 1e-5
        /// Traces of an operation that clients take in a second however small its share is.
        package var lowerBoundPerSecond = 1.0 / 60

        package init(targetPerSecond: Double) { self.targetPerSecond = targetPerSecond }
    }

    /// Bytes of the names of a service and its operation together; longer ones are not told apart, and not known.
    private static let nameByteCountMax = 512
    /// Operations of all services that are known at once.
    package static let operationCountMax = 20_000
    /// Intervals without a root after which an operation is forgotten.
    private static let idleIntervalsMax: UInt64 = 60

    /// What is known of one operation.
    private struct Operation {
        /// The share that is told now.
        var probability: Double
        /// The one that was told in the interval before.
        var formerProbability: Double
        /// Since ``sinceNanos``: traces that the roots say they stand for, and roots that do not say.
        var saidCount = 0.0
        var unsaidCount = 0.0
        var sinceNanos: UInt64
    }

    private struct State {
        var services: [String: [String: Operation]] = [:]
        var operationCount = 0
        var startNanos: UInt64
    }

    package let settings: Settings
    private let clock: any WallClock
    private let state: Mutex<State>
    private let overflow: Counter

    /// Knows no operation yet. `clock` says when an interval ends.
    package init(_ settings: Settings, clock: any WallClock, telemetry: Telemetry) {
        precondition(settings.targetPerSecond > 0 && settings.intervalNanos > 0)
        self.settings = settings
        self.clock = clock
        state = Mutex(State(startNanos: clock.monotonicNanos))
        overflow = telemetry.counter(
            "skein_adaptive_sampling_overflow_roots_total",
            "Root spans of operations that adaptive sampling had no room for."
        )
    }

    /// The operations of a service and the share of each, by name; the initial share holds for all others.
    package func probabilities(of service: String) -> [(operation: String, probability: Double)] {
        state.withLock { state in
            calculate(&state, clock.monotonicNanos)
            return (state.services[service] ?? [:]).map { ($0.key, $0.value.probability) }.sorted { $0.0 < $1.0 }
        }
    }

    /// Counts the roots of a batch, which goes on as it is. Those of an import say nothing of what comes now.
    package func process(_ batch: SpanBatch, from source: IntakeSource) -> SpanBatch {
        guard !source.isImport else { return batch }
        let roots = Self.roots(of: batch)
        guard !roots.isEmpty else { return batch }
        state.withLock { state in
            let now = clock.monotonicNanos
            calculate(&state, now)
            for (key, count) in roots { add(count, of: key, in: batch, now, to: &state) }
        }
        return batch
    }

    /// Numbers of service and name in a batch.
    private struct Key: Hashable {
        var service: SpanBatch.Ref
        var name: SpanBatch.Ref
    }

    private struct Roots {
        var rootCount = 0
        var said = 0.0
        var unsaid = 0.0
    }

    private static let samplerTypes = ["sampler.type", "jaeger.sampler.type"].map { Array($0.utf8) }

    private static func roots(of batch: SpanBatch) -> [Key: Roots] {
        var roots: [Key: Roots] = [:]
        let typeKeys = batch.dictionary.refs(of: samplerTypes).filter { $0 != 0 }
        for row in 0..<batch.count where !batch.parentSpanIDs[row].isValid {
            let service = batch.resources.serviceNameRefs[Int(batch.resourceRows[row])]
            let weight = SpanBatch.value(batch.weights, row, default: 1)
            var count = roots[Key(service: service, name: batch.nameRefs[row]), default: Roots()]
            count.rootCount += 1
            if weight > 1 || saysThreshold(row, of: batch) {
                count.said += weight
            } else if let type = samplerType(row, of: batch, typeKeys) {
                // One of so many a second that are taken beside the share says nothing of it.
                if type != "lowerbound" { count.said += weight }
            } else {
                count.unsaid += 1
            }
            roots[Key(service: service, name: batch.nameRefs[row])] = count
        }
        return roots
    }

    private static func saysThreshold(_ row: Int, of batch: SpanBatch) -> Bool {
        let state = SpanBatch.value(batch.traceStateRefs, row, default: 0)
        return state != 0
            && batch.dictionary.withBytes(state) { SamplingThreshold.threshold(ofTraceState: $0) != nil }
    }

    /// What Jaeger's tag says of who sampled a span; `nil` without the tag.
    private static func samplerType(_ row: Int, of batch: SpanBatch, _ keys: [SpanBatch.Ref]) -> String? {
        guard !keys.isEmpty else { return nil }
        let pair = batch.attributes.range(of: row).first { keys.contains(batch.attributes.keyRefs[$0]) }
        guard let pair, case .string(let type) = batch.dictionary.value(batch.attributes.valueRefs[pair]) else {
            return nil
        }
        return type
    }

    private func add(_ roots: Roots, of key: Key, in batch: SpanBatch, _ now: UInt64, to state: inout State) {
        let (service, name) = (batch.dictionary.string(key.service), batch.dictionary.string(key.name))
        let known = state.services[service]?[name]
        let isShort = service.utf8.count + name.utf8.count <= Self.nameByteCountMax
        guard known != nil || isShort && state.operationCount < Self.operationCountMax else {
            return overflow.add(roots.rootCount)
        }
        if known == nil { state.operationCount += 1 }
        let initial = settings.initialProbability
        var operation =
            known
            ?? Operation(probability: initial, formerProbability: initial, sinceNanos: state.startNanos)
        operation.saidCount += roots.said
        operation.unsaidCount += roots.unsaid
        state.services[service, default: [:]][name] = operation
    }

    /// Ends the interval if it is over.
    private func calculate(_ state: inout State, _ now: UInt64) {
        guard now >= state.startNanos, now - state.startNanos >= settings.intervalNanos else { return }
        state.startNanos = now
        for (service, operations) in state.services {
            var kept = operations
            for (name, operation) in operations { kept[name] = next(operation, now) }
            state.operationCount -= operations.count - kept.count
            state.services[service] = kept.isEmpty ? nil : kept
        }
    }

    /// What is known of an operation from now on; `nil` when it is to be forgotten.
    private func next(_ operation: Operation, _ now: UInt64) -> Operation? {
        var next = operation
        let elapsed = now - operation.sinceNanos
        next.formerProbability = operation.probability
        guard operation.saidCount + operation.unsaidCount > 0 else {
            return elapsed / settings.intervalNanos < Self.idleIntervalsMax ? next : nil
        }
        let told = (operation.probability + operation.formerProbability) / 2
        let perSecond = (operation.saidCount + operation.unsaidCount / told) / (Double(elapsed) * 1e-9)
        let miss = perSecond * operation.probability / settings.targetPerSecond - 1
        if abs(miss) > settings.tolerance {
            let wanted = min(settings.targetPerSecond / perSecond, 2 * operation.probability)
            next.probability = min(max(wanted, settings.probabilityMin), 1)
        }
        next.saidCount = 0
        next.unsaidCount = 0
        next.sinceNanos = now
        return next
    }
}
