// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Decides about the traces of one block that has left the hot window, row group by row group.
///
/// A trace that has rows in memory, or in a block that has not left the window, waits: that block will come to it. Memory is that of a row
/// group, of what policies keep of ``roundTraceCountMax`` traces, and of the decisions.
struct LateRounds {
    private let sampling: LateSampling
    private let snapshot: Contents.Snapshot
    private let now: UInt64
    /// Whether a trace is pinned, and so not decided.
    private let isPinned: (TraceID) -> Bool
    /// Called between steps; throws to stop.
    private let pause: () throws(StoreError) -> Void
    private var round: any LateSamplingRound
    /// What the round has of each trace.
    private var sketches: [TraceID: Sketch] = [:]
    private var decisions: LateDecisions
    /// Of the block that is looked at.
    private var undecided: Set<TraceID> = []
    /// Numbers of the other blocks in which a trace may have rows; none where it has some in memory alone.
    private var elsewhere: [TraceID: [Int]] = [:]
    /// Whether there are traces left to decide about.
    private(set) var isCut = false
    /// Traces and spans by decision, for counters.
    private(set) var tally: [LateDecision: (traces: Int, spans: Int)] = [:]

    private struct Sketch {
        var reason = ReasonSpan()
        var spanCount = 0
        var isScattered = false
    }

    /// Traces that are decided at once, but for those of one more row group.
    static let roundTraceCountMax = 64 << 10
    /// What policies keep of a trace, and a sketch. Measured.
    static let roundTraceByteCount = 320
    /// Of a sampler's work on a span: the span as it reads it, and what it says of it.
    private static let workSpanByteCount = 2048
    /// Memory of what is said of single spans, but for that of one more round.
    private static let skeletonByteCountMax = 32 << 20
    /// Rows read at a time of a trace that does not lie whole in one row group.
    private static let windowRowCount = 16_384

    init(
        _ sampling: LateSampling,
        in snapshot: Contents.Snapshot,
        nowUnixNanos now: UInt64,
        isPinned: @escaping (TraceID) -> Bool,
        pause: @escaping () throws(StoreError) -> Void
    ) {
        self.sampling = sampling
        self.snapshot = snapshot
        self.now = now
        self.isPinned = isPinned
        self.pause = pause
        round = sampling.sampler.round()
        decisions = LateDecisions(segments: 0...0)
    }

    /// Whether what was received at this time has left the window. A clock that was set back makes nothing old.
    static func hasLeft(_ received: UInt64, _ hotNanos: UInt64, _ now: UInt64) -> Bool {
        now > received && now - received > hotNanos
    }

    /// Finds the traces of `stored`, one of the snapshot's blocks, that are to be decided; returns the bytes of memory that it takes.
    mutating func look(at stored: StoredBlock) throws(StoreError) -> Int {
        let block = stored.block.uncached
        undecided = try undecided(in: block)
        if let subject = sampling.sampler.subject, !undecided.isEmpty {
            undecided.formIntersection(try traces(of: block, matching: subject))
        }
        if undecided.isEmpty { return 0 }
        return Self.roundTraceByteCount * min(undecided.count, Self.roundTraceCountMax)
            + min(sampling.sampler.workByteCount, Self.workSpanByteCount * block.footer.spanCount)
    }

    /// What is decided about traces of `stored`, which was looked at.
    mutating func decide(_ stored: StoredBlock) throws(StoreError) -> LateDecisions {
        decisions = LateDecisions(segments: stored.id.firstSegment...stored.id.lastSegment)
        tally = [:]
        // A second look ends here.
        if undecided.isEmpty { return decisions }
        let block = stored.block.uncached
        try lookElsewhere(for: undecided, than: stored)
        for (index, group) in block.footer.groups.enumerated() {
            try pause()
            let traces = try block.traces(inGroup: index)
            let marked = try block.lateSampled(inGroup: index)
            var whole: [Range<Int>] = []
            var scattered: [TraceID] = []
            for number in 0..<traces.count {
                let entry = traces[number]
                // A long trace is decided with its first group.
                guard entry.rows.lowerBound >= group.firstRow, undecided.contains(entry.id) else { continue }
                let here = entry.rows.clamped(to: group.rows)
                let local = (here.lowerBound - group.firstRow)..<(here.upperBound - group.firstRow)
                let isWhole =
                    here == entry.rows && !entry.hasDuplicates && !entry.isPartial
                    && elsewhere[entry.id] == nil
                let markedCount = marked.selectedCount(in: local)
                if isWhole, markedCount == local.count { continue }
                if isWhole, markedCount == 0 { whole.append(local) } else { scattered.append(entry.id) }
            }
            if !whole.isEmpty { add(try block.batch(rows: group.rows, columns: .all), whole) }
            for id in scattered where sketches[id] == nil && !decisions.contains(id) {
                try pause()
                try add(id, stored)
            }
            if sketches.count >= Self.roundTraceCountMax || round.byteCount > Self.skeletonByteCountMax {
                decideRound(stored.footer)
            }
            // What is said of single spans takes room: the rest has to wait until this is done.
            if decisions.skeletonByteCount > Self.skeletonByteCountMax {
                isCut = index + 1 < block.footer.groups.count
                break
            }
        }
        decideRound(stored.footer)
        return decisions
    }

    /// The traces of which some row of the block is not marked, but for pinned ones.
    private func undecided(in block: Block) throws(StoreError) -> Set<TraceID> {
        var found: Set<TraceID> = []
        for (index, group) in block.footer.groups.enumerated() {
            try pause()
            let traces = try block.traces(inGroup: index)
            let marked = try block.lateSampled(inGroup: index)
            for number in 0..<traces.count {
                let here = traces[number].rows.clamped(to: group.rows)
                let local = (here.lowerBound - group.firstRow)..<(here.upperBound - group.firstRow)
                guard marked.selectedCount(in: local) < local.count, !isPinned(traces.ids[number]) else { continue }
                found.insert(traces.ids[number])
            }
        }
        return found
    }

    /// The traces of which a row of the block satisfies a condition. One whose such rows lie elsewhere is looked at there.
    private func traces(
        of block: Block,
        matching condition: SpanPredicate
    ) throws(StoreError) -> Set<TraceID> {
        var found: Set<TraceID> = []
        var scan = BlockScan(block, range: .all, predicate: CompiledPredicate(condition))
        for (index, group) in block.footer.groups.enumerated() {
            try pause()
            let rows = try scan.rows(inGroup: index)
            guard rows.selectedCount(in: 0..<group.rowCount) > 0 else { continue }
            let traces = try block.traces(inGroup: index)
            for number in 0..<traces.count {
                let here = traces[number].rows.clamped(to: group.rows)
                let local = (here.lowerBound - group.firstRow)..<(here.upperBound - group.firstRow)
                if rows.selectedCount(in: local) > 0 { found.insert(traces.ids[number]) }
            }
        }
        return found
    }

    /// Finds out which of these traces may have rows in other places: all at once, since filters of large blocks cost much when
    /// they are asked for one trace after the other, and are wrong about too many.
    private mutating func lookElsewhere(for ids: Set<TraceID>, than stored: StoredBlock) throws(StoreError) {
        elsewhere = [:]
        for (number, other) in snapshot.blocks.enumerated() where other !== stored {
            try pause()
            for id in try other.traces(amongst: ids, Cancellation()) { elsewhere[id, default: []].append(number) }
        }
        for part in snapshot.head {
            for id in ids where elsewhere[id] == nil && !part.part.rows(of: id, below: part.rowCount).isEmpty {
                elsewhere[id] = []
            }
        }
    }

    /// Takes in spans, in each range of rows those of one trace.
    private mutating func add(_ batch: SpanBatch, _ ranges: [Range<Int>], isScattered: Bool = false) {
        round.add(batch, rows: ranges)
        for range in ranges {
            guard let first = range.first else { continue }
            var sketch = sketches[batch.traceIDs[first]] ?? Sketch()
            for row in range { _ = sketch.reason.takes(row, of: batch) }
            sketch.spanCount += range.count
            sketch.isScattered = sketch.isScattered || isScattered
            sketches[batch.traceIDs[first]] = sketch
        }
    }

    /// Takes in a trace that may lie in several places, unless it has to wait or was decided before. Spans that came after that
    /// follow the decision.
    private mutating func add(_ id: TraceID, _ stored: StoredBlock) throws(StoreError) {
        var places = snapshot
        let numbers = Set(elsewhere[id] ?? [])
        places.blocks = snapshot.blocks.enumerated().filter { $1 === stored || numbers.contains($0) }.map(\.element)
        let trace = try StoredTrace(id, in: places)
        guard trace.headPieces.isEmpty, Self.hasLeft(trace.receivedUnixNanos, sampling.hotWindow.nanos, now) else {
            return
        }
        let isScattered = trace.blockPieces.contains { $0.block !== stored }
        let markedCount = try trace.lateSampledCount()
        if markedCount == trace.spanCount { return }
        if markedCount > 0 {
            decisions.note(id, try trace.earlierDecision(), reason: nil, isScattered: isScattered)
        } else if trace.spanCount < LargeTrace.spanCountMin {
            let batch = try trace.assembled(.all, Cancellation())
            add(batch, [0..<batch.count], isScattered: isScattered)
        } else {
            // Copies of spans count here, since to find them all is not worth it.
            for piece in trace.blockPieces {
                let rows = piece.entry.rows
                for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.windowRowCount) {
                    try pause()
                    let window = first..<min(rows.upperBound, first + Self.windowRowCount)
                    let batch = try piece.block.block.uncached.batch(rows: window, columns: .all)
                    add(batch, [0..<batch.count], isScattered: isScattered)
                }
            }
        }
    }

    private mutating func decideRound(_ footer: BlockFooter) {
        let received = footer.receivedMin...max(footer.receivedMin, footer.receivedMax)
        for (id, decision) in round.decide(received: received) {
            let sketch = sketches[id] ?? Sketch()
            decisions.note(id, decision, reason: sketch.reason, isScattered: sketch.isScattered)
            tally[decision.outline, default: (0, 0)].traces += 1
            tally[decision.outline, default: (0, 0)].spans += decision.skeleton?.leaving.count ?? sketch.spanCount
        }
        sketches = [:]
    }
}

extension Block {
    /// The rows of a group whose trace late sampling kept, with the weight that says so.
    func lateSampled(inGroup index: Int) throws(StoreError) -> RowSet {
        let marks = try reader.numbers(try directory(ofGroup: index).marks)
        let mark = UInt64(SpanBatch.Marks.lateSampled.rawValue)
        return RowSet(count: footer.groups[index].rowCount, where: { marks[$0] & mark != 0 })
    }
}

extension StoredTrace {
    /// How many stored rows late sampling has kept before.
    fileprivate func lateSampledCount() throws(StoreError) -> Int {
        var count = 0
        for piece in blockPieces {
            let block = piece.block.block.uncached
            try block.forEachGroup(of: piece.entry.rows) { index, rows throws(StoreError) in
                count += try block.lateSampled(inGroup: index).selectedCount(in: rows)
                return true
            }
        }
        return count
    }

    /// As what it has kept them, as far as they say.
    fileprivate func earlierDecision() throws(StoreError) -> LateDecision {
        var decision = LateDecision(isKept: true)
        for piece in blockPieces {
            let block = piece.block.block.uncached
            try block.forEachGroup(of: piece.entry.rows) { index, rows throws(StoreError) in
                let marked = try block.lateSampled(inGroup: index)
                guard marked.selectedCount(in: rows) > 0 else { return true }
                let first = block.footer.groups[index].firstRow
                let batch = try block.batch(
                    rows: (first + rows.lowerBound)..<(first + rows.upperBound),
                    columns: [.attributes]
                )
                for row in 0..<batch.count where marked[rows.lowerBound + row] {
                    decision.threshold = max(decision.threshold, batch.lateThreshold(at: row))
                    decision.factor = max(decision.factor, batch.lateFactor(at: row))
                }
                return true
            }
        }
        return decision
    }
}

extension SpanBatch {
    /// The threshold that late sampling says the trace of the row passed, 0 when it says none.
    fileprivate func lateThreshold(at row: Int) -> UInt64 {
        guard case .int(let threshold) = value(of: ReasonSpan.thresholdKey, at: row),
            (0..<Int64(SamplingThreshold.end)).contains(threshold)
        else { return 0 }
        return UInt64(threshold)
    }

    /// What late sampling says of other means than thresholds by which the trace of the row was thinned; 1 for none.
    fileprivate func lateFactor(at row: Int) -> Double {
        guard case .double(let factor) = value(of: ReasonSpan.factorKey, at: row), factor.isFinite else { return 1 }
        return max(factor, 1)
    }

    private func value(of key: String, at row: Int) -> AttributeValue? {
        let key = Array(key.utf8)
        return attributes.range(of: row)
            .first { dictionary.withBytes(attributes.keyRefs[$0], { $0.elementsEqual(key) }) }
            .map { dictionary.value(attributes.valueRefs[$0]) }
    }
}
