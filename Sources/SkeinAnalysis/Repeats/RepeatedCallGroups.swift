// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Repeated calls of many traces, by who makes them and what they are.
///
/// At most ``groupCountMax`` groups are told apart; what lies beyond is only counted. Groups of parts of the traces add up to
/// those of all.
package struct RepeatedCallGroups: TraceAnalysis {
    /// Most groups that are told apart.
    package static let groupCountMax = 5_000

    package let thresholds: RepeatedCalls.Thresholds
    /// Traces added.
    package private(set) var traceCount = 0
    private var groups = BoundedGroups<Key, Figures>(limit: groupCountMax)

    package var byteCount: Int { groups.values.count * 2048 }

    private struct Key: Hashable, Sendable {
        var scope: RepeatedCalls.Scope
        var caller: OperationName
        var call: RepeatedCalls.Call
    }

    /// One sort of repeated call.
    package struct Group: Sendable {
        package var scope: RepeatedCalls.Scope
        /// The operation below which the calls stand.
        package var caller: OperationName
        package var call: RepeatedCalls.Call
        package var figures: Figures
    }

    /// What the findings of one sort add up to.
    package struct Figures: Sendable {
        /// Traces that show it.
        package var traceCount = 0
        /// Spans below which it is, each by its weight.
        package var callerCount = 0.0
        /// Calls below them, each by the weight of its caller.
        package var callCount = 0.0
        /// Most calls below one span.
        package var callCountMax = 0
        /// Of all calls together, each by the weight of its caller.
        package var totalNanos = 0.0
        /// In which at least one was running, likewise.
        package var coveredNanos = 0.0
        /// Of the callers, likewise.
        package var callerNanos = 0.0
        /// Callers whose calls hardly overlap, each by its weight.
        package var sequentialCount = 0.0
        /// The trace with most calls below one span, of equal ones the lesser id.
        package var exemplar = TraceID.zero

        /// The part of the callers' time in which a call was running, 0…1.
        package var share: Double { callerNanos > 0 ? min(coveredNanos / callerNanos, 1) : 0 }
    }

    /// Groups of no traces.
    package init(thresholds: RepeatedCalls.Thresholds = .init()) { self.thresholds = thresholds }

    /// Adds a trace; `batch` holds all of its spans, each once, with attributes.
    package mutating func add(_ batch: SpanBatch) {
        let tree = TraceTree(batch)
        traceCount += 1
        var found: [Key: Figures] = [:]
        for finding in RepeatedCalls(tree, of: batch, thresholds: thresholds).findings {
            let callerRow = Int(tree.batchRows[finding.caller])
            let weight = batch.weight(at: callerRow)
            var figures = Figures()
            figures.callerCount = weight
            figures.callCount = Double(finding.count) * weight
            figures.callCountMax = finding.count
            figures.totalNanos = Double(finding.totalNanos) * weight
            figures.coveredNanos = Double(finding.coveredNanos) * weight
            figures.callerNanos = Double(batch.durationNanos[callerRow]) * weight
            figures.sequentialCount = finding.isSequential ? weight : 0
            figures.exemplar = batch.traceIDs[callerRow]
            let key = Key(scope: finding.scope, caller: tree.name(at: finding.caller), call: finding.call)
            found[key, default: Figures()].add(figures)
        }
        for (key, figures) in found {
            groups.update(key, first: Figures()) { sum in
                sum.add(figures)
                sum.traceCount += 1
            }
        }
    }

    /// Adds the groups of other traces, found with the same thresholds.
    package mutating func merge(_ other: RepeatedCallGroups) {
        traceCount += other.traceCount
        groups.merge(other.groups, first: Figures()) { sum, figures in
            sum.add(figures)
            sum.traceCount += figures.traceCount
        }
    }

    /// Most time of calls first, ties by the caller's name, then the call's.
    package var sorted: [Group] {
        groups.values.sorted { a, b in
            if a.value.totalNanos != b.value.totalNanos { return a.value.totalNanos > b.value.totalNanos }
            if a.key.caller != b.key.caller { return OperationName.precedes(a.key.caller, b.key.caller) }
            if a.key.call.name != b.key.call.name { return OperationName.precedes(a.key.call.name, b.key.call.name) }
            return (a.key.call.statement, a.key.call.peer, a.key.scope.rawValue)
                < (b.key.call.statement, b.key.call.peer, b.key.scope.rawValue)
        }.map { Group(scope: $0.key.scope, caller: $0.key.caller, call: $0.key.call, figures: $0.value) }
    }

    /// What lies beyond the groups that are told apart; `nil` when there is nothing.
    package var others: Figures? { groups.others }
}

extension RepeatedCallGroups.Figures {
    /// Adds all but the number of traces.
    fileprivate mutating func add(_ other: Self) {
        callerCount += other.callerCount
        callCount += other.callCount
        totalNanos += other.totalNanos
        coveredNanos += other.coveredNanos
        callerNanos += other.callerNanos
        sequentialCount += other.sequentialCount
        let isMore = other.callCountMax > callCountMax
        if isMore || (other.callCountMax == callCountMax && other.exemplar < exemplar) { exemplar = other.exemplar }
        callCountMax = max(callCountMax, other.callCountMax)
    }
}
