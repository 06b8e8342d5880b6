// SPDX-License-Identifier: Apache-2.0

/// The APIs that are served, each with its own paths and its own form of error.
package enum APIFamily: Sendable {
    case native
    case jaeger
    case tempo
    case zipkin
    /// The Model Context Protocol.
    case mcp

    /// The family that serves `path`, split and decoded, where all of them are served side by side, and what of the path is
    /// left for it; `nil` for what is no API's.
    static func serving(_ path: [String]) -> (family: APIFamily, path: [String])? {
        switch path.first {
        case "tempo": (.tempo, Array(path.dropFirst()))
        case "zipkin": (.zipkin, Array(path.dropFirst()))
        case "mcp": (.mcp, path)
        case "api": (path.dropFirst().first == "skein" ? .native : .jaeger, path)
        default: nil
        }
    }

    var routes: [Route] {
        switch self {
        case .native: NativeAPI.routes
        case .jaeger: JaegerAPI.routes
        case .tempo: TempoAPI.routes
        case .zipkin: []
        case .mcp: MCPAPI.routes
        }
    }

    /// Where the paths of its routes begin when all families are served side by side.
    var prefix: String {
        switch self {
        case .native, .jaeger, .mcp: ""
        case .tempo: "/tempo"
        case .zipkin: "/zipkin"
        }
    }

    func response(for error: APIError) -> APIResponse {
        var response =
            switch self {
            case .native: NativeAPI.response(for: error)
            case .jaeger: JaegerAPI.response(for: error)
            case .tempo: TempoAPI.response(for: error)
            case .zipkin: Self.text(error)
            case .mcp: MCPAPI.response(for: error)
            }
        response.headers += error.headers
        response.logMessage = error.logMessage
        return response
    }

    private static func text(_ error: APIError) -> APIResponse {
        APIResponse(
            status: error.status,
            headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: .bytes(Array(error.detail.utf8))
        )
    }
}
