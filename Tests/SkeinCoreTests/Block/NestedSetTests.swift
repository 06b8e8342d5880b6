// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct NestedSetTests {
    /// A tree of rows (id, parent, kind), as orders and descendants.
    static func tree(_ rows: [(UInt64, UInt64, SkeinModel.Span.Kind)]) -> (
        orders: [UInt32], below: [UInt32], copies: Bool
    ) {
        var tree = TraceTree()
        rows.map(\.0).withUnsafeBufferPointer { ids in
            rows.map(\.1).withUnsafeBufferPointer { parents in
                rows.map(\.2.rawValue).withUnsafeBufferPointer { kinds in
                    tree.build(spanIDs: ids, parentIDs: parents, kinds: kinds)
                }
            }
        }
        return (Array(tree.orders.elements), Array(tree.descendants.elements), tree.hasDuplicates)
    }

    @Test func `children are numbered below their parents, in row order`() {
        let tree = Self.tree([(1, 0, .server), (2, 1, .client), (3, 1, .client), (4, 2, .server), (5, 0, .server)])
        #expect(tree.orders == [0, 1, 3, 2, 4])
        #expect(tree.below == [3, 1, 0, 0, 0])
        #expect(!tree.copies)
    }

    @Test func `a child that comes before its parent is still below it`() {
        let tree = Self.tree([(2, 1, .client), (1, 0, .server)])
        #expect(tree.orders == [1, 0])
        #expect(tree.below == [0, 1])
    }

    @Test func `a server that shares its client's id hangs below it, and has the children`() {
        let tree = Self.tree([(1, 0, .client), (1, 0, .server), (2, 1, .internal)])
        #expect(tree.orders == [0, 1, 2])
        #expect(tree.below == [2, 1, 0])
        #expect(Self.tree([(1, 0, .server), (1, 0, .client), (2, 1, .internal)]).below == [1, 2, 0])
    }

    @Test func `a cycle is cut at its first row and keeps what hangs on it`() {
        // 9 hangs below the cycle 1 → 2 → 3 → 1.
        let tree = Self.tree([(9, 2, .client), (1, 3, .client), (2, 1, .client), (3, 2, .client)])
        #expect(tree.orders == [2, 0, 1, 3])
        #expect(tree.below == [0, 3, 2, 0])
        #expect(Self.tree([(1, 1, .client), (2, 1, .client)]).below == [1, 0])
    }

    @Test func `copies are noticed, whatever other kinds share their id`() {
        #expect(Self.tree([(1, 0, .client), (1, 0, .client)]).copies)
        #expect(Self.tree([(1, 0, .server), (1, 0, .client), (1, 0, .client)]).copies)
        #expect(Self.tree([(1, 0, .client), (1, 0, .server), (1, 0, .client)]).copies)
        #expect(!Self.tree(SkeinModel.Span.Kind.allCases.map { (1, 0, $0) }).copies)
    }

    @Test(arguments: 0..<30)
    func `the nested set says of any two rows who is above whom`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let count = UInt64.random(in: 1...40, using: &random)
        var rows = (1...count).map { id in
            (id, id == 1 ? 0 : UInt64.random(in: 0..<id, using: &random), SkeinModel.Span.Kind.internal)
        }
        rows.shuffle(using: &random)
        let tree = Self.tree(rows)
        let parents = Dictionary(uniqueKeysWithValues: rows.map { ($0.0, $0.1) })
        for (a, above) in rows.enumerated() {
            for (b, below) in rows.enumerated() {
                var id = parents[below.0] ?? 0
                while id != 0, id != above.0 { id = parents[id] ?? 0 }
                let isAbove = tree.orders[a] < tree.orders[b] && tree.orders[b] <= tree.orders[a] + tree.below[a]
                #expect(isAbove == (id == above.0))
            }
        }
        #expect(tree.orders.sorted() == (0..<UInt32(count)).map { $0 })
    }
}
