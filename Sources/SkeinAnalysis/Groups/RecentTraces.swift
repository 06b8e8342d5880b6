// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The latest few traces that show something.
struct RecentTraces: Sendable {
    static let limit = 5
    private var traces: [(seenUnixNanos: UInt64, id: TraceID)] = []

    /// Latest first, of one moment by id.
    var ids: [TraceID] { traces.map(\.id) }

    /// Adds a trace, or a later moment of one that is there.
    mutating func add(_ id: TraceID, seenUnixNanos: UInt64) {
        var seen = seenUnixNanos
        if let known = traces.firstIndex(where: { $0.id == id }) {
            seen = max(seen, traces.remove(at: known).seenUnixNanos)
        }
        let place = traces.firstIndex { $0.seenUnixNanos < seen || ($0.seenUnixNanos == seen && id < $0.id) }
        traces.insert((seen, id), at: place ?? traces.count)
        if traces.count > Self.limit { traces.removeLast() }
    }

    mutating func add(_ other: RecentTraces) {
        for trace in other.traces { add(trace.id, seenUnixNanos: trace.seenUnixNanos) }
    }
}
