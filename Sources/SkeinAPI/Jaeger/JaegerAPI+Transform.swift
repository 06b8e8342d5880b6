// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

extension JaegerAPI {
    /// Shows a file of OTLP JSON as Jaeger's traces, without storing it: the page's "JSON file" upload.
    static func transform(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let now = api.clock.unixNanos
        let decoded: DecodedSpans
        do throws(WireError) {
            let result = call.request.body.withUnsafeBytes { bytes in
                Result { () throws(WireError) in
                    var decoder = OTLP.JSONDecoder()
                    return try decoder.decode(bytes, receivedUnixNanos: now)
                }
            }
            decoded = try result.get()
        } catch {
            throw APIError(400, "invalid-json", "the body is no OTLP JSON: \(error)")
        }
        let batch = decoded.batch
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
        return envelope(call, errors: problems, capacity: batch.count * 1024) { json in
            json.array { json in
                for id in order {
                    var assembly = TraceAssembly()
                    assembly.add(batch, rows: rows[id] ?? [])
                    JaegerTrace(assembly.finish(), isRaw: false).write(to: &json)
                }
            }
        }
    }
}
