// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// Which spans of a trace are wanted: those that a query leaves, and some above and below them.
struct TempoTraceFilter {
    private let query: Query
    /// Levels below a span of the query.
    private let descendantDepth: Int
    /// Levels above a span of the query.
    private let ancestorDepth: Int

    /// What the parameters say; `nil` when the whole trace is wanted.
    init?(_ call: APICall) throws(APIError) {
        guard let text = call.value("q") else { return nil }
        query = try TempoAPI.parse(text)
        descendantDepth = try Self.depth("match_depth", usual: 0, call)
        let keepsHierarchy = try call.goBool("keep_hierarchy")
        let depth = try Self.depth("ancestor_depth", usual: .max, call)
        ancestorDepth = keepsHierarchy ? depth : 0
    }

    /// A number of levels, where -1 are all.
    private static func depth(_ name: String, usual: Int, _ call: APICall) throws(APIError) -> Int {
        guard let text = call.value(name) else { return usual }
        guard let depth = Int(text), depth >= -1 else {
            throw .invalid(name, "invalid \(name) \(GoText.quote(text)): a number of levels is expected, or -1 for all")
        }
        return depth == -1 ? .max : depth
    }

    /// The wanted spans of a whole trace, in its order.
    func spans(of trace: SpanBatch) throws(StoreError) -> SpanBatch {
        let table = BatchTable(trace: trace)
        let selected = SelectedSpans(query)
        let rows = try selected.rows(try table.rows(matching: CompiledPredicate(selected.predicate)), of: table)
        let forest = table.forest()
        var below = [Int](repeating: .max, count: trace.count)
        var above = below
        rows.forEach { row in (below[row], above[row]) = (0, 0) }
        // Each stands behind its parent.
        let depthFirst = (0..<trace.count).sorted { forest.orders[$0] < forest.orders[$1] }
        for row in depthFirst where forest.parents[row] >= 0 {
            let distance = below[Int(forest.parents[row])]
            if distance < descendantDepth { below[row] = min(below[row], distance + 1) }
        }
        for row in depthFirst.reversed() where forest.parents[row] >= 0 {
            let parent = Int(forest.parents[row])
            if above[row] < ancestorDepth { above[parent] = min(above[parent], above[row] + 1) }
        }
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: trace)
        for row in 0..<trace.count where below[row] < .max || above[row] < .max { merger.append(row, to: &builder) }
        return builder.finish(receivedUnixNanos: trace.receivedUnixNanos)
    }
}
