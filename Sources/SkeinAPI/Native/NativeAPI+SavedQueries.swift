// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import SkeinTraceQL
import SkeinWire

/// Queries that people keep under a name.
extension NativeAPI {
    static func savedQueries(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let queries = api.savedQueries.all()
        return .json(capacity: 64 + queries.count * 256) { json in
            json.object { json in
                json.array("savedQueries") { json in
                    for query in queries { json.object { json in write(query, to: &json) } }
                }
                json.key("next")
                json.null()
            }
        }
    }

    /// Keeps the query of the body, which must be one, under the name in the path.
    static func saveQuery(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let body = try SavedQueryBody(call.request.body)
        guard let text = body.query else {
            throw .invalid("query", "query is missing: state the query to keep, as in {\"query\":\"error = true\"}.")
        }
        _ = try query(text, field: "query")
        let saved = SavedQuery(
            name: call.pathValues[0],
            query: text,
            description: body.description,
            savedUnixNanos: api.clock.unixNanos
        )
        do throws(StoreError) {
            try api.savedQueries.save(saved)
        } catch {
            throw APIError(error, requestID: call.requestID())
        }
        return .json { json in json.object { json in write(saved, to: &json) } }
    }

    static func removeQuery(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let name = call.pathValues[0]
        let wasThere: Bool
        do throws(StoreError) {
            wasThere = try api.savedQueries.remove(name)
        } catch {
            throw APIError(error, requestID: call.requestID())
        }
        guard wasThere else {
            throw APIError(404, "unknown-query", "No query is saved as \(APICall.shown(name)).")
        }
        return APIResponse(status: 204)
    }

    private static func write(_ query: SavedQuery, to json: inout JSONWriter) {
        json.member("name", query.name)
        json.member("query", query.query)
        json.member("description", query.description)
        json.member("savedTimeUnixNano", decimal: query.savedUnixNanos)
    }

    /// The body of a request to keep a query.
    private struct SavedQueryBody {
        private(set) var query: String?
        private(set) var description = ""
        private var unknownName: String?

        init(_ body: [UInt8]) throws(APIError) {
            do throws(WireError) {
                self = try body.withUnsafeBufferPointer { bytes throws(WireError) in
                    try SavedQueryBody(parsing: UnsafeRawBufferPointer(bytes))
                }
            } catch {
                throw APIError(400, "invalid-json", "The body is no saved query: \(error).")
            }
            if let unknownName {
                throw APICall.unknown(unknownName, "member of a saved query", known: ["query", "description"])
            }
        }

        private init(parsing bytes: UnsafeRawBufferPointer) throws(WireError) {
            var reader = JSONReader(bytes)
            try reader.openObject()
            while let key = try reader.nextKey() {
                switch key {
                case "query": query = String(decoding: try reader.readString(), as: UTF8.self)
                case "description": description = String(decoding: try reader.readString(), as: UTF8.self)
                default:
                    unknownName = unknownName ?? key.text
                    try reader.skipValue()
                }
            }
            try reader.finish()
        }
    }
}
