// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// How spans of one trace stand to each other: right ones by their relation to left ones, and left ones by theirs to right
/// ones. Rows are of one trace and ascending. Each takes time of order n log n at most, however deep the trace is.
struct Relations {
    private let forest: SpanForest
    /// By row; 0 for none. What roots whose parent is missing have in common.
    private let parentSpanIDs: [UInt64]

    init(_ forest: SpanForest, parentSpanIDs: [UInt64]) {
        self.forest = forest
        self.parentSpanIDs = parentSpanIDs
    }

    /// The rows of `right` in the relation to a row of `left`.
    func right(_ relation: SpansetOperator.Relation, _ left: [Int], _ right: [Int]) -> [Int] {
        switch relation {
        case .and, .or: return right
        case .child: return children(right, of: left)
        case .descendant: return descendants(right, of: left)
        case .parent: return parents(right, of: left)
        case .ancestor: return ancestors(right, of: left)
        case .sibling: return siblings(right, of: left)
        }
    }

    /// The rows of `left` to which a row of `right` is in the relation.
    func left(_ relation: SpansetOperator.Relation, _ left: [Int], _ right: [Int]) -> [Int] {
        switch relation {
        case .and, .or: return left
        case .child: return parents(left, of: right)
        case .descendant: return ancestors(left, of: right)
        case .parent: return children(left, of: right)
        case .ancestor: return descendants(left, of: right)
        case .sibling: return siblings(left, of: right)
        }
    }

    private func children(_ rows: [Int], of parents: [Int]) -> [Int] {
        rows.filter { row in
            let parent = forest.parents[row]
            return parent >= 0 && parents.holds(Int(parent))
        }
    }

    private func parents(_ rows: [Int], of children: [Int]) -> [Int] {
        let parents = children.map { Int(forest.parents[$0]) }.sorted()
        return rows.filter(parents.holds)
    }

    private func descendants(_ rows: [Int], of ancestors: [Int]) -> [Int] {
        // Spans below a span follow it in depth-first order, up to an end; ends of nested spans are nested.
        let ranges = ancestors.map { (order: forest.orders[$0], end: forest.orders[$0] + forest.descendantCounts[$0]) }
            .sorted { $0.order < $1.order }
        var below: Set<Int> = []
        var next = 0
        var end: Int64 = -1
        for row in rows.sorted(by: { forest.orders[$0] < forest.orders[$1] }) {
            let order = forest.orders[row]
            while next < ranges.count, ranges[next].order < order {
                end = max(end, Int64(ranges[next].end))
                next += 1
            }
            if Int64(order) <= end { below.insert(row) }
        }
        return below.count == rows.count ? rows : rows.filter(below.contains)
    }

    private func ancestors(_ rows: [Int], of descendants: [Int]) -> [Int] {
        let orders = descendants.map { Int(forest.orders[$0]) }.sorted()
        return rows.filter { row in
            let first = orders.place(after: Int(forest.orders[row]))
            return first < orders.count
                && orders[first] <= Int(forest.orders[row]) + Int(forest.descendantCounts[row])
        }
    }

    private func siblings(_ rows: [Int], of others: [Int]) -> [Int] {
        var counts: [Family: Int] = [:]
        for other in others.compactMap(family) { counts[other, default: 0] += 1 }
        return rows.filter { row in
            guard let family = family(of: row), let count = counts[family] else { return false }
            return count > (others.holds(row) ? 1 : 0)
        }
    }

    /// What siblings share.
    private enum Family: Hashable {
        case parent(Int32)
        case missing(UInt64)
    }

    /// `nil` for a root that names no parent, which has no siblings.
    private func family(of row: Int) -> Family? {
        if forest.parents[row] >= 0 { return .parent(forest.parents[row]) }
        return parentSpanIDs[row] == 0 ? nil : .missing(parentSpanIDs[row])
    }
}

extension [Int] {
    /// The place of the first element that is greater.
    fileprivate func place(after element: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether the array, which is ascending, has the element.
    fileprivate func holds(_ element: Int) -> Bool {
        let place = place(after: element)
        return place > 0 && self[place - 1] == element
    }

    /// The elements of two ascending arrays, each once.
    func merged(with other: [Int]) -> [Int] {
        if isEmpty { return other }
        if other.isEmpty { return self }
        var merged: [Int] = []
        merged.reserveCapacity(count + other.count)
        var (a, b) = (0, 0)
        while a < count || b < other.count {
            if b == other.count || (a < count && self[a] < other[b]) {
                merged.append(self[a])
                a += 1
            } else {
                if a < count, self[a] == other[b] { a += 1 }
                merged.append(other[b])
                b += 1
            }
        }
        return merged
    }
}
