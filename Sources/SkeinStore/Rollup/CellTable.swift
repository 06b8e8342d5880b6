// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Adds up cells of a rollup in any order.
///
/// Measured at sealing 1,000,126 spans of 60 series: 30 ns a span, most of it waiting for the bucket's line of memory.
package struct CellTable: ~Copyable {
    private struct Cell {
        var minute: UInt64
        var series: UInt32
        var units: Int64
        var unitNanos: Int128
        var exemplar: DurationDistribution.Exemplar
    }

    /// Buckets that lie side by side in memory, since durations of a series lie close together; and how many such runs
    /// make all buckets.
    private static let runLength = 16
    private static let runCount = (DurationBucket.count + runLength - 1) / runLength

    private static let smallestCapacity = 512
    private static let noExemplar = DurationDistribution.Exemplar(traceID: .zero, durationNanos: 0)

    private var cells: [Cell] = []
    /// Index + 1, or 0: open addressing, at most half full.
    private var cellSlots = [UInt32](repeating: 0, count: smallestCapacity)
    /// By series, the index + 1 of the cell that came last, or 0.
    private var lastCells: [UInt32] = []
    /// By cell and run, the number of the run in ``units`` + 1, or 0 when nothing falls into it.
    private var runs: [UInt32] = []
    /// By run and bucket.
    private var units: [Int64] = []

    /// A table of nothing.
    package init() {}

    /// Adds a span. Negative `units` take it away again; its exemplar is then not looked at.
    package mutating func add(
        series: UInt32,
        minute: UInt64,
        durationNanos: UInt64,
        units: Int64,
        traceID: TraceID
    ) {
        let index = cell(minute, series)
        cells[index].units &+= units
        cells[index].unitNanos &+= Int128(units) &* Int128(durationNanos)
        if units > 0 { note(.init(traceID: traceID, durationNanos: durationNanos), index) }
        add(units, to: UInt16(truncatingIfNeeded: DurationBucket.number(of: durationNanos)), of: index)
    }

    /// Adds cells `range` of a rollup or takes them away.
    ///
    /// - Parameters:
    ///   - series: By number of a series there, its number here.
    ///   - slot: The minute here of a minute there.
    package mutating func add(
        _ other: Rollup.Cells,
        _ range: Range<Int>,
        series: [UInt32],
        isTakenAway: Bool = false,
        slot: (UInt64) -> UInt64
    ) {
        let sign: Int64 = isTakenAway ? -1 : 1
        for cell in range {
            let index = self.cell(slot(other.minutes[cell]), series[Int(other.series[cell])])
            cells[index].units &+= sign &* other.units[cell]
            cells[index].unitNanos &+= Int128(sign) &* other.unitNanos[cell]
            if !isTakenAway, other.exemplars[cell].traceID.isValid { note(other.exemplars[cell], index) }
            for bucket in other.buckets(of: cell) {
                add(sign &* other.bucketUnits[bucket], to: other.bucketNumbers[bucket], of: index)
            }
        }
    }

    @inline(__always)
    private mutating func note(_ exemplar: DurationDistribution.Exemplar, _ cell: Int) {
        if !cells[cell].exemplar.traceID.isValid || exemplar.precedes(cells[cell].exemplar) {
            cells[cell].exemplar = exemplar
        }
    }

    @inline(__always)
    private mutating func cell(_ minute: UInt64, _ series: UInt32) -> Int {
        // Spans of a series mostly follow each other within a minute.
        if Int(series) < lastCells.count {
            let last = Int(lastCells[Int(series)]) &- 1
            if last >= 0, cells[last].minute == minute { return last }
        }
        return findCell(minute, series)
    }

    private mutating func findCell(_ minute: UInt64, _ series: UInt32) -> Int {
        let mask = cellSlots.count &- 1
        var at = Int(truncatingIfNeeded: Self.hash(minute, series)) & mask
        var index = -1
        while cellSlots[at] != 0 {
            let candidate = Int(cellSlots[at] &- 1)
            if cells[candidate].series == series, cells[candidate].minute == minute {
                index = candidate
                break
            }
            at = (at &+ 1) & mask
        }
        if index < 0 { index = addCell(minute, series, at: at) }
        while lastCells.count <= Int(series) { lastCells.append(0) }
        lastCells[Int(series)] = UInt32(index + 1)
        return index
    }

    private mutating func addCell(_ minute: UInt64, _ series: UInt32, at slot: Int) -> Int {
        cells.append(Cell(minute: minute, series: series, units: 0, unitNanos: 0, exemplar: Self.noExemplar))
        for _ in 0..<Self.runCount { runs.append(0) }
        cellSlots[slot] = UInt32(cells.count)
        if cells.count * 2 > cellSlots.count {
            cellSlots = [UInt32](repeating: 0, count: cellSlots.count * 4)
            for (index, cell) in cells.enumerated() {
                Self.put(index, Self.hash(cell.minute, cell.series), &cellSlots)
            }
        }
        return cells.count - 1
    }

    @inline(__always)
    private mutating func add(_ more: Int64, to number: UInt16, of cell: Int) {
        let slot = cell &* Self.runCount &+ Int(number) / Self.runLength
        if runs[slot] == 0 { addRun(slot) }
        units[Int(runs[slot] &- 1) &* Self.runLength &+ Int(number) % Self.runLength] &+= more
    }

    private mutating func addRun(_ slot: Int) {
        for _ in 0..<Self.runLength { units.append(0) }
        runs[slot] = UInt32(units.count / Self.runLength)
    }

    private static func put(_ index: Int, _ hash: UInt64, _ slots: inout [UInt32]) {
        var at = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[at] != 0 { at = (at + 1) & (slots.count - 1) }
        slots[at] = UInt32(index + 1)
    }

    @inline(__always)
    private static func hash(_ minute: UInt64, _ series: UInt32) -> UInt64 {
        Hash.of(minute &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(series))
    }

    /// Gives out the cells that are not zero, and starts anew.
    package mutating func take() -> Rollup.Cells {
        let order = cells.indices.sorted {
            (cells[$0].minute, cells[$0].series) < (cells[$1].minute, cells[$1].series)
        }
        var taken = Rollup.Cells()
        for index in order {
            let firstBucket = taken.bucketNumbers.count
            for run in 0..<Self.runCount {
                let place = Int(runs[index * Self.runCount + run]) - 1
                guard place >= 0 else { continue }
                for bucket in 0..<Self.runLength where units[place * Self.runLength + bucket] != 0 {
                    taken.bucketNumbers.append(UInt16(run * Self.runLength + bucket))
                    taken.bucketUnits.append(units[place * Self.runLength + bucket])
                }
            }
            let cell = cells[index]
            guard cell.units != 0 || cell.unitNanos != 0 || taken.bucketNumbers.count > firstBucket else { continue }
            taken.minutes.append(cell.minute)
            taken.series.append(cell.series)
            taken.units.append(cell.units)
            taken.unitNanos.append(cell.unitNanos)
            taken.exemplars.append(cell.exemplar)
            taken.bucketEnds.append(UInt32(taken.bucketNumbers.count))
        }
        removeAll()
        return taken
    }

    private mutating func removeAll() {
        // Clearing costs no more than what was in it.
        if cells.count * 16 < cellSlots.count {
            cellSlots = [UInt32](repeating: 0, count: Self.smallestCapacity)
        } else {
            for slot in cellSlots.indices { cellSlots[slot] = 0 }
        }
        for cell in cells { lastCells[Int(cell.series)] = 0 }
        runs.removeAll(keepingCapacity: cells.count <= 4_096)
        units.removeAll(keepingCapacity: units.count <= 1 << 20)
        cells.removeAll(keepingCapacity: cells.count <= 65_536)
    }
}
