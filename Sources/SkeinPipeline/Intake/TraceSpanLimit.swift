// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Synchronization

/// Leaves out the spans of a trace beyond a number, for loops that write into one trace for ever.
///
/// Traces are remembered while they are among the last ones to get spans: at least 64 K of them, in some megabytes. One that
/// rests longer than that begins to count anew. Spans count from when they are on their way, so that requests that come at once
/// do not pass together, until they are given back: a request that the store refused counts once when it is sent again. One
/// whose answer was lost counts twice.
package final class TraceSpanLimit: Sendable {
    private static let traceCountMax = 64 << 10

    /// Most spans of a trace.
    package let spanCountMax: Int
    private let counts = Mutex(Counts())

    private struct Counts {
        var recent: [TraceID: Int] = [:]
        var older: [TraceID: Int] = [:]

        /// Adds a span unless the trace has `most`, and answers whether it did.
        mutating func add(_ id: TraceID, most: Int) -> Bool {
            if recent.count >= TraceSpanLimit.traceCountMax { (older, recent) = (recent, [:]) }
            let count = recent[id] ?? older[id] ?? 0
            guard count < most else {
                recent[id] = count
                return false
            }
            recent[id] = count + 1
            return true
        }

        /// Takes back a span; a trace that was forgotten has none.
        mutating func remove(_ id: TraceID) {
            if let count = recent[id] {
                recent[id] = max(0, count - 1)
            } else if let count = older[id] {
                older[id] = max(0, count - 1)
            }
        }
    }

    /// Spans that count, of a request.
    struct Taken: Sendable {
        let batch: SpanBatch
    }

    /// A limit of `spanCountMax` spans a trace.
    package init(spanCountMax: Int) { self.spanCountMax = spanCountMax }

    /// The spans of `batch` that their traces have room for.
    func take(_ batch: SpanBatch) -> Taken {
        let isTaken = counts.withLock { counts in batch.traceIDs.map { counts.add($0, most: spanCountMax) } }
        return Taken(batch: isTaken.contains(false) ? batch.selecting { isTaken[$0] } : batch)
    }

    /// Counts the spans of a request no more, since they were not stored.
    func giveBack(_ taken: Taken) {
        counts.withLock { counts in
            for id in taken.batch.traceIDs { counts.remove(id) }
        }
    }
}
