// SPDX-License-Identifier: Apache-2.0
package import SkeinStore

/// The moments at which series have samples: multiples of the step, from the last one not after the start to the first one
/// not before the end. A sample counts the spans that start after the moment before it, up to it and including it; the first
/// one too, so that no line begins with a moment that counts less than the others.
package struct SeriesGrid: Hashable, Sendable {
    /// Moments that a series may have, at most.
    package static let countMax = 11_000

    /// Nanoseconds since 1970.
    package let first: UInt64
    /// Nanoseconds, at least 1.
    package let step: UInt64
    /// At least 1.
    package let count: Int
    private let isInstant: Bool

    /// The grid for a range; `nil` when it has more than ``countMax`` moments or ends after the year 2554.
    package init?(start: UInt64, end: UInt64, step: UInt64) {
        let step = max(step, 1)
        first = start - start % step
        let rest = end % step
        let (last, isOver) = rest == 0 ? (end, false) : end.addingReportingOverflow(step - rest)
        guard !isOver, last >= first, (last - first) / step < UInt64(Self.countMax) else { return nil }
        self.step = step
        count = Int((last - first) / step) + 1
        isInstant = false
    }

    /// One moment, which counts the whole range.
    package init(instantFrom start: UInt64, to end: UInt64) {
        first = max(end, start)
        step = max(end - min(start, end), 1)
        count = 1
        isInstant = true
    }

    /// The spans that are counted.
    package var range: TimeRange {
        if isInstant { return TimeRange(start: first - min(step, first), end: first) }
        let last = first + UInt64(count - 1) * step
        return TimeRange(start: first < step ? 0 : first - step + 1, end: last == .max ? .max : last + 1)
    }

    /// Nanoseconds since 1970 of a moment.
    package func moment(_ index: Int) -> UInt64 { first + UInt64(index) * step }

    /// The moment that counts a span starting at `start`, which lies in ``range``.
    @inline(__always)
    func index(of start: UInt64) -> Int {
        start <= first ? 0 : min(Int(truncatingIfNeeded: (start - first - 1) / step) + 1, count - 1)
    }

    package var stepSeconds: Double { Double(step) / 1e9 }

    /// Finds the moments of spans of which most follow each other in time: who asks for the moment of the span before is
    /// spared a division, which takes longer than all else that is done for a span.
    struct Finder {
        private let grid: SeriesGrid
        private var known: (after: UInt64, upTo: UInt64, index: Int)

        init(_ grid: SeriesGrid) {
            self.grid = grid
            known = (0, grid.first, 0)
        }

        /// The moment that counts a span starting at `start`, which lies in the range.
        @inline(__always)
        mutating func index(of start: UInt64) -> Int {
            if start <= known.upTo, start > known.after { return known.index }
            let index = grid.index(of: start)
            let moment = grid.moment(index)
            // The last moment counts whatever is left.
            let upTo = index == grid.count &- 1 ? UInt64.max : moment
            known = (index == 0 ? 0 : moment &- grid.step, upTo, index)
            return index
        }
    }
}
