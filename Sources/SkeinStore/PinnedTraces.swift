// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
import Synchronization

/// A trace that somebody wants kept.
package struct PinnedTrace: Hashable, Sendable {
    /// Most pinned traces.
    package static let countMax = 100_000

    package var traceID: TraceID
    /// When it was pinned, nanoseconds since 1970.
    package var pinnedUnixNanos: UInt64

    package init(traceID: TraceID, pinnedUnixNanos: UInt64) {
        self.traceID = traceID
        self.pinnedUnixNanos = pinnedUnixNanos
    }
}

/// Traces that survive late sampling and retention by age, until they are unpinned. A bound in bytes and a deletion do not
/// spare them.
package protocol PinnedTraces: Sendable {
    /// All of them, in no order.
    func all() -> [PinnedTrace]

    func isPinned(_ id: TraceID) -> Bool

    /// Pins a trace, for good once it returns; one that is pinned stays as it is. Whether it is stored is the caller's to know.
    /// Throws ``StoreError/Code/limit`` when there are ``PinnedTrace/countMax`` others, ``StoreError/Code/unavailable`` when the
    /// trace is just being dropped, and what the disk says.
    func pin(_ id: TraceID, atUnixNanos now: UInt64) throws(StoreError) -> PinnedTrace

    /// Unpins a trace. Returns whether it was pinned.
    func unpin(_ id: TraceID) throws(StoreError) -> Bool
}

/// Pinned traces by id.
package struct PinnedTraceTable: Sendable {
    private var times: [TraceID: UInt64] = [:]

    package init() {}

    package var all: [PinnedTrace] { times.map { PinnedTrace(traceID: $0.key, pinnedUnixNanos: $0.value) } }
    package var ids: Dictionary<TraceID, UInt64>.Keys { times.keys }
    package var count: Int { times.count }

    package func contains(_ id: TraceID) -> Bool { times[id] != nil }

    /// Adds a pin, or finds the one that is there. Throws ``StoreError/Code/limit`` when there are as many as may be.
    package mutating func pin(_ id: TraceID, atUnixNanos now: UInt64) throws(StoreError) -> PinnedTrace {
        if let known = times[id] { return PinnedTrace(traceID: id, pinnedUnixNanos: known) }
        guard times.count < PinnedTrace.countMax else {
            throw StoreError(
                .limit,
                "\(PinnedTrace.countMax) traces are pinned, which is the limit: unpin some that need not be kept any more"
            )
        }
        times[id] = now
        return PinnedTrace(traceID: id, pinnedUnixNanos: now)
    }

    /// Takes a pin out. Returns whether it was there.
    package mutating func unpin(_ id: TraceID) -> Bool { times.removeValue(forKey: id) != nil }
}

/// Pinned traces that go with the process.
package final class MemoryPinnedTraces: PinnedTraces {
    private let table = Mutex(PinnedTraceTable())

    package init() {}

    package func all() -> [PinnedTrace] { table.withLock { $0.all } }
    package func isPinned(_ id: TraceID) -> Bool { table.withLock { $0.contains(id) } }
    package func pin(_ id: TraceID, atUnixNanos now: UInt64) throws(StoreError) -> PinnedTrace {
        try table.withLock { table throws(StoreError) in try table.pin(id, atUnixNanos: now) }
    }
    package func unpin(_ id: TraceID) -> Bool { table.withLock { $0.unpin(id) } }
}
