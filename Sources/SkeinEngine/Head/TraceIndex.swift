// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Which rows of a head part belong to which trace: a chain of rows per trace, newest first.
///
/// Rows are numbered from 0 in order of arrival across all batches of the part.
struct TraceIndex {
    /// A trace and the last of its rows.
    struct Trace: BitwiseCopyable {
        var id: TraceID
        var lastRow: UInt32
        var rowCount: UInt32
    }

    static let none = UInt32.max

    private(set) var traces: [Trace] = []
    /// By row, the row before it of the same trace, or ``none``.
    private var previous: [UInt32] = []
    /// Trace number + 1 or 0; open addressing, at most half full.
    private var slots = [UInt32](repeating: 0, count: 1024)
    private let seed = Hash.processSeed

    /// Rows indexed.
    var rowCount: Int { previous.count }
    var byteCount: Int { 24 * traces.capacity + 4 * (previous.capacity + slots.count) }

    /// Adds the next rows.
    mutating func append(_ ids: [TraceID]) {
        var last = -1
        for id in ids {
            // Spans of one trace often come one after the other.
            if last < 0 || traces[last].id != id { last = number(of: id) }
            previous.append(traces[last].lastRow)
            traces[last].lastRow = UInt32(truncatingIfNeeded: previous.count &- 1)
            traces[last].rowCount &+= 1
        }
    }

    /// The rows of trace `id` below row `limit`, ascending.
    func rows(of id: TraceID, below limit: Int) -> [Int] {
        guard let trace = find(id) else { return [] }
        var rows: [Int] = []
        var row = trace.lastRow
        while row != Self.none {
            if Int(row) < limit { rows.append(Int(row)) }
            row = previous[Int(row)]
        }
        rows.reverse()
        return rows
    }

    /// Whether a row of the trace is here.
    func contains(_ id: TraceID) -> Bool { find(id) != nil }

    private func find(_ id: TraceID) -> Trace? {
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: hash(id)) & mask
        while slots[at] != 0 {
            let trace = traces[Int(slots[at]) - 1]
            if trace.id == id { return trace }
            at = (at + 1) & mask
        }
        return nil
    }

    /// The number of trace `id`, which is made when new.
    private mutating func number(of id: TraceID) -> Int {
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: hash(id)) & mask
        while slots[at] != 0 {
            let number = Int(slots[at]) - 1
            if traces[number].id == id { return number }
            at = (at + 1) & mask
        }
        traces.append(Trace(id: id, lastRow: Self.none, rowCount: 0))
        slots[at] = UInt32(truncatingIfNeeded: traces.count)
        if traces.count * 2 > slots.count { grow() }
        return traces.count - 1
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for number in traces.indices {
            var at = Int(truncatingIfNeeded: hash(traces[number].id)) & mask
            while slots[at] != 0 { at = (at + 1) & mask }
            slots[at] = UInt32(truncatingIfNeeded: number + 1)
        }
    }

    private func hash(_ id: TraceID) -> UInt64 { Hash.of(id.high, id.low, seed: seed) }
}
