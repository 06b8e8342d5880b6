// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What a search does next: the steps with the greatest start first.
///
/// Of equal starts, steps that may still bring a trace of that start come before finished traces, and those come by
/// ascending id: so a finished trace at the top is the next of the results.
struct SearchHeap {
    /// A step, due when nothing that starts later is left.
    struct Entry {
        /// No trace that comes of the step starts later.
        var startUnixNanos: UInt64
        var step: Step
        var traceID = TraceID.zero
        /// Number of the source, candidate or finished trace.
        var index: Int

        fileprivate static func comesBefore(_ a: Entry, _ b: Entry) -> Bool {
            if a.startUnixNanos != b.startUnixNanos { return a.startUnixNanos > b.startUnixNanos }
            if a.step != b.step { return a.step.rawValue < b.step.rawValue }
            return a.traceID != b.traceID ? a.traceID < b.traceID : a.index < b.index
        }
    }

    enum Step: UInt8 {
        /// Rows are to be tested.
        case source = 0
        /// A trace with a matching row is to be put together.
        case candidate = 1
        /// A trace is ready.
        case finished = 2
    }

    private var entries: [Entry] = []

    var first: Entry? { entries.first }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var at = entries.count - 1
        while at > 0 {
            let parent = (at - 1) / 2
            guard Entry.comesBefore(entries[at], entries[parent]) else { return }
            entries.swapAt(at, parent)
            at = parent
        }
    }

    mutating func pop() -> Entry? {
        guard let top = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return top }
        entries[0] = last
        var at = 0
        while true {
            var least = at
            for child in [2 * at + 1, 2 * at + 2] where child < entries.count {
                if Entry.comesBefore(entries[child], entries[least]) { least = child }
            }
            if least == at { return top }
            entries.swapAt(at, least)
            at = least
        }
    }
}
