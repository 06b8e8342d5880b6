// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Makes one block of several: fragments of a trace are joined, copies of a span dropped, trees worked out anew.
///
/// A row group of which every trace lies whole in it is copied as it is, which costs a fifth of writing it anew. The
/// others are read back, a section of traces at a time in the order of their starts. A trace that is longer than
/// ``joinedRowsMax`` is joined piece by piece up to that length, and its entries are marked as partial.
///
/// On the way, traces can be left out or given weights, values masked, and row groups that cannot be read passed over: see ``Cut``.
///
/// Memory is that of the traces' places (64 bytes each), of the row groups that a section touches, and of the section.
struct BlockMerge: ~Copyable {
    /// In order of arrival.
    private let inputs: [Block]
    private let limits: Limits
    private let cut: Cut
    /// Called between steps; throws to stop.
    private let pause: () throws(StoreError) -> Void
    private var decoded: DecodedGroups
    /// What the joined traces add up to, less their pieces.
    private var counter = RollupCounter()
    private var counterTables = BlockTables()

    /// How much is done at once.
    struct Limits {
        /// Spans of a trace that are joined to one entry.
        var joinedRowsMax = 128 << 10
        /// Spans read back at a time.
        var sectionRows = 32 << 10
        /// Bytes of row groups read back at a time, unless one trace needs more.
        var sectionByteCount = 32 << 20
        /// Bytes of text in a row group.
        var groupByteCount = 64 << 20
        /// Groups with fewer rows and bytes are written anew, with others.
        var copiedRowsMin = 4_096
        var copiedByteCountMin = 256 << 10
    }

    /// What is taken out of the spans on their way.
    struct Cut {
        /// Traces that are left out.
        var dropped: Set<TraceID> = []
        /// Traces in which values are masked.
        var masked: Set<TraceID> = []
        var masking: Masking?
        /// What late sampling decided: kept traces get their weights, and some are reduced to what stays in any case.
        var decisions: LateDecisions?
        /// Whether values are masked that sums know as names of what was called.
        var masksPeers = false
        /// Row groups of the one input that cannot be read and are left out; the others are written anew, and nothing is
        /// copied. `nil` when all can be read.
        var lostGroups: Set<Int>?

        func touches(_ id: TraceID) -> Bool {
            dropped.contains(id) || masked.contains(id) || decisions?.kept[id] != nil
        }
    }

    /// What a merge did.
    struct Outcome: Equatable {
        var spanCount = 0
        /// Spans that were left out, of whole traces or of those that were reduced.
        var cutCount = 0
        /// Spans in which a value was masked.
        var maskedCount = 0
        /// Their traces.
        var maskedTraces: Set<TraceID> = []
        /// Copies of spans that were dropped.
        var droppedCount = 0
        /// Spans in row groups that were copied as they are.
        var copiedCount = 0
    }

    /// A merge of blocks given in order of arrival.
    init(
        _ inputs: [Block],
        limits: Limits = Limits(),
        cut: Cut = Cut(),
        pause: @escaping () throws(StoreError) -> Void = {}
    ) {
        self.inputs = inputs.map(\.uncached)
        self.limits = limits
        self.cut = cut
        self.pause = pause
        decoded = DecodedGroups(byteCountMax: limits.sectionByteCount, cut: cut)
    }

    /// What the block's spans add up to, less what those of its inputs do. Ask once the block is written.
    mutating func takeRollupDifference() -> Rollup { counter.take() }

    /// Writes the block. Nothing of the inputs is lost when it throws.
    mutating func write(to sink: @escaping BlockEncoder.Sink) throws(StoreError) -> Outcome {
        var outcome = Outcome()
        let plan = try MergePlan(inputs, limits: limits, cut: cut, pause: pause)
        let (pieces, units) = (plan.pieces, plan.units)
        outcome.cutCount = pieces.reduce(0) { $0 + (cut.dropped.contains($1.id) ? Int($1.rowCount) : 0) }
        var encoder = try BlockEncoder(groupByteCount: limits.groupByteCount, sink: sink)
        var numbers: [GroupCopy.TableNumbers] = []
        for (number, input) in inputs.enumerated() {
            encoder.noteReceived(input.footer)
            // Tables that are read only for copies may be what is damaged.
            if cut.lostGroups != nil { continue }
            numbers.append(try GroupCopy.TableNumbers(of: input))
            for group in input.footer.groups.indices where plan.isCopied(group: group, ofInput: number) {
                try pause()
                try encoder.append(copyOf: group, of: input, &numbers[number])
                outcome.copiedCount += input.footer.groups[group].rowCount
            }
        }
        var next = 0
        while next < units.count {
            try pause()
            if units[next].isCopied {
                let piece = pieces[units[next].pieces.lowerBound]
                let input = inputs[Int(piece.input)]
                for group in plan.groups(of: piece) {
                    try encoder.append(copyOf: group, of: input, &numbers[Int(piece.input)], isPartial: true)
                    outcome.copiedCount += input.footer.groups[group].rowCount
                }
                next += 1
            } else {
                let section = try section(of: units, from: &next, pieces)
                try count(section)
                try encoder.append(section.batches, order: section.order)
                outcome.spanCount += section.order.sources.count
                outcome.droppedCount += section.droppedCount
                outcome.cutCount += section.cutCount
            }
        }
        outcome.spanCount += outcome.copiedCount
        outcome.maskedCount = decoded.maskedCount
        outcome.maskedTraces = decoded.maskedTraces
        _ = try encoder.finish()
        return outcome
    }

    /// Notes how the figures change because traces were joined.
    private mutating func count(_ section: MergeSection) throws(StoreError) {
        guard !section.joined.traces.isEmpty else { return }
        // Sums know nothing of events and links.
        let batches = section.batches.map { batch in
            var batch = batch
            batch.events = .init()
            batch.links = .init()
            return batch
        }
        let joined = try BlockSection(batches, section.joined, tables: &counterTables)
        counter.add(joined, counterTables)
        let apart = try BlockSection(batches, section.apart, tables: &counterTables)
        counter.add(apart, counterTables, isTakenAway: true)
    }

    /// The next units, as many as fit.
    private mutating func section(
        of units: [MergePlan.Unit],
        from next: inout Int,
        _ pieces: [MergePlan.Piece]
    ) throws(StoreError) -> MergeSection {
        var section = MergeSection(inputs, limits, reduced: cut.decisions?.reduced ?? [])
        while next < units.count, !units[next].isCopied {
            let unit = units[next]
            guard section.hasRoom(for: unit, pieces[unit.pieces]) else { break }
            try section.append(unit, pieces[unit.pieces], &decoded)
            next += 1
        }
        return section
    }
}
