// SPDX-License-Identifier: Apache-2.0

/// How a range is cut into slices: at whole minutes, outward, and at multiples of the step since 1970.
///
/// Where nothing finer than hours is known of some hours, the range grows outward to whole ones at its ends, and a step that
/// is no whole number of hours gives each such hour a slice of its own.
package struct RollupGrid: Sendable {
    /// First minute since 1970, and the first one behind.
    package private(set) var minutes: Range<UInt64>
    /// Minutes of a slice; `nil` for one slice of all.
    package let step: UInt64?
    /// First minutes of the hours that are slices of their own, ascending.
    private var hours: [UInt64] = []

    /// Nanoseconds of a minute.
    package static let minuteNanos: UInt64 = 60_000_000_000
    private static let hourMinutes: UInt64 = 60

    /// - Parameter stepNanos: Rounded up to whole minutes.
    package init(_ range: TimeRange, stepNanos: UInt64?) {
        let first = range.start / Self.minuteNanos
        let isEmpty = range.end <= range.start
        let last =
            range.end == .max ? UInt64.max / Self.minuteNanos : (isEmpty ? 0 : (range.end - 1)) / Self.minuteNanos
        minutes = isEmpty ? first..<first : first..<(max(first, last) + 1)
        step = stepNanos.map { max(1, $0 / Self.minuteNanos + ($0 % Self.minuteNanos == 0 ? 0 : 1)) }
    }

    /// The whole of the range as one slice, empty.
    package var whole: RollupSlice { RollupGrid(minutes: minutes, step: nil).slice(at: minutes.lowerBound) }

    private init(minutes: Range<UInt64>, step: UInt64?) {
        self.minutes = minutes
        self.step = step
    }

    // MARK: Hours

    /// The minutes of which the grid must know whether nothing finer than hours is known: the hours at the ends of the range
    /// that lie in it only in part, or all of it.
    package var divided: [Range<UInt64>] {
        guard !minutes.isEmpty else { return [] }
        let (first, last) = (Self.hour(of: minutes.lowerBound), Self.hour(of: minutes.upperBound - 1))
        if let step, step % Self.hourMinutes != 0 { return [first..<(last + Self.hourMinutes)] }
        var ends: [Range<UInt64>] = []
        if first < minutes.lowerBound { ends.append(first..<(first + Self.hourMinutes)) }
        if last + Self.hourMinutes > minutes.upperBound, ends.last?.lowerBound != last {
            ends.append(last..<(last + Self.hourMinutes))
        }
        return ends
    }

    /// The same grid where nothing finer than hours is known of the hours that begin at these minutes.
    package func knowing(onlyHours known: Set<UInt64>) -> RollupGrid {
        guard !known.isEmpty, !minutes.isEmpty else { return self }
        var grid = self
        let (first, last) = (Self.hour(of: minutes.lowerBound), Self.hour(of: minutes.upperBound - 1))
        let start = known.contains(first) ? first : minutes.lowerBound
        grid.minutes = start..<(known.contains(last) ? last + Self.hourMinutes : minutes.upperBound)
        if let step, step % Self.hourMinutes != 0 { grid.hours = known.filter(grid.minutes.contains).sorted() }
        return grid
    }

    /// The first minute of an hour.
    package static func hour(of minute: UInt64) -> UInt64 { minute / hourMinutes * hourMinutes }

    // MARK: Slices

    /// The first minute of the slice that `minute`, which must lie within, falls into.
    package func slice(of minute: UInt64) -> UInt64 {
        guard let step else { return minutes.lowerBound }
        let start = max(minute / step * step, minutes.lowerBound)
        let next = hours.partitionPoint { $0 > minute }
        guard next > 0 else { return start }
        // The hour before, or the one it lies in.
        let hour = hours[next - 1]
        return minute < hour + Self.hourMinutes ? hour : max(start, hour + Self.hourMinutes)
    }

    /// An empty slice that begins at `minute`.
    package func slice(at minute: UInt64) -> RollupSlice {
        var end = minutes.upperBound
        if let step {
            let next = hours.partitionPoint { $0 >= minute }
            if next < hours.count, hours[next] == minute {
                end = min(end, minute + Self.hourMinutes)
            } else {
                let (multiple, overflow) = (minute / step * step).addingReportingOverflow(step)
                if !overflow { end = min(end, multiple) }
                if next < hours.count { end = min(end, hours[next]) }
            }
        }
        let (nanos, overflow) = end.multipliedReportingOverflow(by: Self.minuteNanos)
        return RollupSlice(
            startUnixNanos: minute * Self.minuteNanos,
            endUnixNanos: overflow ? .max : nanos
        )
    }
}
