// SPDX-License-Identifier: Apache-2.0

/// Which rows of a large trace are shown: failed spans and the longest ones, with all that stands above them.
struct WaterfallSelection {
    /// Rows to show, ascending.
    private(set) var rows: [Int]
    /// For each shown row, how many spans below it are hidden and have no nearer shown ancestor.
    private(set) var hiddenBelow: [Int: Int] = [:]
    /// Roots that are hidden with everything below them, as spans.
    private(set) var hiddenRoots = 0

    /// At most `limit` rows, plus what stands above the last one taken. `0` shows everything.
    init(_ spans: TraceSkeleton.Columns, limit: Int) {
        let count = spans.id.count
        guard limit > 0, count > limit else {
            rows = Array(0..<count)
            return
        }
        var isShown = [Bool](repeating: false, count: count)
        var shown = 0
        let byImportance = (0..<count).sorted { a, b in
            let (isError, isOtherError) = (spans.status[a] == 2, spans.status[b] == 2)
            if isError != isOtherError { return isError }
            if spans.duration[a] != spans.duration[b] { return spans.duration[a] > spans.duration[b] }
            return a < b
        }
        for row in byImportance where shown < limit {
            var at = row
            while at >= 0, !isShown[at] {
                isShown[at] = true
                shown += 1
                at = spans.parent[at]
            }
        }
        rows = (0..<count).filter { isShown[$0] }
        // Parents come before their children, so the nearest shown ancestor is known when a row is met.
        var nearest = [Int](repeating: -1, count: count)
        for row in 0..<count {
            guard !isShown[row] else {
                nearest[row] = row
                continue
            }
            let parent = spans.parent[row]
            nearest[row] = parent >= 0 ? nearest[parent] : -1
            if nearest[row] >= 0 {
                hiddenBelow[nearest[row], default: 0] += 1
            } else {
                hiddenRoots += 1
            }
        }
    }
}
