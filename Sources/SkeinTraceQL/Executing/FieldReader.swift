// SPDX-License-Identifier: Apache-2.0
import SkeinModel
package import SkeinStore

/// Reads the fields of a list from the rows of a table, a column when it is first asked for.
final class FieldReader {
    private let table: any SpanTable
    private let fields: [Field]
    private var sources: [Source?]
    private var traceOfRow: [Int32] = []
    private var knownTraces: [TableTrace]?
    private var knownChildCounts: [Int64]?
    private var knownDepths: [UInt32]?
    private var children: (rows: Range<Int>, batch: SpanBatch)?

    /// Where a field's values come from.
    private indirect enum Source {
        case column(FieldColumn)
        case status(FieldColumn)
        case kind(FieldColumn)
        case duration([UInt64])
        case traceDuration
        case rootText(FieldColumn)
        case childCount
        case nestedSet(Intrinsic)
        case parent(Source)
        case event(EventField)
        case link(LinkField)
    }

    private enum EventField { case name, time, attribute(String) }
    private enum LinkField { case traceID, spanID, attribute(String) }

    /// An event and a link of the row at hand, whose fields are asked for.
    struct Children {
        var event: Int?
        var link: Int?

        static let none = Children()
    }

    init(_ table: any SpanTable, _ fields: [Field]) {
        self.table = table
        self.fields = fields
        sources = [Source?](repeating: nil, count: fields.count)
    }

    /// The value of a field. Of events and links the first that has one speaks for all.
    func value(_ place: Int, row: Int) throws(StoreError) -> Value {
        let (isOfEvents, isOfLinks) = (fields[place].isOfEvents, fields[place].isOfLinks)
        guard isOfEvents || isOfLinks else { return try value(place, row: row, .none) }
        let (events, links) = try children(of: row)
        for child in isOfEvents ? events : links {
            let value = try value(place, row: row, isOfEvents ? Children(event: child) : Children(link: child))
            if value != .none { return value }
        }
        return .none
    }

    /// The value of a field, of this event or link when it is one of those.
    func value(_ place: Int, row: Int, _ children: Children) throws(StoreError) -> Value {
        let source: Source
        if let known = sources[place] {
            source = known
        } else {
            source = try self.source(of: fields[place])
            sources[place] = source
        }
        return try value(source, row, children)
    }

    /// The column of a field that has one and is read as it is stored; `nil` for others.
    func column(_ place: Int) throws(StoreError) -> FieldColumn? {
        guard let field = fields[place].column else { return nil }
        switch field {
        case .status, .kind, .duration: return nil
        default: return try table.column(field)
        }
    }

    // MARK: Events and links

    /// The events and links of a row, as ranges of a batch's tables.
    func children(of row: Int) throws(StoreError) -> (events: Range<Int>, links: Range<Int>) {
        let batch = try childBatch(row)
        return (batch.batch.events.range(of: batch.row), batch.batch.links.range(of: batch.row))
    }

    /// A batch that holds the row with its events and links: that of the row's whole trace, since its rows are asked for
    /// one after the other.
    private func childBatch(_ row: Int) throws(StoreError) -> (batch: SpanBatch, row: Int) {
        if let children, children.rows.contains(row) {
            return (children.batch, row - children.rows.lowerBound)
        }
        let rows = row..<min(table.rowCount, row + 256)
        let batch = try table.batch(rows: rows, columns: [.events, .links])
        children = (rows, batch)
        return (batch, row - rows.lowerBound)
    }

    // MARK: Sources

    private func source(of field: Field) throws(StoreError) -> Source {
        switch field {
        case .parentAttribute(let scope, let key): return .parent(try source(of: .attribute(scope, key)))
        case .parentIntrinsic(let intrinsic): return .parent(try source(of: .intrinsic(intrinsic)))
        case .attribute(.event, let key): return .event(.attribute(key))
        case .attribute(.link, let key): return .link(.attribute(key))
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .duration: return .duration(try table.durations())
            case .traceDuration: return .traceDuration
            case .rootName: return .rootText(try table.column(.name))
            case .rootServiceName: return .rootText(try table.column(.serviceName))
            case .childCount: return .childCount
            case .nestedSetLeft, .nestedSetRight, .nestedSetParent: return .nestedSet(intrinsic)
            case .eventName: return .event(.name)
            case .eventTime: return .event(.time)
            case .linkTraceID: return .link(.traceID)
            case .linkSpanID: return .link(.spanID)
            case .parent: return .column(try table.column(.parentSpanID))
            case .status: return .status(try table.column(.status))
            case .kind: return .kind(try table.column(.kind))
            default: break
            }
        default: break
        }
        guard let column = field.column else { return .column(.none) }
        return .column(try table.column(column))
    }

    private func value(_ source: Source, _ row: Int, _ children: Children) throws(StoreError) -> Value {
        switch source {
        case .column(let column): return Value(column[row])
        case .status(let column):
            guard case .string(let word)? = column[row] else { return .none }
            return StatusWord(rawValue: word).map { .status($0) } ?? .none
        case .kind(let column):
            guard case .string(let word)? = column[row] else { return .none }
            return KindWord(rawValue: word).map { .kind($0) } ?? .none
        case .duration(let nanos): return .duration(Int64(clamping: nanos[row]))
        case .traceDuration: return .duration(Int64(clamping: try trace(of: row).durationNanos))
        case .rootText(let column):
            guard let root = try trace(of: row).rootRow else { return .string("") }
            return Value(column[root])
        case .childCount: return .int(try childCounts()[row])
        case .nestedSet(let intrinsic): return .int(try nestedSet(intrinsic, row))
        case .parent(let source):
            let parent = try table.forest().parents[row]
            return parent < 0 ? .none : try value(source, Int(parent), .none)
        case .event(let field):
            guard let event = children.event else { return .none }
            let (batch, local) = try childBatch(row)
            switch field {
            case .name: return .string(batch.dictionary.string(batch.events.nameRefs[event]))
            case .time:
                let (nanos, isBefore) = batch.events.timeUnixNanos[event]
                    .subtractingReportingOverflow(batch.startUnixNanos[local])
                return .duration(isBefore ? Int64(bitPattern: nanos) : Int64(clamping: nanos))
            case .attribute(let key): return Self.attribute(key, event, batch.events.attributes, batch)
            }
        case .link(let field):
            guard let link = children.link else { return .none }
            let batch = try childBatch(row).batch
            switch field {
            case .traceID: return .string(batch.links.traceIDs[link].description)
            case .spanID: return .string(batch.links.spanIDs[link].description)
            case .attribute(let key): return Self.attribute(key, link, batch.links.attributes, batch)
            }
        }
    }

    private static func attribute(
        _ key: String,
        _ owner: Int,
        _ table: SpanBatch.AttributeTable,
        _ batch: SpanBatch
    ) -> Value {
        for pair in table.range(of: owner) {
            let isNamed = batch.dictionary.withBytes(table.keyRefs[pair]) { $0.elementsEqual(key.utf8) }
            if isNamed { return Value(batch.dictionary.value(table.valueRefs[pair])) }
        }
        return .none
    }

    // MARK: Traces and trees

    private func trace(of row: Int) throws(StoreError) -> TableTrace {
        let traces: [TableTrace]
        if let knownTraces {
            traces = knownTraces
        } else {
            traces = try table.traces()
            knownTraces = traces
            traceOfRow = [Int32](repeating: 0, count: table.rowCount)
            for (number, trace) in traces.enumerated() {
                for row in trace.rows { traceOfRow[row] = Int32(truncatingIfNeeded: number) }
            }
        }
        return traces[Int(traceOfRow[row])]
    }

    private func childCounts() throws(StoreError) -> [Int64] {
        if let knownChildCounts { return knownChildCounts }
        var counts = [Int64](repeating: 0, count: table.rowCount)
        for parent in try table.forest().parents where parent >= 0 { counts[Int(parent)] += 1 }
        knownChildCounts = counts
        return counts
    }

    /// Numbers as a walk gives them that counts every time it comes to a span and every time it leaves one, from 1 on; a
    /// root's parent is -1.
    private func nestedSet(_ intrinsic: Intrinsic, _ row: Int) throws(StoreError) -> Int64 {
        let forest = try table.forest()
        let depths: [UInt32]
        if let knownDepths {
            depths = knownDepths
        } else {
            depths = forest.depths()
            knownDepths = depths
        }
        func left(_ row: Int) -> Int64 { 2 * Int64(forest.orders[row]) - Int64(depths[row]) + 1 }
        switch intrinsic {
        case .nestedSetLeft: return left(row)
        case .nestedSetRight: return left(row) + 2 * Int64(forest.descendantCounts[row]) + 1
        default:
            let parent = forest.parents[row]
            return parent < 0 ? -1 : left(Int(parent))
        }
    }
}

extension Field {
    /// The stored field that a table has a column of; `nil` for what is worked out of several rows and what events and
    /// links say.
    package var column: SpanField? {
        switch self {
        case .attribute(.resource, "service.name"): return .serviceName
        case .attribute(.event, _), .attribute(.link, _): return nil
        case .attribute(let scope, let key): return .attribute(scope, key)
        case .parentAttribute, .parentIntrinsic: return nil
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .duration: return .duration
            case .name: return .name
            case .status: return .status
            case .statusMessage: return .statusMessage
            case .kind: return .kind
            case .spanID: return .spanID
            case .parentID: return .parentSpanID
            case .traceID: return .traceID
            case .scopeName: return .scopeName
            case .scopeVersion: return .scopeVersion
            default: return nil
            }
        }
    }

    var isOfEvents: Bool {
        switch self {
        case .attribute(.event, _), .intrinsic(.eventName), .intrinsic(.eventTime): true
        default: false
        }
    }

    var isOfLinks: Bool {
        switch self {
        case .attribute(.link, _), .intrinsic(.linkTraceID), .intrinsic(.linkSpanID): true
        default: false
        }
    }

    /// Whether it is worked out of more of the trace than one span.
    var needsWholeTrace: Bool {
        switch self {
        case .parentAttribute, .parentIntrinsic: return true
        case .attribute: return false
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .childCount, .traceDuration, .rootName, .rootServiceName, .nestedSetLeft, .nestedSetRight,
                .nestedSetParent:
                return true
            default: return false
            }
        }
    }

    /// The columns to read it from that may be left out of a batch.
    var columns: SpanColumns {
        switch self {
        case .attribute(.resource, "service.name"): return .fixed
        case .attribute(.any, _): return [.attributes, .details]
        case .attribute(.span, _): return .attributes
        case .attribute(.resource, _), .attribute(.instrumentation, _): return .details
        case .attribute(.event, _): return .events
        case .attribute(.link, _): return .links
        case .parentAttribute(let scope, let key): return Field.attribute(scope, key).columns
        case .parentIntrinsic(let intrinsic): return Field.intrinsic(intrinsic).columns
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .statusMessage, .scopeName, .scopeVersion: return .details
            case .eventName, .eventTime: return .events
            case .linkTraceID, .linkSpanID: return .links
            default: return .fixed
            }
        }
    }
}
