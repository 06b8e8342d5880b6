// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Which span the end of a trace waited for, at each moment.
///
/// From the end of a root backwards: the child that finishes last before the present moment was waited for, so the path
/// goes through it, and goes on where that child starts; what lies between is the root's own time. Within the child the
/// same. A child that runs beyond its parent counts as far as it lies within; one that lies outside, and one that
/// nobody waits for, do not count: a consumer of its parent's message, and what follows from its parent (OpenTracing).
///
/// The path covers the whole time of the root. Other roots, such as spans whose parent has not come, are looked at only
/// where the root, and roots that start before them, leave time uncovered; so no two segments overlap.
///
/// Nothing here recurses; the whole takes time of order n log n.
package struct CriticalPath: Sendable {
    /// In order of time, none empty, no two overlapping, neighbours of one span in one piece.
    package private(set) var segments: [Segment] = []

    /// A time in which nothing but this span was waited for.
    package struct Segment: Hashable, Sendable {
        /// Row of the tree.
        package var row: Int
        /// Nanoseconds since 1970.
        package var startUnixNanos: UInt64
        package var endUnixNanos: UInt64

        package var durationNanos: UInt64 { endUnixNanos - startUnixNanos }
    }

    /// The path through `tree`, which must be the tree of `batch`. Links are looked at where the batch has them.
    package init(_ tree: TraceTree, of batch: SpanBatch) {
        guard tree.count > 0 else { return }
        var walk = CriticalPathWalk(tree, batch)
        let first = tree.rootRow ?? 0
        let (start, end) = walk.times(of: first)
        walk.follow(first, from: start, to: end)
        // Roots stand in order of their groups; those that miss one parent stand together whenever they start.
        let others = tree.parents.indices.filter { tree.parents[$0] < 0 && $0 != first }
            .map { (row: $0, time: walk.times(of: $0)) }
            .sorted { ($0.time.start, $0.row) < ($1.time.start, $1.row) }
        var coveredTo: UInt64 = 0
        for (row, time) in others {
            let from = max(time.start, coveredTo)
            walk.follow(row, from: from, to: min(time.end, start))
            walk.follow(row, from: max(from, end), to: time.end)
            coveredTo = max(coveredTo, time.end)
        }
        for segment in walk.segments.sorted(by: { $0.startUnixNanos < $1.startUnixNanos }) {
            if let last = segments.last, last.row == segment.row, last.endUnixNanos == segment.startUnixNanos {
                segments[segments.count - 1].endUnixNanos = segment.endUnixNanos
            } else {
                segments.append(segment)
            }
        }
    }

    /// From the first moment covered to the last, less what no root covers.
    package var durationNanos: UInt64 { segments.reduce(0) { $0 + $1.durationNanos } }

    /// For each of `rowCount` rows of the tree, how much of the path is its own.
    package func nanosByRow(_ rowCount: Int) -> [UInt64] {
        var nanos = [UInt64](repeating: 0, count: rowCount)
        for segment in segments { nanos[segment.row] += segment.durationNanos }
        return nanos
    }
}

/// The way through one tree, backwards in time.
private struct CriticalPathWalk {
    /// What the walk came by, latest first within each call of ``follow(_:from:to:)``.
    private(set) var segments: [CriticalPath.Segment] = []
    private let tree: TraceTree
    private let batch: SpanBatch
    private let followsFrom: FollowsFrom
    private var firstChild: [Int32]
    private var nextSibling: [Int32]
    /// From the root down to the span the walk is in.
    private var frames: [Frame] = []
    /// The children of all frames, those of the last frame at the end.
    private var children: [Child] = []

    private struct Frame {
        var row: Int32
        var start: UInt64
        /// What lies behind this moment is done.
        var point: UInt64
        /// Where its children begin in `children`.
        var firstChild: Int
        /// The first of them that was not looked at.
        var nextChild: Int
    }

    /// A child as far as it lies within its parent.
    private struct Child {
        var row: Int32
        var start: UInt64
        var end: UInt64

        /// The one that ends last comes first; of equal ends the longest, which leaves nobody else to wait for.
        static func isWaitedFor(_ a: Child, rather b: Child) -> Bool {
            if a.end != b.end { return a.end > b.end }
            return a.start != b.start ? a.start < b.start : a.row < b.row
        }
    }

    init(_ tree: TraceTree, _ batch: SpanBatch) {
        self.tree = tree
        self.batch = batch
        followsFrom = FollowsFrom(batch)
        firstChild = [Int32](repeating: -1, count: tree.count)
        nextSibling = [Int32](repeating: -1, count: tree.count)
        for row in tree.parents.indices.reversed() where tree.parents[row] >= 0 {
            let parent = Int(tree.parents[row])
            nextSibling[row] = firstChild[parent]
            firstChild[parent] = Int32(row)
        }
    }

    func times(of row: Int) -> (start: UInt64, end: UInt64) {
        let batchRow = Int(tree.batchRows[row])
        return (batch.startUnixNanos[batchRow], batch.endUnixNanos(at: batchRow))
    }

    /// Adds the path through the span of `row` and what stands below it, between two moments of its time.
    mutating func follow(_ row: Int, from start: UInt64, to end: UInt64) {
        guard start < end else { return }
        enter(Child(row: Int32(row), start: start, end: end))
        while var frame = frames.last {
            while frame.nextChild < children.count, children[frame.nextChild].end > frame.point { frame.nextChild += 1 }
            guard frame.nextChild < children.count else {
                add(frame.row, from: frame.start, to: frame.point)
                children.removeSubrange(frame.firstChild...)
                frames.removeLast()
                continue
            }
            let child = children[frame.nextChild]
            add(frame.row, from: child.end, to: frame.point)
            frame.point = child.start
            frame.nextChild += 1
            frames[frames.count - 1] = frame
            enter(child)
        }
    }

    private mutating func enter(_ span: Child) {
        let first = children.count
        var next = firstChild[Int(span.row)]
        while next >= 0 {
            let (start, end) = times(of: Int(next))
            if start < span.end, end > span.start, isWaitedFor(Int(next), below: Int(span.row)) {
                children.append(Child(row: next, start: max(start, span.start), end: min(end, span.end)))
            }
            next = nextSibling[Int(next)]
        }
        children[first...].sort(by: Child.isWaitedFor(_:rather:))
        frames.append(
            Frame(row: span.row, start: span.start, point: span.end, firstChild: first, nextChild: first)
        )
    }

    private func isWaitedFor(_ row: Int, below parent: Int) -> Bool {
        let batchRow = Int(tree.batchRows[row])
        let isMessage =
            batch.kinds[batchRow] == Span.Kind.consumer.rawValue
            && batch.kinds[Int(tree.batchRows[parent])] == Span.Kind.producer.rawValue
        return !isMessage && !followsFrom.contains(batchRow)
    }

    private mutating func add(_ row: Int32, from start: UInt64, to end: UInt64) {
        guard start < end else { return }
        segments.append(CriticalPath.Segment(row: Int(row), startUnixNanos: start, endUnixNanos: end))
    }
}

/// Which spans say of themselves that they only follow from their parent: by a link to it of that type, as Jaeger's
/// references come over (OpenTracing 1.1, "References between Spans").
private struct FollowsFrom {
    private let batch: SpanBatch
    private let key: SpanBatch.Ref?

    init(_ batch: SpanBatch) {
        self.batch = batch
        key = batch.links.spanIDs.isEmpty ? nil : batch.dictionary.ref(of: "opentracing.ref_type")
    }

    func contains(_ row: Int) -> Bool {
        guard let key else { return false }
        return batch.links.range(of: row).contains { link in
            batch.links.spanIDs[link] == batch.parentSpanIDs[row] && batch.links.traceIDs[link] == batch.traceIDs[row]
                && batch.links.attributes.range(of: link).contains { pair in
                    batch.links.attributes.keyRefs[pair] == key
                        && batch.dictionary.value(batch.links.attributes.valueRefs[pair]) == "follows_from"
                }
        }
    }
}
