// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// The stored rows of one trace, found by their order or their ids from key columns alone and then read a few at a time.
///
/// A block's part of a trace is in the order of the trace, so the rows after a place are found by skipping the row groups
/// before it; the head's rows are all looked at. Memory is that of the keys asked for and of one row group.
struct TraceRows: Sendable {
    let trace: StoredTrace
    /// Place of the first row of each piece, those of blocks first, and behind them the number of all rows.
    private let firstPlaces: [Int]

    init(_ trace: StoredTrace) {
        self.trace = trace
        var places = [0]
        for piece in trace.blockPieces { places.append((places.last ?? 0) + piece.entry.rows.count) }
        for piece in trace.headPieces { places.append((places.last ?? 0) + piece.rows.count) }
        firstPlaces = places
    }

    /// The first `limit` rows after `cursor` of those that count, in the order of the trace.
    func keys(
        after cursor: SpanCursor?,
        counting: RowSet,
        limit: Int,
        _ cancellation: Cancellation
    ) throws(StoreError) -> [RowKey] {
        var first = FirstKeys(limit: limit)
        // Those that begin early first: the others then are mostly passed over.
        let pieces = trace.blockPieces.indices.sorted {
            trace.blockPieces[$0].entry.startUnixNanos < trace.blockPieces[$1].entry.startUnixNanos
        }
        for number in pieces {
            let piece = trace.blockPieces[number]
            let block = piece.block.block
            var place = firstPlaces[number]
            var found = 0
            try block.forEachGroup(of: piece.entry.rows) { index, rows throws(StoreError) in
                try cancellation.check()
                let start = block.footer.groups[index].start
                defer { place += rows.count }
                if let cursor, start.upperBound < cursor.startUnixNanos { return true }
                if first.isBehind(start.lowerBound) { return false }
                for key in try block.keys(inGroup: index, rows: rows, place: place)
                where key.comes(after: cursor) && counting[key.place] {
                    guard found < limit, first.add(key) else { return false }
                    found += 1
                }
                return true
            }
        }
        for (number, piece) in trace.headPieces.enumerated() {
            try cancellation.check()
            let place = firstPlaces[trace.blockPieces.count + number]
            for (offset, row) in piece.rows.enumerated() where counting[place + offset] {
                let key = piece.batch.key(row, place: place + offset)
                if key.comes(after: cursor) { _ = first.add(key) }
            }
        }
        return first.finish()
    }

    /// The rows with these span ids that count, in the order of the trace.
    func keys(withIDs ids: Set<SpanID>, _ cancellation: Cancellation) throws(StoreError) -> [RowKey] {
        var best: [RowKey] = []
        var places: [SpanID: [Int]] = [:]
        func add(_ key: RowKey) {
            if let known = places[SpanID(key.spanID)]?.first(where: { best[$0].isCopy(of: key) }) {
                if key.counts(before: best[known]) { best[known] = key }
            } else {
                places[SpanID(key.spanID), default: []].append(best.count)
                best.append(key)
            }
        }
        let wanted = IDFilter(ids)
        for (number, piece) in trace.blockPieces.enumerated() {
            let block = piece.block.block
            let scanned = block.uncached
            var place = firstPlaces[number]
            try scanned.forEachGroup(of: piece.entry.rows) { index, rows throws(StoreError) in
                try cancellation.check()
                let spanIDs = try scanned.reader.numbers(try scanned.directory(ofGroup: index).spanIDs)
                if rows.contains(where: { wanted.mayContain(spanIDs[$0]) && ids.contains(SpanID(spanIDs[$0])) }) {
                    for key in try block.keys(inGroup: index, rows: rows, place: place)
                    where ids.contains(SpanID(key.spanID)) { add(key) }
                }
                place += rows.count
                return true
            }
        }
        for (number, piece) in trace.headPieces.enumerated() {
            try cancellation.check()
            let place = firstPlaces[trace.blockPieces.count + number]
            for (offset, row) in piece.rows.enumerated()
            where wanted.mayContain(piece.batch.spanIDs[row].rawValue) && ids.contains(piece.batch.spanIDs[row]) {
                add(piece.batch.key(row, place: place + offset))
            }
        }
        return best.sorted(by: <)
    }

    /// Reads the rows of `keys`, in their order, until what was read takes `byteCountMax` bytes. Returns how many were.
    /// `memory`, when given, holds what was read, as it grows and as it is handed out, with `others` bytes beside.
    func read(
        _ keys: ArraySlice<RowKey>,
        _ columns: SpanColumns,
        byteCountMax: Int,
        into gathered: inout GatheredRows,
        _ cancellation: Cancellation,
        _ memory: HeldMemory? = nil,
        others: Int = 0
    ) throws(StoreError) -> Int {
        // Without texts of attributes and events a row is small.
        let stepCount = columns.isEmpty ? 4_096 : 512
        var next = keys.startIndex
        while next < keys.endIndex {
            try cancellation.check()
            let step = keys[next..<min(keys.endIndex, next + stepCount)]
            let sources = try blockRows(of: step, columns)
            for key in step {
                let piece = piece(ofPlace: key.place)
                if piece < trace.blockPieces.count {
                    sources.append(place: key.place, to: &gathered)
                } else {
                    let head = trace.headPieces[piece - trace.blockPieces.count]
                    gathered.append(head.rows[key.place - firstPlaces[piece]], of: head.batch, piece: piece, columns)
                }
                next += 1
                guard !gathered.builder.isFull else { throw .tooMuchText }
                if gathered.builder.byteCount >= byteCountMax { return next - keys.startIndex }
            }
            try memory?.holdForRead(others + ReadCost.window + 2 * gathered.builder.byteCount)
        }
        return keys.count
    }

    private func piece(ofPlace place: Int) -> Int {
        var low = 0
        var high = firstPlaces.count - 2
        while low < high {
            let middle = (low + high + 1) / 2
            if firstPlaces[middle] <= place { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Reads what lies in blocks, rows that are close to each other at once.
    private func blockRows(of keys: ArraySlice<RowKey>, _ columns: SpanColumns) throws(StoreError) -> BlockRows {
        var wanted: [Int: [(row: Int, place: Int)]] = [:]
        for key in keys {
            let piece = piece(ofPlace: key.place)
            guard piece < trace.blockPieces.count else { continue }
            let row = trace.blockPieces[piece].entry.rows.lowerBound + key.place - firstPlaces[piece]
            wanted[piece, default: []].append((row, key.place))
        }
        var read = BlockRows()
        for (piece, rows) in wanted {
            let block = trace.blockPieces[piece].block.block
            let rows = rows.sorted { $0.row < $1.row }
            var first = 0
            for index in rows.indices {
                let isLast = index + 1 == rows.count
                guard isLast || rows[index + 1].row - rows[index].row > BlockRows.gapMax else { continue }
                let run = rows[first].row..<(rows[index].row + 1)
                try read.add(run, of: block, places: rows[first...index], columns)
                first = index + 1
            }
        }
        return read
    }
}

/// The first keys of many, by the order of a trace.
private struct FirstKeys {
    private let limit: Int
    private var keys: [RowKey] = []
    /// No key behind it is among the first; `nil` while there are fewer than the limit.
    private var last: RowKey?

    init(limit: Int) { self.limit = limit }

    /// Whether all that starts at `moment` or later lies behind the first.
    func isBehind(_ moment: UInt64) -> Bool { last.map { $0.startUnixNanos < moment } ?? false }

    /// Adds a key. Returns false when it lies behind the first.
    mutating func add(_ key: RowKey) -> Bool {
        if let last, last < key { return false }
        keys.append(key)
        if keys.count >= 2 * limit + 1_024 { trim() }
        return true
    }

    private mutating func trim() {
        keys.sort(by: <)
        guard keys.count >= limit else { return }
        keys.removeSubrange(limit...)
        last = keys.last
    }

    mutating func finish() -> [RowKey] {
        trim()
        return keys
    }
}

/// Says quickly of most ids that they are not among some.
private struct IDFilter {
    private var bits = [UInt64](repeating: 0, count: 256)

    init(_ ids: Set<SpanID>) {
        for id in ids { bits[Self.word(id.rawValue)] |= Self.bit(id.rawValue) }
    }

    func mayContain(_ id: UInt64) -> Bool { bits[Self.word(id)] & Self.bit(id) != 0 }

    private static func word(_ id: UInt64) -> Int { Int(truncatingIfNeeded: id >> 6) & 255 }
    private static func bit(_ id: UInt64) -> UInt64 { 1 << (id & 63) }
}

/// Rows of blocks that were read.
private struct BlockRows {
    /// Rows between two that are wanted are read with them when they are not more.
    static let gapMax = 8

    /// Rows that were read at once. A class, since a merger is changed where it is at every row.
    private final class Run {
        var merger: SpanBatchMerger
        let counts: Block.ChildCounts

        init(_ batch: SpanBatch, _ counts: Block.ChildCounts) {
            merger = SpanBatchMerger(from: batch)
            self.counts = counts
        }
    }

    /// By place, the run and the row of it.
    private var sources: [Int: (run: Run, row: Int)] = [:]

    /// Reads rows `rows` of `block`; `places` says where in the trace those of them are that are wanted.
    mutating func add(
        _ rows: Range<Int>,
        of block: Block,
        places: some Sequence<(row: Int, place: Int)>,
        _ columns: SpanColumns
    ) throws(StoreError) {
        let batch = try block.batch(rows: rows, columns: columns)
        let run = Run(batch, try block.childCounts(rows: rows))
        for (row, place) in places { sources[place] = (run, row - rows.lowerBound) }
    }

    /// Appends the row with the place `place`, which must have been read.
    func append(place: Int, to gathered: inout GatheredRows) {
        guard let (run, row) = sources[place] else { preconditionFailure("a row was not read") }
        run.merger.append(row, to: &gathered.builder)
        gathered.eventCounts.append(run.counts.events[row])
        gathered.linkCounts.append(run.counts.links[row])
    }
}

/// Rows of a trace on their way into one batch.
struct GatheredRows: ~Copyable {
    fileprivate(set) var builder = SpanBatchBuilder()
    fileprivate(set) var eventCounts: [UInt32] = []
    fileprivate(set) var linkCounts: [UInt32] = []
    /// By piece of the head.
    private var mergers: [Int: SpanBatchMerger] = [:]

    init() {}

    fileprivate mutating func append(_ row: Int, of batch: SpanBatch, piece: Int, _ columns: SpanColumns) {
        if mergers[piece] == nil { mergers[piece] = SpanBatchMerger(from: batch.narrowed(to: columns)) }
        mergers[piece]?.append(row, to: &builder)
        eventCounts.append(UInt32(clamping: batch.events.range(of: row).count))
        linkCounts.append(UInt32(clamping: batch.links.range(of: row).count))
    }

    /// The batch. Nothing may be gathered afterwards.
    mutating func finish(receivedUnixNanos: UInt64) -> SpanBatch {
        mergers = [:]
        return builder.finish(receivedUnixNanos: receivedUnixNanos)
    }
}

extension Block {
    /// How many events and links the rows of a block have.
    struct ChildCounts {
        var events: [UInt32] = []
        var links: [UInt32] = []
    }

    /// The events and links of rows `rows` of the block.
    func childCounts(rows: Range<Int>) throws(StoreError) -> ChildCounts {
        var counts = ChildCounts()
        try forEachGroup(of: rows) { index, rows throws(StoreError) in
            let directory = try directory(ofGroup: index)
            if directory.eventCount > 0 {
                let numbers = try reader.numbers(directory.eventCounts)
                for row in rows { counts.events.append(UInt32(clamping: numbers[row])) }
            } else {
                counts.events.append(contentsOf: repeatElement(0, count: rows.count))
            }
            if directory.linkCount > 0 {
                let numbers = try reader.numbers(directory.linkCounts)
                for row in rows { counts.links.append(UInt32(clamping: numbers[row])) }
            } else {
                counts.links.append(contentsOf: repeatElement(0, count: rows.count))
            }
            return true
        }
        return counts
    }
}
