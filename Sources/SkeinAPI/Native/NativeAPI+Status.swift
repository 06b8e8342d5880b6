// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import SkeinWire

extension NativeAPI {
    /// What the server and its store say of themselves.
    static func status(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let server = await api.serverStatus()
        let stored = await api.store.status()
        let problems = server.problems + stored.problems
        return .json { json in
            json.object { json in
                json.member("version", server.version)
                json.member("startedAt", RFC3339.format(server.startedUnixNanos))
                json.member("dataDirectory", server.dataDirectory)
                json.member("spans", stored.spanCount)
                json.member("oldestTimeUnixNano", decimal: stored.oldestUnixNanos)
                json.member("newestTimeUnixNano", decimal: stored.newestUnixNanos)
                json.member("receivedSpans", server.receivedSpanCount)
                json.array("listeners") { json in
                    for listener in server.listeners {
                        json.object { json in
                            json.member("name", listener.name)
                            json.member("address", listener.address)
                        }
                    }
                }
                json.object("retention") { json in
                    json.member("ageSeconds", server.retentionAgeSeconds)
                    json.member("bytes", server.retentionBytes)
                    json.array("rules") { json in
                        for rule in server.retentionRules {
                            json.object { json in
                                json.member("ageSeconds", rule.ageSeconds)
                                json.member("q", rule.condition)
                            }
                        }
                    }
                }
                json.member("health", problems.isEmpty ? "ok" : "degraded")
                json.array("problems") { json in
                    for problem in problems { json.string(problem) }
                }
            }
        }
    }
}
