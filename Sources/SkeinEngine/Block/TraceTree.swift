// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// The parents of one trace's rows, and the nested set that follows from them.
///
/// A row's parent is the row whose span id is the parent id; of several (duplicates, ids shared by client and server)
/// the first server or consumer, else the first. A server or consumer that shares its own id with a client or producer
/// (B3) hangs below that one. A cycle is cut at its first row. What has no parent in the trace is a root.
///
/// Reused from trace to trace; all indices are rows counted from the trace's first.
struct TraceTree: ~Copyable {
    static let none = UInt32.max

    /// The row that holds the parent id, for storing the id as a distance; ``none`` when no row does.
    private(set) var idParents = ColumnBuffer<UInt32>()
    /// Place in depth-first order, children by row.
    private(set) var orders = ColumnBuffer<UInt32>()
    /// Rows below this one. Row `b` lies below `a` when `order(a) < order(b) <= order(a) + descendants(a)`.
    private(set) var descendants = ColumnBuffer<UInt32>()
    /// Whether two rows share id and kind; numbers that no kind has are `unspecified`.
    private(set) var hasDuplicates = false
    /// Whether two rows share an id, be they of one kind or of two.
    private(set) var hasSharedIDs = false

    private var parents = ColumnBuffer<UInt32>()
    /// Row + 1 by hash of span id.
    private var slots = ColumnBuffer<UInt32>()
    /// By slot, bit k: a row of kind k has the id.
    private var kindsSeen = ColumnBuffer<UInt8>()
    private let seed = Hash.processSeed
    private var firstChildren = ColumnBuffer<UInt32>()
    private var nextSiblings = ColumnBuffer<UInt32>()
    private var sequence = ColumnBuffer<UInt32>()
    private var stack = ColumnBuffer<UInt32>()

    init() {}

    /// Works out the tree of the rows given; the three columns are equally long.
    mutating func build(
        spanIDs: UnsafeBufferPointer<UInt64>,
        parentIDs: UnsafeBufferPointer<UInt64>,
        kinds: UnsafeBufferPointer<UInt8>
    ) {
        let count = spanIDs.count
        findParents(spanIDs, parentIDs, kinds)
        firstChildren.reset(repeating: Self.none, count: count)
        nextSiblings.reset(repeating: Self.none, count: count)
        // From the last row on, so that each list of children is in row order.
        for row in stride(from: count - 1, through: 0, by: -1) where parents[row] != Self.none {
            let parent = Int(parents[row])
            nextSiblings[row] = firstChildren[parent]
            firstChildren[parent] = UInt32(row)
        }
        orders.reset(repeating: Self.none, count: count)
        descendants.reset(repeating: 0, count: count)
        sequence.removeAll()
        for row in 0..<count where parents[row] == Self.none { visit(row) }
        // Whatever no root reaches lies on a cycle or below one.
        if sequence.count < count {
            for row in 0..<count where orders[row] == Self.none {
                let first = firstOfCycle(above: row)
                cut(first)
                visit(first)
            }
            for row in 0..<count { descendants[row] = 0 }
        }
        for index in stride(from: count - 1, through: 0, by: -1) {
            let row = Int(sequence[index])
            if parents[row] != Self.none { descendants[Int(parents[row])] += descendants[row] + 1 }
        }
    }

    /// Numbers `root`, which is in no list of children, and all below it.
    private mutating func visit(_ root: Int) {
        stack.removeAll()
        var depth = 0
        push(UInt32(root), at: &depth)
        while depth > 0 {
            depth -= 1
            let row = Int(stack[depth])
            orders[row] = UInt32(sequence.count)
            sequence.append(UInt32(row))
            // The sibling waits below the children.
            if nextSiblings[row] != Self.none { push(nextSiblings[row], at: &depth) }
            if firstChildren[row] != Self.none { push(firstChildren[row], at: &depth) }
        }
    }

    /// The first row of the cycle that `row` lies on or below. Marks its way in `descendants`, which is not yet in use;
    /// every row of the way gets its order when the cycle is cut, so all ways together are linear.
    private mutating func firstOfCycle(above row: Int) -> Int {
        let mark = UInt32(row) + 1
        var at = row
        while descendants[at] != mark {
            descendants[at] = mark
            at = Int(parents[at])
        }
        var first = at
        var next = Int(parents[at])
        while next != at {
            first = min(first, next)
            next = Int(parents[next])
        }
        return first
    }

    /// Makes `row` a root. A parent lies on one cycle at most, so all walks together are linear.
    private mutating func cut(_ row: Int) {
        let parent = Int(parents[row])
        parents[row] = Self.none
        if firstChildren[parent] == UInt32(row) {
            firstChildren[parent] = nextSiblings[row]
        } else {
            var before = Int(firstChildren[parent])
            while nextSiblings[before] != UInt32(row) { before = Int(nextSiblings[before]) }
            nextSiblings[before] = nextSiblings[row]
        }
        nextSiblings[row] = Self.none
    }

    private mutating func push(_ row: UInt32, at depth: inout Int) {
        if depth < stack.count { stack[depth] = row } else { stack.append(row) }
        depth += 1
    }

    private mutating func findParents(
        _ spanIDs: UnsafeBufferPointer<UInt64>,
        _ parentIDs: UnsafeBufferPointer<UInt64>,
        _ kinds: UnsafeBufferPointer<UInt8>
    ) {
        let count = spanIDs.count
        idParents.reset(repeating: Self.none, count: count)
        parents.reset(repeating: Self.none, count: count)
        hasDuplicates = false
        hasSharedIDs = false
        var size = 8
        while size < count * 2 { size *= 2 }
        let mask = size - 1
        slots.reset(repeating: 0, count: size)
        kindsSeen.reset(repeating: 0, count: size)
        for row in 0..<count {
            var at = Int(truncatingIfNeeded: Hash.of(spanIDs[row], seed: seed)) & mask
            var isTaken = false
            while slots[at] != 0 {
                let other = Int(slots[at] - 1)
                if spanIDs[other] == spanIDs[row] {
                    // Below the caller's side of a shared id.
                    if Self.serves(kinds[row]), !Self.serves(kinds[other]) {
                        parents[row] = UInt32(other)
                    } else if Self.serves(kinds[other]), !Self.serves(kinds[row]), parents[other] == Self.none {
                        parents[other] = UInt32(row)
                    }
                    if Self.serves(kinds[row]), !Self.serves(kinds[other]) { slots[at] = UInt32(row + 1) }
                    isTaken = true
                    break
                }
                at = (at + 1) & mask
            }
            if isTaken { hasSharedIDs = true } else { slots[at] = UInt32(row + 1) }
            let kind: UInt8 = 1 << Span.Kind(stored: kinds[row]).rawValue
            if kindsSeen[at] & kind != 0 { hasDuplicates = true }
            kindsSeen[at] |= kind
        }
        for row in 0..<count where parentIDs[row] != 0 {
            var at = Int(truncatingIfNeeded: Hash.of(parentIDs[row], seed: seed)) & mask
            while slots[at] != 0 {
                let other = Int(slots[at] - 1)
                if spanIDs[other] == parentIDs[row] {
                    idParents[row] = UInt32(other)
                    // A span that names itself is a root.
                    if parents[row] == Self.none, other != row { parents[row] = UInt32(other) }
                    break
                }
                at = (at + 1) & mask
            }
        }
    }

    /// Whether a kind is the called side: server or consumer.
    private static func serves(_ kind: UInt8) -> Bool { kind == 2 || kind == 5 }
}
