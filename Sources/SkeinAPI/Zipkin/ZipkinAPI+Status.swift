// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinWire

/// What Zipkin's page and operators ask of a server.
extension ZipkinAPI {
    static func health(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let problems = await api.store.status().problems
        return .json { json in
            json.object { json in
                json.member("status", "UP")
                json.object("zipkin") { json in
                    json.member("status", "UP")
                    json.object("details") { json in
                        json.object("SkeinStore") { json in
                            json.member("status", "UP")
                            if !problems.isEmpty {
                                json.object("details") { $0.member("problems", problems.joined(separator: " ")) }
                            }
                        }
                    }
                }
            }
        }
    }

    static func information(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let status = await api.serverStatus()
        return .json { json in
            json.object { json in
                json.object("zipkin") { $0.member("version", status.version) }
            }
        }
    }

    /// The configuration of Zipkin's page.
    static func configuration(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var response = APIResponse.json { json in
            json.object { json in
                json.member("environment", "")
                json.member("queryLimit", ZipkinQuery.limitUsual)
                // A quarter of an hour, in milliseconds.
                json.member("defaultLookback", 900_000)
                json.member("searchEnabled", true)
                json.member("logsUrl", nil as String?)
                json.member("supportUrl", nil as String?)
                json.member("archivePostUrl", nil as String?)
                json.member("archiveUrl", nil as String?)
                json.object("dependency") { json in
                    json.member("enabled", true)
                    json.member("lowErrorRate", 0.5)
                    json.member("highErrorRate", 0.75)
                }
            }
        }
        response.headers.append(("Cache-Control", "max-age=600"))
        return response
    }
}
