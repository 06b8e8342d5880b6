// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Rollup {
    /// The figures as slices of `grid`; the minutes of cells must be first minutes of slices.
    package func slices(_ grid: RollupGrid) -> [RollupSlice] {
        var slices: [RollupSlice] = []
        var edges: [EdgeKey: EdgeRollup] = [:]
        func finishSlice() {
            guard !slices.isEmpty else { return }
            slices[slices.count - 1].finish(Array(edges.values))
            edges.removeAll()
        }
        var minute: UInt64?
        for cell in 0..<cells.count {
            if cells.minutes[cell] != minute {
                finishSlice()
                minute = cells.minutes[cell]
                slices.append(grid.slice(at: cells.minutes[cell]))
            }
            let series = table.series[Int(cells.series[cell])]
            let durations = cells.distribution(cell)
            if series.role == Role.operation.rawValue {
                slices[slices.count - 1].operations.append(
                    OperationRollup(
                        service: table.service(series.first),
                        operation: table.operation(series.second),
                        kind: Span.Kind(rawValue: series.detail) ?? .unspecified,
                        status: Span.Status.Code(rawValue: series.status) ?? .unset,
                        durations: durations
                    )
                )
            } else {
                let isOutside = series.role == Role.outside.rawValue
                let key = EdgeKey(
                    client: table.service(series.first),
                    server: isOutside ? table.operation(series.second) : table.service(series.second),
                    connectionType: ConnectionType(rawValue: series.detail) ?? .direct
                )
                edges[key, default: key.edge].add(
                    durations,
                    role: Role(rawValue: series.role) ?? .outside,
                    isError: series.status == Span.Status.Code.error.rawValue
                )
            }
        }
        finishSlice()
        return slices
    }
}

/// What tells edges apart.
struct EdgeKey: Hashable {
    private let client: ExactText?
    private let server: ExactText?
    private let connectionType: ConnectionType

    init(client: String?, server: String?, connectionType: ConnectionType) {
        self.client = client.map { ExactText($0) }
        self.server = server.map { ExactText($0) }
        self.connectionType = connectionType
    }

    var edge: EdgeRollup { EdgeRollup(client: client?.text, server: server?.text, connectionType: connectionType) }
}

extension EdgeRollup {
    /// Adds one side of calls.
    mutating func add(_ durations: DurationDistribution, role: Rollup.Role, isError: Bool) {
        if role != .clientSide {
            callCount += durations.count
            if isError { errorCount += durations.count }
        }
        if role == .serverSide { serverDurations.add(durations) } else { clientDurations.add(durations) }
    }
}

extension RollupSlice {
    /// Puts the edges in and everything into order.
    mutating func finish(_ edges: [EdgeRollup]) {
        operations.sort { a, b in
            if let isBefore = Self.order(a.service, b.service) ?? Self.order(a.operation, b.operation) {
                return isBefore
            }
            return (a.kind.rawValue, a.status.rawValue) < (b.kind.rawValue, b.status.rawValue)
        }
        self.edges = edges.sorted { a, b in
            if let isBefore = Self.order(a.client, b.client) ?? Self.order(a.server, b.server) { return isBefore }
            return a.connectionType.rawValue < b.connectionType.rawValue
        }
    }

    /// Whether `a` comes before `b`, `nil` last; `nil` when they are the same.
    private static func order(_ a: String?, _ b: String?) -> Bool? {
        guard let a, let b else { return a == nil && b == nil ? nil : a != nil }
        if a.precedes(b) { return true }
        return b.precedes(a) ? false : nil
    }
}

extension Rollup.Table {
    fileprivate func service(_ number: UInt32) -> String? { number == 0 ? nil : services[Int(number)] }
    fileprivate func operation(_ number: UInt32) -> String? { number == 0 ? nil : operations[Int(number)] }
}
