// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// What clients ask to see whether, and what, they speak to.
extension TempoAPI {
    /// The version of Tempo whose API this is. Grafana decides by it what it offers.
    private static let compatibleVersion = "3.1.0"

    static func echo(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse { .text("echo") }

    static func ready(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse { .text("ready\n") }

    static func buildInformation(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let own = await api.serverStatus().version
        return .json { json in
            json.object { json in
                json.member("version", compatibleVersion)
                json.member("revision", "skein-\(own)")
                for name: StaticString in ["branch", "buildDate", "buildUser", "goVersion"] { json.member(name, "") }
            }
        }
    }

    static func status(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        .text(await [versionText(api), servicesText(api), endpointsText].joined(separator: "\n"))
    }

    static func version(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        .text(await versionText(api))
    }

    static func services(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        .text(await servicesText(api))
    }

    static func endpoints(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse { .text(endpointsText) }

    /// Limits are not set over the network, and there are none of single tenants.
    static func overrides(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        throw APIError(
            501,
            "not-implemented",
            "Overrides are not served: limits are set in the configuration of skein."
        )
    }

    /// Two traces are compared by the native API.
    static func difference(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        throw APIError(
            501,
            "not-implemented",
            "Traces are compared at /api/skein/v1/compare?a=…&b=… of the web listener."
        )
    }

    static func mcp(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        throw APIError(501, "not-implemented", "MCP is not served below the paths of Tempo.")
    }

    private static func versionText(_ api: API) async -> String {
        "skein, version \(await api.serverStatus().version) (serves the API of Tempo \(compatibleVersion))\n"
    }

    private static func servicesText(_ api: API) async -> String {
        await api.serverStatus().listeners.map { "\($0.name) => Running\n" }.joined()
    }

    private static var endpointsText: String { routes.map { "\($0.method) \($0.template)\n" }.joined() }
}
