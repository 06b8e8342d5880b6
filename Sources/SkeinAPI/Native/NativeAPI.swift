// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// Skein's own API, below `/api/skein/v1/`. What every answer keeps to is said in `docs/api.md`.
enum NativeAPI {
    static let routes: [Route] = [
        route("GET", "search", "q", "start", "end", "limit", "cursor", "order", "spans", answer: search),
        route("GET", "saved-queries", answer: savedQueries),
        route("PUT", "saved-queries/{name}", answer: saveQuery),
        route("DELETE", "saved-queries/{name}", answer: removeQuery),
        route("GET", "tail", "q", "spans", answer: tail),
        route("GET", "complete", "q", "position", "limit", answer: complete),
        route("GET", "metrics", "q", "start", "end", "step", "exemplars", "limit", answer: metrics),
        route("GET", "heatmap", "q", "start", "end", "step", answer: heatmap),
        route("GET", "facets", "q", "start", "end", "keys", "fields", "limit", answer: facets),
        route("GET", "differences", "q", "selection", "start", "end", "fields", "limit", answer: differences),
        route("GET", "traces/{id}", answer: trace),
        route("GET", "traces/{id}/skeleton", answer: skeleton),
        route("GET", "traces/{id}/matches", "q", "text", answer: matches),
        route("GET", "traces/{id}/spans", "ids", "limit", "cursor", answer: spans),
        route("GET", "traces/{id}/logs", "span", "limit", answer: logs),
        route("POST", "traces/{id}/pin", answer: pin),
        route("DELETE", "traces/{id}/pin", answer: unpin),
        route("GET", "pins", "limit", "cursor", answer: pins),
        route("GET", "traces/{id}/critical-path", answer: criticalPath),
        route("GET", "traces/{id}/statistics", "by", answer: traceStatistics),
        route("GET", "traces/{id}/clock-skew", answer: clockSkew),
        route("GET", "compare", "a", "b", answer: compare),
        analysis("errors", answer: errors),
        analysis("hygiene", answer: hygiene),
        analysis("repeated-calls", "count", "share", answer: repeatedCalls),
        analysis("critical-path", "faster", answer: criticalPaths),
        analysis("deep-dependencies", "service", answer: deepDependencies),
        route("GET", "services", "prefix", "limit", "cursor", answer: services),
        route("GET", "services/{name}/operations", "prefix", "limit", "cursor", answer: operations),
        route("GET", "services/{name}/statistics", "start", "end", "step", answer: statistics),
        route("GET", "service-graph", "start", "end", answer: serviceGraph),
        route("GET", "attributes", "prefix", "limit", "cursor", answer: attributes),
        route("GET", "attributes/{key}/values", "prefix", "limit", "cursor", "scope", answer: values),
        route("GET", "status", answer: status),
        route("GET", "usage", "service", "limit", "cursor", answer: usage),
        route("GET", "removals", "limit", "cursor", answer: removals),
        route("POST", "removals", answer: remove),
        route("POST", "sampling/explain", "start", "end", "limit", "trace", answer: explainSampling),
        route("POST", "import", "format", "service", answer: importSpans),
    ]

    /// An analysis of the traces that match.
    private static func analysis(_ name: String, _ parameters: String..., answer: @escaping Route.Answer) -> Route {
        Route("GET", "/api/skein/v1/analysis/\(name)", parameters: ["q", "start", "end", "limit"] + parameters, answer)
    }

    private static func route(
        _ method: String,
        _ path: String,
        _ parameters: String...,
        answer: @escaping Route.Answer
    ) -> Route {
        Route(method, "/api/skein/v1/\(path)", parameters: parameters, answer)
    }

    /// A problem (RFC 9457), with the members that clients of ours rely on.
    static func response(for error: APIError) -> APIResponse {
        .json(status: error.status, contentType: "application/problem+json") { json in
            json.object { json in write(error, to: &json) }
        }
    }

    /// The members of a problem.
    static func write(_ error: APIError, to json: inout JSONWriter) {
        json.key("type")
        json.string("urn:skein:problem:\(error.code)")
        json.member("title", title(of: error.status))
        json.member("status", error.status)
        json.member("code", error.code)
        json.member("detail", error.detail)
        json.member("field", error.field)
        guard let syntax = error.syntax else { return }
        json.object("position") { json in
            json.member("line", syntax.line)
            json.member("column", syntax.column)
            json.member("offset", syntax.offset)
            json.member("length", syntax.length)
        }
        json.array("expected") { json in
            for word in syntax.expected { json.string(word) }
        }
        json.member("suggestion", syntax.suggestion)
    }

    private static func title(of status: Int) -> String {
        switch status {
        case 400: "Bad request"
        case 404: "Not found"
        case 405: "Method not allowed"
        case 409: "Conflict"
        case 408: "Request timeout"
        case 413: "Content too large"
        case 415: "Unsupported media type"
        case 422: "Over a limit"
        case 429: "Too many requests"
        case 499: "Cancelled"
        case 503: "Unavailable"
        case 504: "Query timeout"
        default: "Internal error"
        }
    }
}
