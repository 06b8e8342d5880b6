// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// For what the own time of each row is spent, where the path goes through it.
struct PathNatures {
    /// For each row what it, or the nearest above it in its session, does.
    private var natures: [Nature]
    private let holders: [SessionHolder]
    /// For each session the times between attempts, in order, none overlapping.
    private var pauses: [[RetryTable.Pause]]
    /// For each call that has some the times between its rounds, in order, none overlapping.
    private var waits: [Int: [ToolCallTable.RoundWait]] = [:]
    private let callOfRow: [Int]
    private let sessionOfRow: [Int]

    private enum Nature {
        case plain
        case known(Orchestration.TimeClass)
        /// In a call or step that starts sessions; its place among the holders.
        case holder(Int)
    }

    init(
        _ forest: AgentForest,
        _ table: SessionTable,
        _ steps: SessionSteps,
        _ calls: ToolCallTable,
        _ ledger: UsageLedger,
        _ retries: RetryTable
    ) {
        holders = SessionHolder.all(forest, table, steps, calls)
        sessionOfRow = table.sessionOfRow
        callOfRow = calls.callOfRow
        natures = [Nature](repeating: .plain, count: forest.count)
        var holderOfRow: [Int: Int] = [:]
        for (place, holder) in holders.enumerated() { holderOfRow[holder.row] = place }
        for row in forest.order {
            let parent = forest.parents[row]
            if parent >= 0, sessionOfRow[parent] == sessionOfRow[row] { natures[row] = natures[parent] }
            let call = calls.callOfRow[row]
            if let place = holderOfRow[row] {
                natures[row] = .holder(place)
            } else if let timeClass = forest.spans[row].timeClass(isModelCall: ledger.isModelCall[row]) {
                natures[row] = .known(timeClass)
            } else if call >= 0, calls.calls[call].row == row, !calls.calls[call].holdsSessions {
                natures[row] = .known(.tool)
            }
        }
        for var wait in calls.roundWaits {
            wait.start = max(wait.start, waits[wait.call]?.last?.end ?? 0)
            if wait.start < wait.end { waits[wait.call, default: []].append(wait) }
        }
        pauses = [[RetryTable.Pause]](repeating: [], count: table.entries.count)
        for pause in retries.pauses {
            let last = pauses[pause.session].count - 1
            if last >= 0, pauses[pause.session][last].end >= pause.start {
                pauses[pause.session][last].end = max(pauses[pause.session][last].end, pause.end)
            } else {
                pauses[pause.session].append(pause)
            }
        }
    }

    /// The pieces of one class of a part of the own time of `row`. Behind `sessionEnd` it is the time from the end of `passer` to
    /// the start of who got its control.
    func split(
        _ part: some PathTime,
        of row: Int,
        sessionEnd: UInt64,
        _ passer: Int,
        _ add: (AgentPath.Piece) -> Void
    ) {
        var start = part.start
        func addPiece(_ timeClass: Orchestration.TimeClass, to end: UInt64, of row: Int) {
            guard start < end else { return }
            add(.init(row: row, timeClass: timeClass, start: start, end: end, savedMax: part.savedMax))
            start = end
        }
        func addPiece(_ timeClass: Orchestration.TimeClass, to end: UInt64) { addPiece(timeClass, to: end, of: row) }
        let end = min(part.end, max(sessionEnd, part.start))
        switch natures[row] {
        case .known(let timeClass):
            let waits = timeClass == .tool ? waits[callOfRow[row]] ?? [] : []
            var place = waits.firstPlace { $0.end > start }
            while place < waits.count, waits[place].start < end {
                addPiece(timeClass, to: min(waits[place].start, end))
                addPiece(.humanWait, to: min(waits[place].end, end))
                place += 1
            }
            addPiece(timeClass, to: end)
        case .holder(let place):
            addPiece(.handoffGap, to: min(holders[place].firstStart, end))
            addPiece(.own, to: min(holders[place].lastEnd, end))
            addPiece(.returnGap, to: end)
        case .plain:
            let pauses = pauses[sessionOfRow[row]]
            var place = pauses.firstPlace { $0.end > start }
            while place < pauses.count, pauses[place].start < end {
                addPiece(.own, to: min(pauses[place].start, end))
                addPiece(.retry, to: min(pauses[place].end, end))
                place += 1
            }
            addPiece(.own, to: end)
        }
        addPiece(.handoffGap, to: part.end, of: passer)
    }
}

/// A time on the path.
protocol PathTime {
    var start: UInt64 { get }
    var end: UInt64 { get }
    var savedMax: UInt64 { get }
}
