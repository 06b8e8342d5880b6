// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// Tells whether agents, models or tools are at work in spans.
struct AgentProbe {
    private let predicate: CompiledPredicate

    init() throws(APIError) {
        let query = try NativeAPI.selection(SessionFilter.agentic)
        predicate = CompiledPredicate(TraceProbe(query, spanCountMax: 0).predicate)
    }

    /// Whether any of `spans` is theirs. Without attributes only their names say so.
    func holds(of spans: SpanBatch) throws(StoreError) -> Bool {
        try !BatchScan.rows(of: spans, in: .all, matching: predicate).isEmpty
    }
}
