// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// Log records that belong to a trace.
extension NativeAPI {
    /// The records of a trace or of one of its spans by time, as OTLP JSON has them, with the resources and scopes that they
    /// need, each of those once. Empty when there is none, whether or not the trace has spans.
    static func logs(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let id = try call.traceID()
        let limit = try call.limit(atMost: LogRecordList.countMax, usual: 1000)
        var span: SpanID?
        if let text = call.request.query("span"), !text.isEmpty {
            guard let found = SpanID(hex: text), found.isValid else {
                throw .invalid("span", "\(APICall.shown(text)) is no span id: expected 1 to 16 hexadecimal digits.")
            }
            span = found
        }
        let wanted = span
        let list = try await api.ask(call) { _ throws(StoreError) in
            guard let logs = api.logRecords else { return LogRecordList() }
            return try await logs.logRecords(ofTrace: id, span: wanted, limit: limit)
        }
        let rows = list.batch.rows
        let otlp = OTLP.JSONEncoder(rows)
        var room = AnswerRoom(api.answers, remedy: "lower limit, or ask for the logs of one span")
        try room.hold(source: rows.byteCount)
        var response = try APIResponse.json(capacity: 1024 + rows.count * 512) { json throws(APIError) in
            try json.object { json throws(APIError) in
                json.member("traceId", id)
                json.array("resources") { json in
                    for row in 0..<rows.resources.count { otlp.writeResource(row, withSchemaURL: true, to: &json) }
                }
                json.array("scopes") { json in
                    for row in 0..<rows.scopes.count { otlp.writeScope(row, withSchemaURL: true, to: &json) }
                }
                try json.array("logs") { json throws(APIError) in
                    for row in 0..<rows.count {
                        json.object { json in
                            json.member("resource", Int(rows.resourceRows[row]))
                            json.member("scope", Int(rows.scopeRows[row]))
                            json.key("logRecord")
                            otlp.writeLogRecord(row, to: &json)
                        }
                        try room.hold(json.count)
                    }
                }
                json.member("truncated", list.isCut)
            }
        }
        response.memory = room.memory
        return response
    }
}
