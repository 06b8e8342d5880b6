// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Calls and workflow nodes that repeat themselves (`agents-api.md` §3.6).
struct LoopFinder {
    private(set) var loops: [Orchestration.Loop] = []

    /// How often a call or a pattern of calls must run in a row.
    private static let countMin = 3

    init(_ forest: AgentForest, _ table: SessionTable, _ calls: ToolCallTable) {
        var callsOfSession = [[Int]](repeating: [], count: table.entries.count)
        for place in calls.calls.indices { callsOfSession[calls.calls[place].session].append(place) }
        var nodesOfSession = [[Int]](repeating: [], count: table.entries.count)
        for row in forest.spans.indices where forest.spans[row].isNode {
            nodesOfSession[table.sessionOfRow[row]].append(row)
        }
        for place in table.entries.indices {
            let sessionID = table.entries[place].sessionID
            let rows = callsOfSession[place].map { calls.calls[$0].row }
            let names = callsOfSession[place].map { calls.calls[$0].name }
            let hashes = callsOfSession[place].map { call in
                calls.calls[call].rows.lazy.compactMap { forest.spans[$0].tool?.argumentsHash }.first
            }
            findIdentical(sessionID, names, hashes, rows, forest)
            for length in 2...4 { findSequences(of: length, sessionID, names, rows, forest) }
            findCycles(sessionID, nodesOfSession[place], forest)
        }
        loops.sort { ($0.startUnixNanos, $0.sessionID) < ($1.startUnixNanos, $1.sessionID) }
    }

    private mutating func findIdentical(
        _ sessionID: String,
        _ names: [String],
        _ hashes: [UInt64?],
        _ rows: [Int],
        _ forest: AgentForest
    ) {
        var first = 0
        while first < names.count {
            var end = first + 1
            while end < names.count, hashes[first] != nil, names[end] == names[first], hashes[end] == hashes[first] {
                end += 1
            }
            if end - first >= Self.countMin {
                add(sessionID, .identical, [names[first]], end - first, rows[first..<end], forest)
            }
            first = end
        }
    }

    /// Runs in which each name is the one `length` calls before; not those that a shorter pattern explains.
    private mutating func findSequences(
        of length: Int,
        _ sessionID: String,
        _ names: [String],
        _ rows: [Int],
        _ forest: AgentForest
    ) {
        var first = 0
        while first + length < names.count {
            var end = first + length
            while end < names.count, names[end] == names[end - length] { end += 1 }
            let count = (end - first) / length
            guard count >= Self.countMin else {
                first = max(first + 1, end - length + 1)
                continue
            }
            let pattern = Array(names[first..<first + length])
            let isRepeated = (1..<length).contains { part in
                length % part == 0 && pattern.indices.allSatisfy { pattern[$0] == pattern[$0 % part] }
            }
            if !isRepeated {
                add(sessionID, .sequence, pattern, count, rows[first..<first + count * length], forest)
            }
            first = max(first + 1, end - length + 1)
        }
    }

    private struct Cycle {
        var pattern: [String]
        var count = 0
        var rows: [Int] = []
        /// Where on the way it began last.
        var place = 0
    }

    /// Walks the nodes in order of entry; a node that is on the way already closes a cycle. Nodes that run at the same
    /// time are a fan, not a cycle.
    private mutating func findCycles(_ sessionID: String, _ nodes: [Int], _ forest: AgentForest) {
        var way: [Int] = []
        var places: [String: Int] = [:]
        var cycles: [[String]: Cycle] = [:]
        for row in nodes {
            let name = forest.spans[row].nodeName
            if let place = places[name] {
                guard forest.ends[way[place]] <= forest.starts[row] else { continue }
                let pattern = way[place...].map { forest.spans[$0].nodeName }
                cycles[pattern, default: Cycle(pattern: pattern)].count += 1
                cycles[pattern]?.rows.append(contentsOf: way[place...])
                cycles[pattern]?.place = place
                for old in way[place...] { places[forest.spans[old].nodeName] = nil }
                way.removeSubrange(place...)
            }
            places[name] = way.count
            way.append(row)
        }
        for pattern in Array(cycles.keys) {
            // The last run goes on to other nodes, or to the end, instead of closing.
            let rest = way.dropFirst(cycles[pattern]?.place ?? 0).prefix(pattern.count)
            guard rest.map({ forest.spans[$0].nodeName }) == pattern else { continue }
            cycles[pattern]?.count += 1
            cycles[pattern]?.rows.append(contentsOf: rest)
        }
        for cycle in cycles.values.sorted(by: { $0.rows[0] < $1.rows[0] }) {
            add(sessionID, .graph, cycle.pattern, cycle.count, cycle.rows[...], forest)
        }
    }

    private mutating func add(
        _ sessionID: String,
        _ kind: Orchestration.Loop.Kind,
        _ pattern: [String],
        _ count: Int,
        _ rows: ArraySlice<Int>,
        _ forest: AgentForest
    ) {
        guard let first = rows.first else { return }
        let end = rows.reduce(forest.starts[first]) { max($0, forest.ends[$1]) }
        loops.append(
            Orchestration.Loop(
                sessionID: sessionID,
                kind: kind,
                pattern: pattern,
                count: count,
                spanIDs: rows.map { forest.spans[$0].spanID },
                startUnixNanos: forest.starts[first],
                durationNanos: end - forest.starts[first]
            )
        )
    }
}

extension AgentSpan {
    /// The name of the workflow's node that the span runs.
    var nodeName: String { node?.id ?? name }
}
