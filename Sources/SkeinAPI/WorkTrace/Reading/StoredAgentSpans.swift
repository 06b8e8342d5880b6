// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTraceQL

/// The spans of agents that others report, as they are stored, for one who watches a session, an agent or all of them.
///
/// Children are stored before what they stand below: whose they are may be known only when their agent has ended. Until then
/// they wait, unless nobody asks whose they are.
struct StoredAgentSpans {
    /// Spans that wait for their agent, at most.
    static let waitingCountMax = 10_000

    struct Found: Sendable {
        var span: AgentSpan
        /// `nil` while it is not known.
        var sessionID: String?
    }

    private let session: String?
    private let agent: String?
    private let watcher: LiveTraces.Watcher
    private var waiting: [TraceID: Waiting] = [:]
    private var waitingCount = 0
    private var lookNumber: UInt64 = 0

    private struct Waiting {
        var spans: Set<SpanID>
        /// The look at which a span of the trace was seen last.
        var lookNumber: UInt64
    }

    init(session: String?, agent: String?, in live: LiveTraces) throws(APIError) {
        self.session = session
        self.agent = agent
        let query = try NativeAPI.selection(SessionFilter.agentic)
        watcher = live.watch(for: TraceProbe(query, spanCountMax: 0).predicate, namingSpans: true)
    }

    /// Watches no more.
    func stop() { watcher.stop() }

    /// What was stored since the last call, by start, and how much was left out: a store that has no room for a trace now, or
    /// one that is too large to be put together, leaves it out.
    mutating func next(in api: API) async throws -> (found: [Found], droppedCount: Int) {
        var (spans, droppedCount) = watcher.takeSpans()
        lookNumber &+= 1
        var found: [Found] = []
        for (trace, ids) in spans {
            let fresh = Set(ids).union(forget(trace))
            guard let batch = try await NativeAPI.whole(trace, in: api) else {
                droppedCount += fresh.count
                continue
            }
            found += look(at: batch, trace, fresh, told: { api.work?.knows(session: $0) ?? false })
        }
        if waitingCount > Self.waitingCountMax {
            // The half that is silent longest.
            for (trace, _) in waiting.sorted(by: { $0.value.lookNumber < $1.value.lookNumber })
            where waitingCount > Self.waitingCountMax / 2 {
                droppedCount += forget(trace).count
            }
        }
        found.sort { $0.span.startUnixNanos < $1.span.startUnixNanos }
        return (found, droppedCount)
    }

    private mutating func look(
        at batch: SpanBatch,
        _ trace: TraceID,
        _ fresh: Set<SpanID>,
        told isTold: (String) -> Bool
    ) -> [Found] {
        let all = AgentSpan.read(batch)
        let owners = SpanOwners(all)
        var found: [Found] = []
        var left: Set<SpanID> = []
        for span in all where fresh.contains(span.spanID) && span.kind != nil && !span.isHidden {
            if let work = span.work, isTold(work.sessionID) { continue }
            let owner = owners.owner(of: .init(traceID: trace, spanID: span.spanID))
            let sessionID = span.work?.sessionID ?? owner?.sessionID
            let names = [span.agent.name, span.agent.id, owner?.agent.name, owner?.agent.id]
            if (session == nil || sessionID == session) && (agent == nil || names.contains(agent)) {
                found.append(Found(span: span, sessionID: sessionID))
            } else if owner == nil {
                left.insert(span.spanID)
            }
        }
        if !left.isEmpty {
            waiting[trace] = Waiting(spans: left, lookNumber: lookNumber)
            waitingCount += left.count
        }
        return found
    }

    private mutating func forget(_ trace: TraceID) -> Set<SpanID> {
        guard let spans = waiting.removeValue(forKey: trace)?.spans else { return [] }
        waitingCount -= spans.count
        return spans
    }
}
