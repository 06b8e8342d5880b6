// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// How far the clocks of a trace's hosts seem to be apart: an estimate, as data, and as another batch when it is applied.
///
/// A call takes place within its caller's time, so a child whose span lies outside that of its parent on another host tells
/// that one clock is off. Of all calls from host to host together the shifts that put every child into its parent are a
/// range: when 0 is in it the clocks agree; else its middle is the estimate, for one call the shift that centres the child.
/// Where no shift suits all calls it is the median of what each asks for. A child that is longer than its parent asks for an
/// equal start. Of a message only the start counts: what consumes it may end when it likes.
///
/// The clock of the root is the measure; offsets add up along the calls from there. Hosts that no call leads to are as they are.
package struct ClockSkew: Sendable {
    /// In order of first appearance in the tree.
    package private(set) var clocks: [Clock] = []
    /// For each row of the batch, the place of its clock.
    private var clockOfRow: [Int32]

    /// One clock: that of a host where the resource names one, else that of a service's instance.
    package struct Clock: Hashable, Sendable {
        /// The host's id or name, or the service with its instance.
        @ExactText package var name: String
        /// The services whose spans have this clock, in order of first appearance.
        package var services: [String]
        /// What to add to its times, nanoseconds.
        package var offsetNanos: Int64 = 0
        /// Calls between this clock and the one it was measured by; 0 for a clock that is as it is.
        package var callCount = 0
    }

    /// The estimate for the spans of `batch`, which are of one trace, each there once, with details.
    package init(of batch: SpanBatch) {
        let tree = TraceTree(batch)
        clockOfRow = [Int32](repeating: 0, count: batch.count)
        readClocks(tree, batch)
        let calls = ClockCalls(tree, batch, clockOfRow)
        if let root = tree.rootRow ?? (tree.count > 0 ? 0 : nil) {
            measure(from: Int(clockOfRow[Int(tree.batchRows[root])]), by: calls)
        }
        keepTimesInBounds(batch)
    }

    /// Whether any clock is off.
    package var isSkewed: Bool { clocks.contains { $0.offsetNanos != 0 } }

    /// What is added to the times of row `row` of the batch, nanoseconds.
    package func offsetNanos(at row: Int) -> Int64 { clocks[Int(clockOfRow[row])].offsetNanos }

    /// The batch with every clock set right: starts and times of events are shifted, nothing else, and rows stay where they
    /// are. `batch` must be the one of the estimate, or one of equal rows.
    package func apply(to batch: SpanBatch) -> SpanBatch { shifted(batch, by: 1) }

    /// Takes back what ``apply(to:)`` did, exactly.
    package func revert(_ batch: SpanBatch) -> SpanBatch { shifted(batch, by: -1) }

    private func shifted(_ batch: SpanBatch, by sign: Int64) -> SpanBatch {
        precondition(batch.count == clockOfRow.count)
        var shifted = batch
        for row in 0..<batch.count {
            // Starts stay in bounds, see `keepTimesInBounds`; a time of an event that does not comes back all the same.
            let offset = UInt64(bitPattern: offsetNanos(at: row) &* sign)
            guard offset != 0 else { continue }
            shifted.startUnixNanos[row] &+= offset
            for event in batch.events.range(of: row) { shifted.events.timeUnixNanos[event] &+= offset }
        }
        return shifted
    }

    // MARK: Estimate

    private mutating func readClocks(_ tree: TraceTree, _ batch: SpanBatch) {
        var reader = ClockNames(batch)
        var known: [ExactText: Int32] = [:]
        // A service of a clock, by numbers.
        var listed: Set<UInt64> = []
        for batchRow in tree.batchRows.lazy.map({ Int($0) }) {
            let name = reader.name(at: batchRow)
            let clock = known[name] ?? Int32(clocks.count)
            if Int(clock) == clocks.count {
                known[name] = clock
                clocks.append(Clock(name: name.text, services: []))
            }
            clockOfRow[batchRow] = clock
            if listed.insert(UInt64(clock) << 32 | UInt64(batch.serviceRef(at: batchRow))).inserted {
                clocks[Int(clock)].services.append(batch.serviceName(at: batchRow))
            }
        }
    }

    /// Goes out from one clock along the calls, those with most calls first.
    private mutating func measure(from first: Int, by calls: ClockCalls) {
        var isMeasured = [Bool](repeating: false, count: clocks.count)
        isMeasured[first] = true
        var waiting = [first]
        var next = 0
        while next < waiting.count {
            let clock = waiting[next]
            next += 1
            for (other, shift, count) in calls.shifts(from: clock) where !isMeasured[other] {
                isMeasured[other] = true
                clocks[other].offsetNanos = clocks[clock].offsetNanos.addingClamped(shift)
                clocks[other].callCount = count
                waiting.append(other)
            }
        }
    }

    /// Shortens offsets that would lead times before 1970 or beyond what 64 bits hold, so that every shift can be taken back.
    private mutating func keepTimesInBounds(_ batch: SpanBatch) {
        var (least, most) = (
            [UInt64](repeating: .max, count: clocks.count), [UInt64](repeating: 0, count: clocks.count)
        )
        for row in 0..<batch.count {
            let clock = Int(clockOfRow[row])
            least[clock] = min(least[clock], batch.startUnixNanos[row])
            most[clock] = max(most[clock], batch.endUnixNanos(at: row))
        }
        for index in clocks.indices {
            let down = Int64(clamping: least[index])
            let up = Int64(clamping: UInt64.max - most[index])
            clocks[index].offsetNanos = min(max(clocks[index].offsetNanos, -down), up)
        }
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min + 1) : sum
    }
}

/// What tells the clocks of spans apart.
private struct ClockNames {
    private static let keys = [
        "host.id", "host.name", "k8s.pod.uid", "container.id", "ip", "hostname", "service.instance.id",
    ]
    private let batch: SpanBatch
    private var keys = KnownKeys(Self.keys)
    /// By resource row.
    private var names: [UInt32: ExactText] = [:]

    init(_ batch: SpanBatch) {
        self.batch = batch
        keys.open(batch)
    }

    mutating func name(at row: Int) -> ExactText {
        let resource = batch.resourceRows[row]
        if let name = names[resource] { return name }
        var best: (rank: Int, text: String)?
        for pair in batch.resources.attributes.range(of: Int(resource)) {
            guard let rank = keys.number(batch.resources.attributes.keyRefs[pair], in: batch),
                rank < best?.rank ?? .max,
                case .string(let text) = batch.dictionary.value(batch.resources.attributes.valueRefs[pair]),
                !text.isEmpty
            else { continue }
            best = (rank, text)
        }
        let service = batch.serviceName(at: row)
        // An instance's id is the service's own; all others are the host's.
        let isInstance = best?.rank == Self.keys.count - 1
        let name = ExactText(best.map { isInstance ? "\(service) \($0.text)" : $0.text } ?? service)
        names[resource] = name
        return name
    }
}
