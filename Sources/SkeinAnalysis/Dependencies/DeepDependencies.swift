// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Which services call which, by whole paths: not only that `a` calls `b` and `b` calls `c`, but whether `c` is called on
/// behalf of `a`.
///
/// A path is the services from the root of a trace down to a span, each service once where spans of it follow each other;
/// spans without a service name are passed over. Calls count by the weight of the called span. At most
/// ``pathCountMax`` paths of at most ``depthMax`` services are told apart; calls beyond are only counted. What parts of the
/// traces show adds up to what all do.
package struct DeepDependencies: TraceAnalysis {
    /// Most paths, beginnings of other paths counted.
    package static let pathCountMax = 20_000
    /// Most services of a path.
    package static let depthMax = 64

    /// Traces added.
    package private(set) var traceCount = 0
    /// Calls that lie beyond the limits.
    package private(set) var cutCallCount = 0.0
    /// Each behind its parent.
    private(set) var nodes: [Node] = []
    private var places: [Place: Int32] = [:]
    private(set) var services: [String] = []
    private var serviceNumbers: [ExactText: Int32] = [:]

    package var byteCount: Int { nodes.count * 192 + services.count * 128 }

    /// The end of a path.
    struct Node: Sendable {
        /// The path without its last service; -1 for a service that begins traces.
        var parent: Int32
        var service: Int32
        var depth: Int32
        var callCount = 0.0
        var errorCount = 0.0
        var traceCount = 0
        /// Traces in which the path goes no further.
        var endCount = 0
        var exemplar = TraceID.zero
    }

    private struct Place: Hashable, Sendable {
        var parent: Int32
        var service: Int32
    }

    /// A path as far as some trace goes.
    package struct Path: Hashable, Sendable {
        /// From the root on.
        package var services: [String]
        /// Traces in which the path ends there.
        package var traceCount: Int
        /// Calls of the last service that came this way.
        package var callCount: Double
        /// Of these, calls whose span failed.
        package var errorCount: Double
        /// The first trace added that shows it.
        package var exemplar: TraceID
    }

    /// Paths of no traces.
    package init() {}

    /// Adds a trace; `batch` holds all of its spans, each once.
    package mutating func add(_ batch: SpanBatch) {
        let tree = TraceTree(batch)
        guard tree.count > 0 else { return }
        traceCount += 1
        let known = tree.services.map { $0.name.isEmpty ? -1 : number(of: $0.name) }
        // For each row the path it is on: -1 for none yet, -2 beyond the limits.
        var pathOfRow: [Int32] = []
        pathOfRow.reserveCapacity(tree.count)
        var touched: [Int32: Bool] = [:]
        for row in 0..<tree.count {
            let parent = Int(tree.parents[row])
            let above = parent < 0 ? -1 : pathOfRow[parent]
            let service = known[Int(tree.serviceIndexes[row])]
            guard service >= 0, above < 0 || nodes[Int(above)].service != service else {
                pathOfRow.append(above)
                continue
            }
            let batchRow = Int(tree.batchRows[row])
            let weight = batch.weight(at: batchRow)
            let node = above == -2 ? -2 : node(service, below: above)
            pathOfRow.append(node)
            guard node >= 0 else {
                cutCallCount += weight
                continue
            }
            if nodes[Int(node)].traceCount == 0 { nodes[Int(node)].exemplar = batch.traceIDs[batchRow] }
            if touched[node] == nil { nodes[Int(node)].traceCount += 1 }
            touched[node] = touched[node] ?? true
            if above >= 0 { touched[above] = false }
            nodes[Int(node)].callCount += weight
            if batch.statusCodes[batchRow] == Span.Status.Code.error.rawValue { nodes[Int(node)].errorCount += weight }
        }
        for (node, isEnd) in touched where isEnd { nodes[Int(node)].endCount += 1 }
    }

    /// Adds what other traces show.
    package mutating func merge(_ other: DeepDependencies) {
        traceCount += other.traceCount
        cutCallCount += other.cutCallCount
        var mine: [Int32] = []
        for theirs in other.nodes {
            let parent = theirs.parent < 0 ? -1 : mine[Int(theirs.parent)]
            let node = parent == -2 ? -2 : node(number(of: other.services[Int(theirs.service)]), below: parent)
            mine.append(node)
            guard node >= 0 else {
                cutCallCount += theirs.callCount
                continue
            }
            if nodes[Int(node)].traceCount == 0 { nodes[Int(node)].exemplar = theirs.exemplar }
            nodes[Int(node)].callCount += theirs.callCount
            nodes[Int(node)].errorCount += theirs.errorCount
            nodes[Int(node)].traceCount += theirs.traceCount
            nodes[Int(node)].endCount += theirs.endCount
        }
    }

    /// The paths that end in some trace, those of most traces first, ties by names.
    package var paths: [Path] {
        nodes.indices.filter { nodes[$0].endCount > 0 }.map { index in
            let node = nodes[index]
            return Path(
                services: servicesOfPath(index),
                traceCount: node.endCount,
                callCount: node.callCount,
                errorCount: node.errorCount,
                exemplar: node.exemplar
            )
        }.sorted { a, b in
            a.traceCount != b.traceCount
                ? a.traceCount > b.traceCount : a.services.lexicographicallyPrecedes(b.services)
        }
    }

    /// The services that lead to a node, it included.
    private func servicesOfPath(_ index: Int) -> [String] {
        var names: [String] = []
        var at = index
        while at >= 0 {
            names.append(services[Int(nodes[at].service)])
            at = Int(nodes[at].parent)
        }
        return names.reversed()
    }

    /// The number of a service that some path holds; `nil` for others.
    func number(ofKnown service: String) -> Int32? { serviceNumbers[ExactText(service)] }

    private mutating func number(of service: String) -> Int32 {
        let name = ExactText(service)
        if let number = serviceNumbers[name] { return number }
        let number = Int32(services.count)
        serviceNumbers[name] = number
        services.append(service)
        return number
    }

    /// The path that goes on with a service; -2 beyond the limits.
    private mutating func node(_ service: Int32, below parent: Int32) -> Int32 {
        let place = Place(parent: parent, service: service)
        if let node = places[place] { return node }
        let depth = parent < 0 ? 1 : nodes[Int(parent)].depth + 1
        guard nodes.count < Self.pathCountMax, depth <= Self.depthMax else { return -2 }
        let node = Int32(nodes.count)
        places[place] = node
        nodes.append(Node(parent: parent, service: service, depth: depth))
        return node
    }
}
