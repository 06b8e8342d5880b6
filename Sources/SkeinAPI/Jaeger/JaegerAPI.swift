// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// The Jaeger query API (v1, JSON) below `/api/`, as Grafana and Jaeger's own page up to 2.20 speak it.
///
/// Where a text or a default looks odd, it is Jaeger's own: clients compare them.
enum JaegerAPI {
    static let routes: [Route] = [
        Route("GET", "/api/services", services),
        Route("GET", "/api/services/{service}/operations", operationNames),
        Route("GET", "/api/operations", operations),
        Route("GET", "/api/traces", traces),
        Route("GET", "/api/traces/{traceID}", trace),
        Route("POST", "/api/archive/{traceID}", archive),
        Route("POST", "/api/transform", transform),
        Route("GET", "/api/dependencies", dependencies),
        Route("GET", "/api/deep-dependencies", deepDependencies),
        Route("GET", "/api/metrics/latencies", latencies),
        Route("GET", "/api/metrics/calls", calls),
        Route("GET", "/api/metrics/errors", errors),
        Route("GET", "/api/metrics/minstep", shortestStep),
        Route("GET", "/api/quality-metrics", qualityMetrics),
    ]

    /// What Jaeger calls the service of spans whose resource does not name one.
    static let namelessService = "OTLPResourceNoServiceName"

    static func response(for error: APIError) -> APIResponse {
        // The envelope stands for errors as it does for answers.
        .json(status: error.status) { json in
            json.object { json in
                json.key("data")
                json.null()
                closeEnvelope(total: 0, errors: [error], &json)
            }
        }
    }

    /// An answer in Jaeger's envelope: `data` writes the value of that name, `errors` say what could not be had.
    static func envelope<E: Error>(
        _ call: APICall,
        total: Int = 0,
        errors: [APIError] = [],
        capacity: Int = 1024,
        _ data: (inout JSONWriter) throws(E) -> Void
    ) throws(E) -> APIResponse {
        let json = try envelopeText(total: total, errors: errors, capacity: capacity, data)
        return response(isPretty(call) ? .bytes(JSONIndentation.indented(json.bytes)) : .written(.init(json)))
    }

    /// An answer in Jaeger's envelope, whose `data` are texts that are written already.
    static func envelope(_ call: APICall, errors: [APIError], of elements: [[UInt8]]) -> APIResponse {
        let around = envelopeText(total: 0, errors: errors, capacity: 256) { json in json.array { _ in } }.array()
        // Nothing but the name of `data` stands before its brackets.
        let open = (around.firstIndex(of: UInt8(ascii: "[")) ?? 0) + 1
        var pieces = [Array(around[..<open])]
        for (index, element) in elements.enumerated() {
            if index > 0 { pieces.append([UInt8(ascii: ",")]) }
            pieces.append(element)
        }
        pieces.append(Array(around[open...]))
        guard isPretty(call) else { return response(.pieces(pieces)) }
        return response(.bytes(Array(pieces.joined()).withUnsafeBytes { JSONIndentation.indented($0) }))
    }

    private static func envelopeText<E: Error>(
        total: Int,
        errors: [APIError],
        capacity: Int,
        _ data: (inout JSONWriter) throws(E) -> Void
    ) throws(E) -> ByteWriter {
        var json = JSONWriter(capacity: capacity)
        try json.object { json throws(E) in
            json.key("data")
            try data(&json)
            closeEnvelope(total: total, errors: errors, &json)
        }
        return json.finish()
    }

    static func isPretty(_ call: APICall) -> Bool {
        call.request.query("prettyPrint").map { !$0.isEmpty && $0 != "false" } ?? false
    }

    private static func response(_ body: APIResponse.Body) -> APIResponse {
        APIResponse(status: 200, headers: [("Content-Type", "application/json")], body: body)
    }

    private static func closeEnvelope(total: Int, errors: [APIError], _ json: inout JSONWriter) {
        json.member("total", total)
        json.member("limit", 0)
        json.member("offset", 0)
        guard !errors.isEmpty else {
            json.key("errors")
            return json.null()
        }
        json.array("errors") { json in
            for error in errors {
                json.object { json in
                    json.member("code", error.status)
                    json.member("msg", error.detail)
                    if let id = error.traceID { json.member("traceID", id) }
                }
            }
        }
    }
}
