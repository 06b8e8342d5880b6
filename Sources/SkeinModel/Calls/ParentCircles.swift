// SPDX-License-Identifier: Apache-2.0

/// Circles in which parents run: whoever starts from roots would not come to their spans at all.
package enum ParentCircles {
    /// Makes one row of each circle a root, and answers which those are. Linear in the rows.
    ///
    /// - Parameters:
    ///   - parents: By row the row of its parent; below 0 for none.
    ///   - rank: By row its rank: of a circle the row of the lowest one is made a root. Row numbers when empty.
    package static func cut(_ parents: inout [Int32], rank: [Int32] = []) -> [Int32] {
        var cut: [Int32] = []
        // The walk that came by first; each row is walked over once, and each circle once more.
        var walks = [Int32](repeating: -1, count: parents.count)
        for row in parents.indices where walks[row] < 0 {
            let walk = Int32(truncatingIfNeeded: row)
            var at = walk
            while at >= 0, walks[Int(at)] < 0 {
                walks[Int(at)] = walk
                at = parents[Int(at)]
            }
            guard at >= 0, walks[Int(at)] == walk else { continue }
            var first = at
            var next = parents[Int(at)]
            while next != at {
                let isLower = rank.isEmpty ? next < first : rank[Int(next)] < rank[Int(first)]
                if isLower { first = next }
                next = parents[Int(next)]
            }
            parents[Int(first)] = ParentIndex.none
            cut.append(first)
        }
        return cut
    }
}
