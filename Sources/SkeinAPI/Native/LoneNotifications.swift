// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinStore
import SkeinTraceQL

/// Traces that are one notification of the Model Context Protocol, sent without a context: clients leave one or two for every
/// connection, and who asks for all traces does not mean them. They are found by any condition, and by their ids.
enum LoneNotifications {
    /// Whether a search for `query` leaves them out.
    static func areHidden(from query: String) -> Bool { query.allSatisfy(\.isWhitespace) }

    /// The page without them.
    static func remove(from page: inout TraceSearchPage, in store: any SpanStore) async throws(StoreError) {
        var kept: [(summary: TraceSummary, match: TraceMatch)] = []
        kept.reserveCapacity(page.traces.count)
        for trace in page.traces {
            if try await !isLone(trace.summary, in: store) { kept.append(trace) }
        }
        page.traces = kept
    }

    private static func isLone(_ summary: TraceSummary, in store: any SpanStore) async throws(StoreError) -> Bool {
        guard summary.spanCount == 1, summary.rootSpanName.hasPrefix("notifications/") else { return false }
        guard let batch = try await store.trace(summary.traceID) else { return false }
        return AgentSpan.read(batch).allSatisfy { $0.kind == .protocolCall }
    }
}
