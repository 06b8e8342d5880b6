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
/// On the way, traces can be left out and values masked: see ``Cut``.
///
/// Memory is that of the traces' places (64 bytes each), of the row groups that a section touches, and of the section.
struct BlockMerge: ~Copyable {
    /// In order of arrival.
    private let inputs: [Block]
    private let limits: Limits
    private let cut: Cut
    /// Called between steps; throws to stop.
    private let pause: () throws(StoreError) -> Void
    private var isDirty: [[Bool]]
    private var isKept: [[Bool]]
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

        func touches(_ id: TraceID) -> Bool { dropped.contains(id) || masked.contains(id) }
    }

    /// What a merge did.
    struct Outcome: Equatable {
        var spanCount = 0
        /// Spans of traces that were left out.
        var cutCount = 0
        /// Spans in which values were masked.
        var maskedCount = 0
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
        isDirty = inputs.map { [Bool](repeating: false, count: $0.footer.groups.count) }
        isKept = isDirty
        decoded = DecodedGroups(byteCountMax: limits.sectionByteCount, cut: cut)
    }

    /// A trace's rows in one of the inputs.
    private struct Piece: BitwiseCopyable {
        var id: TraceID
        var start: UInt64
        var firstRow: Int
        var rowCount: UInt32
        var group: UInt32
        var input: UInt16
        var hasDuplicates: Bool
        var isPartial: Bool
    }

    /// Pieces of a trace that become one entry.
    private struct Unit {
        var start: UInt64
        var pieces: Range<Int>
        /// Rows of the one piece that are meant; `nil` for all rows of all pieces.
        var rows: Range<Int>?
        var rowCount: Int
        var isPartial: Bool
        /// Whether rows are in order and each span is there once.
        var isSimple: Bool
        /// Whether the groups of its one piece stay as they are.
        var isCopied = false
    }

    /// What the block's spans add up to, less what those of its inputs do. Ask once the block is written.
    mutating func takeRollupDifference() -> Rollup { counter.take() }

    /// Writes the block. Nothing of the inputs is lost when it throws.
    mutating func write(to sink: @escaping BlockEncoder.Sink) throws(StoreError) -> Outcome {
        var outcome = Outcome()
        let (pieces, units) = try plan()
        outcome.cutCount = pieces.reduce(0) { $0 + (cut.dropped.contains($1.id) ? Int($1.rowCount) : 0) }
        var encoder = try BlockEncoder(sink: sink)
        var numbers: [GroupCopy.TableNumbers] = []
        for (number, input) in inputs.enumerated() {
            numbers.append(try encoder.numbers(of: input))
            for group in input.footer.groups.indices where !isDirty[number][group] && !isKept[number][group] {
                try pause()
                try encoder.append(copyOf: group, of: input, numbers[number])
                outcome.copiedCount += input.footer.groups[group].rowCount
            }
        }
        var next = 0
        while next < units.count {
            try pause()
            if units[next].isCopied {
                let piece = pieces[units[next].pieces.lowerBound]
                let input = inputs[Int(piece.input)]
                for group in groups(of: piece) {
                    try encoder.append(copyOf: group, of: input, numbers[Int(piece.input)], isPartial: true)
                    outcome.copiedCount += input.footer.groups[group].rowCount
                }
                next += 1
            } else {
                let section = try section(of: units, from: &next, pieces)
                try count(section)
                try encoder.append(section.batches, order: section.order)
                outcome.spanCount += section.order.sources.count
                outcome.droppedCount += section.droppedCount
            }
        }
        outcome.spanCount += outcome.copiedCount
        outcome.maskedCount = decoded.maskedCount
        _ = try encoder.finish()
        return outcome
    }

    // MARK: Planning

    /// Finds out which groups can be copied and what becomes of the traces in the others.
    private mutating func plan() throws(StoreError) -> (pieces: [Piece], units: [Unit]) {
        var pieces = try allPieces()
        pieces.sort { ($0.id, $0.input, $0.firstRow) < ($1.id, $1.input, $1.firstRow) }
        for (number, input) in inputs.enumerated() {
            for index in input.footer.groups.indices { isDirty[number][index] = isSmall(index, of: input) }
        }
        var runs: [Range<Int>] = []
        var start = 0
        while start < pieces.count {
            var end = start + 1
            while end < pieces.count, pieces[end].id == pieces[start].id { end += 1 }
            runs.append(start..<end)
            start = end
        }
        for run in runs { markGroups(pieces[run]) }
        var units: [Unit] = []
        for run in runs { addUnits(pieces, run, to: &units) }
        units.sort { a, b in
            if a.start != b.start { return a.start < b.start }
            let (x, y) = (pieces[a.pieces.lowerBound].id, pieces[b.pieces.lowerBound].id)
            // The entries of a long trace stay in order of arrival: of equal copies the later one counts.
            if x != y { return x < y }
            return (a.pieces.lowerBound, a.rows?.lowerBound ?? 0) < (b.pieces.lowerBound, b.rows?.lowerBound ?? 0)
        }
        return (pieces, units)
    }

    /// Whether a group is better written anew with others. Never one of several that hold a long trace.
    private func isSmall(_ index: Int, of input: Block) -> Bool {
        let groups = input.footer.groups
        func continues(_ index: Int) -> Bool {
            groups.indices.contains(index) && groups[index].traceRow != groups[index].firstRow
        }
        return groups[index].rowCount < limits.copiedRowsMin
            && groups[index].directory.offset - groups[index].offset < limits.copiedByteCountMin
            && !continues(index) && !continues(index + 1)
    }

    private func allPieces() throws(StoreError) -> [Piece] {
        var pieces: [Piece] = []
        pieces.reserveCapacity(inputs.reduce(0) { $0 + $1.footer.traceCount })
        for (number, input) in inputs.enumerated() {
            for (index, group) in input.footer.groups.enumerated() where group.traceRow == group.firstRow {
                try pause()
                let traces = try input.traces(inGroup: index)
                for trace in 0..<traces.count {
                    let entry = traces[trace]
                    pieces.append(
                        Piece(
                            id: entry.id,
                            start: entry.startUnixNanos,
                            firstRow: entry.rows.lowerBound,
                            rowCount: UInt32(clamping: entry.rows.count),
                            group: UInt32(index),
                            input: UInt16(number),
                            hasDuplicates: entry.hasDuplicates,
                            isPartial: entry.isPartial
                        )
                    )
                }
            }
        }
        return pieces
    }

    /// Whether a piece stays as it is although its trace has others: it is as long as an entry may be.
    private func isLong(_ piece: Piece) -> Bool {
        Int(piece.rowCount) * 2 > limits.joinedRowsMax
            && inputs[Int(piece.input)].footer.groups[Int(piece.group)].traceCount == 1
    }

    private func isWhole(_ run: ArraySlice<Piece>) -> Bool {
        run.count == 1 && run.allSatisfy { !$0.hasDuplicates || isLong($0) }
    }

    /// Marks the groups that cannot be copied because of this trace.
    private mutating func markGroups(_ run: ArraySlice<Piece>) {
        guard let id = run.first?.id else { return }
        let isCut = cut.touches(id)
        guard isCut || !isWhole(run) else { return }
        for piece in run {
            for group in groups(of: piece) {
                if isLong(piece), !isCut {
                    isKept[Int(piece.input)][group] = true
                } else {
                    isDirty[Int(piece.input)][group] = true
                }
            }
        }
    }

    private func groups(of piece: Piece) -> Range<Int> {
        let groups = inputs[Int(piece.input)].footer.groups
        var end = Int(piece.group) + 1
        while end < groups.count, groups[end].firstRow < piece.firstRow + Int(piece.rowCount) { end += 1 }
        return Int(piece.group)..<end
    }

    /// Adds what is to be written anew of a trace, and the long pieces among it.
    private func addUnits(_ pieces: [Piece], _ run: Range<Int>, to units: inout [Unit]) {
        if cut.dropped.contains(pieces[run.lowerBound].id) { return }
        let isWhole = isWhole(pieces[run])
        let start = pieces[run].reduce(UInt64.max) { min($0, $1.start) }
        var first = run.lowerBound
        while first < run.upperBound {
            let piece = pieces[first]
            let isCopied = isKept[Int(piece.input)][Int(piece.group)]
            guard isCopied || isDirty[Int(piece.input)][Int(piece.group)] else {
                first += 1
                continue
            }
            var unit = Unit(
                start: start,
                pieces: first..<(first + 1),
                rowCount: Int(piece.rowCount),
                isPartial: isWhole && piece.isPartial,
                isSimple: isWhole,
                isCopied: isCopied
            )
            while !isCopied, unit.pieces.upperBound < run.upperBound {
                let next = pieces[unit.pieces.upperBound]
                guard isDirty[Int(next.input)][Int(next.group)],
                    unit.rowCount + Int(next.rowCount) <= limits.joinedRowsMax
                else { break }
                unit.rowCount += Int(next.rowCount)
                unit.pieces = first..<(unit.pieces.upperBound + 1)
            }
            if unit.pieces.count < run.count { unit.isPartial = true }
            first = unit.pieces.upperBound
            guard unit.rowCount > limits.joinedRowsMax, !isCopied else {
                units.append(unit)
                continue
            }
            // One long piece, in parts.
            unit.isPartial = true
            for row in stride(from: 0, to: Int(piece.rowCount), by: limits.joinedRowsMax) {
                let end = min(row + limits.joinedRowsMax, Int(piece.rowCount))
                unit.rows = (piece.firstRow + row)..<(piece.firstRow + end)
                unit.rowCount = end - row
                units.append(unit)
            }
        }
    }

    /// Notes how the figures change because traces were joined.
    private mutating func count(_ section: Section) throws(StoreError) {
        guard !section.joined.traces.isEmpty else { return }
        let joined = try BlockSection(section.batches, section.joined, tables: &counterTables)
        counter.add(joined, counterTables)
        let apart = try BlockSection(section.batches, section.apart, tables: &counterTables)
        counter.add(apart, counterTables, isTakenAway: true)
    }

    // MARK: Sections

    private struct Section {
        var batches: [SpanBatch] = []
        var order = RowOrder(sources: [], traces: [])
        /// Those of the order that are made of several pieces.
        var joined = RowOrder(sources: [], traces: [])
        /// Their pieces, as they were.
        var apart = RowOrder(sources: [], traces: [])
        var droppedCount = 0
    }

    /// The next units, as many as fit.
    private mutating func section(
        of units: [Unit],
        from next: inout Int,
        _ pieces: [Piece]
    ) throws(StoreError) -> Section {
        var section = Section()
        var numbers: [DecodedGroups.Place: UInt32] = [:]
        var byteCount = 0
        var rows = UnitRows()
        while next < units.count, !units[next].isCopied {
            let unit = units[next]
            let isFull =
                section.order.sources.count + unit.rowCount > limits.sectionRows
                || byteCount > limits.sectionByteCount
            if isFull, !section.order.sources.isEmpty { break }
            rows.removeAll()
            let isJoined = unit.pieces.count > 1
            for piece in pieces[unit.pieces] {
                let input = inputs[Int(piece.input)]
                var group = Int(piece.group)
                var row = unit.rows?.lowerBound ?? piece.firstRow
                let end = unit.rows?.upperBound ?? row + Int(piece.rowCount)
                while row < end {
                    guard group < input.footer.groups.count else {
                        throw input.reader.corrupt("a trace ends behind the last row", at: 0)
                    }
                    if row >= input.footer.groups[group].rows.upperBound {
                        group += 1
                        continue
                    }
                    let place = DecodedGroups.Place(input: Int(piece.input), group: group)
                    if numbers[place] == nil {
                        let batch = try decoded.batch(place, of: input)
                        numbers[place] = UInt32(section.batches.count)
                        section.batches.append(batch)
                        byteCount += batch.byteCount
                    }
                    let number = Int(numbers[place] ?? 0)
                    let first = input.footer.groups[group].firstRow
                    let part = row..<min(end, first + input.footer.groups[group].rowCount)
                    let added = (part.lowerBound - first)..<(part.upperBound - first)
                    rows.add(section.batches[number], UInt32(number), added)
                    if isJoined {
                        for row in added {
                            section.apart.sources.append(.init(batch: UInt32(number), row: UInt32(row)))
                        }
                    }
                    row = part.upperBound
                    group += 1
                }
                if isJoined { section.apart.traces.append(.init(id: piece.id, rowCount: piece.rowCount)) }
            }
            section.droppedCount += rows.finish(isSimple: unit.isSimple)
            let id = pieces[unit.pieces.lowerBound].id
            section.order.traces.append(
                RowOrder.Trace(
                    id: id,
                    rowCount: UInt32(rows.sources.count),
                    isPartial: unit.isPartial
                )
            )
            section.order.sources += rows.sources
            if isJoined {
                section.joined.traces.append(.init(id: id, rowCount: UInt32(rows.sources.count)))
                section.joined.sources += rows.sources
            }
            next += 1
        }
        return section
    }
}

/// The rows of one entry on its way into the new block.
private struct UnitRows {
    private struct Row {
        var start: UInt64
        var end: UInt64
        var spanID: UInt64
        var kind: UInt8
        /// Also the order of arrival.
        var source: RowOrder.Source
        var arrival: Int

        func isCopy(of other: Row) -> Bool { spanID == other.spanID && kind == other.kind }
    }

    private var rows: [Row] = []
    /// In the order of a block, once finished.
    private(set) var sources: [RowOrder.Source] = []

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        sources.removeAll(keepingCapacity: true)
    }

    mutating func add(_ batch: SpanBatch, _ number: UInt32, _ added: Range<Int>) {
        for row in added {
            rows.append(
                Row(
                    start: batch.startUnixNanos[row],
                    end: batch.endUnixNanos(at: row),
                    spanID: batch.spanIDs[row].rawValue,
                    kind: (Span.Kind(rawValue: batch.kinds[row]) ?? .unspecified).rawValue,
                    source: RowOrder.Source(batch: number, row: UInt32(row)),
                    arrival: rows.count
                )
            )
        }
    }

    /// Brings the rows into order, of copies the one that counts; returns how many do not.
    mutating func finish(isSimple: Bool) -> Int {
        if isSimple, zip(rows, rows.dropFirst()).allSatisfy({ $0.start <= $1.start }) {
            for row in rows { sources.append(row.source) }
            return 0
        }
        rows.sort {
            ($0.spanID, $0.kind, $0.end, $0.start, $0.arrival) < ($1.spanID, $1.kind, $1.end, $1.start, $1.arrival)
        }
        var kept: [Row] = []
        kept.reserveCapacity(rows.count)
        for index in rows.indices
        where index + 1 == rows.count || !rows[index].isCopy(of: rows[index + 1]) { kept.append(rows[index]) }
        kept.sort { ($0.start, $0.spanID, $0.kind) < ($1.start, $1.spanID, $1.kind) }
        for row in kept { sources.append(row.source) }
        return rows.count - kept.count
    }
}

/// Row groups read back, the least recently used ones going first.
private struct DecodedGroups {
    struct Place: Hashable {
        var input: Int
        var group: Int
    }

    private let byteCountMax: Int
    private let cut: BlockMerge.Cut
    /// Spans masked in each group.
    private var maskedCounts: [Place: Int] = [:]
    private var groups: [Place: (batch: SpanBatch, used: Int)] = [:]
    private var byteCount = 0
    private var clock = 0

    init(byteCountMax: Int, cut: BlockMerge.Cut) {
        self.byteCountMax = byteCountMax
        self.cut = cut
    }

    /// Spans in which values were masked.
    var maskedCount: Int { maskedCounts.values.reduce(0, +) }

    mutating func batch(_ place: Place, of block: Block) throws(StoreError) -> SpanBatch {
        clock += 1
        if let known = groups[place] {
            groups[place]?.used = clock
            return known.batch
        }
        var batch = try block.batch(rows: block.footer.groups[place.group].rows, columns: .all)
        if let masking = cut.masking { maskedCounts[place] = try masking.mask(&batch, in: cut.masked) }
        groups[place] = (batch, clock)
        byteCount += batch.byteCount
        while byteCount > byteCountMax, groups.count > 1, let oldest = groups.min(by: { $0.value.used < $1.value.used })
        {
            byteCount -= oldest.value.batch.byteCount
            groups[oldest.key] = nil
        }
        return batch
    }
}
