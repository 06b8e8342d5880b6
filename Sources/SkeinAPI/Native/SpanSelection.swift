// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire

/// Some spans of a trace with the resources and scopes that they need, each of those once.
struct SpanSelection {
    private let batch: SpanBatch
    private var rows: [Int] = []
    private var missing: [SpanID] = []
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

    /// The spans of these ids, in this order; of an id that several spans share, all of them.
    init(of ids: [SpanID], in batch: SpanBatch) {
        self.batch = batch
        var found = Dictionary(ids.map { ($0, [Int]()) }) { first, _ in first }
        for (row, id) in batch.spanIDs.enumerated() where found[id] != nil { found[id]?.append(row) }
        for id in ids {
            let rows = found[id] ?? []
            if rows.isEmpty { missing.append(id) }
            self.rows += rows
        }
        for row in rows {
            resources.add(batch.resourceRows[row])
            scopes.add(batch.scopeRows[row])
        }
    }

    /// Writes the selection as one value.
    func write(to json: inout JSONWriter) {
        let otlp = OTLP.JSONEncoder(batch)
        json.object { json in
            json.member("traceId", batch.traceIDs[0])
            json.array("resources") { json in
                for row in resources.rows { otlp.writeResource(Int(row), withSchemaURL: true, to: &json) }
            }
            json.array("scopes") { json in
                for row in scopes.rows { otlp.writeScope(Int(row), withSchemaURL: true, to: &json) }
            }
            json.array("spans") { json in
                for row in rows {
                    json.object { json in
                        json.member("resource", resources.place(of: batch.resourceRows[row]))
                        json.member("scope", scopes.place(of: batch.scopeRows[row]))
                        json.key("span")
                        otlp.writeSpan(row, to: &json)
                    }
                }
            }
            json.array("missing") { json in
                for id in missing { json.id(id) }
            }
        }
    }
}
