// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Writes the files in `rollups/`.
struct RollupFiles: Sendable {
    let disk: any Disk
    let folder: StoreFolder
    let cache: PartCache

    /// How an error begins.
    static let failing = "sums of spans cannot be written"

    /// Where a rollup is while it is being written.
    func temporary(_ id: BlockID) -> String { folder.rollup(id) + StoreFolder.temporarySuffix }

    /// Writes and syncs the rollup of `id` under its temporary name.
    func write(_ id: BlockID, _ rollup: Rollup, received: ClosedRange<UInt64>) throws(StoreError) {
        try write(id, keepsMinutes: true) { writer throws(StoreError) in
            try writer.append(rollup.cells)
            return (rollup.table, received)
        }
    }

    /// Writes and syncs, under its temporary name, the sum of `inputs` and `difference`.
    ///
    /// Goes minute by minute: memory is that of a minute's cells, and of a chunk of each input. Where an input has only
    /// hours, the sum has, too.
    func write(
        _ id: BlockID,
        sumOf inputs: [StoredRollup],
        _ difference: Rollup = Rollup(),
        keepsMinutes: Bool = true,
        maskedPeers: Set<ExactText> = []
    ) throws(StoreError) {
        let keepsMinutes = keepsMinutes && !inputs.contains { $0.footer.hasOnlyHours }
        try write(id, keepsMinutes: keepsMinutes) { writer throws(StoreError) in
            var sum = RollupSum()
            var cursors: [RollupCursor] = []
            for input in inputs {
                let table = try input.table().masking(peers: maskedPeers)
                cursors.append(try RollupCursor(input, series: sum.numbers.add(table)))
            }
            cursors.append(RollupCursor(difference, series: sum.numbers.add(difference.table)))
            while let minute = cursors.compactMap(\.minute).min() {
                for index in cursors.indices { try cursors[index].take(minute, into: &sum.table) }
                try writer.append(sum.table.take())
            }
            let least = inputs.map(\.footer.receivedMin).min() ?? 0
            return (sum.numbers.table, least...(inputs.map(\.footer.receivedMax).max() ?? least))
        }
    }

    private func write(
        _ id: BlockID,
        keepsMinutes: Bool,
        _ body: (inout RollupWriter) throws(StoreError) -> (Rollup.Table, ClosedRange<UInt64>)
    ) throws(StoreError) {
        let temporary = temporary(id)
        try? disk.remove(temporary)
        do throws(StoreError) {
            let file = try Sealer.orFailure(RollupFiles.failing) { () throws(DiskError) in
                try disk.open(temporary, .create)
            }
            // Some hundred bytes in a write would cost more than all else.
            let buffer = SinkBuffer(file)
            var writer = try RollupWriter(keepsMinutes: keepsMinutes) { bytes throws(StoreError) in
                try buffer.append(bytes)
            }
            let (table, received) = try body(&writer)
            try writer.finish(table: table, received: received)
            try buffer.flush()
            try Sealer.orFailure(RollupFiles.failing) { () throws(DiskError) in try file.sync() }
        } catch {
            try? disk.remove(temporary)
            throw error
        }
    }

    /// Gives a rollup its name, for good.
    func publish(_ id: BlockID) throws(DiskError) {
        try disk.rename(temporary(id), to: folder.rollup(id))
        try disk.syncDirectory(folder.rollups)
    }

    /// Puts a rollup in which these names of what was called are masked in the place of one, for good.
    func mask(_ peers: Set<ExactText>, in rollup: StoredRollup) throws(StoreError) {
        try write(rollup.id, sumOf: [rollup], maskedPeers: peers)
        try Sealer.orFailure(RollupFiles.failing) { () throws(DiskError) in try publish(rollup.id) }
    }

    func open(_ id: BlockID) throws(StoreError) -> StoredRollup {
        try StoredRollup(id, disk: disk, folder: folder, cache: cache)
    }

    func remove(_ id: BlockID) { try? disk.remove(folder.rollup(id)) }

    /// Writes the rollup of a block anew, from its rows.
    func remake(_ id: BlockID, of block: Block) throws(StoreError) -> StoredRollup {
        let received = min(block.footer.receivedMin, block.footer.receivedMax)...block.footer.receivedMax
        try write(id, try BlockRollup.count(block), received: received)
        try Sealer.orFailure(RollupFiles.failing) { () throws(DiskError) in try publish(id) }
        return try open(id)
    }
}

/// Bytes on their way to a file.
private final class SinkBuffer {
    private let file: any DiskFile
    private var bytes = ByteWriter(capacity: 1 << 16)

    init(_ file: any DiskFile) { self.file = file }

    func append(_ more: UnsafeRawBufferPointer) throws(StoreError) {
        bytes.append(more)
        if bytes.count >= 1 << 18 { try flush() }
    }

    func flush() throws(StoreError) {
        guard bytes.count > 0 else { return }
        try Sealer.orFailure(RollupFiles.failing) { () throws(DiskError) in try file.append(bytes.bytes) }
        bytes.removeAll()
    }
}

/// Goes through a rollup's cells minute by minute.
private struct RollupCursor {
    private let source: StoredRollup?
    private let series: [UInt32]
    private var cells = Rollup.Cells()
    private var next = 0
    private var nextPart = 0

    init(_ source: StoredRollup, series: [UInt32]) throws(StoreError) {
        self.source = source
        self.series = series
        try advance()
    }

    init(_ rollup: Rollup, series: [UInt32]) {
        source = nil
        self.series = series
        cells = rollup.cells
    }

    /// The minute that comes next; `nil` at the end.
    var minute: UInt64? { next < cells.count ? cells.minutes[next] : nil }

    /// Adds the cells of `minute`, if they are next.
    mutating func take(_ minute: UInt64, into table: inout CellTable) throws(StoreError) {
        while self.minute == minute {
            let first = next
            while next < cells.count, cells.minutes[next] == minute { next += 1 }
            table.add(cells, first..<next, series: series) { $0 }
            try advance()
        }
    }

    private mutating func advance() throws(StoreError) {
        guard let source, next == cells.count else { return }
        cells = Rollup.Cells()
        next = 0
        while cells.isEmpty, nextPart < source.footer.finest.count {
            cells = try source.cells(source.footer.finest[nextPart].address)
            nextPart += 1
        }
    }
}

/// The rollup of a block, from its rows.
enum BlockRollup {
    /// Rows read back at a time, unless one trace has more.
    private static let sectionRows = 32 << 10

    /// The names that spans of some traces give to what they call.
    static func peers(of traces: Set<TraceID>, in block: Block) throws(StoreError) -> Set<ExactText> {
        let table = try count(block) { traces.contains($0) }.table
        return Set(
            table.series.filter { $0.role == Rollup.Role.outside.rawValue && $0.second != 0 }.map {
                ExactText(table.operations[Int($0.second)])
            }
        )
    }

    /// Counts the rows of the traces in `block` that `isCounted`: each entry of a trace by itself, copies left out.
    static func count(_ block: Block, isCounted: (TraceID) -> Bool = { _ in true }) throws(StoreError) -> Rollup {
        let block = block.uncached
        var counter = RollupCounter()
        var tables = BlockTables()
        var order = RowOrder(sources: [], traces: [])
        // Rows whose traces are in the order.
        var first = 0
        var end = 0
        func flush() throws(StoreError) {
            guard !order.traces.isEmpty else {
                first = end
                return
            }
            let batch = try block.batch(rows: first..<end, columns: .attributes)
            counter.add(try BlockSection([batch], order, tables: &tables), tables)
            order.traces.removeAll()
            order.sources.removeAll()
            first = end
        }
        for (index, group) in block.footer.groups.enumerated() where group.traceRow == group.firstRow {
            let traces = try block.traces(inGroup: index)
            for number in 0..<traces.count {
                let entry = traces[number]
                guard entry.rows.lowerBound == end, entry.rows.upperBound <= block.footer.spanCount else {
                    throw block.reader.corrupt("the table of traces has a gap", at: group.offset)
                }
                if entry.rows.upperBound - first > sectionRows { try flush() }
                if isCounted(entry.id) {
                    order.traces.append(RowOrder.Trace(id: entry.id, rowCount: UInt32(entry.rows.count)))
                    order.sources += entry.rows.map { RowOrder.Source(batch: 0, row: UInt32($0 - first)) }
                }
                end = entry.rows.upperBound
            }
        }
        try flush()
        return counter.take()
    }
}
