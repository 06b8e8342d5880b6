// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Which service calls which: an edge for every span whose parent is a span of another service.
///
/// Counted by spans, each by its weight, so that sampling before us does not make a service look idle. Spans without a
/// service name are on no edge.
package struct ServiceGraph: Sendable {
    private var counts: [Pair: Counts] = [:]

    private struct Pair: Hashable {
        var parent: String
        var child: String
    }

    private struct Counts {
        var calls = 0.0
        var errors = 0.0
    }

    /// Calls from one service to another.
    package struct Edge: Hashable, Sendable {
        package var parent: String
        package var child: String
        package var callCount: Int
        /// Calls whose span has status error.
        package var errorCount: Int
    }

    /// A graph without edges.
    package init() {}

    /// Adds the calls of `batch`: any number of traces, each of them whole and each span there once.
    package mutating func add(_ batch: SpanBatch) {
        let parents = ParentIndex(batch).parents
        // Services are few beside spans: numbers first, names once per pair.
        var found: [UInt64: Counts] = [:]
        for row in 0..<batch.count where parents[row] >= 0 {
            let parent = batch.serviceRef(at: Int(parents[row]))
            let child = batch.serviceRef(at: row)
            guard parent != child, parent != 0, child != 0 else { continue }
            let weight = SpanBatch.value(batch.weights, row, default: 1)
            let isError = batch.statusCodes[row] == Span.Status.Code.error.rawValue
            found[UInt64(parent) << 32 | UInt64(child), default: Counts()].calls += weight
            if isError { found[UInt64(parent) << 32 | UInt64(child), default: Counts()].errors += weight }
        }
        for (key, more) in found {
            let pair = Pair(
                parent: batch.dictionary.string(UInt32(truncatingIfNeeded: key >> 32)),
                child: batch.dictionary.string(UInt32(truncatingIfNeeded: key))
            )
            counts[pair, default: Counts()].calls += more.calls
            counts[pair, default: Counts()].errors += more.errors
        }
    }

    /// Every edge, ordered by parent, then child.
    package var edges: [Edge] {
        counts.map { pair, counts in
            Edge(
                parent: pair.parent,
                child: pair.child,
                callCount: Self.whole(counts.calls),
                errorCount: Self.whole(counts.errors)
            )
        }.sorted { ($0.parent, $0.child) < ($1.parent, $1.child) }
    }

    /// The nearest whole number; weights come from outside and may be anything.
    private static func whole(_ count: Double) -> Int { Int(exactly: count.rounded()) ?? (count > 0 ? .max : 0) }
}
