// SPDX-License-Identifier: Apache-2.0

/// The APIs that are served, each with its own paths and its own form of error.
enum APIFamily {
    case native
    case jaeger

    /// The family that serves `path`, split and decoded; `nil` for what is not below `/api`.
    init?(_ path: [String]) {
        guard path.first == "api" else { return nil }
        self = path.dropFirst().first == "skein" ? .native : .jaeger
    }

    var routes: [Route] {
        switch self {
        case .native: NativeAPI.routes
        case .jaeger: JaegerAPI.routes
        }
    }

    func response(for error: APIError) -> APIResponse {
        var response =
            switch self {
            case .native: NativeAPI.response(for: error)
            case .jaeger: JaegerAPI.response(for: error)
            }
        response.headers += error.headers
        response.logMessage = error.logMessage
        return response
    }
}
