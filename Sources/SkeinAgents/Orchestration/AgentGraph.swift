// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The graph of agents, workflow nodes and tools (`agents-api.md` §3.6).
struct AgentGraph {
    private(set) var graph = Orchestration.Graph()
    private var nodes: [String: Orchestration.Graph.Node] = [:]
    private var edges: [EdgeKey: Orchestration.Graph.Edge] = [:]

    private struct EdgeKey: Hashable {
        var from: String
        var to: String
        var kind: Orchestration.Graph.Edge.Kind
    }

    init(
        _ forest: AgentForest,
        _ sessions: [Orchestration.Session],
        _ table: SessionTable,
        _ steps: SessionSteps,
        _ calls: ToolCallTable
    ) {
        for (place, session) in sessions.enumerated() {
            let hasFailed = session.hasFailed
            let id = addNode(.agent, session.agentName, hasFailed, session.durationNanos)
            let parent = table.entries[place].parent
            guard parent >= 0 else { continue }
            let from = Self.id(.agent, sessions[parent].agentName)
            addEdge(from, id, .init(steps.links[place].kind), hasFailed)
        }
        for message in steps.messages(forest, table) {
            let (from, to) = (table.sessionOfRow[message.from], table.sessionOfRow[message.to])
            addEdge(
                Self.id(.agent, sessions[from].agentName),
                Self.id(.agent, sessions[to].agentName),
                .message,
                false
            )
        }
        addCalls(calls, of: sessions, forest)
        addWorkflow(forest, table)
        addDesign(forest)
        graph.nodes = nodes.values.sorted { $0.id < $1.id }
        graph.edges = edges.values.sorted { ($0.from, $0.to, $0.kind.rawValue) < ($1.from, $1.to, $1.kind.rawValue) }
    }

    private static func id(_ kind: Orchestration.Graph.Node.Kind, _ name: String) -> String {
        "\(kind.rawValue):\(name)"
    }

    /// How often something ran, failed, and how long it took.
    private struct Tally {
        var count = 0
        var errorCount = 0
        var nanos: UInt64 = 0

        mutating func add(_ hasFailed: Bool, _ nanos: UInt64) {
            count += 1
            errorCount += hasFailed ? 1 : 0
            self.nanos.addClamped(nanos)
        }
    }

    /// The calls of one tool by one session are counted together: few names, and a hundred thousand calls.
    private mutating func addCalls(
        _ calls: ToolCallTable,
        of sessions: [Orchestration.Session],
        _ forest: AgentForest
    ) {
        struct Tool: Hashable {
            var session: Int
            var name: String
        }
        var tallies: [Tool: Tally] = [:]
        for (call, outcome) in calls.outcomes.enumerated() {
            let tool = Tool(session: calls.calls[call].session, name: calls.calls[call].name)
            tallies[tool, default: Tally()]
                .add(Orchestration.ToolCall.isError(outcome), forest.nanos(of: calls.calls[call].row))
        }
        for (tool, tally) in tallies {
            let id = addNode(.tool, tool.name, tally)
            addEdge(Self.id(.agent, sessions[tool.session].agentName), id, .calls, tally)
        }
    }

    private mutating func addNode(
        _ kind: Orchestration.Graph.Node.Kind,
        _ name: String,
        _ hasFailed: Bool,
        _ nanos: UInt64
    ) -> String {
        addNode(kind, name, Tally(count: 1, errorCount: hasFailed ? 1 : 0, nanos: nanos))
    }

    private mutating func addNode(
        _ kind: Orchestration.Graph.Node.Kind,
        _ name: String,
        _ tally: Tally
    ) -> String {
        let id = Self.id(kind, name)
        var node = nodes[id] ?? .init(id: id, kind: kind, name: name)
        node.count += tally.count
        node.errorCount += tally.errorCount
        node.durationNanos.addClamped(tally.nanos)
        nodes[id] = node
        return id
    }

    private mutating func addEdge(
        _ from: String,
        _ to: String,
        _ kind: Orchestration.Graph.Edge.Kind,
        _ hasFailed: Bool
    ) {
        addEdge(from, to, kind, Tally(count: 1, errorCount: hasFailed ? 1 : 0))
    }

    private mutating func addEdge(
        _ from: String,
        _ to: String,
        _ kind: Orchestration.Graph.Edge.Kind,
        _ tally: Tally
    ) {
        var edge = edges[EdgeKey(from: from, to: to, kind: kind)] ?? .init(from: from, to: to, kind: kind)
        edge.count += tally.count
        edge.errorCount += tally.errorCount
        edges[EdgeKey(from: from, to: to, kind: kind)] = edge
    }

    /// A node follows those of its level that the client names, else the one that ended last before it began.
    private mutating func addWorkflow(_ forest: AgentForest, _ table: SessionTable) {
        struct Level: Hashable {
            var session: Int
            var above: Int
        }
        var above = [Int](repeating: -1, count: forest.count)
        var levels: [Level: [Int]] = [:]
        for row in forest.order {
            let parent = forest.parents[row]
            if parent >= 0 { above[row] = forest.spans[parent].isNode ? parent : above[parent] }
        }
        for row in forest.spans.indices where forest.spans[row].isNode {
            let span = forest.spans[row]
            _ = addNode(.node, span.nodeName, span.status.code == .error, forest.nanos(of: row))
            levels[Level(session: table.sessionOfRow[row], above: above[row]), default: []].append(row)
        }
        for rows in levels.values {
            let byEnd = rows.sorted { (forest.ends[$0], $0) < (forest.ends[$1], $1) }
            var ended = 0
            for row in rows {
                let span = forest.spans[row]
                let hasFailed = span.status.code == .error
                if let parent = span.node?.parentID {
                    addEdge(designed(parent), Self.id(.node, span.nodeName), .next, hasFailed)
                    continue
                }
                while ended < byEnd.count, forest.ends[byEnd[ended]] <= forest.starts[row], byEnd[ended] != row {
                    ended += 1
                }
                guard ended > 0 else { continue }
                addEdge(
                    Self.id(.node, forest.spans[byEnd[ended - 1]].nodeName),
                    Self.id(.node, span.nodeName),
                    .next,
                    hasFailed
                )
            }
        }
    }

    /// What is known by design and never ran stands there with count 0.
    private mutating func addDesign(_ forest: AgentForest) {
        let rows = forest.spans.indices.lazy
        for name in Set(rows.flatMap { forest.spans[$0].designNodes }).sorted().prefix(Orchestration.listMax)
        where !name.isEmpty { _ = designed(name) }
        let seen = Set(edges.keys.map { Orchestration.Graph.Edge.Ends(from: $0.from, to: $0.to) })
        for edge in Set(rows.flatMap { forest.spans[$0].design }).sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) })
            .prefix(Orchestration.listMax)
        {
            var ends: [String] = []
            for name in [edge.from, edge.to] where !name.isEmpty { ends.append(designed(name)) }
            guard ends.count == 2, !seen.contains(.init(from: ends[0], to: ends[1])) else { continue }
            edges[EdgeKey(from: ends[0], to: ends[1], kind: .next)] = .init(from: ends[0], to: ends[1], kind: .next)
        }
    }

    private mutating func designed(_ name: String) -> String {
        for kind in [Orchestration.Graph.Node.Kind.node, .agent, .tool] where nodes[Self.id(kind, name)] != nil {
            return Self.id(kind, name)
        }
        let id = Self.id(.node, name)
        nodes[id] = .init(id: id, kind: .node, name: name)
        return id
    }
}

extension Orchestration.Graph.Edge {
    fileprivate struct Ends: Hashable {
        var from: String
        var to: String
    }
}

extension Orchestration.Graph.Edge.Kind {
    fileprivate init(_ kind: Orchestration.Edge.Kind) {
        switch kind {
        case .delegate: self = .delegate
        case .handoff: self = .handoff
        case .background: self = .background
        case .message: self = .message
        }
    }
}
