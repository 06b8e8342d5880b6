// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinWire

/// The query API of Zipkin, version 2 (zipkin2-api.yaml and the server of Zipkin 3), which Zipkin's page and Grafana's Zipkin data
/// source speak.
///
/// Zipkin knows names in lower case only: they are compared and shown so here, and nowhere else. Errors are plain text.
enum ZipkinAPI {
    static let routes: [Route] = [
        Route("GET", "/api/v2/services", services),
        Route("GET", "/api/v2/spans", spanNames),
        Route("GET", "/api/v2/remoteServices", remoteServices),
        Route("GET", "/api/v2/traces", traces),
        Route("GET", "/api/v2/trace/{traceId}", trace),
        Route("GET", "/api/v2/traceMany", traceMany),
        Route("GET", "/api/v2/dependencies", dependencies),
        Route("GET", "/api/v2/autocompleteKeys", autocompleteKeys),
        Route("GET", "/api/v2/autocompleteValues", autocompleteValues),
        Route("GET", "/config.json", configuration),
        Route("GET", "/health", health),
        Route("GET", "/info", information),
    ]

    /// What the service of spans without `service.name` is called (OpenTelemetry's default resource).
    static let namelessService = "unknown_service"

    /// Length of a range unless a request says another, in milliseconds.
    static let lookbackUsualMillis: Int64 = 86_400_000

    static func response(for error: APIError) -> APIResponse { .text(error.detail, status: error.status) }
}

/// The parameters of Zipkin calls.
extension APICall {
    /// A whole number; `nil` when absent or empty.
    func zipkinNumber(_ name: String) throws(APIError) -> Int64? {
        guard let text = request.query(name), !text.isEmpty else { return nil }
        guard let number = Int64(text) else {
            throw .invalid(name, "\(name) is \(Self.shown(text)), a whole number is expected")
        }
        return number
    }

    /// A text that must be there.
    func zipkinText(_ name: String) throws(APIError) -> String {
        guard let text = request.query(name), !text.isEmpty else {
            throw .invalid(name, "the parameter \(name) is required")
        }
        return text
    }

    /// The range that ends with millisecond `endTs` and begins `lookback` milliseconds before; both are greater than 0.
    static func zipkinRange(endTs: Int64, lookback: Int64) throws(APIError) -> TimeRange {
        guard endTs > 0 else { throw .invalid("endTs", "endTs <= 0") }
        guard lookback > 0 else { throw .invalid("lookback", "lookback <= 0") }
        func nanos(_ millis: Int64) -> UInt64 {
            let (nanos, overflow) = UInt64(millis).multipliedReportingOverflow(by: 1_000_000)
            return overflow ? .max : nanos
        }
        let end = nanos(endTs)
        let (afterEnd, overflow) = end.addingReportingOverflow(1_000_000)
        return TimeRange(start: end - min(end, nanos(lookback)), end: overflow ? .max : afterEnd)
    }
}
