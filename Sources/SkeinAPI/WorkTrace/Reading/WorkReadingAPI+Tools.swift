// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

extension WorkReadingAPI {
    /// What tool calls take and how often they fail, in groups.
    static func tools(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var room = AnswerRoom(api.answers, remedy: "ask for a shorter time, or raise memory")
        let list = try await ToolList(api, call, room: &room)
        var response = APIResponse.json(capacity: 256 + list.rows.count * 512) { json in
            json.object { json in list.write(to: &json) }
        }
        response.memory = room.memory
        return response
    }
}

/// One page of groups of tool calls, most calls first.
struct ToolList {
    let rows: [ToolTable.Row]
    /// What leads to the next page; `nil` when there is none.
    let next: String?
    private let sample: ToolSample

    /// The page that a call asks for.
    init(_ api: API, _ call: APICall, room: inout AnswerRoom) async throws(APIError) {
        let question = try ToolQuestion(call)
        let limit = try call.limit(atMost: 1000)
        let cursor = try call.listCursor(of: question.text)
        var table = ToolTable(groupBy: question.dimensions)
        sample = try await ToolSample(question, api, call, room: &room) { table.add($0) }
        let page = ListPage(
            of: table.rows(over: question.sparklineRange),
            limit: limit,
            after: cursor,
            question: question.text
        ) { row in
            ListCursor.Place(
                rank: ~UInt64(clamping: row.callCount),
                [row.toolName, row.server, row.layer?.rawValue, row.agentName].map { $0 ?? "" }.joined(separator: "\0")
            )
        }
        rows = page.elements
        next = page.next
    }

    /// Writes the members of the page.
    func write(to json: inout JSONWriter) {
        json.array("tools") { json in
            for row in rows { Self.write(row, to: &json) }
        }
        json.member("next", next)
        json.object("inspected") { json in
            json.member("traces", sample.traceCount)
            json.member("isCut", sample.isCut)
        }
    }

    private static func write(_ row: ToolTable.Row, to json: inout JSONWriter) {
        json.object { json in
            json.member("toolName", row.toolName)
            json.member("server", row.server)
            json.member("layer", row.layer?.rawValue)
            json.member("agentName", row.agentName)
            json.member("callCount", row.callCount)
            json.member("storedCallCount", row.storedCallCount)
            json.member("errorCount", row.errorCount)
            json.member("cancelledCount", row.cancelledCount)
            json.member("retryCount", row.retryCount)
            json.member("errorRate", row.errorRate)
            json.member("resultBytes", row.resultBytes)
            json.array("sparkline") { json in
                for count in row.sparkline { json.int(count) }
            }
            json.key("durationNanos")
            guard let durations = row.durationNanos else { return json.null() }
            json.object { json in
                json.member("p50", decimal: durations.p50)
                json.member("p90", decimal: durations.p90)
                json.member("p95", decimal: durations.p95)
                json.member("p99", decimal: durations.p99)
                json.member("max", decimal: durations.max)
                json.member("total", decimal: durations.total)
            }
        }
    }
}

/// Which tool calls are counted, and by what they are told apart.
struct ToolQuestion {
    static let parameters = ["agent", "tool", "traceId", "sessionId", "from", "to", "groupBy", "limit", "cursor"]

    let agent: String?
    let tool: String?
    let traceID: TraceID?
    let sessionID: String?
    /// A call starts in it.
    let range: TimeRange
    let dimensions: Set<ToolTable.Dimension>

    init(_ call: APICall) throws(APIError) {
        func text(_ name: String) -> String? {
            guard let text = call.request.query(name), !text.isEmpty else { return nil }
            return text
        }
        agent = text("agent")
        tool = text("tool")
        sessionID = text("sessionId")
        if let id = text("traceId") { traceID = try APICall.traceID(id, "traceId") } else { traceID = nil }
        range = try SessionFilter.range(call)
        var dimensions: Set<ToolTable.Dimension> = []
        for name in (text("groupBy") ?? "tool").split(separator: ",") {
            guard let dimension = ToolTable.Dimension(rawValue: String(name)) else {
                let known = ToolTable.Dimension.allCases.map(\.rawValue)
                throw .invalid(
                    "groupBy",
                    "\(APICall.shown(String(name))) is nothing to group by: it takes any of \(known.joined(separator: ", ")), "
                        + "with commas between."
                )
            }
            dimensions.insert(dimension)
        }
        self.dimensions = dimensions
    }

    func includes(_ call: Orchestration.ToolCall) -> Bool {
        range.contains(call.startUnixNanos) && (agent == nil || call.agentName == agent)
            && (tool == nil || call.toolName == tool) && (sessionID == nil || call.sessionID == sessionID)
            && (traceID == nil || call.traceID == traceID)
    }

    /// The time that a sparkline shows; `nil` for that of the calls themselves.
    var sparklineRange: Range<UInt64>? {
        range.start > 0 && range.end < .max && range.start < range.end ? range.start..<range.end : nil
    }

    /// What tells this question from others, for cursors.
    var text: String {
        let by = dimensions.map(\.rawValue).sorted().joined(separator: ",")
        return [agent, tool, sessionID, traceID?.description, by].map { $0 ?? "" }.joined(separator: "\0")
            + "\0\(range.start)\0\(range.end)"
    }
}

/// The tool calls of the newest traces that a question is about, one trace after the other.
struct ToolSample {
    /// Most traces that are looked at.
    static let traceCountMax = 10_000
    /// Most spans of them.
    static let spanCountMax = 2_000_000

    private(set) var traceCount = 0
    /// Whether older traces were not looked at.
    private(set) var isCut = false
    /// Memory of a call that is counted, with its layers.
    private static let callByteCount = 96
    private var keptByteCount = 0
    /// The ids under which models asked for the calls that agents tell of.
    private var askedIDs: Set<String> = []
    /// Calls of which `skein mcp-proxy` tells in traces of their own. An agent may tell of the same ones elsewhere.
    private var loneCalls: [Orchestration.ToolCall] = []
    /// What such calls tell that agents do not, by id. The newest traces come first, so that a call is known here before the agent's.
    private var loneFacts: [String: (server: String?, resultBytes: UInt64?)] = [:]

    /// Hands each call to `body`, once, be it told of in one trace or in two that have its id in common.
    init(
        _ question: ToolQuestion,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom,
        _ body: (Orchestration.ToolCall) -> Void
    ) async throws(APIError) {
        if let id = question.traceID {
            try await add(id, question, api, call, room: &room, body)
        } else if let id = question.sessionID {
            let id = try await WorkReadingAPI.traceID(ofSession: id, api, call)
            try await add(id, question, api, call, room: &room, body)
        } else {
            try await addTraces(question, api, call, room: &room, body)
        }
        for call in loneCalls where !askedIDs.contains(call.callID ?? "") { body(call) }
    }

    private mutating func addTraces(
        _ question: ToolQuestion,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom,
        _ body: (Orchestration.ToolCall) -> Void
    ) async throws(APIError) {
        var spanCount = 0
        var request = TraceSearchRequest(
            try NativeAPI.selection(SessionFilter.agentic),
            range: question.range,
            limit: 500,
            spanCountMax: 0,
            order: .newest
        )
        repeat {
            let asked = request
            let page = try await api.ask(call) { store throws(StoreError) in try await store.search(asked) }
            for (summary, _) in page.traces {
                guard traceCount < Self.traceCountMax, spanCount < Self.spanCountMax else {
                    isCut = true
                    return
                }
                spanCount += try await add(summary.traceID, question, api, call, room: &room, body)
            }
            request.cursor = page.next
        } while request.cursor != nil
    }

    /// Returns how many spans were looked at.
    @discardableResult
    private mutating func add(
        _ id: TraceID,
        _ question: ToolQuestion,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom,
        _ body: (Orchestration.ToolCall) -> Void
    ) async throws(APIError) -> Int {
        guard let trace = try await WorkForest.read(id, api, call, room: &room, kept: keptByteCount) else { return 0 }
        traceCount += 1
        // By layers the proxy's time is a row of its own, whoever else tells of the call.
        let isLone = trace.isOfProxyAlone && !question.dimensions.contains(.layer)
        let orchestration = Orchestration(trace.spans, nowUnixNanos: api.clock.unixNanos, listMax: .max)
        for var call in orchestration.toolCalls {
            let id = call.callID ?? ""
            if !isLone, !id.isEmpty {
                if askedIDs.insert(id).inserted { keptByteCount += 64 + id.utf8.count }
                call.server = call.server ?? loneFacts[id]?.server
                call.resultBytes = call.resultBytes ?? loneFacts[id]?.resultBytes
            } else if isLone, !id.isEmpty {
                loneFacts[id] = (call.server, call.resultBytes)
                keptByteCount += 128 + id.utf8.count
            }
            guard question.includes(call) else { continue }
            keptByteCount += Self.callByteCount
            if isLone, !id.isEmpty {
                loneCalls.append(call)
                keptByteCount += MemoryLayout<Orchestration.ToolCall>.size
            } else {
                body(call)
            }
        }
        try room.hold(source: keptByteCount)
        return trace.spans.count
    }
}
