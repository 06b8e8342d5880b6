// SPDX-License-Identifier: Apache-2.0

/// What a ``LocalTailProcessor`` has done.
public struct LocalTailCounts: Hashable, Sendable {
    /// Why a span went no further.
    public enum DropReason: String, Hashable, CaseIterable, Sendable {
        /// No policy kept its trace.
        case policy
        /// No policy kept its trace, which was decided before its time for want of room.
        case full
        /// It ended after its trace had been dropped.
        case late
        /// It ended after the shutdown.
        case shutdown
        /// It ended while spans that were kept and wait for the next processor left no room.
        case behind
        /// It was kept, and counted as kept, and the shutdown left no time to pass it on.
        case unpassed
    }

    /// By the name of the policy that kept them.
    public var keptTraces: [String: Int] = [:]
    public var keptSpans: [String: Int] = [:]
    /// Spans that ended after their trace had been kept, and are passed on.
    public var lateKeptSpans = 0
    public var droppedTraces = 0
    public var droppedSpans: [DropReason: Int] = [:]
    /// Spans that wait for a decision now, and their traces.
    public var waitingSpans = 0
    public var waitingTraces = 0
    /// Spans that are kept and wait now to be passed on.
    public var unpassedSpans = 0

    init() {}
}
