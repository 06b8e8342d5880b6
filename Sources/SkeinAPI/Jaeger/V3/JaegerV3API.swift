// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// The Jaeger query API version 3 over HTTP below `/api/v3/`, as Jaeger's page from 2.15 on speaks it, and Grafana where
/// `jaegerEnableGrpcEndpoint` is on: answers are the messages of `jaeger.api_v3` in the JSON of Protocol Buffers, spans OTLP JSON.
enum JaegerV3API {
    static let routes: [Route] = [
        Route("GET", "/api/v3/services", services),
        Route("GET", "/api/v3/operations", operations),
        Route("GET", "/api/v3/traces", traces),
        Route("GET", "/api/v3/traces/{trace_id}", trace),
        Route("GET", "/api/v3/trace-summaries", traceSummaries),
        Route("GET", "/api/v3/dependencies", dependencies),
        Route("GET", "/api/v3/capabilities", capabilities),
    ]

    /// `GRPCGatewayError` (jaeger.api_v3).
    static func response(for error: APIError) -> APIResponse {
        .json(status: error.status) { json in
            json.object { json in
                json.object("error") { json in
                    json.member("httpCode", error.status)
                    json.member("message", error.detail)
                    json.member("grpcCode", APIStreamStatus(error).code.rawValue)
                    json.member("httpStatus", error.reasonPhrase)
                }
            }
        }
    }

    // MARK: Names

    static func services(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let services = try await api.serviceNames(nameless: JaegerAPI.namelessService, call)
        return .json(capacity: 64 + services.count * 32) { json in
            json.object { json in
                json.array("services") { json in
                    for service in services { json.string(service) }
                }
            }
        }
    }

    static func operations(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let service = call.request.query("service"), !service.isEmpty else { throw JaegerAPI.serviceRequired }
        let kind = call.v3Parameter("spanKind", "span_kind").value ?? ""
        let operations = try await JaegerAPI.stored(api, call, ofService: service).filter {
            kind.isEmpty || word(for: $0) == kind
        }
        return .json(capacity: 64 + operations.count * 64) { json in
            json.object { json in
                json.array("operations") { json in
                    for operation in operations {
                        json.object { json in
                            json.member("name", operation.name)
                            json.member("spanKind", word(for: operation))
                        }
                    }
                }
            }
        }
    }

    /// Jaeger takes spans that do not say their kind for internal ones here.
    static func word(for operation: Operation) -> String {
        operation.kind == .unspecified ? "internal" : "\(operation.kind)"
    }

    // MARK: Calls

    static func dependencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (start, startName) = try call.v3Time("startTime", "start_time")
        let (end, endName) = try call.v3Time("endTime", "end_time")
        guard let start, let end else {
            throw .invalid(start == nil ? startName : endName, "startTime and endTime are required")
        }
        let found = try await JaegerDependency.all(in: TimeRange(start: start, end: end), api, call)
        return .json(capacity: 64 + found.count * 64) { json in
            json.object { json in
                json.array("dependencies") { json in
                    for dependency in found {
                        json.object { json in
                            json.member("parent", dependency.parent)
                            json.member("child", dependency.child)
                            json.member("callCount", decimal: dependency.callCount)
                        }
                    }
                }
            }
        }
    }

    /// `GetCapabilitiesResponse` (jaeger.api_v3): what a search may be. What is not named is not served.
    static func capabilities(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        .json { json in
            json.object { json in
                json.object("search") { json in
                    json.member("withoutServiceName", true)
                    json.member("sameSpanConjunction", true)
                }
            }
        }
    }
}

extension APIError {
    /// What HTTP calls the status (RFC 9110 §15), of those that are given.
    fileprivate var reasonPhrase: String {
        switch status {
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 499: "Client Closed Request"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Error"
        }
    }
}
