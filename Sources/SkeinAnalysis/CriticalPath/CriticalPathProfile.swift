// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Who owns the latency of many traces: how much of their critical paths is each operation's own.
///
/// A trace counts by the weight of its root: how many it stands for after sampling. Profiles of parts of the traces add up
/// to that of all. At most ``operationCountMax`` operations are told apart; the others are one.
package struct CriticalPathProfile: TraceAnalysis {
    /// Most operations that are told apart.
    package static let operationCountMax = 10_000

    /// Traces added.
    package private(set) var traceCount = 0
    /// Traces, each by its weight.
    package private(set) var weight = 0.0
    /// Nanoseconds of all critical paths together, each by its weight.
    package private(set) var pathNanos = 0.0
    private var groups = BoundedGroups<OperationName, Figures>(limit: operationCountMax)

    package var byteCount: Int { groups.values.count * 1024 }

    private struct Figures {
        var traceCount = 0
        var pathNanos = 0.0
        var contributions = NanosHistogram()
        var exemplar: (traceID: TraceID, nanos: UInt64)?

        mutating func add(_ nanos: UInt64, _ weight: Double, _ id: TraceID) {
            traceCount += 1
            pathNanos += Double(nanos) * weight
            contributions.add(nanos, weight: weight)
            offer((id, nanos))
        }

        mutating func add(_ other: Self) {
            traceCount += other.traceCount
            pathNanos += other.pathNanos
            contributions.add(other.contributions)
            if let theirs = other.exemplar { offer(theirs) }
        }

        private mutating func offer(_ theirs: (traceID: TraceID, nanos: UInt64)) {
            guard let mine = exemplar else {
                exemplar = theirs
                return
            }
            if theirs.nanos > mine.nanos || (theirs.nanos == mine.nanos && theirs.traceID < mine.traceID) {
                exemplar = theirs
            }
        }
    }

    /// What one operation contributes.
    package struct Owner: Sendable {
        /// `nil` for all that are not told apart.
        package var name: OperationName?
        /// Traces on whose path it is; one counts for each operation of it that is not told apart.
        package var traceCount: Int
        /// Nanoseconds of all paths together, each by its weight.
        package var pathNanos: Double
        /// The part of all paths that is its own, 0…1.
        package var share: Double
        /// Of the traces on whose path it is: nanoseconds that half of them do not exceed, within 1.6 %.
        package var p50Nanos: UInt64
        /// As ``p50Nanos``, for 95 %.
        package var p95Nanos: UInt64
        /// The trace to which it contributes most, of equal ones the lesser id.
        package var exemplar: TraceID

        /// The share of all paths' time, 0…1, that is saved when the operation's own time is shorter by `share` (0…1). What
        /// ran beside it may then be waited for instead, so it is the most that can be gained.
        package func savedShare(ifFasterBy share: Double) -> Double { self.share * share }
    }

    /// A profile of no traces.
    package init() {}

    /// Adds a trace; `batch` holds all of its spans, each once.
    package mutating func add(_ batch: SpanBatch) {
        let tree = TraceTree(batch)
        add(CriticalPath(tree, of: batch), tree, of: batch)
    }

    /// Adds a trace whose path is known.
    package mutating func add(_ path: CriticalPath, _ tree: TraceTree, of batch: SpanBatch) {
        guard tree.count > 0 else { return }
        let id = batch.traceIDs[0]
        let weight = batch.weight(at: Int(tree.batchRows[tree.rootRow ?? 0]))
        traceCount += 1
        self.weight += weight
        let (numbers, names) = tree.operationNames()
        var nanos = [UInt64](repeating: 0, count: names.count)
        for segment in path.segments { nanos[numbers[segment.row]] += segment.durationNanos }
        for (name, nanos) in zip(names, nanos) where nanos > 0 {
            pathNanos += Double(nanos) * weight
            groups.update(name, first: Figures()) { $0.add(nanos, weight, id) }
        }
    }

    /// Adds the traces of another profile.
    package mutating func merge(_ other: CriticalPathProfile) {
        traceCount += other.traceCount
        weight += other.weight
        pathNanos += other.pathNanos
        groups.merge(other.groups, first: Figures()) { $0.add($1) }
    }

    /// Operations by what they contribute, most first, ties by name; those that are not told apart last.
    package var owners: [Owner] {
        let named = groups.values.map { owner($0.key, $0.value) }.sorted { a, b in
            guard a.pathNanos == b.pathNanos, let first = a.name, let second = b.name else {
                return a.pathNanos > b.pathNanos
            }
            return OperationName.precedes(first, second)
        }
        return named + (groups.others.map { [owner(nil, $0)] } ?? [])
    }

    private func owner(_ name: OperationName?, _ figures: Figures) -> Owner {
        Owner(
            name: name,
            traceCount: figures.traceCount,
            pathNanos: figures.pathNanos,
            share: pathNanos > 0 ? figures.pathNanos / pathNanos : 0,
            p50Nanos: figures.contributions.quantile(0.5),
            p95Nanos: figures.contributions.quantile(0.95),
            exemplar: figures.exemplar?.traceID ?? .zero
        )
    }
}
