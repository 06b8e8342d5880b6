// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinStore

/// Spans by time and duration: how slow things are, and when.
package struct DurationHeatmap: Sendable {
    /// Spans of a step and a band of durations; none is empty.
    package struct Cell: Sendable {
        /// Moment of the grid.
        package var moment: Int
        /// Number of the band, see ``band(of:)``.
        package var band: Int
        /// Spans, each as often as it stands for.
        package var count = 0.0
        package var errorCount = 0.0
    }

    /// By moment, then band.
    package var cells: [Cell] = []

    /// Bands for each doubling of the duration.
    package static let bandsPerDoubling = 4
    fileprivate static let bandCount = 64 * bandsPerDoubling

    /// The band of a duration: bands are a quarter of a doubling wide at least, the first ones a nanosecond.
    package static func band(of nanos: UInt64) -> Int {
        if nanos < UInt64(bandsPerDoubling) { return Int(nanos) }
        let exponent = 63 - nanos.leadingZeroBitCount
        // The two bits behind the first one say which quarter.
        return exponent * bandsPerDoubling - bandsPerDoubling + Int(nanos >> UInt64(exponent - 2) & 3)
    }

    /// The least duration of a band, in nanoseconds.
    package static func floor(of band: Int) -> UInt64 {
        if band < bandsPerDoubling { return UInt64(max(band, 0)) }
        let exponent = band / bandsPerDoubling + 1
        return 1 << UInt64(exponent) + UInt64(band % bandsPerDoubling) << UInt64(exponent - 2)
    }

    fileprivate struct Fold: TableFold {
        let selection: SelectedSpans
        let grid: SeriesGrid

        struct Sum: Sendable {
            /// By moment the place of its bands in the counts, or -1 while it has no spans.
            var places: [Int32]
            var counts: [Double] = []
            var errorCounts: [Double] = []

            /// Where the bands of a moment begin.
            @inline(__always)
            mutating func place(of moment: Int) -> Int {
                if places[moment] < 0 {
                    places[moment] = Int32(truncatingIfNeeded: counts.count)
                    counts.append(contentsOf: repeatElement(0, count: DurationHeatmap.bandCount))
                    errorCounts.append(contentsOf: repeatElement(0, count: DurationHeatmap.bandCount))
                }
                return Int(places[moment])
            }
        }

        func zero() -> Sum { Sum(places: [Int32](repeating: -1, count: grid.count)) }

        func byteCount(of sum: Sum) -> Int { 4 * sum.places.count + 16 * sum.counts.count }

        func add(_ other: Sum, to sum: inout Sum) {
            for (moment, from) in other.places.enumerated() where from >= 0 {
                let to = sum.place(of: moment)
                for band in 0..<DurationHeatmap.bandCount {
                    sum.counts[to + band] += other.counts[Int(from) + band]
                    sum.errorCounts[to + band] += other.errorCounts[Int(from) + band]
                }
            }
        }

        func add(_ rows: RowSet, of table: any SpanTable, to sum: inout Sum) throws(StoreError) {
            let left = try selection.rows(rows, of: table)
            let (starts, durations) = (try table.starts(), try table.durations())
            let (weights, errors) = (try table.weights(), try table.errors())
            var finder = SeriesGrid.Finder(grid)
            left.forEach { row in
                let band = DurationHeatmap.band(of: durations[row])
                let cell = sum.place(of: finder.index(of: starts[row])) + band
                let weight = weights.isEmpty ? 1 : weights[row]
                sum.counts[cell] += weight
                if errors[row] { sum.errorCounts[cell] += weight }
            }
        }
    }
}

extension SpanStore {
    /// How many of the spans of `query` start when and take how long.
    package func heatmap(_ query: Query, _ grid: SeriesGrid) async throws(StoreError) -> DurationHeatmap {
        let selection = SelectedSpans(query)
        let table = TableQuery(
            range: grid.range,
            predicate: selection.predicate,
            needsWholeTraces: selection.needsWholeTraces,
            columns: selection.columns
        )
        let sum = try await fold(table, by: DurationHeatmap.Fold(selection: selection, grid: grid))
        var heatmap = DurationHeatmap()
        for (moment, place) in sum.places.enumerated() where place >= 0 {
            for band in 0..<DurationHeatmap.bandCount where sum.counts[Int(place) + band] > 0 {
                heatmap.cells.append(
                    .init(
                        moment: moment,
                        band: band,
                        count: sum.counts[Int(place) + band],
                        errorCount: sum.errorCounts[Int(place) + band]
                    )
                )
            }
        }
        return heatmap
    }
}
