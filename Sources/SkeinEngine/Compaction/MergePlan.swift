// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What becomes of each row group and each trace of some blocks that are merged.
///
/// A group of which every trace lies whole in it is copied. Traces of the others are units that are written anew, in order
/// of their starts; a long trace that fills groups of its own stays in them.
struct MergePlan {
    private let inputs: [Block]
    private let limits: BlockMerge.Limits
    private let cut: BlockMerge.Cut
    /// By trace, then in order of arrival.
    private(set) var pieces: [Piece] = []
    /// In the order in which they are written.
    private(set) var units: [Unit] = []
    /// By input and group: whether some of its traces are written anew.
    private var isDirty: [[Bool]]
    /// By input and group: whether it holds a long trace that is copied with others of its kind.
    private var isKept: [[Bool]]

    /// A trace's rows in one of the inputs.
    struct Piece: BitwiseCopyable {
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
    struct Unit {
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

    /// Finds out which groups can be copied and what becomes of the traces in the others. `pause` is called between steps.
    init(
        _ inputs: [Block],
        limits: BlockMerge.Limits,
        cut: BlockMerge.Cut,
        pause: () throws(StoreError) -> Void
    ) throws(StoreError) {
        self.inputs = inputs
        self.limits = limits
        self.cut = cut
        isDirty = inputs.map { [Bool](repeating: false, count: $0.footer.groups.count) }
        isKept = isDirty
        if let lost = cut.lostGroups, let damaged = inputs.first {
            pieces = try Self.pieces(of: damaged, without: lost, pause)
        } else {
            pieces = try Self.allPieces(inputs, pause)
        }
        pieces.sort { ($0.id, $0.input, $0.firstRow) < ($1.id, $1.input, $1.firstRow) }
        for (number, input) in inputs.enumerated() {
            for index in input.footer.groups.indices {
                isDirty[number][index] = cut.lostGroups != nil ? true : try isSmall(index, of: input)
            }
        }
        var runs: [Range<Int>] = []
        var start = 0
        while start < pieces.count {
            var end = start + 1
            while end < pieces.count, pieces[end].id == pieces[start].id { end += 1 }
            runs.append(start..<end)
            start = end
        }
        if cut.lostGroups == nil { for run in runs { markGroups(pieces[run]) } }
        for run in runs { addUnits(run) }
        units.sort { [pieces] a, b in
            if a.start != b.start { return a.start < b.start }
            let (x, y) = (pieces[a.pieces.lowerBound].id, pieces[b.pieces.lowerBound].id)
            // The entries of a long trace stay in order of arrival: of equal copies the later one counts.
            if x != y { return x < y }
            return (a.pieces.lowerBound, a.rows?.lowerBound ?? 0) < (b.pieces.lowerBound, b.rows?.lowerBound ?? 0)
        }
    }

    /// Whether a group is better written anew with others. Never one of several that hold a long trace.
    private func isSmall(_ index: Int, of input: Block) throws(StoreError) -> Bool {
        let groups = input.footer.groups
        func continues(_ index: Int) -> Bool {
            groups.indices.contains(index) && groups[index].traceRow != groups[index].firstRow
        }
        guard groups[index].rowCount < limits.copiedRowsMin,
            groups[index].directory.offset - groups[index].offset < limits.copiedByteCountMin,
            !continues(index), !continues(index + 1)
        else { return false }
        // Text that packs well: written anew with others, the group could not have many more rows.
        return try input.directory(ofGroup: index).rawByteCount < limits.groupByteCount / 2
    }

    private static func allPieces(
        _ inputs: [Block],
        _ pause: () throws(StoreError) -> Void
    ) throws(StoreError) -> [Piece] {
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

    /// What can be read of a block, each row group by itself.
    private static func pieces(
        of block: Block,
        without lost: Set<Int>,
        _ pause: () throws(StoreError) -> Void
    ) throws(StoreError) -> [Piece] {
        var pieces: [Piece] = []
        for (index, group) in block.footer.groups.enumerated() where !lost.contains(index) {
            try pause()
            let traces = try block.traces(inGroup: index)
            for trace in 0..<traces.count {
                let entry = traces[trace]
                let rows = entry.rows.clamped(to: group.rows)
                pieces.append(
                    Piece(
                        id: entry.id,
                        start: entry.startUnixNanos,
                        firstRow: rows.lowerBound,
                        rowCount: UInt32(clamping: rows.count),
                        group: UInt32(index),
                        input: 0,
                        hasDuplicates: entry.hasDuplicates,
                        isPartial: entry.isPartial
                    )
                )
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

    /// The row groups that a piece lies in.
    func groups(of piece: Piece) -> Range<Int> {
        let groups = inputs[Int(piece.input)].footer.groups
        var end = Int(piece.group) + 1
        while end < groups.count, groups[end].firstRow < piece.firstRow + Int(piece.rowCount) { end += 1 }
        return Int(piece.group)..<end
    }

    /// Adds what is to be written anew of a trace, and the long pieces among it.
    private mutating func addUnits(_ run: Range<Int>) {
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

    /// Whether a group is copied as it is, by itself.
    func isCopied(group: Int, ofInput input: Int) -> Bool { !isDirty[input][group] && !isKept[input][group] }
}
