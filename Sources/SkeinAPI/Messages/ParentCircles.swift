// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Where parents run in a circle, which readers that start from roots would not show at all.
enum ParentCircles {
    /// The first row of each circle.
    ///
    /// - Parameters:
    ///   - parents: By row the id of the parent.
    ///   - row: The row of an id; `nil` when there is none.
    static func firstRows(_ parents: [SpanID], row: (SpanID) -> Int?) -> [Int] {
        /// By row 0 while it was not walked through, else the number of the walk that did.
        var walks = [Int32](repeating: 0, count: parents.count)
        var found: [Int] = []
        for start in parents.indices where walks[start] == 0 {
            let walk = Int32(truncatingIfNeeded: start + 1)
            var at = start
            while walks[at] == 0 {
                walks[at] = walk
                guard parents[at].isValid, let parent = row(parents[at]) else { break }
                if walks[parent] == walk {
                    found.append(first(ofCircleAt: parent, parents, row))
                    break
                }
                at = parent
            }
        }
        return found
    }

    private static func first(ofCircleAt start: Int, _ parents: [SpanID], _ row: (SpanID) -> Int?) -> Int {
        var (first, at) = (start, start)
        while let parent = row(parents[at]), parent != start {
            at = parent
            first = min(first, at)
        }
        return first
    }
}
