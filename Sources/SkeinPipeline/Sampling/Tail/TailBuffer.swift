// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Spans that wait for the decision about their trace, and the decisions made lately.
///
/// A value without clock, lock or task: ``TailSampler`` brings those. What leaves is collected in a ``Departure``.
struct TailBuffer: ~Copyable {
    private var policies: SamplingPolicySet
    private let settings: TailSamplingSettings
    private let counters: TailCounters
    private var batches = HeldBatches()
    private var traces = WaitingTraces()
    private var kept: RecentTraces<SamplingDecision>
    private var dropped: RecentTraces<Void>
    private var departure = Departure()

    init(_ policies: SamplingPolicySet, _ settings: TailSamplingSettings, _ counters: TailCounters) {
        self.policies = policies
        self.settings = settings
        self.counters = counters
        kept = RecentTraces(countMax: max(settings.keptCacheSize, 1))
        dropped = RecentTraces(countMax: max(settings.droppedCacheSize, 1))
    }

    /// Traces that wait.
    var traceCount: Int { traces.count }
    /// Memory of what waits. What departs is not in it.
    var byteCount: Int { batches.byteCount + traces.byteCount }
    /// Memory of the decisions that are remembered.
    var cacheByteCount: Int { kept.byteCount + dropped.byteCount }

    /// Memory that waiting takes for a batch in which each span may be of another trace.
    static func byteCount(of reading: BatchReading) -> Int {
        let trace = WaitingTraces.byteCountOfTrace + TraceDigest.heapByteCount(fieldCount: reading.fields.count)
        return HeldBatches.byteCount(of: reading.batch) + reading.batch.count * trace
    }

    /// Memory of a kept and a dropped trace that are remembered, each of them twice.
    static let byteCountOfDecisions =
        2 * (RecentTraces<SamplingDecision>.byteCountOfNote + RecentTraces<Void>.byteCountOfNote)

    /// Takes a batch in. Spans whose trace was decided follow the decision.
    mutating func add(_ reading: BatchReading, nanos: UInt64) {
        let batch = reading.batch
        let (slot, first) = batches.add(batch)
        var lateSerial: UInt64?
        var row = 0
        while row < batch.count {
            let id = batch.traceIDs[row]
            var end = row + 1
            while end < batch.count, batch.traceIDs[end] == id { end += 1 }
            if let number = traces.number(of: id) {
                wait(row..<end, of: (slot, first), reading, number, nanos)
            } else if let decision = kept[id] {
                let serial = lateSerial ?? batches.nextSerial()
                lateSerial = serial
                departure.begin(decision, reason: nil)
                for row in row..<end { departure.add(row, of: .memory(batch), serial: serial) }
                counters.lateKeptSpans.add(end - row)
            } else if dropped[id] != nil {
                counters.lateDroppedSpans.add(end - row)
            } else {
                if traces.count >= settings.traceCountMax { _ = decideFirst(nanos: nanos, .traces) }
                let number = traces.add(id, dueNanos: Self.sum(nanos, settings.decisionWaitNanos))
                wait(row..<end, of: (slot, first), reading, number, nanos)
            }
            row = end
        }
        batches.settle(slot)
    }

    private mutating func wait(
        _ rows: Range<Int>,
        of place: (slot: UInt32, first: Int),
        _ reading: BatchReading,
        _ number: UInt32,
        _ nanos: UInt64
    ) {
        traces.updateDigest(of: number) { digest in
            for row in rows { digest.add(row, of: reading) }
        }
        for row in rows {
            let link = batches.wait(place.first + row, of: place.slot, before: traces[number].rows)
            traces[number].note(link, row, of: reading.batch)
        }
        if settings.decisionWaitAfterRootNanos > 0, traces[number].digest.hasRoot {
            traces.root(number, dueNanos: Self.sum(nanos, settings.decisionWaitAfterRootNanos))
        }
        if let most = settings.traceByteCountMax, traces[number].digest.byteCount > most {
            finish(number, .dropped, .size)
        }
    }

    /// Decides every trace whose time has come.
    mutating func decideDue(nanos: UInt64) {
        while let first = traces.first, traces[first].dueNanos <= nanos { decide(first, nanos: nanos, nil) }
    }

    /// Decides the trace that has waited longest, before its time; `false` when none waits.
    mutating func decideFirst(nanos: UInt64, _ haste: TailCounters.Haste) -> Bool {
        guard let first = traces.first else { return false }
        decide(first, nanos: nanos, haste)
        return true
    }

    /// Decides every trace, since none will be asked about any more.
    mutating func decideAll(nanos: UInt64) {
        decideDue(nanos: nanos)
        while let first = traces.first {
            if settings.dropsPendingAtShutdown {
                finish(first, .dropped, .shutdown)
            } else {
                decide(first, nanos: nanos, .shutdown)
            }
        }
    }

    /// Batches in memory, of so many bytes together if there are as many, to be written elsewhere; ``put(_:_:)`` ends it.
    mutating func spillings(byteCount: Int) -> [HeldBatches.Spilling] { batches.spillings(byteCount: byteCount) }

    /// Says where a batch is now; `nil` for where it was.
    mutating func put(_ spilling: HeldBatches.Spilling, _ spilled: (any SpilledBatch)?) {
        batches.put(spilling, spilled)
    }

    /// What has left since the last call.
    mutating func takeDeparture() -> Departure {
        // The rows in a departure lie where they lay, since it holds the batches as they were.
        batches.compact()
        defer { departure = Departure() }
        return departure
    }

    /// Bytes that the spans take which have left since then.
    var departingByteCount: Int { departure.byteCount }

    private mutating func decide(_ number: UInt32, nanos: UInt64, _ haste: TailCounters.Haste?) {
        finish(number, policies.decide(traces[number].digest, nanos: nanos), haste)
    }

    private mutating func finish(_ number: UInt32, _ decision: SamplingDecision, _ haste: TailCounters.Haste?) {
        let entry = traces.remove(number)
        counters.count(decision, spans: entry.digest.spanCount, haste: haste)
        if decision.isKept {
            if settings.keptCacheSize > 0 { kept.note(decision, of: entry.digest.traceID) }
            let reason = policies.reason(of: decision)
            departure.begin(decision, reason: haste.map { "\(reason), early: \($0.label)" } ?? reason)
            batches.release(from: entry.rows) {
                departure.add($0.row, of: $1(), serial: $0.serial, isChief: $0.link == entry.chief)
            }
        } else {
            if settings.droppedCacheSize > 0 { dropped.note((), of: entry.digest.traceID) }
            batches.release(from: entry.rows) { _, _ in }
        }
    }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}
