// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// All traces that a piece of agents' work is made of: the one asked for, those that its sessions are linked with, whichever
/// side the link is on, and those that tell of the same tool calls.
struct WorkForest {
    /// Most traces of a forest; what is beyond is left out, and ``isCut`` says so.
    static let traceCountMax = 500
    /// Most spans of a forest, unless its first trace alone has more.
    static let spanCountMax = 1_000_000
    /// Memory of a normalised span.
    static let spanByteCount = 1024

    /// In the order in which they were found; the one asked for is the first.
    private(set) var traces: [Trace] = []
    /// Whether something was left out.
    private(set) var isCut = false

    /// One trace with what its spans tell, row by row.
    struct Trace {
        let id: TraceID
        let batch: SpanBatch
        private(set) var spans: [AgentSpan]
        /// Where a span stands; of several that share an id the first.
        private let rows: [SpanID: Int]

        /// What is in `open` has not ended.
        init(_ id: TraceID, _ batch: SpanBatch, open: Set<SpanID>) {
            self.id = id
            self.batch = batch
            var spans = AgentSpan.read(batch)
            if !open.isEmpty {
                for row in spans.indices where open.contains(spans[row].spanID) { spans[row].isOpen = true }
            }
            self.spans = spans
            var rows: [SpanID: Int] = [:]
            rows.reserveCapacity(batch.count)
            for (row, spanID) in batch.spanIDs.enumerated() {
                if let first = rows.updateValue(row, forKey: spanID) { rows[spanID] = first }
            }
            self.rows = rows
        }

        func row(of id: SpanID) -> Int? { rows[id] }

        /// Adds what log records of the trace tell of its calls of models.
        mutating func addCosts(in records: LogBatch) { ClaudeCodeCosts.add(records.rows, to: &spans) }

        /// Adds what calls of models cost of which nobody says so.
        mutating func addCosts(by prices: ModelPrices) { prices.fill(&spans) }
    }

    /// What the spans of all traces tell, with the trace asked for in the middle.
    func orchestration(at now: UInt64, listMax: Int = Orchestration.listMax) -> Orchestration {
        let spans = traces.count == 1 ? traces[0].spans : traces.flatMap(\.spans)
        return Orchestration(spans, around: traces.first?.id, nowUnixNanos: now, listMax: listMax)
    }

    /// The forest around `id`. Throws `unknown-trace` when no span of it is known.
    init(around id: TraceID, _ api: API, _ call: APICall, room: inout AnswerRoom) async throws(APIError) {
        var waiting = [id]
        var known: Set<TraceID> = [id]
        var askedRoots: Set<String> = []
        var spanCount = 0
        while let next = waiting.popLast() {
            guard traces.count < Self.traceCountMax, spanCount < Self.spanCountMax else {
                isCut = true
                break
            }
            let kept = spanCount * Self.spanByteCount
            guard let trace = try await Self.read(next, api, call, room: &room, kept: kept) else {
                if traces.isEmpty { throw Self.unknown(id) }
                continue
            }
            traces.append(trace)
            spanCount += trace.spans.count
            var related = trace.linked
            for root in trace.rootSessionIDs where askedRoots.insert(root).inserted {
                let query = "{ span.worktrace.session.root_id = \(Self.quoted(root)) }"
                related += try await Self.traceIDs(query, limit: Self.traceCountMax, api, call)
            }
            // Those that go on are not all in the store.
            related += api.work?.traces(ofRoots: trace.rootSessionIDs.union(trace.spanSessionIDs)) ?? []
            if trace.holdsAgents {
                related += try await Self.traceIDs(
                    "{ link:traceID = \"\(next)\" }",
                    in: trace.followers,
                    limit: Self.traceCountMax,
                    api,
                    call
                )
            }
            let (queries, range) = (trace.callQueries, trace.callRange)
            for query in queries {
                related += try await Self.traceIDs(query, in: range, limit: Trace.callTraceCountMax, api, call)
            }
            for trace in related where known.insert(trace).inserted { waiting.append(trace) }
        }
    }

    /// One trace, `nil` when nothing of it is known, or more than `spanCountMax`; `kept` bytes are held for what was made of others.
    static func read(
        _ id: TraceID,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom,
        kept byteCount: Int = 0,
        spanCountMax: Int = .max
    ) async throws(APIError) -> Trace? {
        guard let reader = try await api.openReader(of: id, call), reader.storedSpanCount <= spanCountMax else {
            return nil
        }
        let batch = try await api.gather(
            reader,
            columns: .all,
            beside: spanByteCount,
            kept: byteCount,
            call,
            room: &room
        )
        var trace = Trace(id, batch, open: reader.openIDs)
        if let logs = api.logRecords, ClaudeCodeCosts.areWanted(by: trace.spans) {
            let list = try await api.ask(call) { _ throws(StoreError) in
                try await logs.logRecords(ofTrace: id, span: nil, limit: LogRecordList.countMax)
            }
            trace.addCosts(in: list.batch)
        }
        trace.addCosts(by: api.prices.current)
        return trace
    }

    /// The newest traces that `query` finds.
    static func traceIDs(
        _ query: String,
        in range: TimeRange = .all,
        limit: Int,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [TraceID] {
        let request = TraceSearchRequest(try NativeAPI.selection(query), range: range, limit: limit)
        let page = try await api.ask(call) { store throws(StoreError) in try await store.search(request) }
        return page.traces.map(\.summary.traceID)
    }

    static func unknown(_ id: TraceID) -> APIError {
        APIError(404, "unknown-trace", "No span of trace \(id) is stored.")
    }

    /// A text as TraceQL writes it.
    static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") }) else {
            return "\"\(text)\""
        }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension WorkForest.Trace {
    /// Traces that what opens sessions here links to.
    fileprivate var linked: [TraceID] {
        spans.indices.filter {
            spans[$0].kind == .agent || spans[$0].isWork || !spans[$0].parentSpanID.isValid
        }.flatMap {
            // Who answers a message, or tries again, does other work.
            spans[$0].links.filter { $0.relation != "message" && $0.relation != "retry_of" }.map(\.traceID)
        }
    }

    /// When what was started here starts: a link is no reason to look through all of time.
    fileprivate var followers: TimeRange {
        let end = spans.indices.lazy.map { spans[$0].endUnixNanos }.max() ?? 0
        let (last, overflow) = end.addingReportingOverflow(24 * 3600 * 1_000_000_000)
        let start = spans.indices.lazy.map { spans[$0].startUnixNanos }.min() ?? 0
        return TimeRange(start: start, end: overflow ? .max : last)
    }

    fileprivate var rootSessionIDs: Set<String> {
        spans.indices.reduce(into: []) { roots, row in
            guard spans[row].isWork, let work = spans[row].work, work.isSession else { return }
            roots.insert(work.rootSessionID ?? work.sessionID)
        }
    }

    /// Sessions that spans make.
    fileprivate var spanSessionIDs: [String] {
        spans.indices.filter { spans[$0].kind == .agent && !spans[$0].isWork }.map { "\(id):\(spans[$0].spanID)" }
    }

    fileprivate var holdsAgents: Bool { spans.contains { $0.kind != nil } }
}
