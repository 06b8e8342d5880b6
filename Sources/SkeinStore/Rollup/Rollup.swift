// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What spans add up to, minute by minute of their starts: durations of operations and of calls between services.
///
/// Rollups are an abelian group: they can be added in any order, and what was added can be taken away again. All figures
/// are whole numbers (``DurationDistribution``), so both are exact. Two things stand outside the group: exemplars, which
/// are merely kept from what was added, and names beyond ``SeriesNumbers/Limits``, of which only the sums are exact.
package struct Rollup: Sendable {
    package var table = Table()
    package var cells = Cells()
    /// How many of the spans and calls just counted have no name of their own; nothing that is kept.
    package var overflowCount = 0

    package init(table: Table = Table(), cells: Cells = Cells(), overflowCount: Int = 0) {
        self.table = table
        self.cells = cells
        self.overflowCount = overflowCount
    }

    /// What a figure is of. Raw values are on disk.
    package enum Role: UInt8, Sendable, CaseIterable {
        /// Spans of a service's operation: ``Series/second`` is the operation, ``Series/detail`` the kind.
        case operation = 0
        /// The receiving spans of calls: `first` and `second` are services, ``Series/detail`` the ``ConnectionType``.
        case serverSide = 1
        /// The client or producer spans of the same calls.
        case clientSide = 2
        /// Client or producer spans of calls to what sends no spans: `second` is a name among the operations.
        case outside = 3
    }

    /// One sort of spans.
    package struct Series: Hashable, Sendable, BitwiseCopyable {
        package var role: UInt8
        /// Number of a service; 0 for those beyond the limit.
        package var first: UInt32
        /// Number of a name; 0 for those beyond the limit.
        package var second: UInt32
        package var detail: UInt8
        /// Raw value of ``Span/Status/Code``. Of calls: error when either end has it, else unset.
        package var status: UInt8

        package init(role: Role, first: UInt32, second: UInt32, detail: UInt8, status: UInt8) {
            self.role = role.rawValue
            self.first = first
            self.second = second
            self.detail = detail
            self.status = status
        }

        /// All of it in one word; names have numbers below 2^28.
        var packed: UInt64 {
            UInt64(first) << 36 | UInt64(second) << 8 | UInt64(role) << 6 | UInt64(detail) << 3 | UInt64(status)
        }
    }

    /// The names and series that cells speak of by number. Name 0 stands for names beyond the limit.
    package struct Table: Sendable {
        package var services = [""]
        package var operations = [""]
        package var series: [Series] = []

        package init() {}

        /// Memory held, roughly.
        package var byteCount: Int {
            series.count * 16 + services.reduce(0) { $0 + 32 + $1.utf8.count }
                + operations.reduce(0) { $0 + 32 + $1.utf8.count }
        }
    }

    /// Figures by minute and series, ascending; no pair of them twice.
    package struct Cells: Sendable {
        /// Minutes since 1970.
        package var minutes: [UInt64] = []
        package var series: [UInt32] = []
        package var units: [Int64] = []
        package var unitNanos: [Int128] = []
        /// A trace id of zero stands for none.
        package var exemplars: [DurationDistribution.Exemplar] = []
        /// For each cell, the index after its last bucket.
        package var bucketEnds: [UInt32] = []
        package var bucketNumbers: [UInt16] = []
        package var bucketUnits: [Int64] = []

        package init() {}

        package var count: Int { minutes.count }
        package var isEmpty: Bool { minutes.isEmpty }

        /// The cells whose minute lies in `minutes`.
        package func range(of minutes: Range<UInt64>) -> Range<Int> {
            let start = self.minutes.partitionPoint { $0 >= minutes.lowerBound }
            return start..<Swift.max(start, self.minutes.partitionPoint { $0 >= minutes.upperBound })
        }

        package func buckets(of cell: Int) -> Range<Int> { SpanBatch.range(bucketEnds, cell) }

        package func distribution(_ cell: Int) -> DurationDistribution {
            var distribution = DurationDistribution()
            distribution.units = units[cell]
            distribution.unitNanos = unitNanos[cell]
            distribution.buckets = buckets(of: cell).map { .init(number: bucketNumbers[$0], units: bucketUnits[$0]) }
            distribution.exemplar = exemplars[cell].traceID.isValid ? exemplars[cell] : nil
            return distribution
        }

        /// Appends cells `range` of `other`, which come behind those here.
        package mutating func append(_ other: Cells, _ range: Range<Int>) {
            minutes += other.minutes[range]
            series += other.series[range]
            units += other.units[range]
            unitNanos += other.unitNanos[range]
            exemplars += other.exemplars[range]
            for cell in range {
                let buckets = other.buckets(of: cell)
                bucketNumbers += other.bucketNumbers[buckets]
                bucketUnits += other.bucketUnits[buckets]
                bucketEnds.append(UInt32(bucketNumbers.count))
            }
        }

        /// Memory held, roughly.
        package var byteCount: Int { minutes.count * 64 + bucketNumbers.count * 10 }
    }

    /// Both together.
    package static func + (a: Rollup, b: Rollup) -> Rollup { sum([(a, false), (b, false)]) }

    /// What `a` holds beyond `b`.
    package static func - (a: Rollup, b: Rollup) -> Rollup { sum([(a, false), (b, true)]) }

    private static func sum(_ parts: [(Rollup, isTakenAway: Bool)]) -> Rollup {
        var numbers = SeriesNumbers()
        var table = CellTable()
        for (part, isTakenAway) in parts {
            let series = numbers.add(part.table)
            table.add(part.cells, 0..<part.cells.count, series: series, isTakenAway: isTakenAway) { $0 }
        }
        return Rollup(table: numbers.table, cells: table.take())
    }
}

extension Rollup: Equatable {
    /// Whether the figures are equal; exemplars and the numbers of names do not count.
    package static func == (a: Rollup, b: Rollup) -> Bool { (a - b).cells.isEmpty }
}

extension Array {
    /// The first index from which on `isBehind` holds.
    func partitionPoint(_ isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension Rollup.Table {
    /// Whether what was called has one of these names.
    package func hasPeer(of names: Set<ExactText>) -> Bool {
        series.contains { isPeer($0, of: names) }
    }

    /// This table with ``Removal/mask`` in the place of these names of what was called. Series may be there twice then.
    package func masking(peers names: Set<ExactText>) -> Self {
        guard hasPeer(of: names) else { return self }
        var masked = self
        let mask = UInt32(operations.count)
        masked.operations.append(Removal.mask)
        for index in series.indices where isPeer(series[index], of: names) { masked.series[index].second = mask }
        // An operation may have such a name, too.
        let isNamed = Set(masked.series.filter { !$0.isBetweenServices }.map(\.second))
        for number in operations.indices.dropFirst() where !isNamed.contains(UInt32(number)) {
            if names.contains(ExactText(operations[number])) { masked.operations[number] = Removal.mask }
        }
        return masked
    }

    private func isPeer(_ series: Rollup.Series, of names: Set<ExactText>) -> Bool {
        series.role == Rollup.Role.outside.rawValue && series.second != 0
            && names.contains(ExactText(operations[Int(series.second)]))
    }
}

extension Rollup.Series {
    /// Whether both ends are services.
    package var isBetweenServices: Bool {
        role == Rollup.Role.serverSide.rawValue || role == Rollup.Role.clientSide.rawValue
    }
}
