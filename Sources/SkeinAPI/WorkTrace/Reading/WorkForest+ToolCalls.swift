// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import SkeinStore

/// Layers of one tool call that report to different traces: a client that sends the model's id of the call and no context, as
/// Claude Code does, leaves the spans of a proxy to begin a trace of their own.
extension WorkForest.Trace {
    /// Whether `skein mcp-proxy` alone tells of it, with the server behind it: no context reached the proxy, and no agent is here.
    var isOfProxyAlone: Bool {
        spans.contains(where: \.isOfProxy)
            && spans.allSatisfy { $0.isOfProxy || $0.isOfServer && row(of: $0.parentSpanID) != nil }
    }

    /// Ids in one query.
    private static let idCountMax = 50
    /// Queries for one trace; calls beyond are not looked for.
    private static let queryCountMax = 20
    /// Most traces that one query finds.
    static let callTraceCountMax = 100

    /// What finds the other layers of the tool calls here: behind those of agents the protocol's, behind those of the protocol
    /// the agent's.
    var callQueries: [String] {
        var calls: [(id: String, isAsked: Bool, isHeard: Bool)] = []
        var places: [String: Int] = [:]
        for row in spans.indices where !spans[row].isHidden {
            guard let tool = spans[row].tool, let id = tool.callID else { continue }
            let isAgent = tool.layer == .agent
            let fresh = calls.count
            let place = places[id, default: fresh]
            if place == fresh {
                places[id] = fresh
                calls.append((id, isAgent, !isAgent))
            } else {
                calls[place].isAsked = calls[place].isAsked || isAgent
                calls[place].isHeard = calls[place].isHeard || !isAgent
            }
        }
        // What the agent calls and what only the protocol's spans tell of; the others are whole.
        let askedMax = Self.queryCountMax * Self.idCountMax
        let asked = Array(calls.lazy.filter { !$0.isHeard }.map(\.id).prefix(askedMax))
        let heard = Array(calls.lazy.filter { !$0.isAsked }.map(\.id).prefix(askedMax / 5))
        let agents = Mapping.table.filter { $0.field == .toolCallID }.map(\.key)
        let queries =
            asked.chunked(Self.idCountMax).map { ids in
                "{ span.mcp.method.name = \"tools/call\" && (\(Self.any(["gen_ai.tool.call.id"], of: ids))) }"
            }
            + heard.chunked(Self.idCountMax / 5).map { ids in
                "{ span.mcp.method.name = nil && (\(Self.any(agents, of: ids))) }"
            }
        return Array(queries.prefix(Self.queryCountMax))
    }

    /// When other layers of the calls here begin: an outer one somewhat before.
    var callRange: TimeRange {
        var (start, end) = (UInt64.max, UInt64.zero)
        for row in spans.indices where spans[row].tool?.callID != nil {
            start = min(start, spans[row].startUnixNanos)
            end = max(end, spans[row].endUnixNanos)
        }
        if end == 0 { start = 0 }
        return TimeRange(start: start - min(start, Self.leadNanos), end: end == .max ? end : end + 1)
    }

    /// An hour: so long someone may take to allow a call.
    private static let leadNanos: UInt64 = 3600 * 1_000_000_000

    private static func any(_ keys: [String], of ids: [String]) -> String {
        ids.flatMap { id in keys.map { "span.\($0) = \(WorkForest.quoted(id))" } }.joined(separator: " || ")
    }
}

extension AgentSpan {
    /// Whether it may be of a tool's server, or of what that calls: neither an agent nor a model is at work.
    fileprivate var isOfServer: Bool { !isWork && (kind == nil || kind == .tool || kind == .protocolCall) }
}

extension [String] {
    fileprivate func chunked(_ count: Int) -> [[String]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}
