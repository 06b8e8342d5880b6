// SPDX-License-Identifier: Apache-2.0

/// Skein's own API, below `/api/skein/v1/`.
enum NativeAPI {
    static let routes: [Route] = []

    static func response(for error: APIError) -> APIResponse {
        APIResponse(
            status: error.status,
            headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: .bytes(Array(error.detail.utf8))
        )
    }
}
