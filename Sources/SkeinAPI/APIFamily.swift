// SPDX-License-Identifier: Apache-2.0

/// The APIs that are served, each with its own paths and its own form of error.
package enum APIFamily: Sendable {
    case native
    case jaeger
    /// Jaeger's API below `/api/v3`, whose errors have another form.
    case jaegerV3
    case tempo
    case zipkin
    /// The Model Context Protocol.
    case mcp
    case prometheus
    /// The work of agents; its errors are those of the native API.
    case workTrace

    /// The family that serves `path`, split and decoded, where all of them are served side by side, and what of the path is
    /// left for it; `nil` for what is no API's.
    static func serving(_ path: [String]) -> (family: APIFamily, path: [String])? {
        switch path.first {
        case "tempo": (.tempo, Array(path.dropFirst()))
        case "zipkin": (.zipkin, Array(path.dropFirst()))
        case "mcp": (.mcp, path)
        case "prometheus": (.prometheus, Array(path.dropFirst()))
        case "api":
            switch path.dropFirst().first {
            case "skein": (.native, path)
            case "worktrace": (.workTrace, path)
            case "v3": (.jaegerV3, path)
            default: (.jaeger, path)
            }
        default: nil
        }
    }

    var routes: [Route] {
        switch self {
        case .native: NativeAPI.routes
        case .jaeger: JaegerAPI.routes
        case .jaegerV3: JaegerV3API.routes
        case .tempo: TempoAPI.routes
        case .mcp: MCPAPI.routes
        case .zipkin: ZipkinAPI.routes
        case .prometheus: PrometheusAPI.routes
        case .workTrace: WorkTraceAPI.routes
        }
    }

    /// Where the paths of its routes begin when all families are served side by side.
    var prefix: String {
        switch self {
        case .native, .jaeger, .jaegerV3, .mcp, .workTrace: ""
        case .tempo: "/tempo"
        case .zipkin: "/zipkin"
        case .prometheus: "/prometheus"
        }
    }

    func response(for error: APIError) -> APIResponse {
        var response =
            switch self {
            case .native, .workTrace: NativeAPI.response(for: error)
            case .jaeger: JaegerAPI.response(for: error)
            case .jaegerV3: JaegerV3API.response(for: error)
            case .tempo: TempoAPI.response(for: error)
            case .mcp: MCPAPI.response(for: error)
            case .zipkin: ZipkinAPI.response(for: error)
            case .prometheus: PrometheusAPI.response(for: error)
            }
        response.headers += error.headers
        response.logMessage = error.logMessage
        return response
    }
}
