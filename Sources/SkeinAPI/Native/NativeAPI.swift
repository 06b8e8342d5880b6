// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// Skein's own API, below `/api/skein/v1/`. What every answer keeps to is said in `docs/api.md`.
enum NativeAPI {
    static let routes: [Route] = [
        Route("GET", "/api/skein/v1/search", search),
        Route("GET", "/api/skein/v1/traces/{id}", trace),
        Route("GET", "/api/skein/v1/traces/{id}/skeleton", skeleton),
        Route("GET", "/api/skein/v1/traces/{id}/spans", spans),
        Route("GET", "/api/skein/v1/services", services),
        Route("GET", "/api/skein/v1/services/{name}/operations", operations),
        Route("GET", "/api/skein/v1/services/{name}/statistics", statistics),
        Route("GET", "/api/skein/v1/service-graph", serviceGraph),
        Route("GET", "/api/skein/v1/attributes", attributes),
        Route("GET", "/api/skein/v1/attributes/{key}/values", values),
        Route("GET", "/api/skein/v1/status", status),
        Route("GET", "/api/skein/v1/usage", usage),
        Route("GET", "/api/skein/v1/removals", removals),
        Route("POST", "/api/skein/v1/removals", remove),
    ]

    /// A problem (RFC 9457), with the members that clients of ours rely on.
    static func response(for error: APIError) -> APIResponse {
        .json(status: error.status, contentType: "application/problem+json") { json in
            json.object { json in
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
        }
    }

    private static func title(of status: Int) -> String {
        switch status {
        case 400: "Bad request"
        case 404: "Not found"
        case 405: "Method not allowed"
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
