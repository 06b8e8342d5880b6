// SPDX-License-Identifier: Apache-2.0

/// The services around one of them, only as far as they stand with it on one path: who calls it, on whose behalf, and what is
/// called on its behalf.
package struct FocalGraph: Sendable {
    /// By hop, then name. Empty when no path holds the service.
    package private(set) var nodes: [Node] = []
    /// By the places of their ends.
    package private(set) var edges: [Edge] = []

    /// A service at a distance: the same service may stand at several.
    package struct Node: Hashable, Sendable {
        package var service: String
        /// Calls between it and the focal service: 0 for that one, negative for who calls it.
        package var hop: Int
        /// Calls of the focal service that came through it, or calls of it on the focal service's behalf.
        package var callCount: Double
        /// Of these, calls whose own span failed.
        package var errorCount: Double
    }

    package struct Edge: Hashable, Sendable {
        /// Places of nodes.
        package var from: Int
        package var to: Int
        package var callCount: Double
    }

    /// The graph around `service`. Where a path holds it more than once, the first time is meant.
    package init(around service: String, in dependencies: DeepDependencies) {
        guard let focal = dependencies.number(ofKnown: service) else { return }
        let all = dependencies.nodes
        var builder = Builder()
        // For each node below a focal one: the node of this graph; nodes stand behind their parents.
        var placed = [Int?](repeating: nil, count: all.count)
        for (index, node) in all.enumerated() {
            if node.parent >= 0, let above = placed[Int(node.parent)] {
                let hop = builder.nodes[above].hop + 1
                placed[index] = builder.add(node.service, hop, node.callCount, node.errorCount)
                builder.connect(above, placed[index], node.callCount)
            } else if node.service == focal {
                placed[index] = builder.add(focal, 0, node.callCount, node.errorCount)
                var (below, hop, at) = (placed[index], -1, node.parent)
                while at >= 0 {
                    let caller = all[Int(at)]
                    let above = builder.add(caller.service, hop, node.callCount, 0)
                    builder.connect(above, below, node.callCount)
                    (below, hop, at) = (above, hop - 1, caller.parent)
                }
            }
        }
        (nodes, edges) = builder.finish(dependencies.services)
    }

    /// Gathers nodes and edges in the order in which they are met.
    private struct Builder {
        private(set) var nodes: [(service: Int32, hop: Int, callCount: Double, errorCount: Double)] = []
        private var numbers: [NodeKey: Int] = [:]
        private var calls: [EdgeKey: Double] = [:]

        private struct NodeKey: Hashable {
            var service: Int32
            var hop: Int
        }

        private struct EdgeKey: Hashable {
            var from: Int
            var to: Int
        }

        mutating func add(_ service: Int32, _ hop: Int, _ callCount: Double, _ errorCount: Double) -> Int {
            let key = NodeKey(service: service, hop: hop)
            let number = numbers[key] ?? nodes.count
            if number == nodes.count {
                numbers[key] = number
                nodes.append((service, hop, 0, 0))
            }
            nodes[number].callCount += callCount
            nodes[number].errorCount += errorCount
            return number
        }

        mutating func connect(_ from: Int, _ to: Int?, _ callCount: Double) {
            if let to { calls[EdgeKey(from: from, to: to), default: 0] += callCount }
        }

        func finish(_ services: [String]) -> ([Node], [Edge]) {
            let order = nodes.indices.sorted { a, b in
                (nodes[a].hop, services[Int(nodes[a].service)]) < (nodes[b].hop, services[Int(nodes[b].service)])
            }
            var places = [Int](repeating: 0, count: nodes.count)
            for (place, number) in order.enumerated() { places[number] = place }
            let sorted = order.map { number in
                Node(
                    service: services[Int(nodes[number].service)],
                    hop: nodes[number].hop,
                    callCount: nodes[number].callCount,
                    errorCount: nodes[number].errorCount
                )
            }
            let edges = calls.map { Edge(from: places[$0.key.from], to: places[$0.key.to], callCount: $0.value) }
            return (sorted, edges.sorted { ($0.from, $0.to) < ($1.from, $1.to) })
        }
    }
}
