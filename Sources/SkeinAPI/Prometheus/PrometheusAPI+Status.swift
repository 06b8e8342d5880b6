// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// What clients ask to see whom they speak to, and what there is.
extension PrometheusAPI {
    /// The version of Prometheus whose API this is. Grafana decides by it what it asks for.
    private static let compatibleVersion = "3.0.0"

    static func buildInformation(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let own = await api.serverStatus().version
        return .prometheus { json in
            json.object { json in
                json.member("version", compatibleVersion)
                json.member("revision", "skein-\(own)")
                for name: StaticString in ["branch", "buildUser", "buildDate", "goVersion"] { json.member(name, "") }
            }
        }
    }

    static func metadata(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let parameters = PrometheusParameters(call, api)
        let families = SpanMetric.Family.allCases.filter { parameters.value("metric") ?? $0.name == $0.name }
        let limit = try parameters.limit(atMost: families.count)
        return .prometheus { json in
            json.object { json in
                for family in families.prefix(limit) {
                    json.key(text: family.name)
                    json.array { json in
                        json.object { json in
                            json.member("type", family.isHistogram ? "histogram" : "counter")
                            json.member("help", family.help)
                            json.member("unit", family.isHistogram ? "seconds" : "")
                        }
                    }
                }
            }
        }
    }
}
