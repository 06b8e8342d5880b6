// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The spans of two sides by their paths from the root: a tree whose nodes are distinct among their siblings by service
/// and operation.
struct PathProfile {
    private(set) var nodes: [Node] = []
    private var places: [Place: Int32] = [:]
    private var names: [OperationName] = []
    private var numbers: [OperationName: Int32] = [:]

    struct Node {
        /// -1 for a root; else it stands before its children.
        var parent: Int32
        /// Of its operation.
        var name: Int32
        var sides = (Sums(), Sums())
    }

    /// What the spans of a node add up to.
    struct Sums {
        var spanCount = 0
        var errorCount = 0
        var totalNanos: UInt64 = 0
        var selfNanos: UInt64 = 0

        /// The average of so many traces; `nil` when none has such a span.
        func average(of traceCount: Int) -> Comparison.Figures? {
            guard spanCount > 0 else { return nil }
            let count = Double(traceCount)
            return Comparison.Figures(
                spanCount: Double(spanCount) / count,
                errorCount: Double(errorCount) / count,
                totalNanos: Double(totalNanos) / count,
                selfNanos: Double(selfNanos) / count
            )
        }
    }

    private struct Place: Hashable {
        var parent: Int32
        var name: Int32
    }

    /// Adds a trace to side 0 or 1.
    mutating func add(_ tree: TraceTree, of batch: SpanBatch, side: Int) {
        let operations = tree.operationNames()
        let known = operations.names.map { number(of: $0) }
        var nodeOfRow: [Int32] = []
        nodeOfRow.reserveCapacity(tree.count)
        for row in 0..<tree.count {
            let parent = tree.parents[row]
            let name = known[operations.numbers[row]]
            let node = node(at: Place(parent: parent < 0 ? -1 : nodeOfRow[Int(parent)], name: name))
            nodeOfRow.append(node)
            if side == 0 {
                nodes[Int(node)].sides.0.add(row, of: tree, batch)
            } else {
                nodes[Int(node)].sides.1.add(row, of: tree, batch)
            }
        }
    }

    func name(of node: Node) -> OperationName { names[Int(node.name)] }

    /// Places of all nodes, each after its parent, siblings in the order in which they came.
    func depthFirst() -> [Int] {
        var firstChild = [Int32](repeating: -1, count: nodes.count)
        var nextSibling = [Int32](repeating: -1, count: nodes.count)
        var waiting: [Int32] = []
        for index in nodes.indices.reversed() {
            let parent = Int(nodes[index].parent)
            if parent < 0 {
                waiting.append(Int32(index))
            } else {
                nextSibling[index] = firstChild[parent]
                firstChild[parent] = Int32(index)
            }
        }
        var order: [Int] = []
        order.reserveCapacity(nodes.count)
        while let index = waiting.popLast() {
            order.append(Int(index))
            // What waits longest comes last.
            if nodes[Int(index)].parent >= 0, nextSibling[Int(index)] >= 0 { waiting.append(nextSibling[Int(index)]) }
            if firstChild[Int(index)] >= 0 { waiting.append(firstChild[Int(index)]) }
        }
        return order
    }

    private mutating func number(of name: OperationName) -> Int32 {
        if let number = numbers[name] { return number }
        let number = Int32(names.count)
        numbers[name] = number
        names.append(name)
        return number
    }

    private mutating func node(at place: Place) -> Int32 {
        if let node = places[place] { return node }
        let node = Int32(nodes.count)
        places[place] = node
        nodes.append(Node(parent: place.parent, name: place.name))
        return node
    }
}

extension PathProfile.Sums {
    fileprivate mutating func add(_ row: Int, of tree: TraceTree, _ batch: SpanBatch) {
        let batchRow = Int(tree.batchRows[row])
        spanCount += 1
        if batch.statusCodes[batchRow] == Span.Status.Code.error.rawValue { errorCount += 1 }
        totalNanos.add(clamping: batch.durationNanos[batchRow])
        selfNanos.add(clamping: tree.selfNanos[row])
    }
}
