// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Two traces, or two sets of them, path by path: what only one side does, and what takes longer.
///
/// A path is the services and operations from the root down to a span. Spans of one path are one row, however many there
/// are; of a set of traces a row says the average of a trace. What runs concurrently counts as often as it runs.
package struct Comparison: Sendable {
    /// Depth first: a path stands after the one it continues; in the order of first appearance, of the first side, then of
    /// the second.
    package private(set) var paths: [Path] = []
    /// The first side as a whole.
    package private(set) var first = Side()
    /// The second side as a whole.
    package private(set) var second = Side()

    /// One side, in the average of its traces.
    package struct Side: Hashable, Sendable {
        package var traceCount = 0
        package var spanCount = 0.0
        package var errorCount = 0.0
        package var durationNanos = 0.0
    }

    /// What the spans of one path do, in the average of a side's traces.
    package struct Figures: Hashable, Sendable {
        package var spanCount = 0.0
        package var errorCount = 0.0
        package var totalNanos = 0.0
        /// The time in which no child was running.
        package var selfNanos = 0.0
    }

    package struct Path: Hashable, Sendable {
        package var name: OperationName
        /// The row of the path that this one continues; `nil` for a root.
        package var parent: Int?
        /// How many paths this one continues.
        package var depth: Int
        /// `nil` where the first side has no such path.
        package var first: Figures?
        package var second: Figures?
        package var change: Change
    }

    /// How the second side differs from the first.
    package enum Change: String, Hashable, Sendable {
        case onlyFirst, onlySecond
        /// Another number of spans or errors, or notably other durations, see ``Comparison/Tolerance``.
        case changed
        case same
    }

    /// What is no change yet.
    package struct Tolerance: Hashable, Sendable {
        /// The part of the greater total duration of a path by which the two may differ, 0…1.
        package var share = 0.1
        /// The part of the longer trace's duration by which they may differ, 0…1.
        package var traceShare = 0.01

        package init() {}
    }

    /// Compares `second` with `first`: each a batch for each trace, with all of its spans, each once.
    package init(of first: [SpanBatch], with second: [SpanBatch], tolerance: Tolerance = Tolerance()) {
        var profile = PathProfile()
        self.first = Self.add(first, to: &profile, side: 0)
        self.second = Self.add(second, to: &profile, side: 1)
        let traceNanos = max(self.first.durationNanos, self.second.durationNanos)
        var rowOfNode = [Int](repeating: 0, count: profile.nodes.count)
        for index in profile.depthFirst() {
            let node = profile.nodes[index]
            let parent = node.parent >= 0 ? rowOfNode[Int(node.parent)] : nil
            let (mine, theirs) = (
                node.sides.0.average(of: first.count), node.sides.1.average(of: second.count)
            )
            rowOfNode[index] = paths.count
            paths.append(
                Path(
                    name: profile.name(of: node),
                    parent: parent,
                    depth: parent.map { paths[$0].depth + 1 } ?? 0,
                    first: mine,
                    second: theirs,
                    change: Self.change(mine, theirs, traceNanos, tolerance)
                )
            )
        }
    }

    /// The services of the paths, in order of first appearance.
    package var services: [String] {
        var known: Set<ExactText> = []
        return paths.map(\.name.service).filter { known.insert(ExactText($0)).inserted }
    }

    private static func add(_ batches: [SpanBatch], to profile: inout PathProfile, side: Int) -> Side {
        var whole = Side()
        for batch in batches {
            let tree = TraceTree(batch)
            profile.add(tree, of: batch, side: side)
            whole.traceCount += 1
            whole.spanCount += Double(tree.count) / Double(batches.count)
            whole.errorCount += Double(tree.errorCount) / Double(batches.count)
            whole.durationNanos += Double(tree.durationNanos) / Double(batches.count)
        }
        return whole
    }

    private static func change(
        _ first: Figures?,
        _ second: Figures?,
        _ traceNanos: Double,
        _ tolerance: Tolerance
    ) -> Change {
        guard let first else { return .onlySecond }
        guard let second else { return .onlyFirst }
        // Averages of many traces are seldom the same.
        let isCountSame = isAlike(first.spanCount, second.spanCount) && isAlike(first.errorCount, second.errorCount)
        let allowed = max(max(first.totalNanos, second.totalNanos) * tolerance.share, traceNanos * tolerance.traceShare)
        return isCountSame && abs(first.totalNanos - second.totalNanos) <= allowed ? .same : .changed
    }

    private static func isAlike(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 0.5 }
}
