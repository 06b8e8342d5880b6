// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

extension JaegerAPI {
    /// Shows a file of OTLP JSON as Jaeger's traces, without storing it: the page's "JSON file" upload.
    static func transform(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let now = api.clock.unixNanos
        var room = AnswerRoom(api.answers)
        var limits = DecodingLimits()
        limits.columnBytesMax = room.limit
        let decoded: DecodedSpans
        do throws(WireError) {
            let result = call.request.body.withUnsafeBytes { bytes in
                Result { () throws(WireError) in
                    var decoder = OTLP.JSONDecoder(limits: limits)
                    return try decoder.decode(bytes, receivedUnixNanos: now)
                }
            }
            decoded = try result.get()
        } catch {
            if error.code == .tooLarge { throw APIError(422, "limit-exceeded", error.message) }
            throw APIError(400, "invalid-json", "the body is no OTLP JSON: \(error)")
        }
        let batch = decoded.batch
        try room.hold(source: batch.byteCount)
        var order: [TraceID] = []
        var rows: [TraceID: [Int]] = [:]
        for (row, id) in batch.traceIDs.enumerated() {
            if rows[id] == nil { order.append(id) }
            rows[id, default: []].append(row)
        }
        let problems =
            decoded.rejected.isEmpty
            ? []
            : [APIError(400, "invalid-field", "\(decoded.rejectedCount) spans were left out: \(decoded.firstMessage)")]
        let capacity = min(batch.count * 1024, room.textByteCountMax)
        var response = try envelope(call, errors: problems, capacity: capacity) { json throws(APIError) in
            try json.array { json throws(APIError) in
                for id in order {
                    var assembly = TraceAssembly()
                    assembly.add(batch, rows: rows[id] ?? [])
                    let whole: SpanBatch
                    do throws(StoreError) {
                        whole = try assembly.finish()
                    } catch {
                        throw APIError(error, requestID: call.requestID())
                    }
                    let trace = JaegerTrace(whole, isRaw: false)
                    try trace.write(to: &json) { count throws(APIError) in try room.hold(count) }
                }
            }
        }
        response.memory = room.memory
        return response
    }
}
