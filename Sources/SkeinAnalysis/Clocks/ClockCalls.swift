// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The calls between clocks, and which shifts of the called clock would suit each.
struct ClockCalls {
    private var pairs: [Pair: ClockShifts] = [:]
    /// Pairs by the caller's clock, in order of first appearance.
    private var called: [[Int]]

    private struct Pair: Hashable {
        var caller: Int
        var called: Int
    }

    /// The calls of `tree`, where `clockOfRow` says for each row of the batch which clock it has.
    init(_ tree: TraceTree, _ batch: SpanBatch, _ clockOfRow: [Int32]) {
        called = [[Int]](repeating: [], count: Int(clockOfRow.max() ?? -1) + 1)
        for row in 0..<tree.count where tree.parents[row] >= 0 {
            let (child, parent) = (Int(tree.batchRows[row]), Int(tree.batchRows[Int(tree.parents[row])]))
            let pair = Pair(caller: Int(clockOfRow[parent]), called: Int(clockOfRow[child]))
            guard pair.caller != pair.called else { continue }
            if pairs[pair] == nil { called[pair.caller].append(pair.called) }
            pairs[pair, default: ClockShifts()].add(child, below: parent, of: batch)
        }
    }

    /// The clocks that `clock` calls, most calls first, with the shift of each against it.
    func shifts(from clock: Int) -> [(called: Int, shift: Int64, callCount: Int)] {
        var found: [(called: Int, shift: Int64, callCount: Int)] = []
        for other in called[clock] {
            let shifts = pairs[Pair(caller: clock, called: other)] ?? ClockShifts()
            found.append((other, shifts.estimate, shifts.callCount))
        }
        // Clocks are numbered in order of first appearance.
        return found.sorted { a, b in a.callCount != b.callCount ? a.callCount > b.callCount : a.called < b.called }
    }
}

/// The shifts that put children into their parents, call by call: nanoseconds to be added to the child.
private struct ClockShifts {
    private var least: [Int64] = []
    private var greatest: [Int64] = []
    /// Of children that are longer than their parents: what makes them start together.
    private var aligned: [Int64] = []

    var callCount: Int { least.count + aligned.count }

    mutating func add(_ child: Int, below parent: Int, of batch: SpanBatch) {
        let start = Self.difference(batch.startUnixNanos[parent], batch.startUnixNanos[child])
        let end = Self.difference(batch.endUnixNanos(at: parent), batch.endUnixNanos(at: child))
        let isMessage =
            batch.kinds[child] == Span.Kind.consumer.rawValue || batch.kinds[parent] == Span.Kind.producer.rawValue
        if isMessage {
            least.append(start)
            // No shift is needed when it starts late; when it starts early it starts with the message.
            greatest.append(max(start, 0))
        } else if end < start {
            aligned.append(start)
        } else {
            least.append(start)
            greatest.append(end)
        }
    }

    /// One shift for all calls.
    var estimate: Int64 {
        guard !least.isEmpty, let from = least.max(), let to = greatest.min() else {
            return Self.median(aligned)
        }
        guard from <= to else { return Self.median(zip(least, greatest).map(Self.wanted)) }
        return Self.wanted(from, to)
    }

    /// 0 where that suits, else the middle.
    private static func wanted(_ from: Int64, _ to: Int64) -> Int64 {
        from <= 0 && to >= 0 ? 0 : from / 2 + to / 2 + (from % 2 + to % 2) / 2
    }

    private static func median(_ shifts: [Int64]) -> Int64 {
        shifts.isEmpty ? 0 : shifts.sorted()[(shifts.count - 1) / 2]
    }

    /// `a - b`, as far as 64 bits hold it.
    private static func difference(_ a: UInt64, _ b: UInt64) -> Int64 {
        a >= b ? Int64(clamping: a - b) : -Int64(clamping: b - a)
    }
}
