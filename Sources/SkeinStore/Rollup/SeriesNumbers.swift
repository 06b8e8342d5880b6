// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Gives names and series of a rollup their numbers, and keeps their number within bounds.
package struct SeriesNumbers: ~Copyable {
    /// How many are told apart. Beyond that, operations of a service are one, then services are; likewise what services
    /// call. Their sums stay exact. After a subtraction an operation that was told apart in one of two rollups only may
    /// be off by as much as the operation without a name is.
    package struct Limits: Sendable {
        package var serviceCount = 2_000
        /// Operation names, names of databases and other peers.
        package var nameCount = 20_000
        /// (service, operation, kind, status).
        package var operationCount = 10_000
        /// (client, server, connection type, status) and side.
        package var edgeCount = 10_000

        package init() {}
    }

    private let limits: Limits
    package private(set) var table = Rollup.Table()
    private var services: [ExactText: UInt32] = [:]
    private var operations: [ExactText: UInt32] = [:]
    /// Series + 1 by their packed form: open addressing, at most half full.
    private var slots = [UInt32](repeating: 0, count: 1_024)
    private var operationCount = 0
    private var edgeCount = 0
    /// Whether any series stands for several.
    package private(set) var hasStandIns = false

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    /// The number of a service; 0 when there are too many.
    package mutating func service(_ name: String) -> UInt32 {
        Self.number(name, in: &services, &table.services, limits.serviceCount)
    }

    /// The number of an operation or peer; 0 when there are too many.
    package mutating func operation(_ name: String) -> UInt32 {
        Self.number(name, in: &operations, &table.operations, limits.nameCount)
    }

    private static func number(
        _ name: String,
        in numbers: inout [ExactText: UInt32],
        _ names: inout [String],
        _ limit: Int
    ) -> UInt32 {
        if let known = numbers[ExactText(name)] { return known }
        guard names.count <= limit else { return 0 }
        let number = UInt32(names.count)
        names.append(name)
        numbers[ExactText(name)] = number
        return number
    }

    /// The number of a series, or of that which stands for it.
    package mutating func number(_ series: Rollup.Series) -> UInt32 {
        let packed = series.packed
        let mask = slots.count &- 1
        var at = Int(truncatingIfNeeded: Hash.of(packed)) & mask
        while slots[at] != 0 {
            let number = slots[at] &- 1
            if table.series[Int(number)].packed == packed { return number }
            at = (at &+ 1) & mask
        }
        return add(series, at: at)
    }

    /// Whether the series of this number stands for several.
    package func isStandIn(_ number: UInt32) -> Bool {
        let series = table.series[Int(number)]
        return series.first == 0 || series.second == 0
    }

    private mutating func add(_ series: Rollup.Series, at slot: Int) -> UInt32 {
        let isOperation = series.role == Rollup.Role.operation.rawValue
        if series.second != 0, isOperation ? operationCount >= limits.operationCount : edgeCount >= limits.edgeCount {
            var standIn = series
            standIn.second = 0
            return number(standIn)
        }
        if isOperation { operationCount += 1 } else { edgeCount += 1 }
        if series.first == 0 || series.second == 0 { hasStandIns = true }
        let number = UInt32(table.series.count)
        table.series.append(series)
        slots[slot] = number + 1
        if table.series.count * 2 > slots.count { grow() }
        return number
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 4)
        for (number, series) in table.series.enumerated() {
            var at = Int(truncatingIfNeeded: Hash.of(series.packed)) & (slots.count - 1)
            while slots[at] != 0 { at = (at + 1) & (slots.count - 1) }
            slots[at] = UInt32(number + 1)
        }
    }

    /// By number of a series in another table, its number here.
    package mutating func add(_ other: Rollup.Table) -> [UInt32] {
        let services = other.services.enumerated().map { $0.offset == 0 ? 0 : service($0.element) }
        let operations = other.operations.enumerated().map { $0.offset == 0 ? 0 : operation($0.element) }
        return other.series.map { series in
            var series = series
            series.first = services[Int(series.first)]
            series.second = series.isBetweenServices ? services[Int(series.second)] : operations[Int(series.second)]
            return number(series)
        }
    }
}
