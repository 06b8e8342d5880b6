// SPDX-License-Identifier: Apache-2.0

/// Which paths of a comparison are shown: those that differ, those with the greatest difference of own time first, with all that
/// stands above them.
struct ComparisonSelection {
    /// Rows to show, ascending.
    private(set) var rows: [Int]
    /// Rows that differ and are not shown.
    private(set) var hiddenChangeCount = 0

    /// About `limit` rows; 0 for all, those that are the same too.
    init(_ paths: [ComparisonAnswer.Path], limit: Int) {
        guard limit > 0 else {
            rows = Array(paths.indices)
            return
        }
        var isShown = [Bool](repeating: false, count: paths.count)
        var shown = 0
        let changed = paths.indices.filter { paths[$0].change != .same }.sorted { a, b in
            let (mine, theirs) = (abs(paths[a].selfDifference), abs(paths[b].selfDifference))
            return mine != theirs ? mine > theirs : a < b
        }
        for row in changed where shown < limit {
            var at = row
            while at >= 0, !isShown[at] {
                isShown[at] = true
                shown += 1
                at = paths[at].parent
            }
        }
        hiddenChangeCount = changed.count { !isShown[$0] }
        rows = paths.indices.filter { isShown[$0] }
    }
}
