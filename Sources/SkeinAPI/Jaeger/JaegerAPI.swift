// SPDX-License-Identifier: Apache-2.0

/// The Jaeger query API (v1, JSON), below `/api/`.
enum JaegerAPI {
    static let routes: [Route] = []

    static func response(for error: APIError) -> APIResponse {
        APIResponse(
            status: error.status,
            headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: .bytes(Array(error.detail.utf8))
        )
    }
}
