// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// Some spans of a trace with the resources and scopes that they need, each of those once.
struct SpanSelection {
    private let traceID: TraceID
    private let batch: SpanBatch
    private var rows: [Int] = []
    private let rest: Rest
    private var resources = Table()
    private var scopes = Table()

    /// Rows of a table of the batch, numbered in order of first use.
    private struct Table {
        var rows: [UInt32] = []
        private var places: [UInt32: Int] = [:]

        mutating func add(_ row: UInt32) {
            guard places[row] == nil else { return }
            places[row] = rows.count
            rows.append(row)
        }

        func place(of row: UInt32) -> Int { places[row] ?? 0 }
    }

    /// What is said of spans that are not among them.
    private enum Rest {
        /// Ids that were asked for and are not there.
        case missing([SpanID])
        /// How many spans there are in all, and where they go on.
        case page(traceSpanCount: Int, next: SpanCursor?)
    }

    /// The spans of these ids, in this order; of an id that several spans share, all of them.
    init(of ids: [SpanID], in batch: SpanBatch, traceID: TraceID) {
        self.traceID = traceID
        self.batch = batch
        var missing: [SpanID] = []
        var found = Dictionary(ids.map { ($0, [Int]()) }) { first, _ in first }
        for (row, id) in batch.spanIDs.enumerated() where found[id] != nil { found[id]?.append(row) }
        for id in ids {
            let rows = found[id] ?? []
            if rows.isEmpty { missing.append(id) }
            self.rows += rows
        }
        rest = .missing(missing)
        addOwners()
    }

    /// The spans of a page, in its order.
    init(of page: SpanPage, traceID: TraceID) {
        self.traceID = traceID
        batch = page.spans
        rows = Array(0..<batch.count)
        rest = .page(traceSpanCount: page.traceSpanCount, next: page.next)
        addOwners()
    }

    private mutating func addOwners() {
        for row in rows {
            resources.add(batch.resourceRows[row])
            scopes.add(batch.scopeRows[row])
        }
    }

    /// Writes the selection as one value. `check` is told the bytes written so far after each span, and may end the
    /// writing.
    func write<E: Error>(to json: inout JSONWriter, check: (Int) throws(E) -> Void) throws(E) {
        let otlp = OTLP.JSONEncoder(batch)
        try json.object { json throws(E) in
            json.member("traceId", traceID)
            if case .page(let count, _) = rest { json.member("spanCount", count) }
            json.array("resources") { json in
                for row in resources.rows { otlp.writeResource(Int(row), withSchemaURL: true, to: &json) }
            }
            json.array("scopes") { json in
                for row in scopes.rows { otlp.writeScope(Int(row), withSchemaURL: true, to: &json) }
            }
            try json.array("spans") { json throws(E) in
                for row in rows {
                    json.object { json in
                        json.member("resource", resources.place(of: batch.resourceRows[row]))
                        json.member("scope", scopes.place(of: batch.scopeRows[row]))
                        json.key("span")
                        otlp.writeSpan(row, to: &json)
                    }
                    try check(json.count)
                }
            }
            switch rest {
            case .missing(let ids):
                json.array("missing") { json in
                    for id in ids { json.id(id) }
                }
            case .page(_, let next): json.member("next", next.map { SpanCursorText.encode($0, of: traceID) })
            }
        }
    }
}
