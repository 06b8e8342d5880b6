// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Traces that are written anew together: the row groups in which their pieces lie, read back, and the rows that count, in
/// the order in which they are written.
struct MergeSection {
    private let inputs: [Block]
    private let limits: BlockMerge.Limits
    /// The groups, as far as they were read back.
    private(set) var batches: [SpanBatch] = []
    private var numbers: [DecodedGroups.Place: UInt32] = [:]
    /// Of the batches, and of those of their rows that are taken.
    private var (byteCount, takenByteCount) = (0, 0)
    private var rows = UnitRows()
    private(set) var order = RowOrder(sources: [], traces: [])
    /// Those of the order that are made of several pieces.
    private(set) var joined = RowOrder(sources: [], traces: [])
    /// Their pieces, as they were.
    private(set) var apart = RowOrder(sources: [], traces: [])
    /// Copies of spans that were left out.
    private(set) var droppedCount = 0
    /// Traces of which only rows that late sampling marked stay.
    private let reduced: Set<TraceID>
    /// Rows of theirs that were left out.
    private(set) var cutCount = 0

    init(_ inputs: [Block], _ limits: BlockMerge.Limits, reduced: Set<TraceID>) {
        self.inputs = inputs
        self.limits = limits
        self.reduced = reduced
    }

    /// Whether a unit made of `pieces` may come to those that are here. An empty section takes any.
    func hasRoom(for unit: MergePlan.Unit, _ pieces: ArraySlice<MergePlan.Piece>) -> Bool {
        if order.sources.isEmpty { return true }
        guard order.sources.count + unit.rowCount <= limits.sectionRows, takenByteCount <= limits.sectionByteCount
        else {
            return false
        }
        // One group alone may be larger than the limit: whoever lies in groups that are here anyway may come still.
        return byteCount <= limits.sectionByteCount
            || pieces.allSatisfy { numbers[.init(input: Int($0.input), group: Int($0.group))] != nil }
    }

    /// Adds a unit made of `pieces`.
    mutating func append(
        _ unit: MergePlan.Unit,
        _ pieces: ArraySlice<MergePlan.Piece>,
        _ decoded: inout DecodedGroups
    ) throws(StoreError) {
        guard let id = pieces.first?.id else { return }
        rows.removeAll()
        let isJoined = pieces.count > 1
        for piece in pieces {
            let part = unit.rows ?? piece.firstRow..<(piece.firstRow + Int(piece.rowCount))
            let count = try append(part, of: piece, isJoined: isJoined, &decoded)
            if isJoined, count > 0 { apart.traces.append(.init(id: id, rowCount: UInt32(clamping: count))) }
        }
        droppedCount += rows.finish(isSimple: unit.isSimple)
        let count = UInt32(rows.sources.count)
        // Nothing of the trace that stays lies here.
        if count == 0 { return }
        order.traces.append(.init(id: id, rowCount: count, isPartial: unit.isPartial))
        order.sources += rows.sources
        if isJoined {
            joined.traces.append(.init(id: id, rowCount: count))
            joined.sources += rows.sources
        }
    }

    /// Adds rows of a piece to those of the unit, from the row groups that they lie in; returns how many.
    private mutating func append(
        _ part: Range<Int>,
        of piece: MergePlan.Piece,
        isJoined: Bool,
        _ decoded: inout DecodedGroups
    ) throws(StoreError) -> Int {
        let input = inputs[Int(piece.input)]
        let groups = input.footer.groups
        let isReduced = reduced.contains(piece.id)
        var row = part.lowerBound
        var count = 0
        for group in Int(piece.group)..<groups.count where row < groups[group].rows.upperBound {
            if row >= part.upperBound { return count }
            let number = try number(of: .init(input: Int(piece.input), group: group), in: input, &decoded)
            let end = min(part.upperBound, groups[group].rows.upperBound)
            let local = (row - groups[group].firstRow)..<(end - groups[group].firstRow)
            if isReduced {
                let marked = batches[Int(number)].lateSampledRows(in: local)
                for row in marked { take(row..<(row + 1), ofBatch: number, isJoined: isJoined) }
                cutCount += local.count - marked.count
                count += marked.count
            } else {
                take(local, ofBatch: number, isJoined: isJoined)
                count += local.count
            }
            row = end
        }
        if row < part.upperBound { throw input.reader.corrupt("a trace ends behind the last row", at: 0) }
        return count
    }

    private mutating func take(_ taken: Range<Int>, ofBatch number: UInt32, isJoined: Bool) {
        let batch = batches[Int(number)]
        rows.add(batch, number, taken)
        takenByteCount += batch.byteCount / max(batch.count, 1) * taken.count
        if isJoined { apart.sources += taken.map { .init(batch: number, row: UInt32($0)) } }
    }

    /// The number of a group's batch, which is read back if it is not here.
    private mutating func number(
        of place: DecodedGroups.Place,
        in input: Block,
        _ decoded: inout DecodedGroups
    ) throws(StoreError) -> UInt32 {
        if let known = numbers[place] { return known }
        let batch = try decoded.batch(place, of: input)
        let number = UInt32(batches.count)
        numbers[place] = number
        batches.append(batch)
        byteCount += batch.byteCount
        return number
    }
}

extension SpanBatch {
    /// The rows that late sampling marked.
    fileprivate func lateSampledRows(in rows: Range<Int>) -> [Int] {
        rows.filter { Self.value(marks, $0, default: []).contains(.lateSampled) }
    }
}
