// SPDX-License-Identifier: Apache-2.0

/// The threads that rows hang on: which ancestors still have children to come.
struct Hangers {
    private let parents: [Int]
    /// Whether a shown row has a later shown sibling.
    private var hasNext: [Bool]
    /// Whether a shown row has shown children.
    private var hasChildren: [Bool]

    /// The threads of the rows `shown`, ascending; `parents` holds for every row that of its parent, or -1.
    init(parents: [Int], shown: [Int]) {
        self.parents = parents
        hasNext = [Bool](repeating: false, count: parents.count)
        hasChildren = [Bool](repeating: false, count: parents.count)
        var seen = [Bool](repeating: false, count: parents.count)
        for row in shown.reversed() where parents[row] >= 0 {
            hasNext[row] = seen[parents[row]]
            seen[parents[row]] = true
            hasChildren[parents[row]] = true
        }
    }

    /// What stands before the name of `row`; empty for a root. At most `depthMax` levels, the nearest ones.
    func stem(of row: Int, _ glyphs: Glyphs, depthMax: Int) -> String {
        guard parents[row] >= 0 else { return "" }
        return passes(above: row, glyphs, depthMax - 1) + (hasNext[row] ? glyphs.branch : glyphs.last)
    }

    /// What stands before the line that says how much is hidden below `row`.
    func stem(below row: Int, _ glyphs: Glyphs, depthMax: Int) -> String {
        let own = parents[row] >= 0 ? (hasNext[row] ? glyphs.pass : glyphs.gap) : ""
        return passes(above: row, glyphs, depthMax - 1) + own + (hasChildren[row] ? glyphs.pass : glyphs.gap)
    }

    private func passes(above row: Int, _ glyphs: Glyphs, _ levels: Int) -> String {
        var parts: [String] = []
        var at = parents[row]
        while at >= 0, parents[at] >= 0, parts.count < levels {
            parts.append(hasNext[at] ? glyphs.pass : glyphs.gap)
            at = parents[at]
        }
        return parts.reversed().joined()
    }
}
