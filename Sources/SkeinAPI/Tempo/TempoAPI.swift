// SPDX-License-Identifier: Apache-2.0

/// The query API of Grafana Tempo (as of 3.1): JSON, or the messages of `tempopb` for who accepts `application/protobuf`.
///
/// Where a text or a default looks odd, it is Tempo's own: clients compare them. Where we differ is said in
/// `docs/api.md`.
enum TempoAPI {
    static let routes: [Route] = [
        Route("GET", "/api/echo", echo),
        Route("GET", "/api/status/buildinfo", buildInformation),
        Route("GET", "/ready", ready),
        Route("GET", "/status", status),
        Route("GET", "/status/version", version),
        Route("GET", "/status/services", services),
        Route("GET", "/status/endpoints", endpoints),
        Route("GET", "/api/overrides", overrides),
        Route("POST", "/api/overrides", overrides),
        Route("PATCH", "/api/overrides", overrides),
        Route("DELETE", "/api/overrides", overrides),
        Route("GET", "/api/mcp", mcp),
        Route("POST", "/api/mcp", mcp),
        Route("POST", "/api/v2/traces/diff", difference),
        Route("GET", "/api/traces/{traceID}", trace),
        Route("GET", "/api/v2/traces/{traceID}", traceByID),
        Route("GET", "/api/search", search),
        Route("GET", "/api/metrics/query_range", queryRange),
        Route("GET", "/api/metrics/query", queryInstant),
        Route("GET", "/api/search/tags", tagNames),
        Route("GET", "/api/v2/search/tags", scopedTagNames),
        Route("GET", "/api/search/tag/{tagName…}/values", tagValues),
        Route("GET", "/api/v2/search/tag/{tagName…}/values", typedTagValues),
    ]

    static func response(for error: APIError) -> APIResponse { .text(error.detail, status: error.status) }
}

extension APIResponse {
    /// An answer for people.
    static func text(_ text: String, status: Int = 200) -> APIResponse {
        APIResponse(
            status: status,
            headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: text.isEmpty ? .empty : .bytes(Array(text.utf8))
        )
    }
}
