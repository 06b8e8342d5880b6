// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// A column of any kind, for work that goes through all of them.
enum AnyColumn {
    /// A chunk whose bytes are the column.
    case bytes(ChunkAddress)
    case numbers(NumberColumn)
    case texts(TextColumn)

    /// The chunks that hold it; none when the directory says it all.
    var chunks: [ChunkAddress] {
        switch self {
        case .bytes(let chunk): [chunk]
        case .numbers(let column): column.encoding == .constant ? [] : [column.chunk]
        case .texts(let column):
            switch column.encoding {
            case .empty: []
            case .ints, .doubles: Self.numbers(column.numbers).chunks
            case .dictionary, .recency: [column.dictionary] + Self.numbers(column.numbers).chunks
            }
        }
    }

    /// How it is stored, in a word.
    var encoding: String {
        switch self {
        case .bytes: "bytes"
        case .numbers(let column): column.encoding.word
        case .texts(let column):
            switch column.encoding {
            case .empty: "empty"
            case .dictionary: "dictionary"
            case .recency: "recency"
            case .ints: "ints " + column.numbers.encoding.word
            case .doubles: "doubles " + column.numbers.encoding.word
            }
        }
    }
}

extension NumberEncoding {
    /// The encoding in a word.
    fileprivate var word: String {
        switch self {
        case .constant: "constant"
        case .fixed1: "1 byte"
        case .fixed2: "2 bytes"
        case .fixed4: "4 bytes"
        case .fixed8: "8 bytes"
        case .varint: "varint"
        }
    }
}

extension GroupDirectory {
    /// The columns but for attributes, under the names of `docs/format.md`, in the order in which they lie in the file.
    var columns: [(name: String, column: AnyColumn)] {
        var all: [(name: String, column: AnyColumn)] = [
            ("trace: id", .bytes(traceIDs)), ("trace: rows", .numbers(traceRowCounts)),
            ("trace: start", .numbers(traceStarts)), ("trace: duration", .numbers(traceDurations)),
            ("trace: root", .numbers(traceRoots)), ("trace: errors", .numbers(traceErrors)),
            ("trace: flags", .numbers(traceFlags)),
            ("span id", .numbers(spanIDs)), ("parent", .numbers(parents)), ("parent: id", .numbers(missingParents)),
            ("start", .numbers(starts)), ("duration", .numbers(durations)), ("kind", .numbers(kinds)),
            ("status code", .numbers(statuses)), ("name", .texts(names)), ("resource", .numbers(resources)),
            ("scope", .numbers(scopes)), ("flags", .numbers(flags)), ("status message", .texts(statusMessages)),
            ("trace state", .texts(traceStates)), ("dropped attributes", .numbers(droppedAttributes)),
            ("dropped events", .numbers(droppedEvents)), ("dropped links", .numbers(droppedLinks)),
            ("weight", .numbers(weights)), ("marks", .numbers(marks)), ("tree: order", .numbers(orders)),
            ("tree: descendants", .numbers(descendants)),
        ]
        if eventCount > 0 {
            all += [
                ("event: count", .numbers(eventCounts)), ("event: time", .numbers(eventTimes)),
                ("event: name", .texts(eventNames)), ("event: dropped attributes", .numbers(eventDroppedAttributes)),
            ]
        }
        if linkCount > 0 {
            all += [
                ("link: count", .numbers(linkCounts)), ("link: trace id, high", .numbers(linkTraceHighs)),
                ("link: trace id, low", .numbers(linkTraceLows)), ("link: span id", .numbers(linkSpanIDs)),
                ("link: trace state", .texts(linkTraceStates)), ("link: flags", .numbers(linkFlags)),
                ("link: dropped attributes", .numbers(linkDroppedAttributes)),
            ]
        }
        return all
    }

    /// Bytes of all columns, unpacked.
    var rawByteCount: Int {
        var count = 0
        func add(_ column: AnyColumn) { for chunk in column.chunks { count += chunk.rawCount } }
        for (_, column) in columns { add(column) }
        for (_, table) in attributeTables {
            for column in table.shapeColumns { add(column) }
            for column in table.columns { add(.texts(column)) }
        }
        return count
    }

    /// The attributes of spans, events and links.
    var attributeTables: [(owner: String, table: AttributeColumns)] {
        [("span", attributes), ("event", eventAttributes), ("link", linkAttributes)]
    }
}

extension AttributeColumns {
    /// What says which owner has which keys.
    var shapeColumns: [AnyColumn] { shapeCount == 0 ? [] : [.bytes(shapes), .numbers(shapeNumbers)] }
}
