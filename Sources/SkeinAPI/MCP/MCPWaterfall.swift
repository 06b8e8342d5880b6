// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel

/// A trace as lines of text, a span each, of no more bytes than there is room for.
///
/// Siblings that do the same are one line, which shows the longest of them. Of what does not fit even so, failing spans and
/// what leads to them stay first, then long ones; a line says how many spans below it are not shown.
struct MCPWaterfall {
    private let trace: MCPTrace
    /// The row at the top; `nil` for the whole forest.
    private let top: Int?
    private let rows: Range<Int>
    private let depthMax: Int
    /// Rows that are to be shown, with those above them; `nil` for all.
    private let wanted: [Bool]?
    /// Rows that fail or have such a row below.
    private var leadsToError: [Bool]
    /// Rows in the place of which a sibling stands, and all below them.
    private var isFolded: [Bool]
    private var groups: [Int: Group] = [:]

    /// Spans that are one line.
    private struct Group {
        var count = 0
        var totalNanos: UInt64 = 0
    }

    /// Memory of a span while lines are made of it: what it is told apart by, and its place in orders.
    static let spanByteCount = 192
    /// Fewest siblings that are folded.
    private static let foldCountMin = 3
    /// Candidates in a row that find no room before no more are looked at.
    private static let refusalCountMax = 200

    init(_ trace: MCPTrace, below top: Int?, depthMax: Int, wanted: [Bool]?) {
        self.trace = trace
        self.top = top
        self.depthMax = depthMax
        self.wanted = wanted
        let tree = trace.tree
        let first = top ?? 0
        var end = tree.count
        if let top { end = tree.depths[(top + 1)...].firstIndex { $0 <= tree.depths[top] } ?? tree.count }
        rows = first..<end
        leadsToError = (0..<tree.count).map { trace.isFailing(at: $0) }
        isFolded = [Bool](repeating: false, count: tree.count)
        for row in rows.reversed() where leadsToError[row] && tree.parents[row] >= 0 {
            leadsToError[Int(tree.parents[row])] = true
        }
        fold()
    }

    /// What siblings have in common that are one line.
    private struct Likeness: Hashable {
        var parent: Int32
        var service: UInt32
        var operation: UInt32
        var isFailing: Bool
        var leadsToError: Bool
        var isWanted: Bool
    }

    private mutating func fold() {
        let tree = trace.tree
        var longest: [Likeness: (row: Int, group: Group)] = [:]
        func likeness(of row: Int) -> Likeness {
            Likeness(
                parent: row == top ? -1 : tree.parents[row],
                service: tree.serviceIndexes[row],
                operation: tree.operationIndexes[row],
                isFailing: trace.isFailing(at: row),
                leadsToError: leadsToError[row],
                isWanted: wanted?[row] ?? true
            )
        }
        for row in rows {
            let nanos = trace.durationNanos(at: row)
            var (first, group) = longest[likeness(of: row)] ?? (row, Group())
            if nanos > trace.durationNanos(at: first) { first = row }
            group.count += 1
            group.totalNanos = group.totalNanos.addingReportingOverflow(nanos).partialValue
            longest[likeness(of: row)] = (first, group)
        }
        for row in rows {
            if row != top, tree.parents[row] >= 0, isFolded[Int(tree.parents[row])] {
                isFolded[row] = true
                continue
            }
            // What only leads to wanted spans stays, since others lead to others.
            guard wanted?[row] ?? true else { continue }
            guard let (first, group) = longest[likeness(of: row)], group.count >= Self.foldCountMin else { continue }
            if row == first { groups[row] = group } else { isFolded[row] = true }
        }
    }

    // MARK: Lines

    /// The lines, in the order of the tree, and how many spans they stand for of how many that are to be shown.
    func lines(room: Int) -> (lines: [String], spanCount: Int, totalCount: Int) {
        let tree = trace.tree
        let shown = shownRows(room: room)
        var hidden = [Int: Int]()
        // The nearest row above that is shown.
        var anchors = [Int](repeating: -1, count: rows.count)
        var spanCount = 0
        for row in rows {
            let parent = row == top ? -1 : Int(tree.parents[row])
            let above = parent >= rows.lowerBound ? anchors[parent - rows.lowerBound] : -1
            if shown.contains(row) {
                anchors[row - rows.lowerBound] = row
                if wanted?[row] ?? true { spanCount += groups[row]?.count ?? 1 }
            } else {
                anchors[row - rows.lowerBound] = above
                if above >= 0 { hidden[above, default: 0] += 1 }
            }
        }
        for (row, group) in groups where shown.contains(row) {
            // The siblings that a line stands for are no hidden spans of the line above.
            let parent = row == top ? -1 : Int(tree.parents[row])
            let above = parent >= rows.lowerBound ? anchors[parent - rows.lowerBound] : -1
            if above >= 0 { hidden[above, default: 0] -= group.count - 1 }
        }
        let lines = shown.sorted().map { row in
            let count = hidden[row] ?? 0
            return line(row) + (count > 0 ? " (+\(count) below)" : "")
        }
        return (lines, spanCount, rows.count { wanted?[$0] ?? true })
    }

    /// What ` (+12345 below)` and a line's end take.
    private static let suffixByteCount = 16

    /// The rows that fit, most important first, each with all rows above it.
    private func shownRows(room: Int) -> Set<Int> {
        let tree = trace.tree
        let topDepth = top.map { Int(tree.depths[$0]) } ?? 0
        let candidates = rows.filter { row in
            !isFolded[row] && (wanted?[row] ?? true) && Int(tree.depths[row]) - topDepth <= depthMax
        }
        let order = candidates.sorted { a, b in
            if leadsToError[a] != leadsToError[b] { return leadsToError[a] }
            let (x, y) = (trace.durationNanos(at: a), trace.durationNanos(at: b))
            return x != y ? x > y : a < b
        }
        var costs: [Int: Int] = [:]
        func cost(of row: Int) -> Int {
            if let cost = costs[row] { return cost }
            let cost = line(row).utf8.count + Self.suffixByteCount
            costs[row] = cost
            return cost
        }
        var shown = Set<Int>()
        var left = room
        var refusals = 0
        for row in order where !shown.contains(row) {
            var chain: [Int] = []
            var total = 0
            var at = row
            while total <= left, at >= rows.lowerBound, !shown.contains(at) {
                chain.append(at)
                total += cost(of: at)
                at = at == top ? -1 : Int(tree.parents[at])
            }
            guard total <= left else {
                refusals += 1
                if refusals == Self.refusalCountMax { break }
                continue
            }
            refusals = 0
            left -= total
            shown.formUnion(chain)
        }
        return shown
    }

    /// Levels that are set in; deeper ones stand below each other.
    private static let indentationMax = 24

    private func line(_ row: Int) -> String {
        let depth = Int(trace.tree.depths[row]) - (top.map { Int(trace.tree.depths[$0]) } ?? 0)
        var line = String(repeating: "  ", count: min(depth, Self.indentationMax))
        line += "+\(MCPText.duration(trace.startNanos(at: row))) \(trace.operation(at: row)) "
        line += MCPText.duration(trace.durationNanos(at: row))
        let selfNanos = trace.tree.selfNanos[row]
        if selfNanos != trace.durationNanos(at: row) { line += " (self \(MCPText.duration(selfNanos)))" }
        if trace.isFailing(at: row) { line += " ERROR" }
        line += " [\(trace.spanID(at: row))]"
        if let group = groups[row] { line += " ×\(group.count), \(MCPText.duration(group.totalNanos)) in all" }
        return line
    }
}
